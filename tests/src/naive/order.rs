//! "The order is a pure function of the set of admitted blocks."

use super::{Author, Rules, World, graph, reps_paper, reps_v10};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub block: usize,
    pub effective: u64,
}

/// The order while it is made, and when it is done.
pub(crate) struct Walk<'w> {
    world: &'w World,
    pub places: Vec<Place>,
    /// The blocks that were themselves blocked (not those that build on them).
    blocked: BTreeSet<usize>,
    /// The running state under `v10` (under `paper` reps are folded anew each time).
    v10: Option<reps_v10::State>,
}

/// The order of a set of admitted blocks (closed under backs, contains 0).
pub(crate) fn walk<'w>(world: &'w World, admitted: &BTreeSet<usize>) -> Walk<'w> {
    let v10 = match &world.chain.rules {
        Rules::Paper => None,
        Rules::V10 { pioneers } => Some(reps_v10::State::new(pioneers)),
    };
    let mut walk = Walk { world, places: Vec::new(), blocked: BTreeSet::new(), v10 };
    let pasts: BTreeMap<usize, BTreeSet<usize>> =
        admitted.iter().map(|&b| (b, graph::past(world, b))).collect();

    // "Start with the genesis."
    walk.place(0);
    // "Again and again take the best ready block."
    loop {
        let ready = walk.ready(admitted);
        let best = ready.iter().copied().min_by_key(|&r| {
            let weight = walk.weight(&walk.own_part(&pasts, &ready, r));
            // "More weight first, then lower height, then the smaller id."
            (Reverse(weight), world.blocks[r].height, world.blocks[r].id)
        });
        match best {
            Some(b) => walk.take(admitted, b),
            None => return walk,
        }
    }
}

impl Walk<'_> {
    pub(crate) fn is_placed(&self, b: usize) -> bool {
        self.places.iter().any(|p| p.block == b)
    }

    pub(crate) fn last_effective(&self) -> u64 {
        self.places.last().map_or(0, |p| p.effective)
    }

    /// "A block's effective time is the latest of its own and those of all blocks placed before it."
    pub(crate) fn effective_if_next(&self, b: usize) -> u64 {
        let before = self.places.iter().map(|p| p.effective).max().unwrap_or(0);
        self.world.blocks[b].time.max(before)
    }

    /// Reps for a test or for a reader, at time t (not before the last effective time).
    pub(crate) fn reps_at(&self, author: Author, t: u64) -> i64 {
        match &self.v10 {
            None => reps_paper::reps(self.world, &self.places, author, t),
            // "Once more, on a copy, at the time of a test or of reading."
            Some(state) => {
                let mut copy = state.clone();
                copy.scan(t);
                copy.reps_of(author)
            }
        }
    }

    /// Reps for weights: "at the effective time of the last placed block", where v10's scan has
    /// already been made when that block was placed.
    fn running_reps(&self, author: Author) -> i64 {
        match &self.v10 {
            None => reps_paper::reps(self.world, &self.places, author, self.last_effective()),
            Some(state) => state.reps_of(author),
        }
    }

    /// Whether someone may have a block placed here at time t: reps above 0, or always accepted.
    pub(crate) fn suffices(&self, author: Option<Author>, t: u64) -> bool {
        self.world.always_accepts(author) || author.is_some_and(|a| self.reps_at(a, t) > 0)
    }

    /// "A block is ready when all its backs are placed" (and it is itself neither placed nor blocked).
    fn ready(&self, admitted: &BTreeSet<usize>) -> BTreeSet<usize> {
        admitted
            .iter()
            .copied()
            .filter(|&b| !self.is_placed(b) && !self.blocked.contains(&b))
            .filter(|&b| self.world.blocks[b].backs.iter().all(|&back| self.is_placed(back)))
            .collect()
    }

    /// "Itself and those that build on it and on no other ready block (nor on a blocked one)."
    fn own_part(
        &self,
        pasts: &BTreeMap<usize, BTreeSet<usize>>,
        ready: &BTreeSet<usize>,
        r: usize,
    ) -> BTreeSet<usize> {
        let builds_on_r_only = |past: &BTreeSet<usize>| {
            past.contains(&r)
                && !ready.iter().any(|other| *other != r && past.contains(other))
                && !self.blocked.iter().any(|blocked| past.contains(blocked))
        };
        pasts
            .iter()
            .filter(|&(&b, past)| b == r || builds_on_r_only(past))
            .map(|(&b, _)| b)
            .collect()
    }

    /// "The sum of the running reps of the distinct authors in its own part (negative ones count 0)."
    fn weight(&self, own_part: &BTreeSet<usize>) -> i64 {
        let authors: BTreeSet<Author> =
            own_part.iter().filter_map(|&b| self.world.blocks[b].author).collect();
        authors.iter().map(|&a| self.running_reps(a).max(0)).sum()
    }

    /// "When a block is taken, its author's reps at its effective time are tested once."
    fn take(&mut self, admitted: &BTreeSet<usize>, b: usize) {
        let author = self.world.blocks[b].author;
        if self.world.is_first_post(b) || self.suffices(author, self.effective_if_next(b)) {
            self.place(b);
        } else if let Some(l) = self.best_like(admitted, b) {
            // "That places both."
            self.place(b);
            self.place(l);
        } else {
            // "It stays out with all that builds on it": never ready again, nor are they ever.
            self.blocked.insert(b);
        }
    }

    /// "A like of it, whose only back it is, by someone with reps before it is placed, at the like's
    /// effective time (of several likes: most reps, then smaller id)."
    fn best_like(&self, admitted: &BTreeSet<usize>, b: usize) -> Option<usize> {
        admitted
            .iter()
            .copied()
            .filter(|&l| self.world.is_like_on_top_of(l, b))
            .filter(|&l| self.suffices(self.world.blocks[l].author, self.effective_if_next(l)))
            .min_by_key(|&l| {
                let liker = self.world.blocks[l].author.expect("votes are signed");
                (Reverse(self.reps_at(liker, self.effective_if_next(l))), self.world.blocks[l].id)
            })
    }

    fn place(&mut self, b: usize) {
        let effective = self.effective_if_next(b);
        self.places.push(Place { block: b, effective });
        if let Some(state) = &mut self.v10 {
            state.place(self.world, b, effective);
        }
    }
}
