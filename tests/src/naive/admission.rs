//! "Admission depends on a block's own past alone."

use super::order::{self, Walk};
use super::{Kind, World, graph};
use std::collections::{BTreeMap, BTreeSet};

/// What each block's own past says of it. Both tables depend on the block and its past alone, so
/// that they hold whatever else is known (and are computed once, in the order of the indices).
pub(crate) struct Verdicts {
    /// Admitted by its own past alone, without a like.
    alone: BTreeMap<usize, bool>,
    /// For a like: it is admitted together with the held block that is its only back.
    as_pair: BTreeMap<usize, bool>,
}

/// The verdicts on all of `blocks` (closed under backs).
pub(crate) fn verdicts(world: &World, blocks: &BTreeSet<usize>) -> Verdicts {
    let mut verdicts = Verdicts { alone: BTreeMap::new(), as_pair: BTreeMap::new() };
    // Ancestors have smaller indices: when b's turn comes, all its past has its verdicts.
    for &b in blocks {
        let alone = verdicts.is_admitted_alone(world, b);
        verdicts.alone.insert(b, alone);
        let as_pair = verdicts.is_admitted_as_pair(world, b);
        verdicts.as_pair.insert(b, as_pair);
    }
    verdicts
}

impl Verdicts {
    /// The admitted ones among `known`: alone, or as a held block with a like in `known`, or as that like.
    pub(crate) fn admitted_set(&self, world: &World, known: &BTreeSet<usize>) -> BTreeSet<usize> {
        let is_admitted = |b: usize| {
            let by_a_like_of_it =
                known.iter().any(|&l| self.as_pair[&l] && world.is_like_on_top_of(l, b));
            self.alone[&b] || self.as_pair[&b] || by_a_like_of_it
        };
        known.iter().copied().filter(|&b| is_admitted(b)).collect()
    }

    /// The order of past(b), if b is looked at: "only if every block of its past is admitted by that
    /// past alone and placed in its order".
    fn order_of_past<'w>(&self, world: &'w World, b: usize) -> Option<Walk<'w>> {
        let past = graph::past(world, b);
        let admitted = self.admitted_set(world, &past);
        let walk = order::walk(world, &admitted);
        past.iter().all(|&x| walk.is_placed(x)).then_some(walk)
    }

    fn is_admitted_alone(&self, world: &World, b: usize) -> bool {
        if b == 0 {
            return true;
        }
        if is_held_for_good(world, b) {
            return false;
        }
        let Some(walk) = self.order_of_past(world, b) else {
            return false;
        };
        // "there, at b's effective time, its author has reps above 0 (or the kind of chain always
        // accepts the author)"; the first post of a paper forum is its author's right.
        world.is_first_post(b) || walk.suffices(world.blocks[b].author, walk.effective_if_next(b))
    }

    /// "Else b is held, until a like l, whose only back is b, is itself admitted by the order of
    /// past(l) without b's help: then b and l are admitted as a pair."
    fn is_admitted_as_pair(&self, world: &World, l: usize) -> bool {
        let Some(vote) = world.blocks[l].vote else {
            return false;
        };
        let b = vote.target;
        if !world.is_like_on_top_of(l, b) || self.alone[&b] {
            return false;
        }
        // "Nor is a held vote" ever admitted.
        if !world.is_post(b) || is_held_for_good(world, b) || is_held_for_good(world, l) {
            return false;
        }
        // past(l) without b is past(b). A held b is looked at too, or nothing can admit it.
        let Some(walk) = self.order_of_past(world, b) else {
            return false;
        };
        walk.suffices(world.blocks[l].author, walk.effective_if_next(l))
    }
}

/// What no like can admit.
fn is_held_for_good(world: &World, b: usize) -> bool {
    let block = &world.blocks[b];
    // "`@!KEY`: only the owner may post."
    if let Kind::Identity { owner, only_owner: true } = world.chain.kind
        && block.author != Some(owner)
    {
        return true;
    }
    // Paper 7: "any other child of the genesis alone is held for good."
    world.is_paper_forum() && block.backs == [0] && !world.is_first_post(b)
}
