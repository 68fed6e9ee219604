//! Chains with one peer, by hand.

use std::{sync::Arc, time::Instant};

use covey_chains::command::{Command, Direction, Reply};
use covey_kernel::Peer;

use super::{
    about, call, convert,
    types::{Names, PeerParams, Pinged, SyncParams, Synced},
    unexpected,
};
use crate::{
    api::{host, net},
    node::{State, parse_peer},
    rpc::{Registry, RpcError, codes},
};

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(about("chains_sync", "Sends a chain to a peer, or receives it, now."), sync)
        .method(about("chains_of", "Asks a peer which public chains it follows."), names)
        .method(about("chains_ping", "Measures how long a peer takes to answer."), ping);
}

/// By its id, by the machine that it is connected from, or by an address, with which the node connects.
async fn peer(state: &State, text: &str) -> Result<Peer, RpcError> {
    if let Some(peer) = parse_peer(text) {
        return Ok(peer);
    }
    match text.trim().parse() {
        Ok(machine) => host::connected_on(state, machine).await,
        Err(_) => net::reach(state, text).await,
    }
}

async fn sync(state: Arc<State>, params: SyncParams) -> Result<Synced, RpcError> {
    let direction = match params.direction.as_str() {
        "send" => Direction::Send,
        "recv" => Direction::Receive,
        other => {
            let why = format!("{other:?} is no direction: send or recv");
            return Err(RpcError::new(codes::INVALID_PARAMS, why));
        }
    };
    let chain = convert::selector(&params.chain)?;
    let peer = peer(&state, &params.peer).await?;
    match call(&state, Command::Sync(chain, peer, direction)).await? {
        Reply::Synced(tally) => Ok(Synced { accepted: tally.accepted, offered: tally.offered }),
        _ => Err(unexpected()),
    }
}

async fn names(state: Arc<State>, params: PeerParams) -> Result<Names, RpcError> {
    let peer = peer(&state, &params.peer).await?;
    match call(&state, Command::PeerChains(peer)).await? {
        Reply::Names(names) => Ok(Names { names }),
        _ => Err(unexpected()),
    }
}

async fn ping(state: Arc<State>, params: PeerParams) -> Result<Pinged, RpcError> {
    let peer = peer(&state, &params.peer).await?;
    let begun = Instant::now();
    call(&state, Command::PeerChains(peer)).await?;
    Ok(Pinged { ms: begun.elapsed().as_secs_f64() * 1000.0 })
}
