//! What peers with a rep or two, or none, have tried.

use covey_chains::{
    Block, BlockId, SignedBlock, Vote,
    command::{Command, Reply, State, Which},
    genesis::Genesis,
    limits::HELD,
    wire::{Item, Page, Response},
};
use covey_kernel::{Bounded, Bytes, Hash, Span};

use crate::{
    apart::{Apart, POSTS, forum},
    made::{apart, block, give, like, line},
    net::{Net, key, network, which},
    wasted::flooded,
};

fn item(block: SignedBlock) -> Item {
    Item { block, payload: None }
}

fn give_items(net: &mut Net, at: usize, items: Vec<Item>) {
    let page = Page { items: Bounded::new(items).unwrap(), next: None };
    net.answer_instead = Some(Response::Page(page).encode());
    net.link(at, 2);
    net.cut(at, 2);
}

fn is_there(net: &mut Net, chain: &Genesis, id: BlockId) -> bool {
    net.call(0, Command::Block(which(chain), id)).is_ok()
}

fn placed(net: &mut Net, chain: &Genesis, id: BlockId) -> bool {
    match net.call(0, Command::Block(which(chain), id)) {
        Ok(Reply::Block(info)) => matches!(info.state, State::Placed(_)),
        _ => false,
    }
}

fn unsigned(mut block: SignedBlock) -> SignedBlock {
    (block.block.author, block.signature) = (None, None);
    block
}

/// Once siblings have used up a peer's share, other blocks of their author are not looked at; nor is what is
/// wrong with them overlooked when something builds on them.
fn behind_siblings(forged: impl FnOnce(&Net, BlockId, BlockId) -> Item) {
    let (mut net, chain, welcome, all) = flooded(1_000);
    net.tolerant = true;
    let own = net.order(0, &chain)[1];
    let forged = forged(&net, welcome, own);
    let id = forged.block.block.id();
    let on_it = block(&net, 3, &[id], 40_001);
    let (before, mut items) = (net.order(0, &chain), all.into_iter().map(item).collect::<Vec<_>>());
    items.extend([forged, item(on_it.clone())]);
    give_items(&mut net, 0, items);
    assert!(!is_there(&mut net, &chain, id));
    assert!(!is_there(&mut net, &chain, on_it.block.id()));
    assert!(before.iter().all(|id| placed(&mut net, &chain, *id) || id.height == 0));
}

#[test]
fn a_block_without_signature_is_seen_behind_siblings() {
    behind_siblings(|net, welcome, _| {
        let mut forged = block(net, 2, &[welcome], 40_000);
        forged.signature = None;
        item(forged)
    });
}

#[test]
fn a_wrong_payload_is_seen_behind_siblings() {
    behind_siblings(|net, welcome, _| {
        let payload = Bytes::new(b"not what its hash says".to_vec()).ok();
        Item { block: block(net, 2, &[welcome], 40_000), payload }
    });
}

#[test]
fn a_like_of_ones_own_post_is_seen_behind_siblings() {
    behind_siblings(|net, welcome, own| {
        let vote = Some(Vote { like: true, target: own });
        let like = Block { vote, ..block(net, 2, &[welcome], 40_000).block };
        item(like.sign(&network(), Some(&key(2))))
    });
}

/// The page is not read as far as its last block, which is taken when it comes alone later.
fn too_much_before(net: &mut Net, chain: &Genesis, page: Vec<SignedBlock>, last: &SignedBlock) {
    give_items(net, 0, page.into_iter().map(item).collect());
    assert!(!is_there(net, chain, last.block.id()), "the page is read to its end");
    net.round();
    give(net, 0, std::slice::from_ref(last));
    assert!(is_there(net, chain, last.block.id()));
}

#[test]
fn looking_for_what_was_refused_counts() {
    let (mut net, chain, welcome, all) = flooded(1_000);
    net.tolerant = true;
    let (mut backs, mut deep) = (vec![welcome], Vec::new());
    for number in 0..300 {
        let next = block(&net, 2, &backs, 50_000 + number);
        backs.retain(|back| *back != welcome);
        backs.push(next.block.id());
        backs.truncate(64);
        backs.sort_unstable();
        deep.push(next);
    }
    let nowhere = BlockId { height: 1_000, hash: Hash::of(b"nowhere") };
    let mut on = vec![deep.last().unwrap().block.id(), nowhere];
    on.sort_unstable();
    let lost = (0..400).map(|number| unsigned(block(&net, 77, &on, 60_000 + number)));
    let last = block(&net, 1, &[welcome], 90_000);
    let blocks = all.into_iter().chain(deep).chain(lost).chain([last.clone()]);
    let page = blocks.collect();
    too_much_before(&mut net, &chain, page, &last);
}

#[test]
fn looking_for_what_is_held_counts() {
    let (mut net, chain) = apart();
    net.tolerant = true;
    let (first, _) = net.post(0, &chain, "first", 1);
    let long = line(&net, first, 1_000, 70);
    give(&mut net, 0, &long);
    let mut backs: Vec<BlockId> = long[..64].iter().map(|block| block.block.id()).collect();
    backs.sort_unstable();
    let held = (0..63).map(|number| unsigned(block(&net, 77, &backs, 5_000 + number)));
    let held: Vec<SignedBlock> = held.collect();
    let mut on: Vec<BlockId> = held.iter().map(|block| block.block.id()).collect();
    on.push(BlockId { height: 1_000, hash: Hash::of(b"nowhere") });
    on.sort_unstable();
    let lost = (0..600).map(|number| unsigned(block(&net, 77, &on, 60_000 + number)));
    let last = block(&net, 1, &[first], 90_000);
    let blocks = held.into_iter().chain(lost).chain([last.clone()]);
    let page = blocks.collect();
    too_much_before(&mut net, &chain, page, &last);
}

#[test]
fn an_exchange_of_what_is_known_does_not_thaw_what_is_chosen() {
    let Apart { mut net, forum, first, posts } = Apart::new(3);
    net.tolerant = true;
    net.cut(0, 1);
    let known = net.item(0, &forum, posts[0][POSTS - 1]);
    let page = Page { items: Bounded::first([known]), next: Some(1) };
    net.budget = Some(0);
    net.answer_instead = Some(Response::Page(page).encode());
    net.link(0, 2);
    net.budget = None;
    net.choose(0, &forum, posts[1][POSTS - 1]).unwrap();
    let order = net.order(0, &forum);
    net.link(0, 2);
    let old = block(&net, 1, &[first], 1);
    let page = Page { items: Bounded::first([item(old.clone())]), next: None };
    net.answer_instead = Some(Response::Page(page).encode());
    net.round();
    assert!(is_there(&mut net, &forum, old.block.id()), "it did not come");
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn a_held_post_that_comes_back_under_an_answer_gets_its_payload() {
    let (mut net, forum) = (Net::new(3), forum());
    net.tolerant = true;
    net.join(0, &forum);
    net.post(0, &forum, "first", 1);
    for author in [2, 3] {
        let (hello, _) = net.post(0, &forum, "hello", author);
        net.vote(0, &forum, (true, hello), 1).unwrap();
        net.vote(0, &forum, (true, hello), 1).unwrap();
    }
    let welcome = *net.order(0, &forum).last().unwrap();
    let post = block(&net, 5, &[welcome], 1);
    let [early, second] = [1, 2].map(|author| like(&post, author));
    let mut siblings: Vec<SignedBlock> =
        (10..40).map(|number| block(&net, 2, &[welcome], number)).collect();
    siblings.sort_by_key(|block| std::cmp::Reverse(block.block.id()));
    let answer = block(&net, 3, &[second.block.id()], 50);
    for number in 0..POSTS {
        net.wait(Span::hours(30));
        net.post(0, &forum, &format!("{number}"), 1);
    }
    give(&mut net, 0, &[post.clone(), early]);
    give(&mut net, 0, &siblings);
    give(&mut net, 0, &[post.clone(), second.clone()]);
    let id = post.block.id();
    assert!(!placed(&mut net, &forum, id));
    give(&mut net, 0, &[second, answer]);
    assert!(placed(&mut net, &forum, id));
    let payload = Bytes::new(b"text".to_vec()).ok();
    give_items(&mut net, 0, vec![Item { block: post, payload }]);
    assert_eq!(net.payload(0, &forum, id).as_deref(), Ok("text"));
    let before = net.status(0, &forum);
    net.restart(0);
    assert_eq!(net.status(0, &forum), before);
}

#[test]
fn an_honest_node_is_not_struck_for_its_own_held_posts() {
    let (mut net, chain) = apart();
    let branches = [1_000, 10_000].map(|from| line(&net, chain.id(), from, 1_000));
    for at in 0..2 {
        branches.iter().for_each(|branch| give(&mut net, at, branch));
    }
    for number in 0..30 {
        net.wait(Span::secs(60));
        net.post(1, &chain, &format!("{number}"), 77);
    }
    // A strike would be a fault of the test.
    net.link(0, 1);
    (0..6).for_each(|_| net.round());
    assert_eq!(net.heads(0, &chain, Which::Held).len(), HELD);
}

#[test]
fn likes_that_each_took_others_of_do_not_keep_honest_nodes_apart() {
    let (mut net, chain, welcome, _) = flooded(3_000);
    let tip = *net.order(0, &chain).last().unwrap();
    let beside = block(&net, 3, &[welcome], 20_000);
    give(&mut net, 0, std::slice::from_ref(&beside));
    net.link(0, 1);
    net.round();
    net.cut(0, 1);
    let mut backs = vec![beside.block.id(), tip];
    backs.sort_unstable();
    let mut pairs: Vec<[SignedBlock; 2]> = (0..60u64)
        .map(|number| {
            let held = block(&net, 77, &backs, 30_000 + number);
            let like = like(&held, 2);
            [held, like]
        })
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair[1].block.id()));
    net.tolerant = true;
    for at in 0..2 {
        for pair in pairs.iter().skip(30 * at).take(HELD + 1) {
            give(&mut net, at, pair);
            net.round();
        }
    }
    net.tolerant = false;
    net.deaf = true;
    net.link(0, 1);
    let (news, _) = net.post(1, &chain, "news", 1);
    (0..8).for_each(|_| net.round());
    // Whether the order has it is another question, as long as they have different likes.
    assert!(is_there(&mut net, &chain, news));
    // What is known costs nothing more, so the other is heard at once.
    net.deaf = false;
    let (gossiped, _) = net.post(1, &chain, "more news", 1);
    assert!(is_there(&mut net, &chain, gossiped));
}
