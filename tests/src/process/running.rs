//! A node that runs.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use covey::{api::types::Status, client::Client};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
};

use super::{Home, Outcome, PATIENCE, until_some, within};

/// What `covey start --json` prints when the node is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Announced {
    /// Its libp2p peer id.
    pub peer_id: String,
    /// Its network.
    pub network: String,
    /// Where it listens.
    pub listen: Vec<String>,
}

/// A node's process. It is killed when it is dropped.
pub struct Node {
    home: Home,
    child: Child,
    client: Client,
    announced: Announced,
    started: Duration,
}

impl Node {
    pub(super) async fn start(home: Home) -> Self {
        let begun = Instant::now();
        let mut child = spawn(&home);
        let stdout = child.stdout.take().expect("it is piped");
        let line = within("the node says that it is ready", PATIENCE, first_line(stdout)).await;
        let Some(line) = line else {
            panic!("the node did not start: {}", log(&home));
        };
        let announced = serde_json::from_str(&line).expect("what it says is JSON");
        let started = begun.elapsed();
        let client = Client::connect(home.data()).await.expect("a node that is ready answers");
        Self { home, child, client, announced, started }
    }

    /// What it said when it was ready.
    #[must_use]
    pub fn announced(&self) -> &Announced {
        &self.announced
    }

    /// From the start of the process until it was ready.
    #[must_use]
    pub fn start_took(&self) -> Duration {
        self.started
    }

    /// Its data directory and settings.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.home.data()
    }

    /// A client of its control socket.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has not ended")
    }

    /// An address with its peer id, by TCP.
    #[must_use]
    pub fn tcp(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.home.port(), self.announced.peer_id)
    }

    /// An address with its peer id, by QUIC.
    #[must_use]
    pub fn quic(&self) -> String {
        format!("/ip4/127.0.0.1/udp/{}/quic-v1/p2p/{}", self.home.port(), self.announced.peer_id)
    }

    /// Calls a method that has to succeed.
    pub async fn call<R: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> R {
        match self.client.call(method, &params).await {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error}\n{}", self.log()),
        }
    }

    /// How it is doing.
    pub async fn status(&self) -> Status {
        self.call("node_status", json!({})).await
    }

    /// Runs a command on its data directory.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        self.home.run(arguments).await
    }

    /// Runs a command that has to succeed.
    pub async fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).await.ok()
    }

    /// Runs a command with `--json` that has to succeed.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).await.json()
    }

    /// Runs a command that prints one JSON a line until it is told to stop.
    pub fn stream(&self, arguments: &[&str]) -> Stream {
        let mut command = self.home.command(arguments);
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the binary runs");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Stream { child, lines }
    }

    /// What it has written to standard error since the first start of this home.
    #[must_use]
    pub fn log(&self) -> String {
        log(&self.home)
    }

    /// Resident memory in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(path).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux tells it");
        let kibibytes = line.split_whitespace().nth(1).expect("a number");
        kibibytes.parse::<u64>().expect("a number") * 1024
    }

    /// Processor time used so far.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it runs");
        // The name in parentheses may have spaces. What follows begins with the third field.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks: u64 = ticks.map(|field| field.parse::<u64>().expect("a number")).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Ends it as a power cut would, and waits until it is gone.
    pub async fn kill(mut self) -> Home {
        self.child.start_kill().expect("it is ours");
        within("a killed node is gone", PATIENCE, self.child.wait()).await.expect("it ends");
        self.home
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("it is ours");
    }

    /// Ends it by SIGTERM; its exit code, and how long it took.
    pub async fn terminate(self) -> (Home, Option<i32>, Duration) {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        let (home, code) = self.ended().await;
        (home, code, begun.elapsed())
    }

    /// Ends it by SIGTERM, and expects that to work.
    pub async fn stop(self) -> Home {
        let (home, code, _) = self.terminate().await;
        assert_eq!(code, Some(0), "{}", log(&home));
        home
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> (Home, Option<i32>) {
        let status = within("the node has ended", PATIENCE, self.child.wait()).await;
        (self.home, status.expect("it ends").code())
    }

    /// Waits until its log says this.
    pub async fn logs(&self, text: &str) {
        until_some(&format!("the log says {text:?}"), || async {
            self.log().contains(text).then_some(())
        })
        .await;
    }
}

fn spawn(home: &Home) -> Child {
    let log = File::options().create(true).append(true).open(home.scratch("log"));
    let mut command = home.command(&home.start_arguments());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.expect("a log file"));
    command.spawn().expect("the binary runs")
}

fn log(home: &Home) -> String {
    fs::read_to_string(home.scratch("log")).unwrap_or_default()
}

async fn first_line(stdout: ChildStdout) -> Option<String> {
    BufReader::new(stdout).lines().next_line().await.expect("it prints UTF-8")
}

/// A command that prints until it is stopped.
pub struct Stream {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Stream {
    /// The next line.
    pub async fn next(&mut self) -> String {
        let line = within("a line comes", PATIENCE, self.lines.next_line()).await;
        line.expect("it prints UTF-8").expect("it goes on")
    }

    /// The first line from here on that parses and fits.
    pub async fn find(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.next().await;
            let value =
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if fits(&value) {
                return value;
            }
        }
    }

    /// Ends it as Ctrl-C does; its exit code.
    pub async fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.expect("it runs"), Signal::INT).expect("it is ours");
        within("it ends", PATIENCE, self.child.wait()).await.expect("it ends").code()
    }
}
