//! Payloads that do not come with their blocks.

use std::collections::BTreeSet;

use covey_chains::{
    Block, BlockId, Payload, SignedBlock,
    envelope::Content,
    limits::{INLINE_BYTES, MISSES, MISSING_PAGE as PAGE, MISSING_PAGES as PAGES},
};
use covey_kernel::Span;

use crate::{
    made::{apart, block, give, line},
    net::{key, network},
};

#[test]
fn payloads_that_a_peer_lacks_do_not_keep_others_from_coming() {
    let (mut net, chain) = apart();
    let misses = MISSES as usize;
    // Nobody has their payloads.
    let empty = line(&net, chain.id(), 0, 3 * u64::from(MISSES));
    give(&mut net, 0, &empty);
    give(&mut net, 1, &empty);
    let text = "x".repeat(INLINE_BYTES + 1);
    let (post, _) = net.post(1, &chain, &text, 1);
    net.traffic = (0, 0);
    net.link(0, 1);
    let all = net.traffic.1;
    assert!(
        (2 * misses..2 * misses + 10).contains(&all),
        "{all} answers, each of a payload or a page"
    );
    assert!(net.payload(0, &chain, post).is_err());
    for _ in 0..3 {
        net.round();
    }
    assert_eq!(net.payload(0, &chain, post), Ok(text));
}

#[test]
fn payloads_of_what_the_order_leaves_out_are_not_fetched() {
    let (mut net, chain) = apart();
    let (hello, _) = net.post(0, &chain, "hello", 2);
    let (welcome, _) = net.vote(0, &chain, (true, hello), 1).unwrap();
    net.wait(Span::hours(30));
    let text = "x".repeat(INLINE_BYTES + 1);
    let large = payload(&text);
    // Of an author with few reps: not all of them are placed.
    let siblings: Vec<SignedBlock> = (0..5)
        .map(|number| {
            let made = block(&net, 2, &[welcome], number).block;
            Block { payload: large, ..made }.sign(&network(), Some(&key(2)))
        })
        .collect();
    give(&mut net, 0, &siblings);
    let order = net.order(0, &chain);
    let placed = siblings.iter().map(|block| block.block.id()).filter(|id| order.contains(id));
    let placed: BTreeSet<BlockId> = placed.collect();
    assert!((1..5).contains(&placed.len()), "{placed:?}");
    // Node 1 gets the blocks, and both ask each other for what is to be read.
    net.link(0, 1);
    assert_eq!(net.wants, placed);
}

#[test]
fn a_round_looks_at_so_many_payloads_and_the_next_goes_on_after_them() {
    let (mut net, chain) = apart();
    net.room = 2 * INLINE_BYTES as u64;
    for at in 0..2 {
        net.restart(at);
    }
    let too_large = Payload { size: 2 * net.room, ..payload("x") };
    let mut back = chain.id();
    let lost: Vec<SignedBlock> = (0..3 * PAGES * PAGE)
        .map(|number| {
            let made = block(&net, 1, &[back], number as u64).block;
            let made = Block { payload: too_large, ..made }.sign(&network(), Some(&key(1)));
            back = made.block.id();
            made
        })
        .collect();
    give(&mut net, 0, &lost);
    give(&mut net, 1, &lost);
    let text = "x".repeat(INLINE_BYTES + 1);
    let (post, _) = net.post(1, &chain, &text, 1);
    net.link(0, 1);
    assert!(net.payload(0, &chain, post).is_err(), "more was looked at");
    (0..3).for_each(|_| net.round());
    assert_eq!(net.payload(0, &chain, post), Ok(text));
}

fn payload(text: &str) -> Payload {
    let envelope = Content::plain(text.as_bytes().to_vec()).unwrap().encode();
    let size = envelope.len() as u64;
    Payload { hash: covey_blobs::hash(&envelope), size, sealed: false }
}
