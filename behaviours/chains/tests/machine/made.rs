//! Blocks that are made by hand, where nodes would make others.

use covey_chains::{
    Block, BlockId, Payload, SignedBlock, Vote,
    genesis::{Genesis, Owner},
    limits::PAGE_BLOCKS,
    wire::{Item, Page, Response},
};
use covey_kernel::{Bounded, Span};

use crate::net::{Net, key, network};

/// Two nodes that follow an identity's chain, whose owner may always post, and one that does not.
pub(crate) fn apart() -> (Net, Genesis) {
    let owner = Owner { key: key(1).public(), only: false };
    let (mut net, chain) = (Net::new(3), Genesis::identity(network(), owner));
    net.join(0, &chain);
    net.join(1, &chain);
    net.deaf = true;
    (net, chain)
}

/// A block on others, told apart from others there by a number.
pub(crate) fn block(net: &Net, author: u8, backs: &[BlockId], number: u64) -> SignedBlock {
    let block = Block {
        time: net.now.plus(Span::millis(number)),
        payload: Payload { hash: covey_blobs::hash(b"text"), size: 4, sealed: false },
        vote: None,
        backs: Bounded::new(backs.to_vec()).unwrap(),
        author: Some(key(author).public()),
    };
    block.sign(&network(), Some(&key(author)))
}

/// The same, made so long ago.
pub(crate) fn old_block(
    net: &mut Net,
    ago: Span,
    author: u8,
    backs: &[BlockId],
    number: u64,
) -> SignedBlock {
    let now = net.now;
    net.now = now.minus(ago);
    let block = block(net, author, backs, number);
    net.now = now;
    block
}

/// A like of a post, made when that was.
pub(crate) fn like(post: &SignedBlock, author: u8) -> SignedBlock {
    let target = post.block.id();
    let block = Block {
        time: post.block.time,
        payload: Payload { hash: covey_blobs::hash(b""), size: 0, sealed: false },
        vote: Some(Vote { like: true, target }),
        backs: Bounded::new(vec![target]).unwrap(),
        author: Some(key(author).public()),
    };
    block.sign(&network(), Some(&key(author)))
}

/// Blocks on the genesis.
pub(crate) fn siblings(net: &Net, chain: &Genesis, count: u64) -> Vec<SignedBlock> {
    (0..count).map(|number| block(net, 1, &[chain.id()], number)).collect()
}

/// Blocks one on the other.
pub(crate) fn line(net: &Net, mut back: BlockId, from: u64, count: u64) -> Vec<SignedBlock> {
    let on_the_last = |number| {
        let block = block(net, 1, &[back], number);
        back = block.block.id();
        block
    };
    (from..from + count).map(on_the_last).collect()
}

/// A node gets blocks from the one that does not follow the chain.
pub(crate) fn give(net: &mut Net, at: usize, blocks: &[SignedBlock]) {
    for blocks in blocks.chunks(PAGE_BLOCKS) {
        let items = blocks.iter().map(|block| Item { block: block.clone(), payload: None });
        let page = Page { items: Bounded::first(items), next: None };
        net.answer_instead = Some(Response::Page(page).encode());
        net.link(at, 2);
        net.cut(at, 2);
    }
}
