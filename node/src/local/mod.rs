//! Nodes as real processes on this machine, in a temporary place, for the demonstration and the
//! benchmarks. They listen on loopback only, and end with whoever started them, unless that is killed.

mod community;
mod succession;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::process::{Child, Command};

use crate::client::{self, Client, ClientError};
pub use community::Community;
pub use succession::vote_in;

/// How long a node may take to start, to answer or to stop, on a machine with much else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at again.
const INTERVAL: Duration = Duration::from_millis(10);

/// What went wrong with a local node.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A process or a file.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The node did not come up.
    #[error("{name} did not start: {log}")]
    NotUp {
        /// Which node.
        name: String,
        /// The end of what it wrote.
        log: String,
    },
    /// The node closed the connection, or ended.
    #[error("{name} closed the connection, or ended; its log ends with: {log}")]
    Closed {
        /// Which node.
        name: String,
        /// The end of what it wrote.
        log: String,
    },
    /// A condition did not come true in time.
    #[error("waited {PATIENCE:?} in vain for this: {0}")]
    Waited(String),
    /// A network could not be begun, or joined.
    #[error("{0}")]
    Network(String),
    /// A call failed.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Which transport the node listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// QUIC and TCP.
    Both,
    /// TCP with Noise and Yamux.
    Tcp,
    /// QUIC.
    Quic,
}

impl Transport {
    /// Port 0 is any free one.
    fn listen(self, port: u16) -> String {
        let tcp = format!("/ip4/127.0.0.1/tcp/{port}");
        let quic = format!("/ip4/127.0.0.1/udp/{port}/quic-v1");
        match self {
            Self::Both => format!("{quic},{tcp}"),
            Self::Tcp => tcp,
            Self::Quic => quic,
        }
    }
}

/// A node that runs as a child of this process.
pub struct Local {
    /// What it is called.
    pub name: String,
    data: PathBuf,
    transport: Transport,
    /// Where it listens; 0 is any free port.
    port: u16,
    settable_clock: bool,
    child: Option<Child>,
    client: Option<Client>,
}

impl Local {
    /// Starts a node of this name in a directory below `place`.
    pub async fn start(place: &Path, name: &str, transport: Transport) -> Result<Self, LocalError> {
        Self::begin(place, name, transport, 0, false).await
    }

    /// The same, with a clock that `node_now` sets.
    pub async fn start_settable(
        place: &Path,
        name: &str,
        transport: Transport,
    ) -> Result<Self, LocalError> {
        Self::begin(place, name, transport, 0, true).await
    }

    async fn begin(
        place: &Path,
        name: &str,
        transport: Transport,
        port: u16,
        settable_clock: bool,
    ) -> Result<Self, LocalError> {
        let data = place.join(name.to_lowercase());
        let name = name.to_owned();
        let mut local =
            Self { name, data, transport, port, settable_clock, child: None, client: None };
        local.up().await?;
        Ok(local)
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Starts it, again if it ran before.
    pub async fn up(&mut self) -> Result<(), LocalError> {
        let exe = std::env::current_exe().map_err(io("cannot find this program"))?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.map_err(io("cannot write a log"))?;
        let child = Command::new(exe)
            .arg("start")
            .arg("--data")
            .arg(&self.data)
            .args(["--set", &format!("messaging.name={}", self.name)])
            .args(["--set", &format!("network.listen={}", self.transport.listen(self.port))])
            .args(["--set", "network.mdns=false", "--set", "network.isolated=true"])
            .args(self.settable_clock.then_some("--settable-clock"))
            .env_remove("COVEY_DATA")
            // Its own group: Ctrl-C is for whoever started it, who then ends it cleanly.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(io("cannot start a node"))?;
        self.child = Some(child);
        self.client = Some(self.connect().await?);
        Ok(())
    }

    async fn connect(&mut self) -> Result<Client, LocalError> {
        let deadline = deadline();
        while Instant::now() < deadline {
            if let Ok(client) = Client::connect(&self.data).await {
                return Ok(client);
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() {
                break;
            }
            tokio::time::sleep(INTERVAL).await;
        }
        Err(LocalError::NotUp { name: self.name.clone(), log: self.last_words() })
    }

    /// The end of its log, which goes with its folder.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(3).collect();
        end.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }

    /// Names the node in a call's error, with the end of its log if it closed the connection.
    pub fn failed(&self, error: ClientError) -> LocalError {
        match error {
            ClientError::Closed => {
                LocalError::Closed { name: self.name.clone(), log: self.last_words() }
            }
            error => error.into(),
        }
    }

    /// Ends it as a crash would, with SIGKILL.
    pub async fn kill(&mut self) -> Result<(), LocalError> {
        self.client = None;
        let Some(child) = &mut self.child else { return Ok(()) };
        child.kill().await.map_err(io("cannot end a node"))?;
        self.child = None;
        Ok(())
    }

    /// Ends it cleanly.
    pub async fn stop(&mut self) -> Result<(), LocalError> {
        let _: serde_json::Value = self.call("node_stop", &serde_json::json!({})).await?;
        self.client = None;
        let Some(child) = &mut self.child else { return Ok(()) };
        // Until it has ended it stays here: whoever gives up waiting ends it.
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await;
        let late = |_| LocalError::Waited(format!("{} to stop", self.name));
        ended.map_err(late)?.map_err(io("cannot wait for a node"))?;
        self.child = None;
        Ok(())
    }

    /// The client of its control socket.
    pub fn client(&self) -> Result<&Client, LocalError> {
        let away = || ClientError::NoNode { data: self.data.clone() };
        Ok(self.client.as_ref().ok_or_else(away)?)
    }

    /// Calls a method. An error if no answer comes in 30 s.
    pub async fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        params: &impl Serialize,
    ) -> Result<R, LocalError> {
        self.answer(method, self.client()?.call(method, params)).await
    }

    /// Calls a method once for each of these, in as few messages as the node takes. An error if one of the answers is
    /// one, or they do not all come in 30 s.
    pub async fn call_each<R: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Iterator<Item = serde_json::Value>,
    ) -> Result<Vec<R>, LocalError> {
        let calls = params.map(|params| (method.to_owned(), params)).collect();
        let outcomes = self.answer(method, self.client()?.batch(calls)).await?;
        let results = outcomes.into_iter().map(|outcome| client::decode(method, &outcome?));
        results.collect::<Result<_, _>>().map_err(|error| self.failed(error))
    }

    async fn answer<R>(
        &self,
        method: &str,
        answer: impl Future<Output = Result<R, ClientError>>,
    ) -> Result<R, LocalError> {
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(outcome) => outcome.map_err(|error| self.failed(error)),
            Err(_) => Err(LocalError::Waited(format!("{} to answer {method}", self.name))),
        }
    }

    /// Asks until an answer is as wanted.
    pub async fn wait<R: DeserializeOwned>(
        &self,
        what: &str,
        method: &str,
        params: &impl Serialize,
        wanted: impl Fn(&R) -> bool,
    ) -> Result<R, LocalError> {
        let deadline = deadline();
        while Instant::now() < deadline {
            let answer: R = self.call(method, params).await?;
            if wanted(&answer) {
                return Ok(answer);
            }
            tokio::time::sleep(INTERVAL).await;
        }
        Err(LocalError::Waited(what.to_owned()))
    }
}

impl Drop for Local {
    /// Ends it, and waits for that: its folder goes next, and it must not write there any more.
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // What cannot be ended has ended.
        child.start_kill().unwrap_or_default();
        let deadline = deadline();
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn deadline() -> Instant {
    let now = Instant::now();
    now.checked_add(PATIENCE).unwrap_or(now)
}

/// An error of the system, with what was being done.
pub fn io(what: &str) -> impl FnOnce(std::io::Error) -> LocalError {
    let what = what.to_owned();
    move |source| LocalError::Io { what, source }
}
