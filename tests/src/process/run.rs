//! The built binary, run once.

use std::{
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::SystemTime,
};

use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{Node, PATIENCE, within};

/// The built `covey`: the workspace's target directory has it beside the directory of the tests.
/// `cargo test --workspace` builds it, and so does `cargo build --workspace`;
/// `cargo test -p covey-tests` alone does not.
#[must_use]
pub fn binary() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(find_binary)
}

fn find_binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let target = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let binary = target.join(format!("covey{}", std::env::consts::EXE_SUFFIX));
    assert!(
        binary.is_file(),
        "{} is missing: run `cargo build --workspace` with the same profile, or `cargo test \
         --workspace`",
        binary.display()
    );
    let built = changed(&binary).expect("the binary has a time");
    // Tests run in the folder of their crate; the one that they were compiled in may be another.
    let root = Path::new("..");
    let sources = ["behaviours", "node/src", "Cargo.lock"].map(|part| newest(&root.join(part)));
    assert!(
        sources.into_iter().flatten().all(|source| source <= built),
        "{} is older than its sources: run `cargo build --workspace`, or `cargo test --workspace`",
        binary.display()
    );
    binary
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// The newest source in a directory, by which cargo, too, decides what to build.
fn newest(path: &Path) -> Option<SystemTime> {
    if !path.is_dir() {
        let source = path.extension().is_some_and(|ending| ending == "rs" || ending == "lock");
        return if source { changed(path) } else { None };
    }
    let inside = path.read_dir().ok()?.flatten().filter(|entry| entry.file_name() != "tests");
    inside.filter_map(|entry| newest(&entry.path())).max()
}

/// How a command ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Outcome {
    /// The output of a command that succeeded without a complaint.
    #[must_use]
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "it failed: {self:?}");
        self.out.trim_end().to_owned()
    }

    /// The same as JSON.
    #[must_use]
    pub fn json<T: DeserializeOwned>(self) -> T {
        let text = self.ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The complaint of a command that failed, and printed nothing else.
    #[must_use]
    pub fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "not as it should: {self:?}");
        self.err.trim_end().to_owned()
    }
}

/// A data directory that was set up, and where its node is to be.
pub struct Home {
    data: PathBuf,
    scratch: PathBuf,
    /// Removed with the home.
    _root: Option<TempDir>,
    port: u16,
    settings: Vec<(String, String)>,
    settable_clock: bool,
}

impl Home {
    /// Sets one up in the `open` network.
    pub async fn new(name: &str) -> Self {
        Self::on(name, "open").await
    }

    /// Sets one up in a network.
    pub async fn on(name: &str, network: &str) -> Self {
        let root = tempfile::Builder::new().prefix("covey-").tempdir().expect("a directory");
        let (scratch, data) = (root.path().to_owned(), root.path().join("data"));
        Self::at(scratch, Some(root), data, name, network).await
    }

    /// Sets one up in a directory of its own, with other files elsewhere; both stay.
    pub async fn within(data: &Path, name: &str, scratch: &Path) -> Self {
        Self::at(scratch.to_owned(), None, data.to_owned(), name, "open").await
    }

    /// Sets one up on a network that has a genesis; as one of its validators, with a key.
    pub async fn of(genesis: &Path, name: &str, port: Option<u16>, key: Option<&Path>) -> Self {
        let root = tempfile::Builder::new().prefix("covey-").tempdir().expect("a directory");
        let data = root.path().join("data");
        Self::of_at(data, root, genesis, name, port, key).await
    }

    /// Sets one up on such a network that is ready to become a validator.
    pub async fn candidate(genesis: &Path, name: &str) -> Self {
        let root = tempfile::Builder::new().prefix("covey-").tempdir().expect("a directory");
        let (scratch, data) = (root.path().to_owned(), root.path().join("data"));
        let genesis = genesis.to_str().expect("a path of plain letters");
        let init = ["--name", name, "--network", genesis, "--candidate"];
        Self::set_up(scratch, Some(root), data, free_port(), &init).await
    }

    /// The same with a data directory elsewhere.
    pub(super) async fn of_at(
        data: PathBuf,
        root: TempDir,
        genesis: &Path,
        name: &str,
        port: Option<u16>,
        key: Option<&Path>,
    ) -> Self {
        let scratch = root.path().to_owned();
        let text = |path: &Path| path.to_str().expect("a path of plain letters").to_owned();
        let network = text(genesis);
        let key = key.map(text);
        let mut more = Vec::new();
        if let Some(key) = &key {
            more.extend(["--validator", key]);
        }
        let port = port.unwrap_or_else(free_port);
        Self::set_up(
            scratch,
            Some(root),
            data,
            port,
            &[&["--name", name, "--network", &network], more.as_slice()].concat(),
        )
        .await
    }

    async fn at(
        scratch: PathBuf,
        root: Option<TempDir>,
        data: PathBuf,
        name: &str,
        network: &str,
    ) -> Self {
        let init = ["--name", name, "--network", network];
        Self::set_up(scratch, root, data, free_port(), &init).await
    }

    async fn set_up(
        scratch: PathBuf,
        root: Option<TempDir>,
        data: PathBuf,
        port: u16,
        init: &[&str],
    ) -> Self {
        let settings = Vec::new();
        let mut home = Self { scratch, _root: root, data, port, settings, settable_clock: false };
        home.listen(&[
            format!("/ip4/127.0.0.1/udp/{}/quic-v1", home.port),
            format!("/ip4/127.0.0.1/tcp/{}", home.port),
        ]);
        let port = home.port.to_string();
        let done = home.run(&[&["init", "--port", &port], init].concat()).await.ok();
        assert!(done.contains("is set up"), "{done}");
        home
    }

    /// Listens there and nowhere else.
    pub fn listen(&mut self, addresses: &[String]) {
        self.set("COVEY_NETWORK_LISTEN", &addresses.join(","));
    }

    /// Sets an environment variable for all commands on this directory.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.settings.retain(|(known, _)| known != variable);
        self.settings.push((variable.to_owned(), value.to_owned()));
    }

    /// Lets `covey now` set the clock of the node when it is started.
    #[must_use]
    pub fn with_settable_clock(mut self) -> Self {
        self.settable_clock = true;
        self
    }

    /// What `covey start` is given.
    pub(super) fn start_arguments(&self) -> Vec<&'static str> {
        let mut arguments = vec!["start", "--json"];
        arguments.extend(self.settable_clock.then_some("--settable-clock"));
        arguments
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A place for files that are not the node's.
    #[must_use]
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// Where the node listens, by TCP and by QUIC.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Starts the node and waits until it is ready.
    pub async fn start(self) -> Node {
        Node::start(self).await
    }

    /// Starts a node that is to fail.
    pub async fn start_fails(&self, code: i32) -> String {
        self.run(&["start"]).await.failed(code)
    }

    /// Runs a command on this data directory.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, None).await
    }

    /// The same with something on standard input.
    pub async fn run_with(&self, arguments: &[&str], input: Option<&[u8]>) -> Outcome {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = command.spawn().expect("the binary runs");
        if let Some(input) = input {
            let mut stdin = child.stdin.take().expect("it is piped");
            // A command may refuse before it has read all.
            drop(stdin.write_all(input).await);
        }
        let what = format!("covey {}", arguments.join(" "));
        let output = within(&what, PATIENCE, child.wait_with_output()).await.expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("covey prints UTF-8");
        Outcome { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command prints that succeeds, whatever it is.
    pub async fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(arguments).stdin(Stdio::null()).output();
        let what = format!("covey {}", arguments.join(" "));
        let output = within(&what, PATIENCE, output).await.expect("the binary runs");
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }

    /// A command with this home's settings and nobody else's.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COVEY_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .env("COVEY_DATA", &self.data)
            .env("COVEY_NETWORK_MDNS", "false")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .kill_on_drop(true);
        command
    }
}

/// A port that is free for TCP and UDP, and that the system gives to nobody as an ephemeral one,
/// so that it is still free after a restart.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 20_000;
    let start = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_mul(7).wrapping_add(step) % COUNT;
        let free = TcpListener::bind(("127.0.0.1", port)).is_ok()
            && UdpSocket::bind(("127.0.0.1", port)).is_ok();
        if free {
            return port;
        }
    }
    panic!("no port is free");
}
