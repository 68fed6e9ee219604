use std::collections::VecDeque;

use covey_kernel::{Input, Machine, Peer, RequestId};

use super::limits::OVERDUE;

/// Where the swarm hands inputs to a machine. It must not block.
pub trait Port<M: Machine>: Send {
    /// Takes an input, or gives it back when the machine's inbox is full.
    ///
    /// # Errors
    /// The input itself, untouched.
    fn deliver(&self, input: Input<M>) -> Result<(), Input<M>>;
}

/// A port with memory: what must not be lost waits here until the machine has room.
pub(super) struct Outlet<M: Machine, P> {
    port: P,
    overdue: VecDeque<Input<M>>,
}

impl<M: Machine, P: Port<M>> Outlet<M, P> {
    pub(super) fn new(port: P) -> Self {
        Self { port, overdue: VecDeque::new() }
    }

    /// Whether something waits.
    pub(super) fn is_overdue(&self) -> bool {
        !self.overdue.is_empty()
    }

    /// Whether so much waits that nothing should be started that ends in a further input.
    pub(super) fn is_full(&self) -> bool {
        self.overdue.len() >= OVERDUE
    }

    /// Hands on an input. Gives the id of a request that there is no room for.
    pub(super) fn deliver(&mut self, input: Input<M>) -> Option<RequestId> {
        self.offer();
        if self.overdue.is_empty() {
            match self.port.deliver(input) {
                Ok(()) => None,
                Err(input) => self.keep(input),
            }
        } else {
            self.keep(input)
        }
    }

    /// Offers what waits once more, in order.
    pub(super) fn offer(&mut self) {
        while let Some(input) = self.overdue.pop_front() {
            if let Err(input) = self.port.deliver(input) {
                self.overdue.push_front(input);
                return;
            }
        }
    }

    fn keep(&mut self, input: Input<M>) -> Option<RequestId> {
        match input {
            Input::Request { id, .. } => return Some(id),
            Input::Disconnected(peer) if self.forget_connected(peer) => {}
            other => self.overdue.push_back(other),
        }
        None
    }

    /// A connection that came and went while the machine was busy is none of its business:
    /// so peers that come and go cannot make the queue grow.
    fn forget_connected(&mut self, peer: Peer) -> bool {
        let told = |input: &Input<M>| matches!(input, Input::Connected(other) if *other == peer);
        let Some(at) = self.overdue.iter().rposition(told) else { return false };
        self.overdue.remove(at).is_some()
    }
}
