use std::fmt;

use crate::hash;

/// What a machine gossips on. Each machine has topics of its own: the same bytes are another
/// topic to another machine, and on another network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(pub hash::Hash);

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.0)
    }
}

/// Gossip that waits for its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GossipId(pub u64);

/// What becomes of gossip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipVerdict {
    /// It is passed on.
    Accept,
    /// It is not passed on, and nobody is to blame: old, of no use, or not to be judged now.
    Ignore,
    /// It is not passed on, and whoever passed it on is to blame: an honest peer judges first.
    /// Whoever does so again and again is no longer heard. So what an honest peer could have
    /// accepted, having seen less or more than this node, is to be ignored instead.
    Reject,
}
