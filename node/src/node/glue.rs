//! Between a machine's driver and the swarm, in both directions.

use std::sync::{Arc, OnceLock};

use covey_kernel::{Address, AskId, Input, Machine, Peer, RequestId};

use crate::{
    driver::{Inbox, Outside},
    swarm::{self, Command, Port},
};

/// Where the swarm finds a machine. The swarm starts first, because a port in use must be
/// noticed before anything else happens; until the machine is there, its inbox counts as full.
pub(super) struct Door<M: Machine>(Arc<OnceLock<Inbox<M>>>);

impl<M: Machine> Default for Door<M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<M: Machine> Clone for Door<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Machine> Door<M> {
    /// The machine is there.
    pub(super) fn open(&self, inbox: Inbox<M>) {
        if self.0.set(inbox).is_err() {
            tracing::error!(machine = M::NAME, "a machine was started twice");
        }
    }
}

impl<M: Machine> Port<M> for Door<M> {
    fn deliver(&self, input: Input<M>) -> Result<(), Input<M>> {
        match self.0.get() {
            Some(inbox) => inbox.push(input),
            None => Err(input),
        }
    }
}

/// How a machine speaks to the swarm. It waits when the swarm has too much to do, which slows
/// the machine's next turn. The swarm reads on meanwhile: it stops reading commands only when
/// `OVERDUE` inputs wait for the machine, more than one turn can ask for.
pub(super) struct Mouth(pub(super) swarm::Handle);

impl Mouth {
    fn say(&self, command: Command) {
        if self.0.blocking_send(command).is_err() {
            tracing::debug!("the swarm has ended: nothing more is sent");
        }
    }
}

impl Outside for Mouth {
    fn ask(&mut self, to: Peer, ask: AskId, bytes: Vec<u8>) {
        self.say(Command::Ask { to, ask, bytes });
    }

    fn answer(&mut self, to: RequestId, bytes: Vec<u8>) {
        self.say(Command::Answer { to, bytes });
    }

    fn seek(&mut self, peer: Peer, addresses: Vec<Address>) {
        self.say(Command::Seek { peer, addresses });
    }

    fn release(&mut self, peer: Peer) {
        self.say(Command::Release(peer));
    }
}
