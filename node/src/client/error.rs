use std::{fmt, io, path::PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::rpc::limits::REQUEST_BYTES;

/// What the node answered instead of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub struct ServerError {
    /// The stable code; see [`crate::rpc::codes`].
    pub code: i32,
    /// For people.
    pub message: String,
    /// For programs: `name`, `help`, and details.
    #[serde(default)]
    pub data: Value,
}

impl ServerError {
    /// The code as a word.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.data.get("name")?.as_str()
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.data.get("help")?.as_str()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody serves the data directory.
    #[error("no node runs on {}; start one: covey start --data {}", data.display(), data.display())]
    NoNode {
        /// Which data directory.
        data: PathBuf,
    },
    /// Somebody may, but this user cannot connect.
    #[error("cannot connect to {}: {source}", socket.display())]
    Connect {
        /// Which socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The node closed the connection, or stopped.
    #[error("the node closed the connection; see its log")]
    Closed,
    /// Events came faster than they were taken.
    #[error("events came faster than they were read; subscribe again")]
    Lagged,
    /// The node takes no request of this size, so it was not sent.
    #[error(
        "the request has {bytes} bytes, and a node takes {REQUEST_BYTES} at most; send less at once"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The parameters cannot be written as JSON.
    #[error("the parameters of {method} cannot be written as JSON: {source}")]
    Params {
        /// Which method.
        method: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The result is not what this client knows.
    #[error("the node's answer to {method} is of another version: {source}")]
    Result {
        /// Which method.
        method: String,
        /// Why.
        source: serde_json::Error,
    },
    /// The node refused.
    #[error(transparent)]
    Server(Box<ServerError>),
}
