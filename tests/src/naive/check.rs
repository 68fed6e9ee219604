//! The refusals of individual blocks have been made before: asserted, not modelled.

use super::{Kind, Rules, World, graph};
use std::collections::BTreeSet;

pub(crate) fn world(world: &World) {
    let genesis = &world.blocks[0];
    assert!(
        genesis.backs.is_empty()
            && genesis.author.is_none()
            && genesis.vote.is_none()
            && genesis.time == 0
    );
    if matches!(world.chain.kind, Kind::Private) {
        assert!(matches!(world.chain.rules, Rules::Paper), "private chains have the rules `paper`");
    }
    let ids: BTreeSet<[u8; 32]> = world.blocks.iter().map(|b| b.id).collect();
    assert_eq!(ids.len(), world.blocks.len(), "ids are distinct");
    for (i, block) in world.blocks.iter().enumerate().skip(1) {
        assert!(!block.backs.is_empty());
        for &back in &block.backs {
            assert!(back < i, "backs have smaller indices");
            assert!(block.time >= world.blocks[back].time, "its time is before a back's");
        }
        if let Some(vote) = block.vote {
            assert!(block.author.is_some(), "an unsigned vote");
            assert!(vote.target != 0, "a vote whose target is the genesis");
            assert!(
                graph::past(world, i).contains(&vote.target),
                "a vote whose target is not among its ancestors"
            );
            if vote.like {
                assert!(
                    world.blocks[vote.target].author != block.author,
                    "a like of one's own block"
                );
            }
        }
    }
}

pub(crate) fn known(world: &World, known: &BTreeSet<usize>) {
    assert!(known.contains(&0));
    for &b in known {
        assert!(
            world.blocks[b].backs.iter().all(|back| known.contains(back)),
            "known is closed under backs"
        );
    }
}
