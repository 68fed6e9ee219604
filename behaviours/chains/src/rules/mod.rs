//! Reputation: how many *reps* each author has at a place of the order. Which rules hold is data,
//! named in the genesis, so that every peer of a chain agrees.

mod accounts;
mod history;
mod paper;
mod v10;
mod votes;

use covey_kernel::{Span, Time};

pub(crate) use paper::Paper;
pub(crate) use v10::V10;
pub use votes::Votes;

/// Nobody ever has more reps.
pub(crate) const CAP: i64 = 30;
/// A day: how long a post costs, and how often one earns.
pub(crate) const DAY: Span = Span::hours(24);

/// An author, numbered within one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Who(pub(crate) u32);

/// What placing a block does to reputations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deed {
    /// Its author; none if it is unsigned.
    pub(crate) author: Option<Who>,
    /// Its effective time: never earlier than that of the block placed before.
    pub(crate) at: Time,
    /// What it is.
    pub(crate) what: What,
}

/// What a block is, as far as reputation is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A post.
    Post,
    /// The post that began a forum under the rules of the paper.
    FirstPost,
    /// A vote on a block of this author; none if that is unsigned.
    Vote {
        /// +1, else -1.
        like: bool,
        /// Who is voted on.
        of: Option<Who>,
    },
}

/// The reputations after some places of an order. Cheap to clone: what is the same is shared.
#[derive(Clone, Debug)]
pub(crate) enum Reputation {
    /// The rules of the paper.
    Paper(Paper),
    /// The rules of the reference implementation, version 0.10.
    V10(V10),
}

impl Reputation {
    /// The effective time of the last placed block.
    #[must_use]
    pub(crate) fn last(&self) -> Time {
        match self {
            Self::Paper(rules) => rules.last(),
            Self::V10(rules) => rules.last(),
        }
    }

    /// The effective time of a block that is placed next: the clock never runs backwards along the
    /// order.
    #[must_use]
    pub(crate) fn effective(&self, time: Time) -> Time {
        self.last().max(time)
    }

    /// An author's running reps, at the effective time of the last placed block; and until when
    /// they hold if no block is placed that touches them.
    pub(crate) fn running_until(&self, who: Who) -> (i64, Time) {
        match self {
            Self::Paper(rules) => rules.reps_until(who, rules.last()),
            // Any block may bring refunds and credits to anybody.
            Self::V10(rules) => (rules.running(who), Time::default()),
        }
    }

    /// An author's reps at a time; not before the last placed block.
    #[must_use]
    pub(crate) fn reps(&self, who: Who, at: Time) -> i64 {
        let at = self.effective(at);
        match self {
            Self::Paper(rules) => rules.reps(who, at),
            Self::V10(rules) => rules.reps(who, at),
        }
    }

    /// Adds the next placed block.
    pub(crate) fn place(&mut self, deed: &Deed) {
        match self {
            Self::Paper(rules) => rules.place(deed),
            Self::V10(rules) => rules.place(deed),
        }
    }
}
