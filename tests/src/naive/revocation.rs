//! Paper 4, and v10's rule for the same.

use super::order::Place;
use super::{Kind, Rules, World};

pub(crate) fn revoked(world: &World, places: &[Place], b: usize) -> bool {
    // "Votes, the owner's posts and `$` posts are never revoked."
    if !world.is_post(b) {
        return false;
    }
    match world.chain.kind {
        Kind::Private => return false,
        Kind::Identity { owner, .. } if world.blocks[b].author == Some(owner) => return false,
        _ => {}
    }
    let (mut likes, mut dislikes, mut own_dislike) = (0, 0, false);
    for place in places {
        let block = &world.blocks[place.block];
        match block.vote {
            Some(vote) if vote.target == b && vote.like => likes += 1,
            Some(vote) if vote.target == b => {
                dislikes += 1;
                own_dislike |= block.author == world.blocks[b].author;
            }
            _ => {}
        }
    }
    match world.chain.rules {
        // "At least 5 dislikes, and at least twice as many dislikes as likes."
        Rules::Paper => dislikes >= 5 && dislikes >= 2 * likes,
        // "An author's own dislike, or dislikes >= 3 and >= likes."
        Rules::V10 { .. } => own_dislike || (dislikes >= 3 && dislikes >= likes),
    }
}
