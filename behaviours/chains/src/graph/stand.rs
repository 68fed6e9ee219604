//! Where a new block would stand: what the order of its own past says.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use covey_kernel::{PublicKey, Time};

use crate::rules::{Reputation, Who};

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

    /// Which of some authors have reps after so many places of the shown order, or need none: at once, or when they
    /// write. If blocks of theirs change the next place, at least one of them has.
    #[must_use]
    pub fn standing_after(
        &self,
        places: usize,
        of: impl Iterator<Item = (PublicKey, Time)>,
    ) -> BTreeSet<PublicKey> {
        let reputation = self.reputation_after(places);
        let has_reps =
            |who: Who, time| reputation.running_until(who).0 > 0 || reputation.reps(who, time) > 0;
        let stands = |(key, time): &(PublicKey, Time)| {
            self.accepts(key) || self.authors.get(key).is_some_and(|who| has_reps(*who, *time))
        };
        of.filter(stands).map(|(key, _)| key).collect()
    }

    fn reputation_after(&self, places: usize) -> Reputation {
        let known = self.order.noted_before(places);
        let (from, mut reputation) = known.unwrap_or_else(|| (1, self.states.start().clone()));
        let rest = self.order.placed().get(from..places).unwrap_or_default();
        self.sought.fetch_add(rest.len() as u64, Ordering::Relaxed);
        for ix in rest {
            self.place_after(*ix, &mut reputation);
        }
        reputation
    }

    /// The reps of an author where a block was left out, for a like of it of this time.
    #[must_use]
    pub fn reps_before(&self, stand: &Stand, out: Ix, author: &PublicKey, time: Time) -> i64 {
        let before = stand.blocked.iter().find(|(ix, _)| *ix == out);
        let who = self.authors.get(author);
        before.zip(who).map_or(0, |((_, reputation), who)| reputation.reps(*who, time))
    }
}
