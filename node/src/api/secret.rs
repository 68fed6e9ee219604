//! Keys that nobody else may know, on their way from the control socket.

use std::{borrow::Cow, fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A private key, a group's key, or a key's name. It is never shown, so that parameters can be
/// logged, and its memory is overwritten at the end.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// For clients it is a text like any other.
impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        chains::types::{JoinParams, PayloadParams, PostParams, ProfileParams, VoteParams},
        types::NewKey,
    };
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use std::fmt::Debug;

    const KEY: &str = "96700ACD";

    fn parsed<T: DeserializeOwned + Debug>(params: Value, field: &str) -> String {
        parsed_with::<T>(params, field, KEY.into())
    }

    fn parsed_with<T: DeserializeOwned + Debug>(
        mut params: Value,
        field: &str,
        key: Value,
    ) -> String {
        params[field] = key;
        format!("{:?}", serde_json::from_value::<T>(params).expect("these are its parameters"))
    }

    #[test]
    fn parameters_do_not_show_keys() {
        let block = json!({ "chain": "#chat", "id": "1_AB", "like": true, "name": "Ann" });
        for shown in [
            parsed::<PostParams>(block.clone(), "sign"),
            parsed::<VoteParams>(block.clone(), "sign"),
            parsed::<ProfileParams>(block.clone(), "sign"),
            parsed::<PayloadParams>(block.clone(), "decrypt"),
            parsed::<NewKey>(block.clone(), "private"),
            parsed_with::<JoinParams>(block, "keys", json!([KEY])),
        ] {
            assert!(shown.contains('…') && !shown.contains(KEY), "{shown}");
        }
    }
}
