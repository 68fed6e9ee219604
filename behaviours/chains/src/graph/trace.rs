//! How the shown order was found, so that what comes later is placed without finding all of it
//! again.
//!
//! A new block is nobody's ancestor. Until it is ready itself it changes a choice only by its
//! author's reps in the own part that it is in: that of the one ready block among its ancestors, if
//! there is one alone and the author has no other block there. So each choice is kept with the
//! weights it was made by, and the order stays as it is up to the first that may be made otherwise.

use std::cmp::Reverse;

use covey_kernel::Time;

use crate::{
    limits::{NEWCOMERS, SNAPSHOTS, TRACE_OTHERS, TRACED},
    rules::{CAP, Reputation, Who},
};

use super::{Graph, Ix};

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

/// From where to seek the order.
pub(super) struct Start {
    /// How many places stay.
    pub(super) kept: usize,
    /// What is to be placed, backs first.
    pub(super) region: Vec<Ix>,
    /// What of it was left out before, sorted.
    pub(super) left_out: Vec<Ix>,
    /// After the places that stay.
    pub(super) reputation: Reputation,
    /// How they were found.
    pub(super) trace: Trace,
}

/// A new block.
struct Newcomer {
    author: Option<Who>,
    /// Which blocks it builds on, from `first` on.
    past: Vec<bool>,
    first: Ix,
    /// Up to this place its author has another block in each part that it is in.
    present: usize,
    /// From this place on it may be ready.
    ready: usize,
}

/// One author's reps along the order.
struct Solo<'g> {
    graph: &'g Graph,
    who: Who,
    reputation: Reputation,
    place: usize,
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

    fn is_out(&self, ix: Ix) -> bool {
        self.out.binary_search(&ix).is_ok()
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

impl Graph {
    /// From where to seek the order with these new blocks; none if there is nothing to begin with.
    pub(super) fn start(&self, mut trace: Trace, new: &[Ix]) -> Option<Start> {
        let placed = self.order.placed();
        let grown = placed.len().saturating_sub(trace.kept);
        if grown > TRACED && grown / 2 > trace.length {
            return None;
        }
        let mut newcomers: Vec<(Ix, Newcomer)> = Vec::new();
        for ix in new {
            // A held post comes anew with each of its likes.
            let again = newcomers.iter().any(|(newcomer, _)| newcomer == ix);
            if again || self.place_of(*ix).is_some() || trace.is_out(*ix) {
                continue;
            }
            let newcomer = self.newcomer(&trace, *ix, &newcomers)?;
            newcomers.push((*ix, newcomer));
            if newcomers.len() > NEWCOMERS {
                return None;
            }
        }
        let mut kept = newcomers.iter().map(|(_, new)| new.ready).fold(placed.len(), usize::min);
        for (ix, _) in &newcomers {
            kept = kept.min(self.brings_back(&trace, *ix));
        }
        for (_, newcomer) in &newcomers {
            kept = self.weigh(&mut trace, newcomer, kept);
        }
        // A block that was brought back is placed together with its like: no choice lies between them,
        // so the like's place stays, too.
        if kept.checked_sub(1).is_some_and(|last| trace.brought_back.contains(&last)) {
            kept = kept.saturating_add(1);
        }
        if kept <= trace.kept {
            return None;
        }
        trace.truncate(kept);
        let new = newcomers.iter().map(|(ix, _)| *ix);
        let mut region: Vec<Ix> =
            placed.get(kept..)?.iter().chain(&trace.out).copied().chain(new).collect();
        region.sort_unstable();
        let mut left_out: Vec<Ix> = trace.blocked.iter().map(|(_, ix)| *ix).collect();
        left_out.sort_unstable();
        let (mut from, mut reputation) = trace.snapshots.last()?.clone();
        while from < kept {
            self.place_after(*placed.get(from)?, &mut reputation);
            from = from.saturating_add(1);
        }
        Some(Start { kept, region, left_out, reputation, trace })
    }

    /// What is to be known of a new block; none if it builds on what is before the first places.
    fn newcomer(&self, trace: &Trace, ix: Ix, others: &[(Ix, Newcomer)]) -> Option<Newcomer> {
        let node = self.node(ix)?;
        let first = self.order.placed().get(trace.kept..)?.iter().chain(&trace.out).min();
        let first = first.copied().unwrap_or(ix).min(ix);
        let mut past = vec![false; ix.at().saturating_sub(first.at())];
        let (mut ready, mut present) = (trace.kept, 0);
        for back in &node.backs {
            let other = others.iter().find(|(other, _)| other == back);
            ready = ready.max(match (self.place_of(*back), other) {
                (Some(place), _) if place.saturating_add(1) < trace.kept => return None,
                (Some(place), _) => place.saturating_add(1),
                (None, Some((_, other))) => other.ready,
                (None, None) if trace.is_out(*back) => usize::MAX,
                (None, None) => return None,
            });
        }
        let mut open = node.backs.to_vec();
        while let Some(back) = open.pop() {
            let place = self.place_of(back);
            let seen = back.at().checked_sub(first.at()).and_then(|at| past.get_mut(at));
            let Some(seen) = seen.filter(|_| place.is_none_or(|place| place >= trace.kept)) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            let Some(back) = self.node(back) else { continue };
            if back.author == node.author {
                present = present.max(place.unwrap_or(usize::MAX));
            }
            open.extend(&back.backs);
        }
        Some(Newcomer { author: node.author, past, first, present, ready })
    }

    /// Up to which place a like changes nothing by bringing back what it likes, or as a better one
    /// than that which did.
    fn brings_back(&self, trace: &Trace, like: Ix) -> usize {
        let Some(of) = self.node(like).and_then(super::Node::vouches_for) else {
            return usize::MAX;
        };
        let blocked = trace.blocked.iter().find(|(_, blocked)| *blocked == of);
        let placed = self.place_of(of).filter(|place| trace.brought_back.contains(place));
        blocked.map(|(place, _)| *place).or(placed).unwrap_or(usize::MAX)
    }

    /// The place of the first choice before some place that might be made otherwise with a new
    /// block. Up to there its author's reps are added to the weights of the others, wherever they may
    /// count: so these stay bounds for the blocks that come after it, while that of the chosen one
    /// never shrinks. What is added behind the place that is told goes with all that stands there.
    fn weigh(&self, trace: &mut Trace, new: &Newcomer, before: usize) -> usize {
        let Some(who) = new.author else { return before };
        let key = |ix: Ix, weight: i64| {
            (Reverse(weight), self.node(ix).map(|node| (node.height, node.id)))
        };
        let mut solo = None;
        let mut begin = 0;
        for choice in &trace.choices {
            let Some(others) = trace.others.get_mut(begin..choice.others) else { return before };
            begin = choice.others;
            if choice.place >= before {
                return before;
            }
            if choice.place <= new.present {
                continue;
            }
            let builds_on_chosen = usize::from(new.builds_on(choice.chosen));
            let mut ready = others.iter_mut().filter(|(ix, _)| new.builds_on(*ix));
            let (Some(other), None, 0) = (ready.next(), ready.next(), builds_on_chosen) else {
                continue;
            };
            let solo = match &mut solo {
                Some(solo) => solo,
                None => {
                    let known = trace.snapshots.iter().rev();
                    let known = known.clone().find(|(place, _)| *place <= choice.place);
                    let Some((place, reputation)) = known.cloned() else { return trace.kept };
                    solo.insert(Solo { graph: self, who, reputation, place })
                }
            };
            other.1 = other.1.saturating_add(solo.reps(choice.place).max(0));
            if key(choice.chosen, choice.weight) > key(other.0, other.1) {
                return choice.place;
            }
        }
        before
    }
}

impl Newcomer {
    fn builds_on(&self, ix: Ix) -> bool {
        let at = ix.at().checked_sub(self.first.at());
        at.and_then(|at| self.past.get(at)).is_some_and(|past| *past)
    }
}

impl Solo<'_> {
    /// The author's running reps when so many blocks are placed.
    fn reps(&mut self, places: usize) -> i64 {
        if matches!(self.reputation, Reputation::V10(_)) {
            // Every block may bring refunds and credits to anybody.
            return CAP;
        }
        let order = &self.graph.order;
        let coming = order.placed().get(self.place..places).unwrap_or_default();
        let times = order.effective().get(self.place..places).unwrap_or_default();
        for (ix, at) in coming.iter().zip(times) {
            if self.touches(*ix) {
                self.graph.place_at(*ix, *at, &mut self.reputation);
            }
        }
        self.place = places;
        let last = places.checked_sub(1).and_then(|last| order.effective().get(last)).copied();
        self.reputation.reps(self.who, last.unwrap_or(Time::default()))
    }

    /// Whether a block changes the author's reps.
    fn touches(&self, ix: Ix) -> bool {
        let Some(node) = self.graph.node(ix) else { return false };
        let voted = node.vote.and_then(|vote| self.graph.node(vote.target)?.author);
        node.author == Some(self.who) || voted == Some(self.who)
    }
}
