use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{
    AskId, CommandId, Hash, Input, Keypair, Machine, Peer, RequestId, Span, Time, Topic,
};
use rand_chacha::ChaCha8Rng;

use super::Disk;

/// What came of a local command.
#[derive(Debug)]
pub enum Outcome<M: Machine> {
    /// Not decided yet.
    Waiting,
    /// The node was down, or went down before its reply: it may have been done.
    Unknown,
    /// The reply.
    Done(Result<M::Reply, M::Error>),
}

/// A local command and what came of it.
#[derive(Debug)]
pub struct Call<M: Machine> {
    /// Where it was given.
    pub node: usize,
    /// Which.
    pub id: CommandId,
    /// What came of it.
    pub outcome: Outcome<M>,
}

/// What a node is about to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A request.
    Ask {
        /// To whom.
        to: Peer,
        /// Under which id.
        ask: AskId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// An answer.
    Answer {
        /// Who asked.
        peer: Peer,
        /// Which request.
        to: RequestId,
        /// The encoded response.
        bytes: Vec<u8>,
    },
    /// Gossip of its own.
    Publish {
        /// Where.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
}

/// Makes a node lie: takes what it is about to send, gives what it sends instead.
pub type Tamper = Box<dyn FnMut(Outgoing, &mut ChaCha8Rng) -> Vec<Outgoing>>;

/// Where in its next turn a node crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crash {
    /// Decided, nothing written.
    BeforeCommit,
    /// Written; so many effects, in percent, still get out.
    Speaking(usize),
}

/// One node: a machine when it runs, and the disk that stays.
pub struct Node<M: Machine> {
    pub(super) keys: Keypair,
    pub(super) rules: M::Rules,
    pub(super) disk: Disk,
    /// None while the node is down.
    pub(super) machine: Option<M>,
    /// Counts starts, so that nothing meant for an earlier life reaches a later one.
    pub(super) life: u64,
    pub(super) rng: ChaCha8Rng,
    pub(super) inbox: Vec<Input<M>>,
    pub(super) turn_due: bool,
    pub(super) wake: Option<Time>,
    pub(super) seeking: BTreeSet<usize>,
    pub(super) topics: BTreeSet<Topic>,
    /// Gossip that it has heard or said, and when.
    pub(super) heard: BTreeMap<Hash, Time>,
    pub(super) crash: Option<Crash>,
    /// Stays down until someone brings it up.
    pub(super) held: bool,
    pub(super) skew: Span,
    pub(super) tamper: Option<Tamper>,
}

impl<M: Machine> Node<M> {
    /// Who it is.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.keys.public()
    }

    /// Its keys.
    #[must_use]
    pub fn keys(&self) -> &Keypair {
        &self.keys
    }

    /// What its machine was opened with.
    #[must_use]
    pub fn rules(&self) -> &M::Rules {
        &self.rules
    }

    /// What it has committed.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its machine, unless it is down.
    #[must_use]
    pub fn machine(&self) -> Option<&M> {
        self.machine.as_ref()
    }

    /// How often it has been started.
    #[must_use]
    pub fn life(&self) -> u64 {
        self.life
    }
}
