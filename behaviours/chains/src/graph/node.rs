use covey_kernel::{PublicKey, Time};

use crate::rules::{Votes, What, Who};

/// A block's number within one graph, in the order of arrival: backs have smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ix(pub u32);

impl Ix {
    /// The genesis.
    pub const GENESIS: Self = Self(0);

    pub(super) fn at(self) -> usize {
        self.0 as usize
    }
}

/// A vote on a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// +1, else -1.
    pub like: bool,
    /// The block: an ancestor of the vote, and not the genesis.
    pub target: Ix,
}

/// A block, as far as admission and order depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The hash in its id.
    pub id: [u8; 32],
    /// 1 + the highest back.
    pub height: u64,
    /// Not before the time of a back.
    pub time: Time,
    /// Who has signed it.
    pub author: Option<PublicKey>,
    /// At least one.
    pub backs: Vec<Ix>,
    /// Votes are signed.
    pub vote: Option<Vote>,
}

/// Whether a block is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// By its own past alone, or it is the like that admits its only back.
    Admitted,
    /// Its author had no reps. A like may admit it.
    Held,
    /// It was held, and is admitted together with a like.
    Liked,
    /// Nothing can admit it.
    Never(Never),
}

/// Why nothing can admit a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    /// A vote whose author had no reps.
    HeldVote,
    /// It builds on what is not admitted, or on what its own past leaves out of the order.
    HeldPast,
    /// A second beginning of a forum that has begun with another post.
    OtherFirst,
}

/// A block in memory.
pub(super) struct Node {
    pub(super) id: [u8; 32],
    pub(super) height: u64,
    pub(super) time: Time,
    pub(super) author: Option<Who>,
    /// It is the author's first block here.
    pub(super) brings_author: bool,
    pub(super) backs: Box<[Ix]>,
    pub(super) children: Vec<Ix>,
    pub(super) vote: Option<Vote>,
    pub(super) verdict: Verdict,
    /// Whether it is left out of what is followed, though it is admitted: it belongs to a hard fork.
    pub(super) aside: bool,
    /// Where in the order of all admitted blocks it stands.
    pub(super) place: Option<usize>,
    /// The placed votes on it.
    pub(super) votes: Votes,
}

impl Node {
    pub(super) fn genesis(id: [u8; 32]) -> Self {
        Self {
            id,
            height: 0,
            time: Time::default(),
            author: None,
            brings_author: false,
            backs: Box::default(),
            children: Vec::new(),
            vote: None,
            verdict: Verdict::Admitted,
            aside: false,
            place: Some(0),
            votes: Votes::default(),
        }
    }

    /// It is judged after it has its place.
    pub(super) fn new(entry: &Entry, author: Option<Who>) -> Self {
        Self {
            id: entry.id,
            height: entry.height,
            time: entry.time,
            author,
            brings_author: false,
            backs: entry.backs.clone().into_boxed_slice(),
            children: Vec::new(),
            vote: entry.vote,
            verdict: Verdict::Held,
            aside: false,
            place: None,
            votes: Votes::default(),
        }
    }

    /// The block that this one may admit: it is a like of it and builds on nothing else.
    pub(super) fn vouches_for(&self) -> Option<Ix> {
        let vote = self.vote.filter(|vote| vote.like)?;
        (*self.backs == [vote.target]).then_some(vote.target)
    }

    pub(super) fn what(&self, first: bool, of: Option<Who>) -> What {
        match self.vote {
            Some(vote) => What::Vote { like: vote.like, of },
            None if first => What::FirstPost,
            None => What::Post,
        }
    }
}
