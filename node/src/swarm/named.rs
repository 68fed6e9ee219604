//! Addresses with and without the peer that they name at their end.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// The peer that an address names.
pub(super) fn named(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(id)) => Some(id),
        _ => None,
    }
}

/// The address alone, as addresses of this node are known.
pub(super) fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if named(&address).is_some() {
        address.pop();
    }
    address
}
