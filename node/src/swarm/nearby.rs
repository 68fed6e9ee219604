//! Who has announced itself on the local network. Anybody can announce anything there.

use std::collections::BTreeMap;

use covey_kernel::Peer;
use libp2p::Multiaddr;
use tokio::time::Instant;

use super::{
    command::NearbyPeer,
    limits::{ADDRESSES_PER_PEER, NEARBY, NEARBY_DIALS},
    peers::Peers,
    seek::Backoff,
};

#[derive(Default)]
pub(super) struct Nearby(BTreeMap<Peer, Near>);

struct Near {
    addresses: Vec<Multiaddr>,
    backoff: Backoff,
    /// When to try it. None once it has been met, or refused.
    next: Option<Instant>,
}

impl Nearby {
    pub(super) fn found(&mut self, peer: Peer, address: Multiaddr, now: Instant) {
        if !self.0.contains_key(&peer) {
            if self.0.len() >= NEARBY {
                return;
            }
            tracing::debug!(%peer, %address, "a peer is nearby");
        }
        let near = self.0.entry(peer).or_insert_with(|| Near {
            addresses: Vec::new(),
            backoff: Backoff::default(),
            next: Some(now),
        });
        if near.addresses.len() < ADDRESSES_PER_PEER && !near.addresses.contains(&address) {
            near.addresses.push(address);
        }
    }

    pub(super) fn expired(&mut self, peer: &Peer, address: &Multiaddr) {
        if let Some(near) = self.0.get_mut(peer) {
            near.addresses.retain(|other| other != address);
            if near.addresses.is_empty() {
                self.0.remove(peer);
            }
        }
    }

    /// It was connected with, or is not wanted: no further dials.
    pub(super) fn done(&mut self, peer: &Peer) {
        if let Some(near) = self.0.get_mut(peer) {
            near.next = None;
        }
    }

    /// Who is to be dialed now; the next time is later and later.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(Peer, Vec<Multiaddr>)> {
        let due = self.0.iter_mut().filter(|(_, near)| near.next.is_some_and(|at| at <= now));
        due.take(NEARBY_DIALS)
            .map(|(peer, near)| {
                near.next = now.checked_add(near.backoff.next());
                (*peer, near.addresses.clone())
            })
            .collect()
    }

    pub(super) fn list(&self, peers: &Peers) -> Vec<NearbyPeer> {
        let info = |(peer, near): (&Peer, &Near)| NearbyPeer {
            peer: *peer,
            addresses: near.addresses.clone(),
            connected: peers.contains(peer),
        };
        self.0.iter().map(info).collect()
    }
}
