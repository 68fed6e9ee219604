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
    /// A network's files.
    #[error(transparent)]
    Joining(#[from] crate::ledger::JoiningError),
    /// Reading or writing a file or the terminal.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Whoever read the output has seen enough, as `head` does.
    #[error("nobody reads the output any more")]
    NobodyReads,
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

    /// Arguments that make no sense.
    pub(super) fn usage(error: impl std::fmt::Display) -> Self {
        Self::Usage(error.to_string())
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
            let (code, message, data) = match self.server() {
                Some(error) => (error.code, error.message.clone(), error.data.clone()),
                None => (0, self.to_string(), serde_json::Value::Null),
            };
            let error = serde_json::json!({
                "error": { "code": code, "message": message, "data": data }
            });
            eprintln!("{error}");
        } else {
            // Names in it may be of somebody else.
            eprintln!("{}", super::print::safe(&self.text()));
        }
    }

    /// What went wrong, and on a second line what to do unless the first says it already.
    fn text(&self) -> String {
        let Some(error) = self.server() else { return format!("covey: {self}") };
        let message = &error.message;
        let says_itself =
            |help: &&str| help.is_empty() || message.contains("covey ") || message.contains(*help);
        match error.help().filter(|help| !says_itself(help)) {
            Some(help) => format!("covey: {message}\n       {}", as_commands(help)),
            None => format!("covey: {message}"),
        }
    }
}

/// Methods as the commands that call them: `msg_contacts` is `covey msg contacts`.
fn as_commands(help: &str) -> String {
    let word = |word: &str| {
        let (name, rest) = word
            .split_at(word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len()));
        match name.split_once('_') {
            Some((group @ ("msg" | "net" | "keys" | "chains" | "pay" | "validator"), verb)) => {
                format!("`covey {group} {verb}`{rest}")
            }
            Some(("node", verb)) => format!("`covey {verb}`{rest}"),
            _ => word.to_owned(),
        }
    };
    help.split(' ').map(word).collect::<Vec<_>>().join(" ")
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::client::ServerError;

    fn refused(message: &str, help: &str) -> Failure {
        let data = json!({ "name": "x", "help": help });
        let error = ServerError { code: 2000, message: message.into(), data };
        Failure::Client(ClientError::Server(Box::new(error)))
    }

    #[test]
    fn help_is_told_once_and_in_commands() {
        let unknown = refused("no contact \"bobb\"", "msg_contacts lists them");
        assert_eq!(
            unknown.text(),
            "covey: no contact \"bobb\"\n       `covey msg contacts` lists them"
        );
        let halted = refused("a part stopped", "see node_status; the log says why");
        assert_eq!(
            halted.text(),
            "covey: a part stopped\n       see `covey status`; the log says why"
        );
        let long = refused("the text is too long: send it as a file", "send it as a file");
        assert_eq!(long.text(), "covey: the text is too long: send it as a file");
    }
}
