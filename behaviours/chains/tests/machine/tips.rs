//! How much is known, when it takes many blocks to say it.

use covey_chains::{
    BlockId, SignedBlock,
    command::{Command, Direction, Reply},
    genesis::Genesis,
    limits::{CUT_TIPS, HELD, PAGE_BLOCKS, TIPS},
};
use covey_kernel::{Input, Span};

use crate::{
    made::{apart, block, give, line, siblings},
    net::{Net, which},
};

/// How many blocks a synchronisation brings, of how many that are offered.
fn receive(net: &mut Net, at: usize, chain: &Genesis) -> (u64, u64) {
    let from = net.nodes[1 - at].peer;
    let command = Command::Sync(which(chain), from, Direction::Receive);
    match net.call(at, command).unwrap() {
        Reply::Synced(tally) => (tally.accepted, tally.offered),
        other => panic!("{other:?}"),
    }
}

/// Both have the same order, of so many blocks.
fn same(net: &mut Net, chain: &Genesis, blocks: usize) {
    let orders = [0, 1].map(|at| net.order(at, chain));
    assert_eq!(orders[0].len(), blocks + 1);
    assert_eq!(orders[0], orders[1]);
}

#[test]
fn a_chain_of_one_block_gets_a_long_one() {
    let (mut net, chain) = apart();
    let long = line(&net, chain.id(), 0, PAGE_BLOCKS as u64 + 1);
    give(&mut net, 0, &long);
    let own = siblings(&net, &chain, 5).pop().unwrap();
    give(&mut net, 1, &[own]);
    // The one with more hears nothing until the other has asked.
    net.budget = Some(0);
    net.link(0, 1);
    net.budget = None;
    net.wait(Span::secs(90));
    net.feed(1, Input::Wake);
    net.run();
    net.round();
    same(&mut net, &chain, long.len() + 1);
}

#[test]
fn many_tips_from_the_start_do_not_keep_two_apart() {
    let (mut net, chain) = apart();
    let tips = siblings(&net, &chain, CUT_TIPS as u64 + 36);
    for (at, from) in [(0, 1_000), (1, 10_000)] {
        give(&mut net, at, &tips);
        let long = line(&net, tips[0].block.id(), from, PAGE_BLOCKS as u64 + 1);
        give(&mut net, at, &long);
    }
    net.link(0, 1);
    same(&mut net, &chain, tips.len() + 2 * (PAGE_BLOCKS + 1));
}

#[test]
fn what_is_known_does_not_come_again_however_many_tips_there_are() {
    let (mut net, chain) = apart();
    for count in [TIPS as u64, TIPS as u64 + 36] {
        let tips = siblings(&net, &chain, count);
        give(&mut net, 0, &tips);
        give(&mut net, 1, &tips);
        net.link(0, 1);
        let (accepted, offered) = receive(&mut net, 0, &chain);
        assert_eq!((accepted, offered), (0, count - TIPS as u64));
        net.cut(0, 1);
    }
}

#[test]
fn what_is_placed_is_named_before_other_tips() {
    let (mut net, chain) = apart();
    // Everybody with one rep places one block, and may have others left out.
    let authors = u8::try_from(TIPS / HELD + 1).unwrap();
    for author in 10..10 + authors {
        let (hello, _) = net.post(0, &chain, "hello", author);
        net.vote(0, &chain, (true, hello), 1).unwrap();
    }
    net.wait(Span::hours(30));
    let (back, _) = net.post(0, &chain, "all are here", 1);
    let spam = (10..10 + authors).flat_map(|author| {
        let siblings = (0..=HELD as u64).map(move |number| (author, number));
        siblings.map(|(author, number)| block(&net, author, &[back], number)).collect::<Vec<_>>()
    });
    let spam: Vec<SignedBlock> = spam.collect();
    let shown: Vec<_> = (0..10).map(|_| net.post(0, &chain, "for all to see", 1).0).collect();
    give(&mut net, 0, &spam);
    net.link(0, 1);
    assert_eq!(net.order(0, &chain), net.order(1, &chain));
    assert!(shown.iter().all(|id| net.order(0, &chain).contains(id)));
    net.pages.clear();
    receive(&mut net, 0, &chain);
    let again: Vec<BlockId> = net.pages.concat();
    assert!(!again.is_empty(), "there are no more tips than can be named");
    assert!(!again.iter().any(|id| shown.contains(id)), "what is placed came again");
}
