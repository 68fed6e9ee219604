//! Where a new block would stand: what the order of its own past says.

use covey_kernel::{PublicKey, Time};

use crate::rules::Reputation;

use super::{Graph, Ix};

/// The order of everything that some blocks build on, and of these blocks.
pub struct Stand {
    pub(super) reputation: Reputation,
    pub(super) blocked: Vec<(Ix, Reputation)>,
}

impl Stand {
    /// Blocks that this order leaves out, with all that builds on them: no block can build on
    /// these heads unless it also builds on likes that bring those back.
    pub fn blocked(&self) -> impl Iterator<Item = Ix> {
        self.blocked.iter().map(|(ix, _)| *ix)
    }
}

impl Graph {
    /// Where a block with these backs would stand.
    pub fn stand(&mut self, backs: &[Ix]) -> Stand {
        let past = self.past(backs, |_| true);
        let base = self.state(past.base);
        let outcome = self.replay(&past.region, base);
        Stand { reputation: outcome.reputation, blocked: outcome.blocked }
    }

    /// The reps of an author there, for a block of this time.
    #[must_use]
    pub fn reps_at(&self, stand: &Stand, author: &PublicKey, time: Time) -> i64 {
        self.authors.get(author).map_or(0, |who| stand.reputation.reps(*who, time))
    }

    /// The reps of an author where a block was left out, for a like of it of this time.
    #[must_use]
    pub fn reps_before(&self, stand: &Stand, out: Ix, author: &PublicKey, time: Time) -> i64 {
        let before = stand.blocked.iter().find(|(ix, _)| *ix == out);
        let who = self.authors.get(author);
        before.zip(who).map_or(0, |((_, reputation), who)| reputation.reps(*who, time))
    }
}
