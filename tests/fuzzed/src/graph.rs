//! Blocks that the input describes, in an order of arrival that it chooses: the product's graph
//! shows what the naive model says.

use std::collections::BTreeSet;

use crate::{
    chains_same::{arrival, assert_same},
    naive::{Block, Chain, Kind, Rules, Vote, World},
};

/// Blocks of one run; the naive model takes long for more.
const BLOCKS: usize = 16;
/// Bytes that describe a block.
const BLOCK: usize = 5;

const HOUR: u64 = 3_600_000;
const LATER: [u64; 8] = [0, 0, 1, HOUR, 12 * HOUR, 24 * HOUR, 30 * 24 * HOUR, 91 * 24 * HOUR];

/// The kind of chain, a seed of the order of arrival, then a block every five bytes.
pub fn graph(bytes: &[u8]) {
    let Some((&[kind, seed], blocks)) = bytes.split_first_chunk() else { return };
    let world = grown(kind, blocks);
    let coming = arrival(&world, u64::from(seed));
    assert_same(&world, &coming);
    // Any part that is whole agrees as well.
    assert_same(&world, &coming[..coming.len() / 2]);
}

fn grown(kind: u8, blocks: &[u8]) -> World {
    let mut world = begin(kind);
    for bytes in blocks.as_chunks::<BLOCK>().0 {
        if world.blocks.len() >= BLOCKS {
            break;
        }
        add(&mut world, *bytes);
    }
    world
}

/// A chain whose first post is block 1.
fn begin(kind: u8) -> World {
    let (kind, rules, first) = match kind % 4 {
        0 => (Kind::Forum, Rules::Paper, Some(1)),
        1 => (Kind::Forum, Rules::V10 { pioneers: (1..=15).collect() }, None),
        2 => (Kind::Identity { owner: 1, only_owner: false }, Rules::Paper, None),
        _ => (Kind::Private, Rules::Paper, None),
    };
    let genesis =
        Block { id: [0; 32], height: 0, time: 0, author: None, backs: vec![], vote: None };
    let mut world = World { chain: Chain { kind, rules, first }, blocks: vec![genesis] };
    push(&mut world, 1, 0, vec![0], None, 0);
    world
}

fn push(
    world: &mut World,
    author: u32,
    later: u64,
    backs: Vec<usize>,
    vote: Option<Vote>,
    tie: u8,
) -> usize {
    let number = world.blocks.len();
    let highest = |of: &dyn Fn(&Block) -> u64| {
        backs.iter().map(|back| of(&world.blocks[*back])).max().unwrap_or_default()
    };
    let (height, time) = (highest(&|block| block.height) + 1, highest(&|block| block.time) + later);
    let mut id = [0; 32];
    // Among blocks of one height and weight the smaller id comes first.
    (id[0], id[1]) = (tie, u8::try_from(number).unwrap());
    world.blocks.push(Block { id, height, time, author: Some(author), backs, vote });
    number
}

/// One more block, and perhaps a like that admits it.
fn add(world: &mut World, [on, when, who, what, tie]: [u8; BLOCK]) {
    let all: BTreeSet<usize> = (0..world.blocks.len()).collect();
    // Few build on what is not admitted, else little is.
    let wild = what & 0x98 == 0x98;
    let is_ground = |block: &usize| *block > 0 && (wild || world.admitted(&all, *block));
    let mut recent: Vec<usize> = all.iter().copied().filter(is_ground).collect();
    recent.drain(..recent.len().saturating_sub(6));
    let [one, other] = [on & 15, on >> 4].map(|at| recent[usize::from(at) % recent.len()]);
    let mut backs = vec![one];
    if what & 0x40 != 0 && !is_before(world, one, other) && !is_before(world, other, one) {
        backs.push(other);
    }
    let (author, later) = (1 + u32::from(who % 4), LATER[usize::from(when % 8)]);
    let own = world.blocks[one].author == Some(author);
    let vote = (what % 3 == 0).then_some(Vote { like: !own && what % 2 == 0, target: one });
    let held = push(world, author, later, backs, vote, tie);
    let (liker, all) = (1 + u32::from(who >> 4) % 4, (0..world.blocks.len()).collect());
    let waits = vote.is_none() && !world.admitted(&all, held);
    if what & 0x20 != 0 && waits && liker != author {
        let like = Some(Vote { like: true, target: held });
        push(world, liker, LATER[usize::from(when >> 4) % 3], vec![held], like, tie ^ 0x55);
    }
}

/// Whether a block is another one or among its ancestors.
fn is_before(world: &World, before: usize, after: usize) -> bool {
    before == after || world.blocks[after].backs.iter().any(|back| is_before(world, before, *back))
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::naive::Status;

    /// The chains are worth something: many blocks are placed, blocked and held.
    #[test]
    fn chains_have_blocks_of_every_status() {
        let (mut placed, mut blocked, mut held) = (0, 0, 0);
        for seed in 0..60 {
            let mut bytes = [0; 72];
            rand_chacha::ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
            let world = grown(bytes[0], &bytes[2..]);
            let all = (0..world.blocks.len()).collect();
            for status in world.statuses(&all).into_values() {
                match status {
                    Status::Placed => placed += 1,
                    Status::Blocked => blocked += 1,
                    Status::Held => held += 1,
                }
            }
        }
        assert!(placed > 300 && blocked > 10 && held > 50, "{placed} {blocked} {held}");
    }
}
