use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use covey_kernel::Peer;

use super::{
    host, swarm_ended,
    types::{AddressesView, Dial, Dialed, NearbyView, PeerView, Peers, RefusedView},
};
use crate::{
    node::{State, peer_id},
    rpc::{Method, NoParams, Registry, RpcError, codes},
    swarm::{DialFailure, Direction, Multiaddr, PeerInfo, Refused},
};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(
            Method {
                name: "net_peers",
                summary: "Lists connected peers, and those refused of late.",
                errors: &[],
            },
            |state, _: NoParams| peers(state),
        )
        .method(
            Method {
                name: "net_addresses",
                summary: "Tells where this node is reached.",
                errors: &[],
            },
            |state, _: NoParams| addresses(state),
        )
        .method(
            Method {
                name: "net_nearby",
                summary: "Lists nodes on the local network.",
                errors: &[],
            },
            |state, _: NoParams| nearby(state),
        )
        .method(
            Method {
                name: "net_dial",
                summary: "Connects with an address, and tells who answers.",
                errors: &[codes::REFUSED, codes::UNREACHABLE, codes::BUSY],
            },
            dial,
        );
}

pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

async fn peers(state: Arc<State>) -> Result<Peers, RpcError> {
    let peers = state.swarm.peers().await.map_err(swarm_ended)?;
    let refusals = state.swarm.refusals().await.map_err(swarm_ended)?;
    let refused = refusals
        .into_iter()
        .map(|refusal| RefusedView {
            peer_id: peer_id(&refusal.peer),
            why: refusal.why.to_string(),
            since: millis(refusal.since),
        })
        .collect();
    Ok(Peers { peers: peers.into_iter().map(view).collect(), refused })
}

fn view(info: PeerInfo) -> PeerView {
    PeerView {
        peer_id: peer_id(&info.peer),
        peer: info.peer.to_string(),
        addresses: info.addresses.iter().map(ToString::to_string).collect(),
        agent: info.agent,
        direction: match info.direction {
            Direction::Inbound => "inbound".into(),
            Direction::Outbound => "outbound".into(),
        },
        ping_ms: info.ping.map(|ping| ping.as_secs_f64() * 1000.0),
        since: millis(info.since),
        kept: info.sought,
    }
}

async fn addresses(state: Arc<State>) -> Result<AddressesView, RpcError> {
    let addresses = state.swarm.addresses().await.map_err(swarm_ended)?;
    let id = peer_id(&state.peer);
    let named = |list: Vec<Multiaddr>| {
        list.into_iter().map(|address| format!("{address}/p2p/{id}")).collect()
    };
    Ok(AddressesView { listen: named(addresses.listen), external: named(addresses.external) })
}

async fn nearby(state: Arc<State>) -> Result<Vec<NearbyView>, RpcError> {
    let nearby = state.swarm.nearby().await.map_err(swarm_ended)?;
    Ok(nearby
        .into_iter()
        .map(|peer| NearbyView {
            peer_id: peer_id(&peer.peer),
            peer: peer.peer.to_string(),
            addresses: peer.addresses.iter().map(ToString::to_string).collect(),
            connected: peer.connected,
        })
        .collect())
}

async fn dial(state: Arc<State>, dial: Dial) -> Result<Dialed, RpcError> {
    let peer = reach(&state, &dial.address).await?;
    Ok(Dialed { peer_id: peer_id(&peer) })
}

/// Connects with an address; gives who answers.
pub(super) async fn reach(state: &State, address: &str) -> Result<Peer, RpcError> {
    let address = address.trim();
    let address: Multiaddr = match host::tcp(address) {
        Some(address) => address,
        None => address.parse().map_err(|error| {
            RpcError::new(codes::INVALID_PARAMS, format!("{address} is no multiaddress: {error}"))
                .help("write it as /ip4/192.0.2.1/tcp/4001, /ip4/192.0.2.1/udp/4001/quic-v1, 192.0.2.1:4001 or [2001:db8::1]:4001")
        })?,
    };
    let outcome = state.swarm.dial(address).await.map_err(swarm_ended)?;
    outcome.map_err(|failure| undialed(&failure))
}

/// What to do depends on what failed.
fn undialed(failure: &DialFailure) -> RpcError {
    let refused = |help: &str| RpcError::new(codes::REFUSED, failure).help(help);
    match failure {
        DialFailure::WrongPeerId { .. } => refused("ask them for their address and peer id again"),
        DialFailure::Itself { .. } => refused("give the address of another node"),
        DialFailure::Refused(Refused::Misbehaved) => refused("try again in a minute"),
        DialFailure::Refused(Refused::OtherNetwork(_) | Refused::NotCovey(_)) => {
            refused("use nodes of the same network: network.name")
        }
        DialFailure::Denied(_) => refused("net_peers shows how many are connected, and who"),
        DialFailure::Already => refused("wait for that dial; net_peers shows who is connected"),
        DialFailure::Busy => RpcError::new(codes::BUSY, failure),
        DialFailure::NoAddress
        | DialFailure::Unreachable(_)
        | DialFailure::Closed
        | DialFailure::Timeout => RpcError::new(codes::UNREACHABLE, failure),
    }
}
