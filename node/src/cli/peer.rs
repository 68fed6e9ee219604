//! `peer ADDRESS …`: chains with one peer, by hand.

use clap::{Args, Subcommand};

use super::{Failure, Global, print};
use crate::api::chains::types::{Names, PeerParams, Pinged, SyncParams, Synced};

#[derive(Debug, Args)]
pub(super) struct Peer {
    /// A multiaddress, IP:PORT of TCP, or the peer id or IP address of a connected node
    address: String,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measure how long the peer takes to answer, in milliseconds
    Ping,
    /// List the peer's public chains
    Chains,
    /// Send a chain to the peer; prints how many blocks it accepted of those offered
    Send {
        /// The chain's name
        chain: String,
    },
    /// Receive a chain from the peer; prints how many blocks were accepted of those offered
    Recv {
        /// The chain's name
        chain: String,
    },
}

pub(super) async fn run(global: &Global, peer: Peer) -> Result<(), Failure> {
    let client = global.client().await?;
    let Peer { address: peer, what } = peer;
    let (chain, direction) = match what {
        What::Ping => {
            let pinged: Pinged = client.call("chains_ping", &PeerParams { peer }).await?;
            return print::either(global.json, &pinged, |pinged| format!("{:.0}", pinged.ms));
        }
        What::Chains => {
            let names: Names = client.call("chains_of", &PeerParams { peer }).await?;
            return print::either(global.json, &names.names, |names| {
                let shown = names.iter().map(|name| print::one_line(name));
                shown.collect::<Vec<_>>().join(" ")
            });
        }
        What::Send { chain } => (chain, "send"),
        What::Recv { chain } => (chain, "recv"),
    };
    let params = SyncParams { chain, peer, direction: direction.into() };
    let synced: Synced = client.call("chains_sync", &params).await?;
    print::either(global.json, &synced, |synced| {
        format!("{} / {}", synced.accepted, synced.offered)
    })?;
    if let Some(why) = why_none(&synced) {
        eprintln!("covey: {why}");
    }
    Ok(())
}

/// Why nothing was taken: that need not mean that something is wrong.
fn why_none(synced: &Synced) -> Option<&'static str> {
    match (synced.accepted, synced.offered) {
        (0, 0) => Some("nothing new was offered: connected nodes exchange a chain by themselves"),
        (0, _) => Some(
            "nothing was taken: the receiving node has it already, or holds it, leaves it aside or refuses it; \
             see `heads held` and `status` there",
        ),
        _ => None,
    }
}
