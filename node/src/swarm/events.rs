//! What the task makes of the swarm's events.

use covey_kernel::Peer;
use libp2p::{
    Multiaddr, PeerId,
    core::ConnectedPoint,
    identify, kad, mdns, ping,
    swarm::{ConnectionId, DialError, SwarmEvent},
};
use tokio::time::Instant;

use super::{
    Line, News, error::DialFailure, gate::Refused, limits::STRIKES, overlay::OverlayEvent,
    task::Task, verdict,
};

impl Task {
    pub(super) fn on_event(&mut self, event: SwarmEvent<OverlayEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                self.on_closed(peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error } => {
                self.on_dial_error(connection_id, peer_id, &error);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(from = %send_back_addr, %error, "an incoming connection failed");
            }
            SwarmEvent::NewListenAddr { address, .. } => tracing::debug!(%address, "listening"),
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                tracing::error!(?addresses, %error, "no longer listening");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: OverlayEvent) {
        match event {
            OverlayEvent::Messaging(event) => self.on_shell(Line::Messaging, event),
            OverlayEvent::Chains(event) => self.on_shell(Line::Chains, event),
            OverlayEvent::Ledger(event) => self.on_shell(Line::Ledger, event),
            OverlayEvent::Identify(event) => self.on_identify(event),
            OverlayEvent::Ping(event) => self.on_ping(&event),
            OverlayEvent::Kad(event) => self.on_kad(event),
            OverlayEvent::Mdns(event) => self.on_mdns(event),
            OverlayEvent::Gossip(event) => self.on_gossip(event),
            OverlayEvent::Limits(never) | OverlayEvent::Memory(never) => match never {},
            OverlayEvent::Bans(never) | OverlayEvent::Gate(never) => match never {},
        }
    }

    fn on_shell(&mut self, line: Line, event: covey_shell::Event) {
        use covey_shell::Event;
        match event {
            Event::Request { from, id, bytes } => {
                // The protocol's name holds the network's: who speaks it belongs here.
                self.admit(from);
                self.peers.used(&from);
                self.deliver(line, News::Request { from, id, bytes });
            }
            Event::Answer { from, ask, outcome } => {
                self.peers.used(&from);
                self.deliver(line, News::Answer { from, ask, outcome });
            }
            Event::Misbehaved { peer, why } => {
                tracing::warn!(%peer, reason = %why, "a malformed frame");
                self.strike(peer);
            }
        }
    }

    /// A peer broke a rule: with too many of them it is refused.
    pub(super) fn strike(&mut self, peer: Peer) {
        if self.peers.strike(&peer) >= STRIKES {
            self.refuse(peer, Refused::Misbehaved);
        }
    }

    /// A peer has proved to be of this network.
    pub(super) fn admit(&mut self, peer: Peer) {
        if self.peers.admit(&peer) {
            tracing::debug!(%peer, "connected");
            self.refusals.remove(&peer);
            self.seeker.settled(&peer);
            self.nearby.done(&peer);
            self.deliver_all(|| News::Connected(peer));
        }
        self.dials.end_all(peer, &Ok(peer));
    }

    fn on_established(&mut self, id: PeerId, connection: ConnectionId, end: &ConnectedPoint) {
        // The gate has seen to it that it is one.
        let Some(peer) = covey_shell::peer(&id) else { return };
        self.peers.connected(peer, connection, end);
        self.seeker.connected(&peer);
        self.dials.connected(connection, peer);
        if self.peers.is_admitted(&peer) {
            self.dials.end(connection, Ok(peer));
        }
    }

    fn on_closed(&mut self, id: PeerId, connection: ConnectionId) {
        let Some(peer) = covey_shell::peer(&id) else { return };
        self.dials.end(connection, Err(DialFailure::Closed));
        let Some(admitted) = self.peers.closed(&peer, connection) else { return };
        let now = Instant::now();
        self.seeker.disconnected(&peer, now);
        if admitted {
            tracing::debug!(%peer, "disconnected");
            self.deliver_all(|| News::Disconnected(peer));
        }
        if self.peers.admitted() == 0 {
            self.bootstrap.alone(now);
        }
    }

    fn on_dial_error(&mut self, connection: ConnectionId, id: Option<PeerId>, error: &DialError) {
        let expected = self.dials.expected(connection).or(id);
        let why = DialFailure::of(error, expected);
        if matches!(why, DialFailure::WrongPeerId { .. }) {
            tracing::warn!(error = %why, "another node answers at a known address");
        } else {
            tracing::debug!(error = %why, "a dial failed");
        }
        self.dials.end(connection, Err(why));
        let peer = id.and_then(|id| covey_shell::peer(&id));
        if let Some(peer) = peer.filter(|peer| !self.peers.contains(peer)) {
            self.missed(&peer, Instant::now());
        }
    }

    fn on_identify(&mut self, event: identify::Event) {
        match event {
            identify::Event::Received { peer_id, connection_id, info } => {
                self.on_identified(peer_id, connection_id, &info);
            }
            identify::Event::Error { peer_id, error, .. } => {
                tracing::debug!(peer = %peer_id, %error, "a peer did not say who it is");
            }
            _ => {}
        }
    }

    fn on_identified(&mut self, id: PeerId, connection: ConnectionId, info: &identify::Info) {
        let Some(peer) = covey_shell::peer(&id) else { return };
        let Some(seen_at) = self.peers.address(&peer, connection).cloned() else { return };
        self.peers.identified(&peer, verdict::claim(&info.agent_version));
        if let Err(why) = verdict::network(info, &self.network) {
            return self.refuse(peer, why);
        }
        if verdict::serves_kad(info, &self.network) {
            for address in verdict::usable(&info.listen_addrs, &seen_at) {
                self.swarm.behaviour_mut().kad.add_address(&id, address);
            }
        }
        self.admit(peer);
    }

    fn on_ping(&mut self, event: &ping::Event) {
        let Some(peer) = covey_shell::peer(&event.peer) else { return };
        match &event.result {
            Ok(took) => self.peers.pinged(&peer, event.connection, *took),
            Err(ping::Failure::Timeout) => {
                if self.peers.missed(&peer, event.connection) {
                    tracing::debug!(%peer, "does not answer pings");
                    self.swarm.close_connection(event.connection);
                }
            }
            Err(_) => {}
        }
    }

    fn on_kad(&mut self, event: kad::Event) {
        let kad::Event::OutboundQueryProgressed { id, result, step, .. } = event else { return };
        let kad::QueryResult::GetClosestPeers(result) = result else { return };
        let Some(peer) = self.lookups.get(&id).copied() else { return };
        if step.last {
            self.lookups.remove(&id);
        }
        let found = match result {
            Ok(found) => found.peers,
            Err(kad::GetClosestPeersError::Timeout { peers, .. }) => peers,
        };
        let wanted = covey_shell::peer_id(&peer);
        let addresses: Vec<Multiaddr> =
            found.into_iter().filter(|info| info.peer_id == wanted).flat_map(|i| i.addrs).collect();
        self.seeker.found(&peer, addresses, Instant::now());
    }

    fn on_mdns(&mut self, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(list) => {
                for (id, address) in list {
                    if let Some(peer) = covey_shell::peer(&id) {
                        self.nearby.found(peer, address, Instant::now());
                    }
                }
            }
            mdns::Event::Expired(list) => {
                for (id, address) in list {
                    if let Some(peer) = covey_shell::peer(&id) {
                        self.nearby.expired(&peer, &address);
                    }
                }
            }
        }
    }
}
