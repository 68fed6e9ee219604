use covey_kernel::{AskFailure, AskId, GossipId, Machine, Peer, RequestId, Topic};
use covey_shell::Protocol;

use super::Port;

/// Which machine is meant. Each has a variant here, a field and an arm in `overlay.rs`, and an
/// arm in `events.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// Private messages.
    Messaging,
    /// Forums, groups and identities.
    Chains,
    /// Payments: wallets and validators.
    Ledger,
}

/// A machine that the swarm carries. Of those that it does not carry it speaks no protocol.
pub struct Carried {
    /// Which.
    pub line: Line,
    /// What peers call it, and how large its frames may be.
    pub protocol: Protocol,
    /// Where its news go.
    pub port: Box<dyn Port>,
}

impl Carried {
    /// A machine and the way to it.
    #[must_use]
    pub fn new<M: Machine>(line: Line, port: impl Port + 'static) -> Self {
        Self { line, protocol: Protocol::of::<M>(), port: Box::new(port) }
    }
}

/// What the swarm tells a machine: those of [`covey_kernel::Input`] that come from peers.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// A peer wants something.
    Request {
        /// Who asks; proven by the transport.
        from: Peer,
        /// Where the answer goes, on this line.
        id: RequestId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// What came of an own request.
    Answer {
        /// Who was asked.
        from: Peer,
        /// Which request.
        ask: AskId,
        /// The encoded response, or why there is none.
        outcome: Result<Vec<u8>, AskFailure>,
    },
    /// Somebody has said something on a topic that the machine has joined.
    Gossip {
        /// Who passed it on; proven by the transport.
        from: Peer,
        /// Where it was said.
        topic: Topic,
        /// Which message the verdict is on.
        id: GossipId,
        /// What was said.
        bytes: Vec<u8>,
    },
    /// A connection with this peer now exists. Every machine is told.
    Connected(Peer),
    /// The last connection with this peer is gone. Every machine is told.
    Disconnected(Peer),
}
