//! Reputation, rules `paper`, 1 to 3 and 5.

use super::order::Place;
use super::{Author, CAP, DAY, Kind, World};

/// "Reps at a time t are a fold over the events in (t - 90 days, t], in order, capped at 30 after
/// every step."
pub(crate) fn reps(world: &World, places: &[Place], author: Author, t: u64) -> i64 {
    let mut reps: i64 = 0;
    // "In an `@` chain the 30 are the owner's from the genesis." They never expire.
    if let Kind::Identity { owner, .. } = world.chain.kind
        && owner == author
    {
        reps = CAP;
    }
    for (i, place) in places.iter().enumerate() {
        assert!(place.effective <= t, "reps are asked for no earlier than the last effective time");
        // Rule 1: "+30. This grant never expires." It stands just before its post's own event.
        if world.is_first_post(place.block) && world.blocks[place.block].author == Some(author) {
            reps = (reps + 30).min(CAP);
        }
        let in_window = t - place.effective < 90 * DAY;
        if in_window {
            reps = (reps + event(world, places, i, author, t)).min(CAP);
        }
    }
    reps
}

/// What the block in place i is worth to the author at time t.
fn event(world: &World, places: &[Place], i: usize, author: Author, t: u64) -> i64 {
    let block = &world.blocks[places[i].block];
    match block.vote {
        // Rule 3. The target is an ancestor, so it is placed.
        Some(vote) => {
            let for_who_votes = if block.author == Some(author) { -1 } else { 0 };
            let for_who_wrote = match (world.blocks[vote.target].author == Some(author), vote.like)
            {
                (false, _) => 0,
                (true, true) => 1,
                (true, false) => -1,
            };
            for_who_votes + for_who_wrote
        }
        // Rule 2.
        None if block.author == Some(author) => {
            let age = t - places[i].effective;
            if age < DAY {
                -1
            } else if earns(world, places, i) {
                1
            } else {
                0
            }
        }
        None => 0,
    }
}

/// Whether the signed post in place i is one that earns once it is 24 h old: "only if the author's
/// last earning post, over the whole order, is at least 24 h older by effective time".
fn earns(world: &World, places: &[Place], i: usize) -> bool {
    let author = world.blocks[places[i].block].author;
    let mut last_earning: Option<u64> = None;
    for (j, place) in places.iter().enumerate().take(i + 1) {
        if !world.is_post(place.block) || world.blocks[place.block].author != author {
            continue;
        }
        let earns = last_earning.is_none_or(|last| place.effective - last >= DAY);
        if j == i {
            return earns;
        }
        if earns {
            last_earning = Some(place.effective);
        }
    }
    unreachable!("place i holds a post of its own author");
}
