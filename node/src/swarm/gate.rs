//! Who may be connected, and which connections are kept.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    convert::Infallible,
    task::{Context, Poll, Waker},
};

use covey_shell::NotEd25519;
use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse, upgrade::DeniedUpgrade},
    swarm::{
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm, handler::ConnectionEvent,
    },
};
use tokio::time::Instant;

use super::limits::REFUSALS;

/// Why a peer is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It belongs to another network.
    #[error("refused: other network {0}")]
    OtherNetwork(String),
    /// It is no Covey node.
    #[error("refused: not a Covey node, it says {0:?}")]
    NotCovey(String),
    /// It broke the wire format too often.
    #[error("refused: it broke the protocol")]
    Misbehaved,
}

/// Refuses peers without an Ed25519 key and those the task has named, and keeps connections
/// with those it wants alive. It stands before the behaviours with state, so that they never
/// see a refused connection.
#[derive(Default)]
pub struct Gate {
    refused: HashMap<PeerId, (Refused, Instant)>,
    kept: HashSet<PeerId>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
    actions: VecDeque<(PeerId, ConnectionId, Keep)>,
    waker: Option<Waker>,
}

/// Whether to keep the connection.
#[derive(Debug, Clone, Copy)]
pub struct Keep(bool);

impl Gate {
    /// Refuses a peer until then. When too many are refused, the one nearest its end is not
    /// any longer.
    pub(super) fn refuse(&mut self, peer: PeerId, why: Refused, until: Instant) {
        if self.refused.len() >= REFUSALS && !self.refused.contains_key(&peer) {
            let first = self.refused.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(peer, _)| *peer) {
                self.refused.remove(&first);
            }
        }
        self.refused.insert(peer, (why, until));
    }

    /// Why a peer is refused now.
    pub(super) fn refusal(&self, peer: &PeerId) -> Option<&Refused> {
        let (why, until) = self.refused.get(peer)?;
        (*until > Instant::now()).then_some(why)
    }

    /// Forgets refusals that are over.
    pub(super) fn tidy(&mut self) {
        let now = Instant::now();
        self.refused.retain(|_, (_, until)| *until > now);
    }

    /// Keeps connections with a peer alive, or lets them close when idle.
    pub(super) fn keep(&mut self, peer: PeerId, keep: bool) {
        let changed = if keep { self.kept.insert(peer) } else { self.kept.remove(&peer) };
        if !changed {
            return;
        }
        for id in self.connections.get(&peer).into_iter().flatten() {
            self.actions.push_back((peer, *id, Keep(keep)));
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn admit(&self, peer: PeerId) -> Result<(), ConnectionDenied> {
        if covey_shell::peer(&peer).is_none() {
            return Err(ConnectionDenied::new(NotEd25519(peer)));
        }
        match self.refusal(&peer) {
            Some(why) => Err(ConnectionDenied::new(why.clone())),
            None => Ok(()),
        }
    }

    fn handler(&self, peer: PeerId) -> Result<Handler, ConnectionDenied> {
        self.admit(peer)?;
        Ok(Handler { keep: self.kept.contains(&peer) })
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(peer)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), |peer| self.admit(peer))?;
        Ok(Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.handler(peer)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(event) => {
                self.connections.entry(event.peer_id).or_default().push(event.connection_id);
            }
            FromSwarm::ConnectionClosed(event) => {
                if let Some(list) = self.connections.get_mut(&event.peer_id) {
                    list.retain(|id| *id != event.connection_id);
                    if list.is_empty() {
                        self.connections.remove(&event.peer_id);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some((peer_id, id, event)) = self.actions.pop_front() {
            let handler = NotifyHandler::One(id);
            return Poll::Ready(ToSwarm::NotifyHandler { peer_id, handler, event });
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Keeps its connection alive or not, and does nothing else.
pub struct Handler {
    keep: bool,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Keep;
    type ToBehaviour = Infallible;
    type InboundProtocol = DeniedUpgrade;
    type OutboundProtocol = DeniedUpgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<DeniedUpgrade> {
        SubstreamProtocol::new(DeniedUpgrade, ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.keep
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<DeniedUpgrade, (), Infallible>> {
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, Keep(keep): Keep) {
        self.keep = keep;
    }

    fn on_connection_event(&mut self, _: ConnectionEvent<'_, DeniedUpgrade, DeniedUpgrade>) {}
}
