use covey_kernel::{Peer, Text};
use covey_messaging::Name;

use crate::config::Config;

/// The libp2p peer id of a node, as addresses show it.
#[must_use]
pub fn peer_id(peer: &Peer) -> String {
    covey_shell::peer_id(peer).to_string()
}

/// The name that others see.
pub(super) fn display_name(config: &Config, peer: &Peer) -> Name {
    let short: String = peer.to_string().chars().take(8).collect();
    let name = config.messaging.name.clone().unwrap_or_else(|| short.clone());
    Text::new(name.trim()).unwrap_or_else(|_| Text::new(short).unwrap_or_default())
}
