use crate::{Bytes, GossipId, GossipVerdict, Machine, Peer, Time, Topic, limits::ADDRESS_BYTES};

/// A local command that waits for its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub u64);

/// A peer's request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Our own request to a peer. The machine chooses it and finds it again on the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// Where a peer may be reached, in the transport's own encoding, which machines do not read.
pub type Address = Bytes<ADDRESS_BYTES>;

/// Why a request to a peer got no answer. Except for `Busy` the peer may have acted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskFailure {
    /// No connection, and none could be made.
    #[error("the peer cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the peer did not answer in time")]
    Timeout,
    /// The connection went away before the answer.
    #[error("the connection closed before the answer")]
    Closed,
    /// The peer is there but does not speak this protocol on this network.
    #[error("the peer does not speak this protocol")]
    Unsupported,
    /// The peer's queue, or ours towards it, is full: try again later.
    #[error("the peer is busy")]
    Busy,
    /// What came back is not an answer.
    #[error("the peer broke the protocol")]
    Broken,
}

/// What a machine wants done once its turn is committed.
#[derive(Debug)]
pub enum Effect<M: Machine> {
    /// Send a request; the answer comes back as [`crate::Input::Answer`].
    Ask {
        /// To whom.
        to: Peer,
        /// Under which id.
        ask: AskId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// Answer a peer's request.
    Answer {
        /// Which request.
        to: RequestId,
        /// The encoded response.
        bytes: Vec<u8>,
    },
    /// Reply to a local command.
    Reply {
        /// Which command.
        to: CommandId,
        /// What came of it.
        reply: Result<M::Reply, M::Error>,
    },
    /// Tell local subscribers.
    Tell(M::Event),
    /// Be woken at this time at the latest.
    Wake(Time),
    /// Stay connected with this peer, and try these addresses besides those already known. It
    /// holds until the node stops: a machine asks anew at [`crate::Input::Start`].
    Seek {
        /// With whom.
        peer: Peer,
        /// Where it may be.
        addresses: Vec<Address>,
    },
    /// No need to stay connected with this peer any longer.
    Release(Peer),
    /// This peer broke a rule. Who goes on so is disconnected, and refused for a while.
    Strike(Peer),
    /// Hear what is said on this topic, and pass on what is accepted. Joining twice is as once. It
    /// holds until the node stops: a machine joins anew at [`crate::Input::Start`]. A node joins
    /// at most [`crate::limits::TOPICS`].
    Join(Topic),
    /// Hear it no longer.
    Leave(Topic),
    /// Say something to all who have joined a topic, at most [`crate::limits::GOSSIP_BYTES`]. It
    /// may reach everybody, somebody or nobody: gossip is a hint. The same bytes may be published
    /// again, but within some minutes they are one message, which nobody hears twice.
    Publish {
        /// Where.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
    /// What becomes of gossip; once for each [`crate::Input::Gossip`]. Without it, or after
    /// some seconds, the message is ignored.
    Judge {
        /// Which.
        gossip: GossipId,
        /// What becomes of it.
        verdict: GossipVerdict,
    },
}

/// Collects the effects of a turn in order.
#[derive(Debug)]
pub struct Effects<M: Machine>(Vec<Effect<M>>);

impl<M: Machine> Default for Effects<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: Machine> Effects<M> {
    /// Adds one effect.
    pub fn push(&mut self, effect: Effect<M>) {
        self.0.push(effect);
    }

    /// How many there are; with [`Effects::truncate`] a savepoint.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the effects after the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// All of them, in order.
    #[must_use]
    pub fn into_vec(self) -> Vec<Effect<M>> {
        self.0
    }
}
