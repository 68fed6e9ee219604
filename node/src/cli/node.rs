//! `start`, `stop`, `status`, `now`, `doctor`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;

use super::{Failure, Global, init, print};
use crate::{
    api::types::{Done, Now, Peers, SetNow, Status},
    client::{Client, ClientError},
    config,
    datadir::{self, DataDir},
    driver::{Clock, SettableClock, SystemClock},
    logs::Logs,
    node::{Node, peer_id},
};

/// How long `stop` waits for the node to be gone.
const STOP: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(super) struct Start {
    /// The data directory, as with --data
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Let `covey now` set the node's time, back or forward; for tests of what takes months
    #[arg(long)]
    settable_clock: bool,
}

impl Start {
    fn clock(&self) -> Arc<dyn Clock> {
        if self.settable_clock {
            Arc::new(SettableClock::default())
        } else {
            Arc::new(SystemClock::default())
        }
    }
}

pub(super) async fn start(global: Global, start: &Start) -> Result<(), Failure> {
    let global = &global.at(start.dir.as_deref())?;
    let data = DataDir::open(&global.data()?)?;
    init::set_up(&data, &init::Init::fresh())?;
    let loaded = config::load(&global.sources()?)?;
    let _logs = Logs::start(&loaded.config.log)?;
    if let Err(error) = crate::rpc::limits::raise_open_files() {
        tracing::warn!(%error, "cannot raise the number of open files");
    }
    for name in &loaded.ignored_variables {
        tracing::warn!(%name, "an environment variable that is no setting");
    }
    let node = Node::start(data, &loaded, start.clock()).await?;
    announce(global, &node).await?;
    Ok(node.run().await?)
}

/// Tells whoever started the node that it is ready, and where.
async fn announce(global: &Global, node: &Node) -> Result<(), Failure> {
    let state = node.state();
    let listen = state.swarm.addresses().await.map(|known| known.listen).unwrap_or_default();
    let listen: Vec<String> = listen.iter().map(ToString::to_string).collect();
    let shown = serde_json::json!({
        "peer_id": peer_id(&state.peer),
        "network": state.network_name,
        "socket": node.socket(),
        "listen": listen,
    });
    print::either(global.json, &shown, |_| {
        format!(
            "covey {} is running on network {}; Ctrl-C ends it\n  node    {}\n  data    {}\n  listen  {}",
            env!("CARGO_PKG_VERSION"),
            state.network_name,
            peer_id(&state.peer),
            state.data.display(),
            listen.join("\n          "),
        )
    })
}

pub(super) async fn stop(global: &Global) -> Result<(), Failure> {
    let data = global.data()?;
    let client = Client::connect(&data).await?;
    let _: Done = client.call("node_stop", &serde_json::json!({})).await?;
    drop(client);
    let gone = async {
        // The socket goes first, the lock on the data directory last.
        while DataDir::open(&data).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(STOP, gone).await.map_err(|_| {
        Failure::Checked(format!("the node is still stopping after {} s", STOP.as_secs()))
    })?;
    print::either(global.json, &serde_json::json!({ "stopped": true }), |_| "stopped".into())
}

pub(super) async fn status(global: &Global) -> Result<(), Failure> {
    let client = global.client().await?;
    let status: Status = client.call("node_status", &serde_json::json!({})).await?;
    print::either(global.json, &status, |status| {
        let mut text = format!(
            "covey {} on network {}, running for {}\n  node    {}\n  data    {}\n  peers   {}\n  memory  {}\n  listen  {}",
            status.version,
            status.network,
            span(status.uptime_seconds),
            status.peer_id,
            status.data,
            status.peers,
            memory(status.memory_bytes),
            status.listen.join("\n          "),
        );
        for protocol in &status.protocols {
            let micros = |value: Option<u64>| value.map_or("-".into(), |us| format!("{us} µs"));
            text.push_str(&format!(
                "\n  {}: {} inputs, {} refused, {} commits (p50 {}, p99 {})",
                protocol.name,
                protocol.inputs,
                protocol.refused,
                protocol.commits,
                micros(protocol.commit_p50_micros),
                micros(protocol.commit_p99_micros),
            ));
        }
        text
    })
}

pub(super) async fn now(global: &Global, set: Option<u64>) -> Result<(), Failure> {
    let client = global.client().await?;
    let now: Now = client.call("node_now", &SetNow { set }).await?;
    print::either(global.json, &now, |now| now.now.to_string())
}

fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn memory(bytes: Option<u64>) -> String {
    bytes.map_or("unknown".into(), |bytes| format!("{} MiB", bytes / (1 << 20)))
}

/// Free bytes of the disk below which `doctor` warns.
const LITTLE_SPACE: u64 = 1 << 30;
/// Free bytes of the disk below which the store may fail at any time.
const NO_SPACE: u64 = 64 << 20;

/// One line of `doctor`.
#[derive(Debug, serde::Serialize)]
struct Finding {
    what: &'static str,
    good: bool,
    /// Good still, but not for long.
    warning: bool,
    found: String,
}

fn finding(what: &'static str, good: bool, found: impl Into<String>) -> Finding {
    Finding { what, good, warning: false, found: found.into() }
}

pub(super) async fn doctor(global: &Global) -> Result<(), Failure> {
    let data = global.data()?;
    let mut findings = vec![clock(), settings(global), directory(&data)];
    findings.extend(space(&data));
    match Client::connect(&data).await {
        Ok(client) => findings.extend(running(&client).await?),
        Err(ClientError::NoNode { .. }) => {
            let help = format!("no; run it with: covey start --data {}", data.display());
            findings.push(finding("node running", false, help));
        }
        Err(error) => findings.push(finding("node running", false, error.to_string())),
    }
    let bad = findings.iter().filter(|finding| !finding.good).count();
    print::either(global.json, &findings, |findings| {
        let line = |finding: &Finding| {
            let mark = match (finding.good, finding.warning) {
                (false, _) => "BAD",
                (true, true) => "low",
                (true, false) => "ok ",
            };
            format!("{mark} {:<16} {}", finding.what, finding.found)
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    if bad == 0 { Ok(()) } else { Err(Failure::Checked(format!("{bad} of the checks failed"))) }
}

fn clock() -> Finding {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    // No release of this program was made before 2026.
    let good = millis > 1_767_225_600_000;
    let found = format!("{} UTC", print::time(millis));
    finding("clock", good, if good { found } else { format!("{found}: set the clock") })
}

fn settings(global: &Global) -> Finding {
    match global.sources().and_then(|sources| Ok(config::load(&sources)?)) {
        Ok(_) => finding("settings", true, "readable"),
        Err(error) => finding("settings", false, error.to_string()),
    }
}

fn directory(data: &Path) -> Finding {
    let bad = |found: String| finding("data directory", false, found);
    let shown = data.display();
    if let Err(error) = std::fs::metadata(data) {
        return bad(format!("{shown}: {error}; set it up with: covey init --data {shown}"));
    }
    if let Err(error) = datadir::check_mode(data) {
        return bad(error.to_string());
    }
    // Permissions alone do not tell: the file system may be read-only, or full.
    match tempfile::tempfile_in(data) {
        Ok(_) => finding("data directory", true, shown.to_string()),
        Err(error) => bad(format!("{shown} is not writable ({error}); make it writable")),
    }
}

/// The free space of the file system that holds the data directory; none if there is none.
fn space(data: &Path) -> Option<Finding> {
    let disk = rustix::fs::statvfs(data).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB free", free / (1 << 20));
    Some(if free < NO_SPACE {
        finding("disk", false, format!("{found}: the node stops when it is full, so make room"))
    } else if free < LITTLE_SPACE {
        Finding { warning: true, ..finding("disk", true, format!("{found}: make room soon")) }
    } else {
        finding("disk", true, found)
    })
}

async fn running(client: &Client) -> Result<Vec<Finding>, Failure> {
    let none = serde_json::json!({});
    let status: Status = client.call("node_status", &none).await?;
    let peers: Peers = client.call("net_peers", &none).await?;
    let listening = !status.listen.is_empty();
    let mut findings = vec![
        finding("node running", true, format!("covey {}, pid {}", status.version, status.pid)),
        finding("listening", listening, format!("{} addresses", status.listen.len())),
    ];
    let count = peers.peers.len();
    let found = match (count, peers.refused.first()) {
        (0, Some(refused)) => format!("none; the last was {}: {}", refused.peer_id, refused.why),
        (0, None) => "none yet: invite somebody, or set network.bootstrap".into(),
        _ => format!("{count} connected"),
    };
    findings.push(finding("peers", count > 0 || peers.refused.is_empty(), found));
    Ok(findings)
}
