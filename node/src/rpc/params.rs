//! Parameters: by name or by position, with unknown names refused.

use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{
    Deserialize,
    de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::{RpcError, codes};

/// For methods without parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
pub struct NoParams {}

/// Reads the parameters of `method`, whose names in order are `names`.
pub(super) fn parse<P: DeserializeOwned>(
    method: &str,
    names: &[String],
    params: Option<&str>,
) -> Result<P, RpcError> {
    let text = params.unwrap_or("{}").trim();
    let refuse = |message: String| refuse(method, names, message);
    let named = match text.as_bytes().first() {
        Some(b'[') => Cow::Owned(by_name(text, names).map_err(refuse)?),
        Some(b'{') => {
            check_names(text, names).map_err(refuse)?;
            Cow::Borrowed(text)
        }
        _ if text == "null" => Cow::Borrowed("{}"),
        _ => return Err(refuse("parameters are an object or an array".into())),
    };
    serde_json::from_str(&named).map_err(|error| refuse(error.to_string()))
}

fn refuse(method: &str, names: &[String], message: String) -> RpcError {
    let help = if names.is_empty() {
        format!("{method} takes no parameters")
    } else {
        format!("{method} takes: {}; rpc_discover has the types", names.join(", "))
    };
    RpcError::new(codes::INVALID_PARAMS, message).help(help).detail("method", method)
}

/// Turns positions into names.
fn by_name(text: &str, names: &[String]) -> Result<String, String> {
    let values: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if values.len() > names.len() {
        return Err(format!("{} parameters are too many, at most {}", values.len(), names.len()));
    }
    let fields: Vec<String> = names
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_str()), value.get()))
        .collect();
    Ok(format!("{{{}}}", fields.join(",")))
}

/// A misspelt optional parameter must not go unnoticed.
fn check_names(text: &str, names: &[String]) -> Result<(), String> {
    struct Names<'n>(&'n [String]);

    impl<'de> Visitor<'de> for Names<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, _)) = map.next_entry::<Cow<'de, str>, IgnoredAny>()? {
                if !self.0.iter().any(|known| *known == name) {
                    let nearest = nearest(&name, self.0.iter().map(String::as_str));
                    let hint = nearest.map(|name| format!(", did you mean {name}?"));
                    return Err(A::Error::custom(format_args!(
                        "unknown parameter {name}{}",
                        hint.unwrap_or_default()
                    )));
                }
            }
            Ok(())
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Names(names)).map_err(|error| error.to_string())
}

/// The known name most like this one, if any is like it.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const SIMILAR: f64 = 0.7;
    known
        .map(|known| (known, strsim::normalized_damerau_levenshtein(name, known)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, likeness)| *likeness >= SIMILAR)
        .map(|(known, _)| known)
}

/// The names of a struct's fields in the order of its declaration, which JSON Schema loses:
/// asks the type's `Deserialize` and stops it there.
pub(super) fn field_names<P: DeserializeOwned>() -> &'static [&'static str] {
    match P::deserialize(Inspector) {
        Err(Fields(names)) => names,
        Ok(_) => &[],
    }
}

struct Inspector;

#[derive(Debug)]
struct Fields(&'static [&'static str]);

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field names")
    }
}

impl std::error::Error for Fields {}

impl serde::de::Error for Fields {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Inspector {
    type Error = Fields;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fields> {
        Err(Fields(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fields> {
        Err(Fields(fields))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
