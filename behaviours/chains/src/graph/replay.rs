//! Places blocks one after another, as *Admission and order* says.

use std::{cmp::Reverse, sync::atomic::Ordering};

use covey_kernel::{PublicKey, Time};

use crate::rules::{Deed, Reputation, Who};

use super::{Accepts, Graph, Ix, parts::Parts, region::Region, trace::Trace};

/// What came of placing the blocks of a region.
pub(super) struct Outcome {
    pub(super) placed: Vec<(Ix, Time)>,
    /// Those that were tested and stay out, with the reputations there. What builds on them is not
    /// placed either.
    pub(super) blocked: Vec<(Ix, Reputation)>,
    pub(super) reputation: Reputation,
}

struct Replay<'r, 'g> {
    graph: &'g Graph,
    region: &'r Region<'g>,
    parts: Parts<'r, 'g>,
    outcome: Outcome,
    /// How many places come before, and where to note how what follows was found.
    trace: Option<(usize, &'r mut Trace)>,
}

impl Graph {
    /// Places a region after what comes before it, with the reputations there.
    pub(super) fn replay(&self, region: &[Ix], reputation: Reputation) -> Outcome {
        self.replay_after(region, reputation, None)
    }

    /// The same after so many places; how it was found is noted.
    pub(super) fn replay_after(
        &self,
        region: &[Ix],
        reputation: Reputation,
        trace: Option<(usize, &mut Trace)>,
    ) -> Outcome {
        let placed = Vec::with_capacity(region.len());
        let outcome = Outcome { placed, blocked: Vec::new(), reputation };
        if region.is_empty() {
            return outcome;
        }
        self.sought.fetch_add(region.len() as u64, Ordering::Relaxed);
        let region = Region::new(self, region);
        let parts = Parts::new(&region);
        let mut replay = Replay { graph: self, region: &region, parts, outcome, trace };
        while let Some(best) = replay.best() {
            replay.take(best);
        }
        replay.outcome
    }

    /// Whether a block's author may post after these places.
    pub(super) fn may_stand(&self, ix: Ix, after: &Reputation) -> bool {
        self.is_first(ix) || self.is_accepted(ix) || self.standing(ix, after) > 0
    }

    /// Whether reps do not matter for it.
    pub(super) fn is_accepted(&self, ix: Ix) -> bool {
        match &self.params.accepts {
            Accepts::Nobody => false,
            Accepts::Everybody => true,
            Accepts::Owner(owner) => self.is_by(ix, owner),
        }
    }

    /// Whether this author needs none.
    pub(super) fn accepts(&self, key: &PublicKey) -> bool {
        match &self.params.accepts {
            Accepts::Nobody => false,
            Accepts::Everybody => true,
            Accepts::Owner(owner) => owner == key,
        }
    }

    fn is_first(&self, ix: Ix) -> bool {
        self.first == Some(ix)
    }

    /// The reps of a block's author at the block's effective time.
    fn standing(&self, ix: Ix, after: &Reputation) -> i64 {
        let Some(node) = self.node(ix) else { return 0 };
        node.author.map_or(0, |author| after.reps(author, node.time))
    }

    /// Places a block; gives its effective time, and whom that touches: its author and who is
    /// voted on.
    pub(super) fn place_after(
        &self,
        ix: Ix,
        reputation: &mut Reputation,
    ) -> (Time, [Option<Who>; 2]) {
        let time = self.node(ix).map_or(Time::default(), |node| node.time);
        let at = reputation.effective(time);
        (at, self.place_at(ix, at, reputation))
    }

    /// Places a block at its effective time.
    pub(super) fn place_at(
        &self,
        ix: Ix,
        at: Time,
        reputation: &mut Reputation,
    ) -> [Option<Who>; 2] {
        let Some(node) = self.node(ix) else { return [None; 2] };
        let of = node.vote.and_then(|vote| self.node(vote.target)?.author);
        let what = node.what(self.is_first(ix), of);
        reputation.place(&Deed { author: node.author, at, what });
        [node.author, of]
    }
}

impl Replay<'_, '_> {
    /// The ready block that comes next: more weight first, then lower height, then the smaller id.
    fn best(&mut self) -> Option<usize> {
        if let Some(only) = self.parts.only() {
            return Some(only);
        }
        let (graph, region) = (self.graph, self.region);
        let tie = |at: usize| graph.node(region.block(at)).map(|node| (node.height, &node.id));
        let weights = self.parts.weights(&self.outcome.reputation);
        let best = weights.min_by(|(one, weight), (other, than)| {
            than.cmp(weight).then_with(|| tie(*one).cmp(&tie(*other)))
        })?;
        if let Some((before, trace)) = &mut self.trace {
            let place = before.saturating_add(self.outcome.placed.len());
            let named = |(at, weight): (usize, i64)| (region.block(at), weight);
            trace.choose(place, named(best), self.parts.weighed().map(named));
        }
        Some(best.0)
    }

    /// Notes how what follows is found.
    fn note(&mut self, note: impl FnOnce(&mut Trace, usize, &Reputation)) {
        if let Some((before, trace)) = &mut self.trace {
            let place = before.saturating_add(self.outcome.placed.len());
            note(trace, place, &self.outcome.reputation);
        }
    }

    /// Tests a ready block's author once, and places the block, alone or with a like that brings
    /// it back, or leaves it out with all that builds on it.
    fn take(&mut self, at: usize) {
        let ix = self.region.block(at);
        self.note(Trace::pass);
        if self.graph.may_stand(ix, &self.outcome.reputation) {
            self.settle(at);
        } else if let Some(like) = self.best_like(at) {
            self.note(|trace, place, _| trace.bring_back(place));
            self.settle(at);
            self.settle(like);
        } else {
            self.parts.block(at);
            self.note(|trace, place, _| trace.block(place, ix));
            self.outcome.blocked.push((ix, self.outcome.reputation.clone()));
        }
    }

    fn settle(&mut self, at: usize) {
        let ix = self.region.block(at);
        let (time, touched) = self.graph.place_after(ix, &mut self.outcome.reputation);
        self.outcome.placed.push((ix, time));
        self.parts.place(at, touched.into_iter().flatten());
    }

    /// The like that brings a block back: by someone with reps before the block is placed, at the
    /// like's effective time. Of several: most reps, then the smaller id.
    fn best_like(&self, at: usize) -> Option<usize> {
        let ix = self.region.block(at);
        let children = self.region.children(at);
        let likes = children.filter(|child| {
            let node = self.graph.node(self.region.block(*child));
            node.and_then(super::Node::vouches_for) == Some(ix)
                && self.graph.may_vouch(self.region.block(*child), &self.outcome.reputation)
        });
        likes.min_by_key(|child| {
            let like = self.region.block(*child);
            let reps = self.graph.standing(like, &self.outcome.reputation);
            (Reverse(reps), self.graph.node(like).map(|node| node.id))
        })
    }
}

impl Graph {
    /// Whether a like's author may bring its target back, after what is placed before the target.
    pub(super) fn may_vouch(&self, like: Ix, before: &Reputation) -> bool {
        self.is_accepted(like) || self.standing(like, before) > 0
    }
}
