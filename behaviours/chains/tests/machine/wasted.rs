//! What is not taken, though no honest peer need be wrong: it may cost only so much.

use covey_chains::{
    Block, BlockId, SignedBlock, Vote,
    command::{Command, Which},
    genesis::Genesis,
    wire::{ChainRef, Item, News, Page, Response},
};
use covey_kernel::{Bounded, Span, Topic};

use crate::{
    made::{apart, block, give, line},
    net::{Net, key, network, which},
};

const LENGTH: u64 = 400;

/// A node whose chain has two long branches, and posts of somebody unknown on the ends of both: to see
/// that they are held takes placing both branches again.
fn costly() -> (Net, Genesis, Vec<SignedBlock>) {
    let (mut net, chain) = apart();
    let branches = [1_000, 10_000].map(|from| line(&net, chain.id(), from, LENGTH));
    branches.iter().for_each(|branch| give(&mut net, 0, branch));
    let ends = branches.map(|branch| branch.last().unwrap().block.id());
    let mut backs = ends.to_vec();
    backs.sort_unstable();
    let posts = (0..200).map(|number| block(&net, 77, &backs, 20_000 + number)).collect();
    net.tolerant = true;
    (net, chain, posts)
}

fn gossip(net: &mut Net, chain: &Genesis, block: &SignedBlock) {
    let chain = ChainRef { genesis: chain.id().hash, first: None };
    let item = Item { block: block.clone(), payload: None };
    net.gossip(0, Topic(chain.topic()), News { chain, item }.encode());
}

#[test]
fn who_gossips_too_much_of_it_is_not_heard_until_the_next_round() {
    let (mut net, chain, posts) = costly();
    let good = block(&net, 1, &[chain.id()], 30_000);
    posts.iter().for_each(|post| gossip(&mut net, &chain, post));
    assert_eq!(net.strikes, [key(99).public()]);
    gossip(&mut net, &chain, &good);
    assert!(!net.order(0, &chain).contains(&good.block.id()));
    net.round();
    gossip(&mut net, &chain, &good);
    assert!(net.order(0, &chain).contains(&good.block.id()));
}

#[test]
fn a_few_of_it_count_for_nothing() {
    let (mut net, chain, posts) = costly();
    posts.iter().take(5).for_each(|post| gossip(&mut net, &chain, post));
    assert_eq!(net.strikes, []);
}

#[test]
fn a_page_of_it_is_not_read_to_its_end() {
    let (mut net, chain, posts) = costly();
    let good = block(&net, 1, &[chain.id()], 30_000);
    let items = posts.into_iter().chain([good.clone()]);
    let items = items.map(|block| Item { block, payload: None });
    let page = Page { items: Bounded::first(items), next: Some(7) };
    net.answer_instead = Some(Response::Page(page).encode());
    net.link(0, 1);
    assert_eq!(net.strikes, [net.nodes[1].peer]);
    assert!(!net.order(0, &chain).contains(&good.block.id()));
}

#[test]
fn an_answer_of_held_posts_is_not_read_to_its_end_and_is_no_fault() {
    let (mut net, chain, posts) = costly();
    let good = block(&net, 1, &[chain.id()], 30_000);
    let reference = ChainRef { genesis: chain.id().hash, first: None };
    let items = posts.into_iter().map(|block| Item { block, payload: None });
    net.link(0, 1);
    net.answer_instead = Some(Response::Held(Bounded::first(items)).encode());
    net.pull_held(0, reference);
    assert!(!net.heads(0, &chain, Which::Held).is_empty());
    assert_eq!(net.strikes, []);
    // Its share is used up.
    give_from(&mut net, 1, &good);
    assert!(!net.order(0, &chain).contains(&good.block.id()));
    net.round();
    give_from(&mut net, 1, &good);
    assert!(net.order(0, &chain).contains(&good.block.id()));
}

/// Node 0 gets a block from another.
fn give_from(net: &mut Net, from: usize, block: &SignedBlock) {
    let items = [Item { block: block.clone(), payload: None }];
    let page = Page { items: Bounded::first(items), next: None };
    net.answer_instead = Some(Response::Page(page).encode());
    net.link(0, from);
    net.answer_instead = None;
}

/// A long chain, and siblings near its beginning of 2, who has one rep, as 3 has: the order leaves out all but
/// one. Node 0 has taken as many of them as it takes.
pub(crate) fn flooded(length: u64) -> (Net, Genesis, BlockId, Vec<SignedBlock>) {
    let (mut net, chain) = apart();
    let welcome = [2, 3].map(|author| {
        let (hello, _) = net.post(0, &chain, "hello", author);
        net.vote(0, &chain, (true, hello), 1).unwrap().0
    });
    let [_, welcome] = welcome;
    net.wait(Span::hours(30));
    let mut siblings: Vec<SignedBlock> =
        (0..60).map(|number| block(&net, 2, &[welcome], number)).collect();
    siblings.sort_by_key(|block| std::cmp::Reverse(block.block.id()));
    let long = line(&net, welcome, 1_000, length);
    give(&mut net, 0, &long);
    (net, chain, welcome, siblings)
}

#[test]
fn too_many_siblings_are_not_held_against_an_honest_peer_and_do_not_stop_it() {
    let (mut net, chain, _, mut all) = flooded(3_000);
    let good = block(&net, 1, &[chain.id()], 30_000);
    all.push(good.clone());
    give(&mut net, 0, &all);
    assert!(net.order(0, &chain).contains(&good.block.id()), "what comes after them is not taken");
    assert_eq!(net.strikes, []);
}

#[test]
fn who_has_sent_too_many_siblings_is_heard_again_when_they_are_known() {
    let (mut net, chain, _, all) = flooded(3_000);
    let good = block(&net, 1, &[chain.id()], 30_000);
    let mut rounds = 0;
    loop {
        give(&mut net, 0, &all);
        gossip(&mut net, &chain, &good);
        if net.order(0, &chain).contains(&good.block.id()) {
            break;
        }
        rounds += 1;
        assert!(rounds < 20, "it is never heard again");
        net.round();
    }
    assert_eq!(net.strikes, []);
}

#[test]
fn what_builds_on_too_many_likes_brings_one_with_what_it_likes() {
    let (mut net, chain, welcome, siblings) = flooded(10);
    give(&mut net, 0, &siblings);
    let post = block(&net, 5, &[welcome], 50);
    let target = post.block.id();
    let like =
        Block { vote: Some(Vote { like: true, target }), ..block(&net, 2, &[target], 60).block };
    let like = like.sign(&network(), Some(&key(2)));
    give(&mut net, 0, &[post.clone(), like.clone()]);
    assert!(!is_there(&mut net, &chain, target), "it is taken alone");
    let answer = block(&net, 1, &[like.block.id()], 70);
    give(&mut net, 0, &[post, like, answer.clone()]);
    assert!(is_there(&mut net, &chain, target));
    assert!(is_there(&mut net, &chain, answer.block.id()));
}

fn is_there(net: &mut Net, chain: &Genesis, id: BlockId) -> bool {
    net.call(0, Command::Block(which(chain), id)).is_ok()
}
