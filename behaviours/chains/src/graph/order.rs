//! The order of all admitted blocks, as it is shown.

use covey_kernel::Time;

use crate::rules::Reputation;

use super::{Graph, Ix};

pub(super) struct Order {
    placed: Vec<Ix>,
    effective: Vec<Time>,
    reputation: Reputation,
    outdated: bool,
}

impl Order {
    pub(super) fn new(start: Reputation) -> Self {
        Self {
            placed: vec![Ix::GENESIS],
            effective: vec![Time::default()],
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

    pub(super) fn reputation(&self) -> &Reputation {
        &self.reputation
    }
}

impl Graph {
    /// Places what has come since, from the last place that it cannot change.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.order.outdated) {
            return;
        }
        let heads: Vec<Ix> = self.heads.iter().copied().collect();
        let past = self.past(&heads, |ix| self.place_of(ix).is_some());
        let base = self.state(past.base);
        let outcome = self.replay(&past, base);
        let kept = self.place_of(past.base).map_or(1, |place| place.saturating_add(1));
        for ix in self.order.placed.split_off(kept) {
            self.set_place(ix, None);
        }
        self.order.effective.truncate(kept);
        for (ix, at) in outcome.placed {
            self.set_place(ix, Some(self.order.placed.len()));
            self.order.placed.push(ix);
            self.order.effective.push(at);
        }
        self.order.reputation = outcome.reputation;
    }

    fn set_place(&mut self, ix: Ix, place: Option<usize>) {
        if let Some(node) = self.nodes.get_mut(ix.at()) {
            node.place = place;
        }
    }
}
