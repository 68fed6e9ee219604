//! Who is connected.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use covey_kernel::Peer;
use libp2p::{Multiaddr, core::ConnectedPoint, multiaddr::Protocol, swarm::ConnectionId};
use tokio::time::Instant;

use super::{
    command::{Direction, PeerInfo},
    limits::{CROSSED, STANDS},
    named::without_peer,
    seek::Seeker,
};

/// Connected peers. Bounded by the connection limits.
#[derive(Default)]
pub(super) struct Peers(BTreeMap<Peer, Known>);

struct Known {
    links: BTreeMap<ConnectionId, Link>,
    agent: Option<String>,
    ping: Option<Duration>,
    since: SystemTime,
    /// It has proved to be of this network, and the machines have been told of it.
    admitted: bool,
    strikes: u32,
    leaves: Option<Instant>,
    used: Instant,
}

impl Known {
    /// Whether it is here to stay, over such a connection, that misses no pings.
    fn is_there_over(&self, such: impl Fn(&Link) -> bool) -> bool {
        let lives = |link: &Link| link.missed_pings == 0 && such(link);
        self.admitted && self.leaves.is_none() && self.links.values().any(lives)
    }

    /// Connections that a newer one has taken the place of. Only once that has stood for
    /// `STANDS`: of several that a peer dials at once it drops all but one itself. What we dialed
    /// less than `CROSSED` before stays: both sides would give up their own, and have none.
    fn superseded(&self, now: Instant) -> Vec<ConnectionId> {
        let stands = |link: &&Link| {
            link.direction == Direction::Inbound
                && now.saturating_duration_since(link.since) >= STANDS
        };
        let Some(newest) = self.links.values().filter(stands).map(|link| link.since).max() else {
            return Vec::new();
        };
        let older = |link: &Link| match link.direction {
            Direction::Inbound => link.since < newest,
            Direction::Outbound => newest.saturating_duration_since(link.since) >= CROSSED,
        };
        let given_up = self.links.iter().filter(|(_, link)| link.is_quic() && older(link));
        given_up.map(|(id, _)| *id).collect()
    }
}

struct Link {
    address: Multiaddr,
    direction: Direction,
    since: Instant,
    missed_pings: u8,
}

impl Link {
    /// The end of a killed node's TCP connection is noticed at once, and closing one whose other
    /// end does not read waits until the system gives up.
    fn is_quic(&self) -> bool {
        self.address.iter().any(|part| part == Protocol::QuicV1)
    }
}

impl Peers {
    pub(super) fn connected(&mut self, peer: Peer, id: ConnectionId, end: &ConnectedPoint) {
        let direction = if end.is_dialer() { Direction::Outbound } else { Direction::Inbound };
        let address = end.get_remote_address().clone();
        let known = self.0.entry(peer).or_insert_with(|| Known {
            links: BTreeMap::new(),
            agent: None,
            ping: None,
            since: SystemTime::now(),
            admitted: false,
            strikes: 0,
            leaves: None,
            used: Instant::now(),
        });
        let since = Instant::now();
        known.links.insert(id, Link { address, direction, since, missed_pings: 0 });
    }

    /// Connections that a newer one from the same peer has taken the place of.
    pub(super) fn superseded(&self, now: Instant) -> Vec<(Peer, ConnectionId)> {
        let several = self.0.iter().filter(|(_, known)| known.links.len() > 1);
        several
            .flat_map(|(peer, known)| {
                known.superseded(now).into_iter().map(|connection| (*peer, connection))
            })
            .collect()
    }

    /// A connection is gone. Tells, if it was the last one, whether the peer was admitted.
    pub(super) fn closed(&mut self, peer: &Peer, id: ConnectionId) -> Option<bool> {
        let known = self.0.get_mut(peer)?;
        known.links.remove(&id);
        if known.links.is_empty() { self.0.remove(peer).map(|known| known.admitted) } else { None }
    }

    /// True the first time.
    pub(super) fn admit(&mut self, peer: &Peer) -> bool {
        self.0.get_mut(peer).is_some_and(|known| !std::mem::replace(&mut known.admitted, true))
    }

    pub(super) fn is_admitted(&self, peer: &Peer) -> bool {
        self.0.get(peer).is_some_and(|known| known.admitted)
    }

    /// Whether a peer is here to stay, over a connection that misses no pings: to dial it may be to replace one
    /// that does.
    pub(super) fn is_there(&self, peer: &Peer) -> bool {
        self.0.get(peer).is_some_and(|known| known.is_there_over(|_| true))
    }

    /// Whom we are connected with, in the same way, at an address that we dialed.
    pub(super) fn dialed(&self, address: &Multiaddr) -> Option<Peer> {
        let is_it = |link: &Link| {
            link.direction == Direction::Outbound && without_peer(link.address.clone()) == *address
        };
        self.0.iter().find(|(_, known)| known.is_there_over(is_it)).map(|(peer, _)| *peer)
    }

    pub(super) fn contains(&self, peer: &Peer) -> bool {
        self.0.contains_key(peer)
    }

    pub(super) fn admitted(&self) -> usize {
        self.0.values().filter(|known| known.admitted).count()
    }

    pub(super) fn identified(&mut self, peer: &Peer, agent: String) {
        if let Some(known) = self.0.get_mut(peer) {
            known.agent = Some(agent);
        }
    }

    /// The remote end of a connection.
    pub(super) fn address(&self, peer: &Peer, id: ConnectionId) -> Option<&Multiaddr> {
        self.0.get(peer)?.links.get(&id).map(|link| &link.address)
    }

    pub(super) fn pinged(&mut self, peer: &Peer, id: ConnectionId, took: Duration) {
        if let Some(known) = self.0.get_mut(peer) {
            known.ping = Some(took);
            if let Some(link) = known.links.get_mut(&id) {
                link.missed_pings = 0;
            }
        }
    }

    /// A ping was not answered. Tells whether the connection is to be given up.
    pub(super) fn missed(&mut self, peer: &Peer, id: ConnectionId) -> bool {
        let Some(link) = self.0.get_mut(peer).and_then(|known| known.links.get_mut(&id)) else {
            return false;
        };
        link.missed_pings = link.missed_pings.saturating_add(1);
        link.missed_pings >= 2
    }

    /// Counts a malformed frame; gives how many there are.
    pub(super) fn strike(&mut self, peer: &Peer) -> u32 {
        self.0.get_mut(peer).map_or(0, |known| {
            known.strikes = known.strikes.saturating_add(1);
            known.strikes
        })
    }

    /// Its connections are to be closed then. False if that was said before.
    pub(super) fn dismiss(&mut self, peer: &Peer, at: Instant) -> bool {
        let Some(known) = self.0.get_mut(peer) else { return true };
        known.leaves.replace(known.leaves.unwrap_or(at)).is_none()
    }

    /// A request or an answer went to it or came from it.
    pub(super) fn used(&mut self, peer: &Peer) {
        if let Some(known) = self.0.get_mut(peer) {
            known.used = Instant::now();
        }
    }

    /// With whom nothing was exchanged for so long.
    pub(super) fn idle(&self, now: Instant, idle: Duration) -> Vec<Peer> {
        let unused = |known: &Known| now.saturating_duration_since(known.used) >= idle;
        self.0.iter().filter(|(_, known)| unused(known)).map(|(peer, _)| *peer).collect()
    }

    /// Whose connections are to be closed by now.
    pub(super) fn leaving(&self, now: Instant) -> Vec<Peer> {
        let leaves = |known: &Known| known.leaves.is_some_and(|at| at <= now);
        self.0.iter().filter(|(_, known)| leaves(known)).map(|(peer, _)| *peer).collect()
    }

    pub(super) fn list(&self, seeker: &Seeker) -> Vec<PeerInfo> {
        let info = |(peer, known): (&Peer, &Known)| PeerInfo {
            peer: *peer,
            addresses: known.links.values().map(|link| link.address.clone()).collect(),
            agent: known.agent.clone(),
            direction: known
                .links
                .values()
                .next()
                .map_or(Direction::Inbound, |link| link.direction),
            ping: known.ping,
            since: known.since,
            sought: seeker.contains(peer),
            admitted: known.admitted,
        };
        self.0.iter().map(info).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INBOUND: Direction = Direction::Inbound;
    const OUTBOUND: Direction = Direction::Outbound;

    /// Which of a peer's connections are given up; each with how long it has stood.
    fn given_up(links: &[(Direction, Duration)]) -> Vec<usize> {
        let now = Instant::now() + CROSSED * 4;
        let ids: Vec<ConnectionId> = (0..links.len()).map(ConnectionId::new_unchecked).collect();
        let link = |(direction, stood): &(Direction, Duration)| Link {
            address: Multiaddr::empty().with(Protocol::QuicV1),
            direction: *direction,
            since: now - *stood,
            missed_pings: 0,
        };
        let known = Known {
            links: ids.iter().copied().zip(links.iter().map(link)).collect(),
            agent: None,
            ping: None,
            since: SystemTime::now(),
            admitted: true,
            strikes: 0,
            leaves: None,
            used: now,
        };
        let gone = known.superseded(now);
        (0..links.len()).filter(|index| gone.contains(&ids[*index])).collect()
    }

    #[test]
    fn a_new_connection_that_stands_takes_the_place_of_older_ones() {
        let second = Duration::from_secs(1);
        assert_eq!(given_up(&[(INBOUND, second * 9)]), [0; 0]);
        assert_eq!(given_up(&[(INBOUND, STANDS + second), (INBOUND, STANDS / 2)]), [0; 0]);
        assert_eq!(given_up(&[(INBOUND, STANDS + second), (INBOUND, STANDS)]), [0]);
        assert_eq!(given_up(&[(OUTBOUND, STANDS + CROSSED), (INBOUND, STANDS)]), [0]);
        assert_eq!(given_up(&[(OUTBOUND, STANDS + CROSSED / 2), (INBOUND, STANDS)]), [0; 0]);
        assert_eq!(given_up(&[(INBOUND, CROSSED * 2), (OUTBOUND, STANDS)]), [0; 0]);
    }
}
