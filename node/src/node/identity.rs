use covey_kernel::{Peer, Text};
use covey_messaging::Name;

use crate::{config::Config, swarm::PeerId};

/// The libp2p peer id of a node, as addresses show it.
#[must_use]
pub fn peer_id(peer: &Peer) -> String {
    covey_shell::peer_id(peer).to_string()
}

/// A node, by its libp2p peer id or its key in hexadecimal.
#[must_use]
pub fn parse_peer(text: &str) -> Option<Peer> {
    if let Ok(peer) = text.trim().parse::<Peer>() {
        return Some(peer);
    }
    covey_shell::peer(&text.trim().parse::<PeerId>().ok()?)
}

/// The name that others see.
pub(super) fn display_name(config: &Config, peer: &Peer) -> Name {
    match &config.messaging.name {
        Some(name) => name.name().clone(),
        // Eight characters always fit.
        None => Text::new(peer.to_string().chars().take(8).collect::<String>()).unwrap_or_default(),
    }
}
