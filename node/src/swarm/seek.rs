//! When to try to reach whom: exponential backoff, known addresses first, then a lookup.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use covey_kernel::Peer;
use libp2p::Multiaddr;
use tokio::time::Instant;

use super::{
    Line,
    limits::{ADDRESSES_PER_PEER, BACKOFF_FIRST, BACKOFF_LAST, SEEK_DIALS, SOUGHT},
};

/// Doubling pauses with jitter: between half of each pause and all of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub(super) fn next(&mut self) -> Duration {
        let factor = 1u32.checked_shl(self.attempts).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_add(1).min(16);
        let full = BACKOFF_FIRST.saturating_mul(factor).min(BACKOFF_LAST);
        full.mul_f64(rand::random_range(0.5..=1.0))
    }

    pub(super) fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// Who seeks a peer. It is sought as long as anybody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum By {
    /// The configuration, for good.
    Settings,
    /// A machine, by its line and its mark, until it releases the peer.
    Machine(Line, u64),
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting(Instant),
    Dialing,
    Connected,
}

#[derive(Debug)]
struct Sought {
    addresses: Vec<Multiaddr>,
    backoff: Backoff,
    state: State,
    by: BTreeSet<By>,
}

/// The peers to stay connected with.
#[derive(Debug, Default)]
pub(super) struct Seeker {
    peers: BTreeMap<Peer, Sought>,
    /// How many each of them seeks.
    counts: BTreeMap<By, usize>,
    dialing: usize,
}

impl Seeker {
    /// Starts to seek a peer, or adds addresses. False if too many are sought.
    pub(super) fn seek(
        &mut self,
        by: By,
        peer: Peer,
        addresses: Vec<Multiaddr>,
        connected: bool,
    ) -> bool {
        let count = self.counts.entry(by).or_default();
        if !self.peers.get(&peer).is_some_and(|sought| sought.by.contains(&by)) {
            if *count >= SOUGHT {
                return false;
            }
            *count = count.saturating_add(1);
        }
        let state = if connected { State::Connected } else { State::Waiting(Instant::now()) };
        let sought = self.peers.entry(peer).or_insert_with(|| Sought {
            addresses: Vec::new(),
            backoff: Backoff::default(),
            state,
            by: BTreeSet::new(),
        });
        sought.by.insert(by);
        for address in addresses {
            sought.learn(address);
        }
        true
    }

    /// Somebody seeks a peer no longer. True if it was the last one who did.
    pub(super) fn release(&mut self, by: By, peer: &Peer) -> bool {
        let Some(sought) = self.peers.get_mut(peer) else { return false };
        if !sought.by.remove(&by) {
            return false;
        }
        if let Some(count) = self.counts.get_mut(&by) {
            *count = count.saturating_sub(1);
        }
        if !sought.by.is_empty() {
            return false;
        }
        let gone = self.peers.remove(peer);
        if gone.is_some_and(|sought| sought.state == State::Dialing) {
            self.dialing = self.dialing.saturating_sub(1);
        }
        true
    }

    pub(super) fn contains(&self, peer: &Peer) -> bool {
        self.peers.contains_key(peer)
    }

    /// Who is to be dialed now, with its addresses. They count as dialing from here on.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(Peer, Vec<Multiaddr>)> {
        let mut due: Vec<(Instant, Peer)> = self
            .peers
            .iter()
            .filter_map(|(peer, sought)| match sought.state {
                State::Waiting(at) if at <= now => Some((at, *peer)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        due.truncate(SEEK_DIALS.saturating_sub(self.dialing));
        let mut dials = Vec::new();
        for (_, peer) in due {
            if let Some(sought) = self.peers.get_mut(&peer) {
                sought.state = State::Dialing;
                self.dialing = self.dialing.saturating_add(1);
                dials.push((peer, sought.addresses.clone()));
            }
        }
        dials
    }

    pub(super) fn connected(&mut self, peer: &Peer) {
        self.set(peer, |_| State::Connected);
    }

    /// Its last connection is gone: soon again. The backoff starts anew only with a connection
    /// that was of use, which the task tells with [`Seeker::settled`].
    pub(super) fn disconnected(&mut self, peer: &Peer, now: Instant) {
        self.set(peer, |sought| sought.later(now));
    }

    /// A dial has failed. True if it was ours, so that a lookup makes sense.
    pub(super) fn failed(&mut self, peer: &Peer, now: Instant) -> bool {
        let ours = self.peers.get(peer).is_some_and(|sought| sought.state == State::Dialing);
        if ours {
            self.set(peer, |sought| sought.later(now));
        }
        ours
    }

    /// The peer has proved to be of this network.
    pub(super) fn settled(&mut self, peer: &Peer) {
        if let Some(sought) = self.peers.get_mut(peer) {
            sought.backoff.reset();
        }
    }

    /// A lookup has found addresses. New ones are tried at once.
    pub(super) fn found(&mut self, peer: &Peer, addresses: Vec<Multiaddr>, now: Instant) {
        let Some(sought) = self.peers.get_mut(peer) else { return };
        let mut news = false;
        for address in addresses {
            news |= sought.learn(address);
        }
        if news && matches!(sought.state, State::Waiting(_)) {
            sought.state = State::Waiting(now);
        }
    }

    fn set(&mut self, peer: &Peer, state: impl FnOnce(&mut Sought) -> State) {
        let Some(sought) = self.peers.get_mut(peer) else { return };
        let before = sought.state;
        sought.state = state(sought);
        if before == State::Dialing {
            self.dialing = self.dialing.saturating_sub(1);
        }
    }
}

impl Sought {
    fn later(&mut self, now: Instant) -> State {
        State::Waiting(now.checked_add(self.backoff.next()).unwrap_or(now))
    }

    /// True if it is new. The oldest makes room.
    fn learn(&mut self, address: Multiaddr) -> bool {
        if self.addresses.contains(&address) {
            return false;
        }
        if self.addresses.len() >= ADDRESSES_PER_PEER {
            self.addresses.remove(0);
        }
        self.addresses.push(address);
        true
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Keypair;

    use super::*;

    const MESSAGING: By = By::Machine(Line::Messaging, 0);
    const CHAINS: By = By::Machine(Line::Chains, 0);
    const WALLET: By = By::Machine(Line::Ledger, 1 << 63);
    const VALIDATOR: By = By::Machine(Line::Ledger, 0);

    fn peer(n: u8) -> Peer {
        Keypair::from_secret(&[n; 32]).public()
    }

    #[test]
    fn pauses_double_up_to_the_last() {
        let mut backoff = Backoff::default();
        for full in [1u64, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let pause = backoff.next();
            assert!(pause <= Duration::from_secs(full), "{pause:?}");
            assert!(pause >= Duration::from_millis(full * 500), "{pause:?}");
        }
    }

    #[test]
    fn only_so_many_are_dialed_at_once_and_each_gets_its_turn() {
        let mut seeker = Seeker::default();
        let now = Instant::now();
        for n in 1..=20 {
            assert!(seeker.seek(MESSAGING, peer(n), vec![], false));
        }
        let later = now + Duration::from_millis(100);
        let first = seeker.due(later);
        assert_eq!(first.len(), SEEK_DIALS);
        assert_eq!(seeker.due(later), []);
        assert!(seeker.failed(&first[0].0, later));
        assert!(!seeker.failed(&first[0].0, later), "counted once");
        seeker.connected(&first[1].0);
        assert!(seeker.release(MESSAGING, &first[2].0));
        assert_eq!(seeker.due(later).len(), 3);
    }

    #[test]
    fn new_addresses_are_tried_at_once_and_old_ones_wait() {
        let mut seeker = Seeker::default();
        seeker.seek(MESSAGING, peer(1), vec![], false);
        let now = Instant::now();
        assert_eq!(seeker.due(now).len(), 1);
        assert!(seeker.failed(&peer(1), now));
        assert_eq!(seeker.due(now), []);
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        seeker.found(&peer(1), vec![address.clone()], now);
        assert_eq!(seeker.due(now), [(peer(1), vec![address.clone()])]);
        assert!(seeker.failed(&peer(1), now));
        seeker.found(&peer(1), vec![address], now);
        assert_eq!(seeker.due(now), []);
    }

    #[test]
    fn a_peer_is_sought_as_long_as_anybody_does() {
        let mut seeker = Seeker::default();
        assert!(seeker.seek(By::Settings, peer(1), vec![], true));
        assert!(seeker.seek(MESSAGING, peer(1), vec![], true));
        assert!(!seeker.release(MESSAGING, &peer(1)), "the settings stay");
        assert!(!seeker.release(MESSAGING, &peer(1)), "released once");
        assert!(seeker.seek(MESSAGING, peer(2), vec![], true));
        assert!(seeker.seek(CHAINS, peer(2), vec![], true));
        assert!(!seeker.release(MESSAGING, &peer(2)));
        assert!(seeker.contains(&peer(2)));
        assert!(seeker.release(CHAINS, &peer(2)));
        assert!(seeker.contains(&peer(1)) && !seeker.contains(&peer(2)));
        // Two machines on one line are two.
        assert!(seeker.seek(WALLET, peer(2), vec![], true));
        assert!(seeker.seek(VALIDATOR, peer(2), vec![], true));
        assert!(!seeker.release(WALLET, &peer(2)));
        assert!(seeker.release(VALIDATOR, &peer(2)));
    }

    #[test]
    fn each_machine_seeks_so_many() {
        let mut seeker = Seeker::default();
        for n in 0..SOUGHT as u16 {
            let mut secret = [9; 32];
            secret[..2].copy_from_slice(&n.to_be_bytes());
            let peer = Keypair::from_secret(&secret).public();
            assert!(seeker.seek(MESSAGING, peer, vec![], false));
        }
        assert!(!seeker.seek(MESSAGING, peer(2), vec![], false));
        assert!(seeker.seek(CHAINS, peer(2), vec![], false), "it has room of its own");
        assert!(!seeker.seek(MESSAGING, peer(2), vec![], false));
        assert!(seeker.release(CHAINS, &peer(2)));
    }
}
