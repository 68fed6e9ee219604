//! The order of all admitted blocks, as it is shown.

use covey_kernel::{Span, Time};

use crate::rules::Reputation;

use super::{Graph, Ix, Vote, past::Past, replay::Outcome};

pub(super) struct Order {
    placed: Vec<Ix>,
    effective: Vec<Time>,
    heads: Vec<Ix>,
    reputation: Reputation,
    outdated: bool,
}

impl Order {
    pub(super) fn new(start: Reputation) -> Self {
        Self {
            placed: vec![Ix::GENESIS],
            effective: vec![Time::default()],
            heads: vec![Ix::GENESIS],
            reputation: start,
            outdated: false,
        }
    }

    /// There are more admitted blocks than were placed.
    pub(super) fn outdated(&mut self) {
        self.outdated = true;
    }

    pub(super) fn placed(&self) -> &[Ix] {
        &self.placed
    }

    pub(super) fn effective(&self) -> &[Time] {
        &self.effective
    }

    pub(super) fn heads(&self) -> &[Ix] {
        &self.heads
    }

    pub(super) fn reputation(&self) -> &Reputation {
        &self.reputation
    }

    /// How many places are more than `places` from the end and more than `span` before the last
    /// effective time.
    pub(super) fn frozen(&self, places: u64, span: Span) -> usize {
        let last = self.effective.last().copied().unwrap_or_default();
        let old = self.effective.partition_point(|at| last.since(*at) > span);
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        let far = self.placed.len().saturating_sub(1).saturating_sub(places);
        old.min(far)
    }
}

impl Graph {
    /// Places what has come since, from the last place that it cannot change.
    pub(super) fn refresh(&mut self) {
        if !self.order.outdated {
            return;
        }
        let (past, outcome) = self.anew();
        self.order.outdated = false;
        self.show(&past, outcome);
    }

    /// Whether what has come since leaves the first places as they are, the genesis' among them. If
    /// not, the first one that would change is told: what came last must be retracted.
    pub fn keeps_first(&mut self, places: usize) -> Result<(), usize> {
        if !self.order.outdated || places <= 1 {
            return Ok(());
        }
        let heads: Vec<Ix> = self.heads.iter().copied().collect();
        let past = self.past(&heads, |ix| self.place_of(ix).is_some());
        // The order is only sought if it could change there.
        if self.place_of(past.base).is_some_and(|place| place >= places) {
            return Ok(());
        }
        let (past, outcome) = self.anew();
        match self.change_before(places, &past, &outcome) {
            Some(place) => Err(place),
            None => {
                self.order.outdated = false;
                self.show(&past, outcome);
                Ok(())
            }
        }
    }

    /// The order of all that is admitted, from the last place that it cannot change.
    fn anew(&mut self) -> (Past, Outcome) {
        let heads: Vec<Ix> = self.heads.iter().copied().collect();
        let past = self.past(&heads, |ix| self.place_of(ix).is_some());
        let base = self.state(past.base);
        let outcome = self.replay(&past, base);
        (past, outcome)
    }

    /// The first of so many places at which something else would stand.
    fn change_before(&self, frozen: usize, past: &Past, outcome: &Outcome) -> Option<usize> {
        let kept = self.place_of(past.base).map_or(1, |place| place.saturating_add(1));
        let old = self.order.placed.get(kept..frozen)?;
        let new = outcome.placed.iter().map(|(ix, _)| Some(*ix)).chain(std::iter::repeat(None));
        let changed = old.iter().zip(new).position(|(old, new)| Some(*old) != new)?;
        kept.checked_add(changed)
    }

    /// What was shown after a base gives way to what is placed there now.
    fn show(&mut self, past: &Past, outcome: Outcome) {
        let kept = self.place_of(past.base).map_or(1, |place| place.saturating_add(1));
        for ix in self.order.placed.split_off(kept) {
            self.set_place(ix, None);
        }
        self.order.effective.truncate(kept);
        for (ix, at) in &outcome.placed {
            self.set_place(*ix, Some(self.order.placed.len()));
            self.order.placed.push(*ix);
            self.order.effective.push(*at);
        }
        let placed = outcome.placed.iter().map(|(ix, _)| *ix);
        let mut heads: Vec<Ix> = placed.chain([past.base]).collect();
        heads.retain(|ix| self.is_head(*ix));
        heads.sort_unstable_by_key(|ix| self.node(*ix).map(|node| (node.height, node.id)));
        self.order.heads = heads;
        self.order.reputation = outcome.reputation;
    }

    /// Shows nothing but the genesis, until the order is asked for again.
    pub(super) fn unplace(&mut self) {
        for ix in self.order.placed.split_off(1) {
            self.set_place(ix, None);
        }
        self.order.effective.truncate(1);
        self.order.outdated();
    }

    /// Whether nothing that is placed builds on a placed block.
    fn is_head(&self, ix: Ix) -> bool {
        let children = self.node(ix).map_or(&[][..], |node| &node.children);
        children.iter().all(|child| self.place_of(*child).is_none())
    }

    /// A block comes into the order or leaves it, and its vote with it.
    fn set_place(&mut self, ix: Ix, place: Option<usize>) {
        let Some(node) = self.nodes.get_mut(ix.at()) else { return };
        node.place = place;
        if let Some(Vote { like, target }) = node.vote {
            let author = node.author;
            let Some(target) = self.nodes.get_mut(target.at()) else { return };
            let own = target.author == author;
            target.votes.count(like, own, place.is_some());
        }
    }
}
