//! How the shown order was found: the choices, with the weights that they were made by.

use crate::{
    limits::{SNAPSHOTS, TRACE_OTHERS},
    rules::Reputation,
};

use super::Ix;

mod resume;

pub(super) use resume::Start;

/// One of several ready blocks was chosen.
struct Choice {
    /// How many had been placed.
    place: usize,
    chosen: Ix,
    /// At least.
    weight: i64,
    /// Where in the list of all the others of this choice end.
    others: usize,
}

/// How an order was found after its first places.
pub(super) struct Trace {
    /// How many places come before: those of what everything else builds on.
    kept: usize,
    /// After how many places.
    snapshots: Vec<(usize, Reputation)>,
    choices: Vec<Choice>,
    /// Those that were not chosen, with their weights at most; no more than [`TRACE_OTHERS`].
    others: Vec<(Ix, i64)>,
    /// Blocks that were left out, and how many had been placed.
    blocked: Vec<(usize, Ix)>,
    /// The places of blocks that likes brought back.
    brought_back: Vec<usize>,
    /// All that comes later and is not placed, sorted.
    out: Vec<Ix>,
    /// How many blocks came after the first places when they were found.
    length: usize,
}

impl Trace {
    /// Of an order whose first places are found.
    pub(super) fn new(kept: usize, region: usize, reputation: Reputation) -> Self {
        Self {
            kept,
            snapshots: vec![(kept, reputation)],
            choices: Vec::new(),
            others: Vec::new(),
            blocked: Vec::new(),
            brought_back: Vec::new(),
            out: Vec::new(),
            length: region,
        }
    }

    /// The next block is sought.
    pub(super) fn pass(&mut self, place: usize, reputation: &Reputation) {
        let last = self.snapshots.last().map_or(0, |(last, _)| *last);
        if place.saturating_sub(last) >= SNAPSHOTS {
            self.snapshots.push((place, reputation.clone()));
        }
    }

    /// A block is chosen before others.
    pub(super) fn choose(
        &mut self,
        place: usize,
        (chosen, weight): (Ix, i64),
        others: impl Iterator<Item = (Ix, i64)>,
    ) {
        let room = TRACE_OTHERS.saturating_add(1).saturating_sub(self.others.len());
        self.others.extend(others.filter(|(other, _)| *other != chosen).take(room));
        self.choices.push(Choice { place, chosen, weight, others: self.others.len() });
    }

    /// A block is left out.
    pub(super) fn block(&mut self, place: usize, ix: Ix) {
        self.blocked.push((place, ix));
    }

    /// A block is brought back by a like.
    pub(super) fn bring_back(&mut self, place: usize) {
        self.brought_back.push(place);
    }

    /// What of the region is not placed now.
    pub(super) fn leave(&mut self, out: Vec<Ix>) {
        self.out = out;
    }

    /// Whether all choices are there with all that was not chosen.
    pub(super) fn is_whole(&self) -> bool {
        self.others.len() <= TRACE_OTHERS
    }

    pub(super) fn is_out(&self, ix: Ix) -> bool {
        self.out.binary_search(&ix).is_ok()
    }

    /// The latest reputations that are known after so many places or fewer, and after how many.
    pub(super) fn known_before(&self, places: usize) -> Option<(usize, Reputation)> {
        Self::known_in(&self.snapshots, places)
    }

    fn known_in(snapshots: &[(usize, Reputation)], places: usize) -> Option<(usize, Reputation)> {
        snapshots.iter().rev().find(|(known, _)| *known <= places).cloned()
    }

    /// Forgets what came after so many places.
    fn truncate(&mut self, places: usize) {
        self.choices.truncate(self.choices.partition_point(|choice| choice.place < places));
        self.others.truncate(self.choices.last().map_or(0, |choice| choice.others));
        self.blocked.retain(|(place, _)| *place < places);
        self.brought_back.retain(|place| *place < places);
        self.snapshots.retain(|(place, _)| *place <= places);
    }
}
