//! The types that settings may have.

use std::{fmt, net::SocketAddr, path::PathBuf};

use covey_messaging::{Name, limits::NAME_BYTES};
use libp2p::Multiaddr;
use serde_json::{Value, json};

// What `DisplayName` says it expects.
const _: () = assert!(NAME_BYTES == 64);

/// A value as it stands in a layer.
#[derive(Debug)]
pub(super) enum Raw<'a> {
    /// In the file.
    Toml(&'a toml::Value),
    /// In the environment or in a flag.
    Text(&'a str),
}

/// A type that a setting may have.
pub(super) trait Setting: Sized {
    /// Reads it; the error says what it should be.
    fn read(raw: &Raw<'_>) -> Result<Self, String>;
    /// Shows it.
    fn show(&self) -> Value;
}

/// A setting that is one word.
trait Scalar: Sized {
    /// With an article: "a number".
    const EXPECTED: &'static str;
    /// From the environment, a flag or a TOML string. The error adds to what was expected.
    fn parse(text: &str) -> Result<Self, String>;
    /// From TOML's own types.
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        Self::parse(value.as_str().ok_or("")?)
    }
    fn show(&self) -> Value;
}

impl<T: Scalar> Setting for T {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let (read, found) = match raw {
            Raw::Toml(value) => (T::from_toml(value), describe(value)),
            Raw::Text(text) => (T::parse(text.trim()), format!("\"{text}\"")),
        };
        read.map_err(|why| {
            let why = if why.is_empty() { why } else { format!(" ({why})") };
            format!("expected {}, found {found}{why}", T::EXPECTED)
        })
    }

    fn show(&self) -> Value {
        Scalar::show(self)
    }
}

/// In the environment and in flags, nothing at all.
impl<T: Scalar> Setting for Option<T> {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        match raw {
            Raw::Text(text) if text.trim().is_empty() => Ok(None),
            raw => T::read(raw).map(Some),
        }
    }

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, Scalar::show)
    }
}

/// In the environment and in flags, separated by commas.
impl<T: Scalar> Setting for Vec<T> {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        match raw {
            Raw::Text(text) if text.trim_start().starts_with('[') => {
                Err("write several with commas between them, without brackets or quotes".into())
            }
            Raw::Text(text) => text
                .split(',')
                .filter(|item| !item.trim().is_empty())
                .map(|item| T::read(&Raw::Text(item)))
                .collect(),
            Raw::Toml(toml::Value::Array(items)) => {
                items.iter().map(|item| T::read(&Raw::Toml(item))).collect()
            }
            Raw::Toml(other) => Err(format!(
                "expected a list, each item {}, found {}",
                T::EXPECTED,
                describe(other)
            )),
        }
    }

    fn show(&self) -> Value {
        self.iter().map(Scalar::show).collect()
    }
}

fn describe(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("\"{text}\""),
        toml::Value::Array(_) => "a list".into(),
        toml::Value::Table(_) => "a table".into(),
        other => other.to_string(),
    }
}

impl Scalar for bool {
    const EXPECTED: &'static str = "true or false";
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| String::new())
    }
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(String::new)
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Scalar for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 4294967295";
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| String::new())
    }
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        let number = value.as_integer().ok_or("")?;
        Self::try_from(number).map_err(|_| String::new())
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Scalar for String {
    const EXPECTED: &'static str = "a text that is not empty";
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err(String::new()) } else { Ok(text.into()) }
    }
    fn show(&self) -> Value {
        json!(self)
    }
}

impl Scalar for PathBuf {
    const EXPECTED: &'static str = "a path";
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err(String::new()) } else { Ok(text.into()) }
    }
    fn show(&self) -> Value {
        json!(self.display().to_string())
    }
}

impl Scalar for Multiaddr {
    const EXPECTED: &'static str = "a multiaddress such as /ip4/192.0.2.1/udp/4001/quic-v1";
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: libp2p::multiaddr::Error| error.to_string())
    }
    fn show(&self) -> Value {
        json!(self.to_string())
    }
}

/// An address that only this machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loopback(SocketAddr);

impl Loopback {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0
    }
}

impl Scalar for Loopback {
    const EXPECTED: &'static str = "a loopback address with a port, such as 127.0.0.1:4180";
    fn parse(text: &str) -> Result<Self, String> {
        let address: SocketAddr = text.parse().map_err(|_| String::new())?;
        if address.ip().is_loopback() {
            Ok(Self(address))
        } else {
            Err("other machines could reach it: use an SSH tunnel instead".into())
        }
    }
    fn show(&self) -> Value {
        json!(self.0.to_string())
    }
}

/// A name that others see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(Name);

impl DisplayName {
    /// Takes a text without the spaces around it; none if it cannot be a name.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let name = text.trim();
        if name.is_empty() || name.contains(char::is_control) {
            return None;
        }
        Name::new(name).ok().map(Self)
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0
    }
}

impl Scalar for DisplayName {
    const EXPECTED: &'static str = "a name of 1 to 64 bytes without control characters";
    fn parse(text: &str) -> Result<Self, String> {
        Self::new(text).ok_or_else(String::new)
    }
    fn show(&self) -> Value {
        json!(self.0.to_string())
    }
}

/// Permissions of a file, for its owner and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMode(u32);

impl FileMode {
    /// The owner alone.
    pub const PRIVATE: Self = Self(0o600);

    /// The bits.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.0
    }

    fn new(bits: u32) -> Result<Self, String> {
        match bits {
            0o600 | 0o660 | 0o700 | 0o770 => Ok(Self(bits)),
            _ => Err("the socket gives full control over the node, so only its owner and one \
                      group may use it"
                .into()),
        }
    }
}

impl Scalar for FileMode {
    const EXPECTED: &'static str = "\"0600\" (owner) or \"0660\" (owner and group)";
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim_start_matches("0o");
        u32::from_str_radix(digits, 8).map_err(|_| String::new()).and_then(Self::new)
    }
    fn from_toml(value: &toml::Value) -> Result<Self, String> {
        match value {
            toml::Value::Integer(bits) => {
                u32::try_from(*bits).map_err(|_| String::new()).and_then(Self::new)
            }
            other => Self::parse(other.as_str().ok_or("")?),
        }
    }
    fn show(&self) -> Value {
        json!(format!("{:04o}", self.0))
    }
}

/// What to log, in the words of `tracing_subscriber`'s `EnvFilter`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// What the node itself has to say. The libraries below it report every stray packet, and
    /// gossipsub whole messages that it could not send.
    pub(super) fn info() -> Self {
        Self("warn,covey=info,libp2p_kad=error,libp2p_gossipsub=off".into())
    }

    /// The directives.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for Filter {
    const EXPECTED: &'static str =
        "off, error, warn, info, debug or trace, or directives such as info,covey=debug";
    fn parse(text: &str) -> Result<Self, String> {
        crate::logs::check_filter(text).map(|()| Self(text.into()))
    }
    fn show(&self) -> Value {
        json!(self.0)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Scalar for Format {
    const EXPECTED: &'static str = "text or json";
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(String::new()),
        }
    }
    fn show(&self) -> Value {
        json!(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}
