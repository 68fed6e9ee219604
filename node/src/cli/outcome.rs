use crate::{
    client::ClientError, config::ConfigError, datadir::DataError, logs::LogError, node::NodeError,
    rpc::RpcError,
};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The node refused, or cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The node does not start, or has ended.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The logs.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// Reading or writing a file or the terminal.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The arguments do not fit together.
    #[error("{0}")]
    Usage(String),
    /// Something was checked, and is not as it should be.
    #[error("{0}")]
    Checked(String),
}

impl Failure {
    /// An error of reading or writing.
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    fn server(&self) -> Option<&crate::client::ServerError> {
        match self {
            Self::Client(ClientError::Server(error)) => Some(error),
            _ => None,
        }
    }

    /// Prints the failure to standard error, as JSON if wanted.
    pub(super) fn print(&self, json: bool) {
        if json {
            let (code, data) = match self.server() {
                Some(error) => (error.code, error.data.clone()),
                None => (0, serde_json::Value::Null),
            };
            let error = serde_json::json!({
                "error": { "code": code, "message": self.to_string(), "data": data }
            });
            eprintln!("{error}");
            return;
        }
        eprintln!("covey: {self}");
        let message = self.to_string();
        let help = self.server().and_then(|error| error.help());
        // Messages mostly say themselves what to do; the rest is in the code's help.
        if let Some(help) = help.filter(|help| !message.contains("covey ") && !help.is_empty()) {
            eprintln!("       {help}");
        }
    }
}

/// The exit code of a failure: 1 refused or failed, 2 wrong usage, 3 no node runs.
#[must_use]
pub fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::Client(ClientError::NoNode { .. }) => 3,
        Failure::Usage(_) | Failure::Config(_) => 2,
        _ => 1,
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self::Checked(error.to_string())
    }
}
