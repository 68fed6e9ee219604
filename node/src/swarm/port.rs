use std::collections::VecDeque;

use covey_kernel::{GossipId, Peer, RequestId};

use super::{News, limits::OVERDUE};

/// Where the swarm hands a machine its news. It must not block.
pub trait Port: Send {
    /// Takes it, or gives it back when the machine's inbox is full.
    ///
    /// # Errors
    /// The news itself, untouched.
    fn deliver(&self, news: News) -> Result<(), News>;
}

/// What a machine has no room for and need not hear later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undelivered {
    /// The asker is told.
    Request(RequestId),
    /// It is not passed on.
    Gossip(GossipId),
}

/// A port with memory: what must not be lost waits here until the machine has room.
pub(super) struct Outlet {
    port: Box<dyn Port>,
    overdue: VecDeque<News>,
}

impl Outlet {
    pub(super) fn new(port: Box<dyn Port>) -> Self {
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

    /// Hands it on, or keeps it if it must not be lost.
    pub(super) fn deliver(&mut self, news: News) -> Option<Undelivered> {
        self.offer();
        if self.overdue.is_empty() {
            match self.port.deliver(news) {
                Ok(()) => None,
                Err(news) => self.keep(news),
            }
        } else {
            self.keep(news)
        }
    }

    /// Offers what waits once more, in order.
    pub(super) fn offer(&mut self) {
        while let Some(news) = self.overdue.pop_front() {
            if let Err(news) = self.port.deliver(news) {
                self.overdue.push_front(news);
                return;
            }
        }
    }

    fn keep(&mut self, news: News) -> Option<Undelivered> {
        match news {
            News::Request { id, .. } => return Some(Undelivered::Request(id)),
            News::Gossip { id, .. } => return Some(Undelivered::Gossip(id)),
            News::Disconnected(peer) if self.forget_connected(peer) => {}
            other => self.overdue.push_back(other),
        }
        None
    }

    /// A connection that came and went while the machine was busy is none of its business:
    /// so peers that come and go cannot make the queue grow.
    fn forget_connected(&mut self, peer: Peer) -> bool {
        let Some(at) = self.overdue.iter().rposition(|news| *news == News::Connected(peer)) else {
            return false;
        };
        self.overdue.remove(at).is_some()
    }
}
