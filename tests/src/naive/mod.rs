//! A naive model of the rules of chains: reputation, time, admission and order, freezing and
//! revocation. Nothing here is fast; every function is meant to be read beside its sentence. It
//! was written from the rules alone, before the graph of the product was seen. Where the rules leave
//! room, this folder's `README.md` says which reading is taken.

use std::collections::{BTreeMap, BTreeSet};

mod admission;
mod check;
mod freezing;
mod graph;
mod order;
mod reps_paper;
mod reps_v10;
mod revocation;

/// An author, by number.
pub type Author = u32;

/// The three kinds of chain.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `#`: nobody posts without reps.
    Forum,
    /// `$`: everybody is accepted.
    Private,
    /// `@`: the owner is accepted.
    Identity {
        /// Whose chain it is.
        owner: Author,
        /// `@!`: others may not post.
        only_owner: bool,
    },
}

/// Which rules give reputation.
#[derive(Clone, Debug)]
pub enum Rules {
    /// Those of the paper of 2020.
    Paper,
    /// Those of the reference implementation, version 0.10.
    V10 {
        /// Who share the first reps.
        pioneers: Vec<Author>,
    },
}

/// A chain's genesis.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Which kind it is.
    pub kind: Kind,
    /// Which rules give reputation.
    pub rules: Rules,
    /// Paper forums: the pinned first post, index of the block; None: none known yet.
    pub first: Option<usize>,
}

/// A vote on a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// +1, else -1.
    pub like: bool,
    /// The block's number.
    pub target: usize,
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Compared where weight and height are the same.
    pub id: [u8; 32],
    /// 1 + the highest back.
    pub height: u64,
    /// Milliseconds.
    pub time: u64,
    /// Who has signed it.
    pub author: Option<Author>,
    /// Numbers of blocks, all smaller.
    pub backs: Vec<usize>,
    /// Votes are signed.
    pub vote: Option<Vote>,
}

/// `blocks[0]` is the genesis (time 0, no author, no backs); a block's backs have smaller indices.
#[derive(Debug)]
pub struct World {
    /// Its genesis.
    pub chain: Chain,
    /// All blocks that there are.
    pub blocks: Vec<Block>,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In the order.
    Placed,
    /// Admitted, but stays out of the order: itself blocked in it, or built on a blocked one.
    Blocked,
    /// Not admitted, or builds on such.
    Held,
}

pub(crate) const HOUR: u64 = 60 * 60 * 1000;
pub(crate) const DAY: u64 = 24 * HOUR;
/// "An integer per author and chain", capped at this under both rule sets.
pub(crate) const CAP: i64 = 30;

impl World {
    /// For the set `known` of block indices (closed under backs, contains 0): the order (first is 0).
    pub fn order(&self, known: &BTreeSet<usize>) -> Vec<usize> {
        self.walk(known).places.iter().map(|p| p.block).collect()
    }

    /// What becomes of each block of that set.
    pub fn statuses(&self, known: &BTreeSet<usize>) -> BTreeMap<usize, Status> {
        let verdicts = self.verdicts(known);
        let admitted = verdicts.admitted_set(self, known);
        let walk = order::walk(self, &admitted);
        known
            .iter()
            .map(|&b| {
                let status = if walk.is_placed(b) {
                    Status::Placed
                } else if admitted.contains(&b) {
                    Status::Blocked
                } else {
                    Status::Held
                };
                (b, status)
            })
            .collect()
    }

    /// Whether block b is admitted, by its own past alone (or as a pair with a like in `known`).
    pub fn admitted(&self, known: &BTreeSet<usize>, b: usize) -> bool {
        let mut all = known.clone();
        all.extend(graph::past(self, b));
        all.insert(b);
        self.verdicts(&all).admitted_set(self, &all).contains(&b)
    }

    /// Effective time of each placed block, in order.
    pub fn effective(&self, known: &BTreeSet<usize>) -> Vec<u64> {
        self.walk(known).places.iter().map(|p| p.effective).collect()
    }

    /// Reps of an author in the order of `known` at time `at` (at the later of `at` and the last
    /// effective time).
    pub fn reps(&self, known: &BTreeSet<usize>, author: Author, at: u64) -> i64 {
        let walk = self.walk(known);
        let t = at.max(walk.last_effective());
        walk.reps_at(author, t)
    }

    /// Whether a block's payload is revoked.
    pub fn revoked(&self, known: &BTreeSet<usize>, b: usize) -> bool {
        revocation::revoked(self, &self.walk(known).places, b)
    }

    /// How many places at the beginning of the order are frozen, with these parameters (None: never
    /// freezes).
    pub fn frozen(&self, known: &BTreeSet<usize>, freeze: Option<(u64, u64)>) -> usize {
        freezing::frozen(self, &self.walk(known).places, freeze)
    }

    fn verdicts(&self, known: &BTreeSet<usize>) -> admission::Verdicts {
        check::world(self);
        check::known(self, known);
        admission::verdicts(self, known)
    }

    fn walk(&self, known: &BTreeSet<usize>) -> order::Walk<'_> {
        let admitted = self.verdicts(known).admitted_set(self, known);
        order::walk(self, &admitted)
    }

    // ---- the kinds of chain ----

    /// "In `$` chains, and for the owner of an `@` chain, posting is always accepted."
    pub(crate) fn always_accepts(&self, author: Option<Author>) -> bool {
        match self.chain.kind {
            Kind::Forum => false,
            Kind::Private => true,
            Kind::Identity { owner, .. } => author == Some(owner),
        }
    }

    pub(crate) fn is_paper_forum(&self) -> bool {
        matches!(self.chain.kind, Kind::Forum) && matches!(self.chain.rules, Rules::Paper)
    }

    /// The pinned first post of a paper forum: a signed child of the genesis alone.
    pub(crate) fn is_first_post(&self, b: usize) -> bool {
        let block = &self.blocks[b];
        self.is_paper_forum()
            && self.chain.first == Some(b)
            && block.author.is_some()
            && block.backs == [0]
    }

    // ---- blocks ----

    /// A post: any block but the genesis that is not a vote.
    pub(crate) fn is_post(&self, b: usize) -> bool {
        b != 0 && self.blocks[b].vote.is_none()
    }

    /// Whether `l` is "a like of it, whose only back it is".
    pub(crate) fn is_like_on_top_of(&self, l: usize, b: usize) -> bool {
        let block = &self.blocks[l];
        block.vote == Some(Vote { like: true, target: b }) && block.backs == [b]
    }
}
