//! "The past freezes in public chains."

use super::order::Place;
use super::{Kind, World};

pub(crate) fn frozen(world: &World, places: &[Place], freeze: Option<(u64, u64)>) -> usize {
    // "`$` chains never freeze."
    if matches!(world.chain.kind, Kind::Private) {
        return 0;
    }
    let Some((far, long)) = freeze else {
        return 0;
    };
    let last = places.len() - 1;
    let end = places[last].effective;
    // Effective times never fall along the order, so the frozen places are its beginning.
    (0..places.len())
        .filter(|&i| {
            let from_the_end = (last - i) as u64;
            let before_the_end = end - places[i].effective;
            from_the_end > far && before_the_end > long
        })
        .count()
}
