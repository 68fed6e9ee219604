//! Ancestors, and nothing else.

use super::World;
use std::collections::BTreeSet;

/// past(b): the ancestors of b, without b.
pub(crate) fn past(world: &World, b: usize) -> BTreeSet<usize> {
    let mut past = BTreeSet::new();
    let mut todo = world.blocks[b].backs.clone();
    while let Some(x) = todo.pop() {
        if past.insert(x) {
            todo.extend(&world.blocks[x].backs);
        }
    }
    past
}
