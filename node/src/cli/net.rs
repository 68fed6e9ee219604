//! `net`: peers and addresses.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, print};
use crate::api::types::{AddressesView, Dial, Dialed, NearbyView, PeerView, Peers};

#[derive(Debug, Subcommand)]
pub(super) enum Net {
    /// List connected peers, and those refused of late
    Peers,
    /// Tell where this node is reached
    Addresses,
    /// List nodes on the local network
    Nearby,
    /// Connect with an address, and tell who answers
    #[command(after_help = "Example: covey net dial /ip4/192.0.2.7/tcp/4001")]
    Dial {
        /// A multiaddress, or IP:PORT of TCP
        address: String,
    },
}

pub(super) async fn run(global: &Global, net: Net) -> Result<(), Failure> {
    let client = global.client().await?;
    let none = json!({});
    match net {
        Net::Peers => {
            let peers: Peers = client.call("net_peers", &none).await?;
            print::either(global.json, &peers, peers_text)
        }
        Net::Addresses => {
            let addresses: AddressesView = client.call("net_addresses", &none).await?;
            print::either(global.json, &addresses, |addresses| {
                let external = addresses.external.iter().map(|a| format!("{a}  (external)"));
                external.chain(addresses.listen.iter().cloned()).collect::<Vec<_>>().join("\n")
            })
        }
        Net::Nearby => {
            let nearby: Vec<NearbyView> = client.call("net_nearby", &none).await?;
            print::either(global.json, &nearby, |nearby| match nearby.as_slice() {
                [] => "nobody has announced themselves on the local network".into(),
                list => list.iter().map(nearby_line).collect::<Vec<_>>().join("\n"),
            })
        }
        Net::Dial { address } => {
            let dialed: Dialed = client.call("net_dial", &Dial { address }).await?;
            print::either(global.json, &dialed, |dialed| {
                format!("connected with {}", dialed.peer_id)
            })
        }
    }
}

fn nearby_line(peer: &NearbyView) -> String {
    let state = if peer.connected { "connected" } else { "not connected" };
    format!("{}  {state}  {}", peer.peer_id, peer.addresses.join(" "))
}

fn peers_text(peers: &Peers) -> String {
    let mut lines: Vec<String> = peers.peers.iter().map(peer_line).collect();
    if lines.is_empty() {
        lines.push("no peers are connected".into());
    }
    lines.extend(
        peers
            .refused
            .iter()
            .map(|peer| format!("{}  {}", peer.peer_id, print::one_line(&peer.why))),
    );
    lines.join("\n")
}

fn peer_line(peer: &PeerView) -> String {
    let ping = peer.ping_ms.map_or("-".into(), |ms| format!("{ms:.1} ms"));
    let agent = print::one_line(peer.agent.as_deref().unwrap_or("unknown"));
    format!("{}  {agent}  {}  {ping}  {}", peer.peer_id, peer.direction, peer.addresses.join(" "))
}
