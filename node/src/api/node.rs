use std::{sync::Arc, time::SystemTime};

use super::{
    swarm_ended,
    types::{Done, Now, ProtocolStatus, SetNow, Status},
};
use crate::{
    driver::Metrics,
    node::{Msg, State, peer_id},
    rpc::{Method, NoParams, Registry, RpcError, codes},
};
use covey_chains::Chains;
use covey_kernel::{Machine, Time};
use covey_ledger::{Validator, Wallet};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(
            Method { name: "node_status", summary: "Tells how the node is doing.", errors: &[] },
            |state, _: NoParams| status(state),
        )
        .method(
            Method {
                name: "node_now",
                summary: "Tells the node's time, or sets it if that was allowed at its start.",
                errors: &[codes::CLOCK_NOT_SETTABLE],
            },
            |state, SetNow { set }| async move {
                if let Some(millis) = set {
                    let done = state.set_clock(Time::from_millis(millis));
                    done.map_err(|error| RpcError::new(codes::CLOCK_NOT_SETTABLE, error))?;
                }
                Ok(Now { now: state.clock.now().millis() })
            },
        )
        .method(
            Method { name: "node_stop", summary: "Stops the node cleanly.", errors: &[] },
            |state, _: NoParams| async move {
                state.stop.notify_one();
                Ok(Done {})
            },
        );
}

fn protocol(name: &str, metrics: &Metrics) -> ProtocolStatus {
    let counters = metrics.read();
    ProtocolStatus {
        name: name.into(),
        turns: counters.turns,
        inputs: counters.inputs,
        refused: counters.refused,
        busy: counters.busy,
        commits: counters.commits,
        commit_p50_micros: counters.commit_percentile(50),
        commit_p99_micros: counters.commit_percentile(99),
    }
}

async fn status(state: Arc<State>) -> Result<Status, RpcError> {
    // Both at once: under load each question waits for its turn.
    let both = tokio::try_join!(state.swarm.peers(), state.swarm.addresses());
    let (peers, addresses) = both.map_err(swarm_ended)?;
    let uptime = SystemTime::now().duration_since(state.started).unwrap_or_default();
    let mut protocols = vec![
        protocol(Msg::NAME, state.messaging.metrics()),
        protocol(Chains::NAME, state.chains.metrics()),
    ];
    if let Some(ledger) = &state.ledger {
        protocols.push(protocol(Wallet::NAME, ledger.wallet.metrics()));
        let validator = ledger.validator.as_ref();
        protocols.extend(validator.map(|one| protocol(Validator::NAME, one.metrics())));
    }
    Ok(Status {
        version: env!("CARGO_PKG_VERSION").into(),
        network: state.network_name.clone(),
        network_id: state.network.to_string(),
        peer_id: peer_id(&state.peer),
        peer: state.peer.to_string(),
        data: state.data.display().to_string(),
        pid: std::process::id(),
        uptime_seconds: uptime.as_secs(),
        memory_bytes: resident(),
        peers: peers.iter().filter(|peer| peer.admitted).count(),
        listen: addresses.listen.iter().map(ToString::to_string).collect(),
        protocols,
    })
}

/// Resident memory, from the kernel's own account.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
