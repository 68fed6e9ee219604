use std::fmt;

use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Code;

/// What a method answers when it cannot do what was asked: a stable code, a message for people,
/// and for programs `data`: its name, what to do, and details.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError(Box<Inner>);

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    code: Code,
    message: String,
    help: Option<String>,
    details: Map<String, Value>,
}

impl RpcError {
    /// An error whose message says what went wrong this time.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self(Box::new(Inner { code, message, help: None, details: Map::new() }))
    }

    /// The kind of error.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Says better than the code what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds a detail for programs, next to `name` and `help`.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        self.0.details.insert(name.to_owned(), value);
        self
    }

    fn data(&self) -> Value {
        let help = self.0.help.as_deref().unwrap_or(self.0.code.help);
        let mut data = self.0.details.clone();
        data.insert("name".into(), self.0.code.name.into());
        data.insert("help".into(), help.into());
        Value::Object(data)
    }

    /// The `error` object of a response.
    pub(super) fn to_json(&self) -> Value {
        serde_json::json!({
            "code": self.0.code.number,
            "message": self.0.message,
            "data": self.data(),
        })
    }

    /// A whole response to a request whose id is not known.
    pub(super) fn to_response(&self) -> Value {
        serde_json::json!({ "jsonrpc": "2.0", "id": null, "error": self.to_json() })
    }
}

impl From<Code> for RpcError {
    fn from(code: Code) -> Self {
        Self::new(code, code.meaning)
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for RpcError {}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        let data = error.data();
        Self::owned(error.0.code.number, error.0.message, Some(data))
    }
}
