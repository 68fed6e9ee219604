//! Places blocks one after another, as *Admission and order* says.

use std::{cmp::Reverse, collections::BTreeMap};

use covey_kernel::Time;

use crate::rules::{Deed, Reputation, Who};

use super::{Accepts, Graph, Ix, past::Past};

/// What came of placing the blocks of a region.
pub(super) struct Outcome {
    pub(super) placed: Vec<(Ix, Time)>,
    /// Those that were tested and stay out, with the reputations there. What builds on them is not
    /// placed either.
    pub(super) blocked: Vec<(Ix, Reputation)>,
    pub(super) reputation: Reputation,
}

/// Where a block of the region stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many of its backs are not placed; if none, it is ready.
    Waits(usize),
    Placed,
    Blocked,
}

/// The ready block on which alone a block builds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Ready(usize),
    Nobody,
}

struct Replay<'g> {
    graph: &'g Graph,
    region: &'g [Ix],
    stages: Vec<Stage>,
    /// By place in the region, as are the following.
    backs: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    ready: Vec<usize>,
    owners: Vec<Owner>,
    outcome: Outcome,
}

impl Graph {
    /// Places a past's region after its base, with the reputations there.
    pub(super) fn replay(&self, past: &Past, reputation: Reputation) -> Outcome {
        let mut replay = Replay::new(self, &past.region, reputation);
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
    fn is_accepted(&self, ix: Ix) -> bool {
        match &self.params.accepts {
            Accepts::Nobody => false,
            Accepts::Everybody => true,
            Accepts::Owner(owner) => {
                let author = self.node(ix).and_then(|node| node.author);
                author.is_some() && self.authors.get(owner).copied() == author
            }
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

    fn put(&self, ix: Ix, outcome: &mut Outcome) {
        let Some(node) = self.node(ix) else { return };
        let at = outcome.reputation.effective(node.time);
        let of = node.vote.and_then(|vote| self.node(vote.target)?.author);
        let what = node.what(self.is_first(ix), of);
        outcome.reputation.place(&Deed { author: node.author, at, what });
        outcome.placed.push((ix, at));
    }
}

impl<'g> Replay<'g> {
    fn new(graph: &'g Graph, region: &'g [Ix], reputation: Reputation) -> Self {
        let backs: Vec<Vec<usize>> = region.iter().map(|ix| inside(graph, region, *ix)).collect();
        let mut children = vec![Vec::new(); region.len()];
        for (child, backs) in backs.iter().enumerate() {
            for back in backs {
                if let Some(children) = children.get_mut(*back) {
                    children.push(child);
                }
            }
        }
        let stages: Vec<Stage> = backs.iter().map(|backs| Stage::Waits(backs.len())).collect();
        let is_ready = |at: &usize| stages.get(*at) == Some(&Stage::Waits(0));
        let ready = (0..region.len()).filter(is_ready).collect();
        let owners = vec![Owner::Nobody; region.len()];
        let placed = Vec::with_capacity(region.len());
        let outcome = Outcome { placed, blocked: Vec::new(), reputation };
        Self { graph, region, stages, backs, children, ready, owners, outcome }
    }

    fn ix(&self, at: usize) -> Ix {
        self.region.get(at).copied().unwrap_or(Ix::GENESIS)
    }

    /// The ready block that comes next: more weight first, then lower height, then the smaller id.
    fn best(&mut self) -> Option<usize> {
        if self.ready.len() < 2 {
            return self.ready.first().copied();
        }
        let weights = self.weights();
        let key = |at: usize| {
            let node = self.graph.node(self.ix(at));
            let weight = weights.get(&at).copied().unwrap_or_default();
            (Reverse(weight), node.map(|node| (node.height, node.id)))
        };
        self.ready.iter().copied().min_by_key(|at| key(*at))
    }

    /// The running reps of the distinct authors in each ready block's own part; negative ones
    /// count 0.
    fn weights(&mut self) -> BTreeMap<usize, i64> {
        let mut authors: Vec<(usize, Who)> = Vec::new();
        for at in 0..self.region.len() {
            let owner = self.owner(at);
            if let Some(slot) = self.owners.get_mut(at) {
                *slot = owner;
            }
            let author = self.graph.node(self.ix(at)).and_then(|node| node.author);
            if let (Owner::Ready(ready), Some(author)) = (owner, author) {
                authors.push((ready, author));
            }
        }
        authors.sort_unstable();
        authors.dedup();
        let mut reps: BTreeMap<Who, i64> = BTreeMap::new();
        let mut weights: BTreeMap<usize, i64> = BTreeMap::new();
        for (ready, author) in authors {
            let running = || self.outcome.reputation.running(author).max(0);
            let reps = *reps.entry(author).or_insert_with(running);
            let weight = weights.entry(ready).or_default();
            *weight = weight.saturating_add(reps);
        }
        weights
    }

    /// On which ready block alone a block builds. Those of its backs are known already.
    fn owner(&self, at: usize) -> Owner {
        match self.stages.get(at) {
            Some(Stage::Waits(0)) => return Owner::Ready(at),
            Some(Stage::Waits(_)) => {}
            _ => return Owner::Nobody,
        }
        let backs = self.backs.get(at).into_iter().flatten();
        let mut waiting = backs.filter(|back| self.stages.get(**back) != Some(&Stage::Placed));
        let owner = |back: &usize| self.owners.get(*back).copied().unwrap_or(Owner::Nobody);
        let first = waiting.next().map_or(Owner::Nobody, owner);
        if waiting.all(|back| owner(back) == first) { first } else { Owner::Nobody }
    }

    /// Tests a ready block's author once, and places the block, alone or with a like that brings
    /// it back, or leaves it out with all that builds on it.
    fn take(&mut self, at: usize) {
        let ix = self.ix(at);
        if self.graph.may_stand(ix, &self.outcome.reputation) {
            self.settle(at);
        } else if let Some(like) = self.best_like(at) {
            self.settle(at);
            self.settle(like);
        } else {
            self.ready.retain(|ready| *ready != at);
            self.set(at, Stage::Blocked);
            self.outcome.blocked.push((ix, self.outcome.reputation.clone()));
        }
    }

    fn settle(&mut self, at: usize) {
        self.graph.put(self.ix(at), &mut self.outcome);
        self.ready.retain(|ready| *ready != at);
        self.set(at, Stage::Placed);
        for child in self.children.get(at).cloned().unwrap_or_default() {
            let Some(Stage::Waits(backs)) = self.stages.get(child).copied() else { continue };
            let backs = backs.saturating_sub(1);
            self.set(child, Stage::Waits(backs));
            if backs == 0 {
                self.ready.push(child);
            }
        }
    }

    fn set(&mut self, at: usize, stage: Stage) {
        if let Some(slot) = self.stages.get_mut(at) {
            *slot = stage;
        }
    }

    /// The like that brings a block back: by someone with reps before the block is placed, at the
    /// like's effective time. Of several: most reps, then the smaller id.
    fn best_like(&self, at: usize) -> Option<usize> {
        let ix = self.ix(at);
        let children = self.children.get(at).into_iter().flatten().copied();
        let likes = children.filter(|child| {
            let node = self.graph.node(self.ix(*child));
            node.and_then(super::Node::vouches_for) == Some(ix)
                && self.graph.may_vouch(self.ix(*child), &self.outcome.reputation)
        });
        likes.min_by_key(|child| {
            let like = self.ix(*child);
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

/// A block's backs that lie in the region, by their places there.
fn inside(graph: &Graph, region: &[Ix], ix: Ix) -> Vec<usize> {
    let backs = graph.node(ix).map_or(&[][..], |node| &node.backs);
    backs.iter().filter_map(|back| region.binary_search(back).ok()).collect()
}
