//! The user's dials that wait for their outcome.

use std::collections::HashMap;

use covey_kernel::Peer;
use libp2p::{PeerId, swarm::ConnectionId};
use tokio::{sync::oneshot, time::Instant};

use super::{
    error::DialFailure,
    limits::{DIAL_WITHIN, DIALS},
};

pub(super) type Reply = oneshot::Sender<Result<Peer, DialFailure>>;

#[derive(Default)]
pub(super) struct Dials(HashMap<ConnectionId, Dial>);

struct Dial {
    expected: Option<PeerId>,
    /// Who answered, before it has said more of itself.
    peer: Option<Peer>,
    reply: Reply,
    deadline: Instant,
}

impl Dials {
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= DIALS
    }

    pub(super) fn start(&mut self, id: ConnectionId, expected: Option<PeerId>, reply: Reply) {
        let now = Instant::now();
        let deadline = now.checked_add(DIAL_WITHIN).unwrap_or(now);
        self.0.insert(id, Dial { expected, peer: None, reply, deadline });
    }

    /// Who was meant by this dial, if it is one of these.
    pub(super) fn expected(&self, id: ConnectionId) -> Option<PeerId> {
        self.0.get(&id)?.expected
    }

    pub(super) fn connected(&mut self, id: ConnectionId, peer: Peer) {
        if let Some(dial) = self.0.get_mut(&id) {
            dial.peer = Some(peer);
        }
    }

    pub(super) fn end(&mut self, id: ConnectionId, outcome: Result<Peer, DialFailure>) {
        if let Some(dial) = self.0.remove(&id) {
            tell(dial.reply, outcome);
        }
    }

    /// Ends all dials that have reached this peer.
    pub(super) fn end_all(&mut self, peer: Peer, outcome: &Result<Peer, DialFailure>) {
        let met = self.0.extract_if(|_, dial| dial.peer == Some(peer));
        met.for_each(|(_, dial)| tell(dial.reply, outcome.clone()));
    }

    pub(super) fn expire(&mut self, now: Instant) {
        let late = self.0.extract_if(|_, dial| dial.deadline <= now || dial.reply.is_closed());
        late.for_each(|(_, dial)| tell(dial.reply, Err(DialFailure::Timeout)));
    }
}

/// Replies to the user, who may have gone away.
pub(super) fn tell<T>(reply: oneshot::Sender<T>, value: T) {
    if reply.send(value).is_err() {
        tracing::debug!("nobody waits for this reply any longer");
    }
}
