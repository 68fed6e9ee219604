use crate::{config::ConfigError, datadir::DataError, driver, logs::LogError, rpc, store, swarm};

/// Why a node does not start, or has ended.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The logs.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// The database.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// A protocol has no place in the database; a fault in the code.
    #[error("the database has no family {0}: this is a bug, please report it")]
    Family(&'static str),
    /// The swarm.
    #[error(transparent)]
    Swarm(#[from] swarm::SwarmError),
    /// No threads.
    #[error("cannot start threads: {0}; raise the limit on processes (ulimit -u)")]
    Threads(rayon::ThreadPoolBuildError),
    /// A protocol cannot open its store.
    #[error("{0}")]
    Machine(String),
    /// A protocol has halted.
    #[error("stopped, because a protocol halted: {0}")]
    Halted(#[from] driver::Halt),
    /// A protocol did not stop cleanly.
    #[error(transparent)]
    Join(#[from] driver::JoinError),
    /// The methods.
    #[error(transparent)]
    Methods(#[from] rpc::RegistryError),
    /// The control socket.
    #[error(transparent)]
    Socket(#[from] rpc::BindError),
    /// The genesis of the network.
    #[error(transparent)]
    Genesis(#[from] crate::ledger::GenesisError),
    /// A validator's key on a network that has no validators.
    #[error(
        "this data directory has a validator's key, but no genesis: set it up anew with \
         covey init --network GENESIS --validator KEYFILE"
    )]
    NoGenesis,
    /// Signals.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}
