//! What strangers, and authors with few reps, can do with the sides of a hard fork.

use covey_chains::{
    BlockId, Error, SignedBlock,
    command::{Command, Reply, State, Which},
    genesis::{Genesis, Owner},
    limits::{FORKED_SHARE, HELD, PAGE_BLOCKS, SETTLED_MILLIS, SETTLED_MOST_MILLIS},
    wire::{ChainRef, Item, Page, Response},
};
use covey_kernel::{Bounded, Span};

use crate::{
    apart::{Apart, POSTS, forum, together, write},
    made::{self, block, give, like, old_block},
    net::{Net, key, network, which},
};

/// 0 and 1 know each other's side; 2 gives what is made by hand, and is blamed for some of it.
fn tolerant() -> Apart {
    let mut apart = Apart::new(3);
    apart.net.tolerant = true;
    apart
}

fn sorted(mut ids: Vec<BlockId>) -> Vec<BlockId> {
    ids.sort_unstable();
    ids
}

#[test]
fn nobody_draws_the_own_side_into_the_other() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    let theirs = net.order(1, &forum);
    let (root, own) = (posts[1][0], posts[0][POSTS - 1]);
    let both = sorted(vec![root, own]);
    // Somebody who may post joins the fork's beginning with what is followed here; and somebody unknown.
    let joins = [block(&net, 1, &both, 1), block(&net, 77, &both, 2)];
    give(&mut net, 0, &joins);
    assert_eq!(net.choose(0, &forum, root), Ok((POSTS, POSTS)));
    assert_eq!(net.order(0, &forum), theirs);
}

#[test]
fn what_nobody_admits_is_not_left_aside() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    let tip = posts[1][POSTS - 1];
    let before = net.nodes[0].disk.entries.len();
    let spam: Vec<SignedBlock> = (0..100).map(|number| block(&net, 77, &[tip], number)).collect();
    give(&mut net, 0, &spam);
    assert_eq!(net.heads(0, &forum, Which::Forked), [tip]);
    assert_eq!(net.heads(0, &forum, Which::Held), []);
    assert_eq!(net.nodes[0].disk.entries.len(), before);
}

#[test]
fn one_author_has_only_so_many_tips_left_aside() {
    let Apart { mut net, forum, first, posts } = tolerant();
    let old: Vec<SignedBlock> = (0..40).map(|number| block(&net, 1, &[first], number)).collect();
    give(&mut net, 0, &old);
    let tips = net.heads(0, &forum, Which::Forked);
    assert!(tips.contains(&posts[1][POSTS - 1]));
    assert_eq!(tips.len(), HELD);
    // What builds on one of them makes no more.
    let further = block(&net, 1, &[posts[1][POSTS - 1]], 100);
    give(&mut net, 0, std::slice::from_ref(&further));
    let tips = net.heads(0, &forum, Which::Forked);
    assert!(tips.contains(&further.block.id()));
    assert_eq!(tips.len(), HELD);
}

/// A post of somebody new on the other side, and a like of it.
fn liked(net: &mut Net, forum: &Genesis) -> (BlockId, BlockId) {
    let (post, state) = net.post(1, forum, "I am new", 2);
    assert_eq!(state, State::Held);
    let (like, _) = net.vote(1, forum, (true, post), 1).unwrap();
    (post, like)
}

#[test]
fn a_held_post_comes_over_with_its_like_and_is_held_no_longer() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    let (post, _) = liked(&mut net, &forum);
    let theirs = net.order(1, &forum);
    net.link(0, 1);
    net.round();
    assert_eq!(net.choose(0, &forum, posts[1][0]), Ok((POSTS + 2, POSTS)));
    assert_eq!(net.order(0, &forum), theirs);
    assert_eq!(net.heads(0, &forum, Which::Held), []);
    assert_eq!(net.status(0, &forum).held, 0);
    net.round();
    assert_eq!(net.payload(0, &forum, post).as_deref(), Ok("I am new"));
    // And back, and there again, also after a restart.
    assert_eq!(net.choose(0, &forum, posts[0][POSTS - 1]), Ok((POSTS, POSTS + 2)));
    net.restart(0);
    assert_eq!(net.choose(0, &forum, posts[1][0]), Ok((POSTS + 2, POSTS)));
    assert_eq!(net.order(0, &forum), theirs);
}

#[test]
fn another_like_brings_back_a_held_post_whose_like_is_left_aside() {
    let (mut net, forum) = (Net::new(3), forum());
    net.join(0, &forum);
    net.post(0, &forum, "first", 1);
    let (hello, _) = net.post(0, &forum, "hello", 3);
    net.vote(0, &forum, (true, hello), 1).unwrap();
    let (welcome, _) = net.vote(0, &forum, (true, hello), 1).unwrap();
    // Made now, and kept back. With the like of somebody with many reps it is placed early, else late.
    let post = block(&net, 5, &[welcome], 1);
    let [early, late] = [1, 3].map(|author| like(&post, author));
    for number in 0..POSTS {
        net.wait(Span::hours(30));
        net.post(0, &forum, &format!("{number}"), 1);
    }
    let before = net.order(0, &forum);
    let [post_id, early_id, late_id] = [&post, &early, &late].map(|block| block.block.id());
    give(&mut net, 0, &[post, early]);
    assert_eq!(net.order(0, &forum), before);
    assert_eq!(net.heads(0, &forum, Which::Forked), [early_id]);
    give(&mut net, 0, &[late]);
    let after = net.order(0, &forum);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after[before.len()..], [post_id, late_id]);
    assert_eq!(net.heads(0, &forum, Which::Forked), [early_id]);
    let forks = net.status(0, &forum).forks;
    assert_eq!((forks.len(), forks[0].first, &*forks[0].tips), (1, early_id, &[early_id][..]));
    net.restart(0);
    assert_eq!(net.order(0, &forum), after);
    assert_eq!(net.status(0, &forum).forks, forks);
    // Who joins gets it with the like that is followed.
    net.join(1, &forum);
    net.link(0, 1);
    assert_eq!(net.order(1, &forum), after);
}

#[test]
fn what_would_change_the_frozen_past_is_not_made_here_and_leaves_nothing() {
    let (mut net, forum) = (Net::new(3), forum());
    net.join(0, &forum);
    let (first, _) = net.post(0, &forum, "first", 1);
    let old = block(&net, 5, &[first], 1);
    for number in 0..POSTS {
        net.wait(Span::hours(30));
        net.post(0, &forum, &format!("{number}"), 1);
    }
    net.join(1, &forum);
    net.link(0, 1);
    net.cut(0, 1);
    // An old post is held here, and somebody with many reps likes it.
    let held = Response::Held(Bounded::first([Item { block: old.clone(), payload: None }]));
    net.link(0, 1);
    net.answer_instead = Some(held.encode());
    let reference = ChainRef { genesis: forum.id().hash, first: Some(first.hash) };
    net.pull_held(0, reference);
    let target = old.block.id();
    assert_eq!(net.heads(0, &forum, Which::Held), [target]);
    let disk = net.nodes[0].disk.entries.clone();
    assert_eq!(net.vote(0, &forum, (true, target), 1), Err(Error::Frozen));
    assert_eq!(net.nodes[0].disk.entries, disk);
    assert_eq!(net.status(0, &forum).forks, []);
    // What is made after it is found again.
    let (last, _) = net.post(0, &forum, "last", 1);
    let order = net.order(0, &forum);
    net.restart(0);
    assert_eq!(net.order(0, &forum), order);
    assert_eq!(net.payload(0, &forum, last).as_deref(), Ok("last"));
}

#[test]
fn who_chooses_what_both_sides_build_on_stays_on_the_own_side() {
    let Apart { mut net, forum, first, posts } = tolerant();
    let order = net.order(0, &forum);
    for chosen in [first, posts[0][3]] {
        assert_eq!(net.choose(0, &forum, chosen), Ok((0, 0)));
        assert_eq!(net.order(0, &forum), order);
    }
}

#[test]
fn a_choice_that_changes_nothing_leaves_an_exchange_as_it_is() {
    let Apart { mut net, forum, first, posts } = tolerant();
    net.cut(0, 1);
    let further = block(&net, 1, &[posts[0][POSTS - 1]], 1);
    net.budget = Some(0);
    bring(&mut net, &further);
    let (frozen, disk) = (net.status(0, &forum).frozen, net.nodes[0].disk.entries.clone());
    net.nodes[0].events.clear();
    assert_eq!(net.choose(0, &forum, first), Ok((0, 0)));
    assert_eq!(net.nodes[0].disk.entries, disk);
    assert!(net.nodes[0].events.is_empty());
    // What is old is frozen still.
    net.budget = None;
    net.cut(0, 2);
    let order = net.order(0, &forum);
    let old = old_block(&mut net, Span::days(30), 1, &[first], 2);
    give(&mut net, 0, &[old]);
    assert_eq!(net.order(0, &forum), order);
    assert!(net.status(0, &forum).frozen >= frozen);
}

#[test]
fn a_held_post_of_the_side_that_was_left_says_where_it_is() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    let (post, state) = net.post(0, &forum, "I am new", 2);
    assert_eq!(state, State::Held);
    net.choose(0, &forum, posts[1][POSTS - 1]).unwrap();
    assert_eq!(net.vote(0, &forum, (true, post), 1), Err(Error::Forked(post)));
}

#[test]
fn where_a_side_begins_in_several_places_none_of_them_is_chosen() {
    let (mut net, forum) = (Net::new(3), forum());
    net.join(0, &forum);
    let (first, _) = net.post(0, &forum, "first", 1);
    let begin = [1, 2].map(|number| block(&net, 1, &[first], number));
    let both = sorted(begin.iter().map(|block| block.block.id()).collect());
    let merge = block(&net, 1, &both, 5);
    let mut side = begin.to_vec();
    side.push(merge.clone());
    let mut back = merge.block.id();
    for number in 0..POSTS as u64 {
        net.wait(Span::hours(30));
        let next = block(&net, 1, &[back], 10 + number);
        back = next.block.id();
        side.push(next);
        net.post(0, &forum, &format!("{number}"), 1);
    }
    let own = net.order(0, &forum);
    give(&mut net, 0, &side);
    assert_eq!(net.heads(0, &forum, Which::Forked), [back]);
    for begin in &begin {
        let id = begin.block.id();
        assert_eq!(net.call(0, Command::Choose(which(&forum), id)), Err(Error::TooEarly(id)));
        assert_eq!(net.order(0, &forum), own);
    }
    assert_eq!(net.choose(0, &forum, back), Ok((side.len(), POSTS)));
}

#[test]
fn one_author_has_only_a_share_of_what_is_left_aside() {
    let owner = Owner { key: key(1).public(), only: false };
    let chain = Genesis { freeze: forum().freeze, ..Genesis::identity(network(), owner) };
    let mut net = Net::new(3);
    net.join(0, &chain);
    let (first, _) = net.post(0, &chain, "first", 1);
    let old = made::line(&net, first, 1, FORKED_SHARE as u64 + 400);
    for number in 0..POSTS {
        net.wait(Span::hours(30));
        net.post(0, &chain, &format!("{number}"), 1);
    }
    give(&mut net, 0, &old);
    let forks = net.status(0, &chain).forks;
    assert_eq!(forks.len(), 1);
    let last = old[FORKED_SHARE - 1].block.id();
    assert_eq!(forks[0].tips, [last]);
    // What builds on too much of it is not judged again and again.
    let last_placed = *net.order(0, &chain).last().unwrap();
    let good = block(&net, 1, &[last_placed], 1);
    give(&mut net, 0, std::slice::from_ref(&good));
    assert!(net.order(0, &chain).contains(&good.block.id()), "the peer's share is used up");
    // Who follows that side gets the rest.
    assert_eq!(net.choose(0, &chain, last).map(|(adopted, _)| adopted), Ok(FORKED_SHARE));
    give(&mut net, 0, &old);
    let order = net.order(0, &chain);
    assert!(old.iter().all(|block| order.contains(&block.block.id())));
}

#[test]
fn an_exchange_that_is_under_way_brings_the_rest_of_the_side() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    // More of the other side, on what both follow, is on its way when it is chosen.
    let tip = posts[1][POSTS - 1];
    let late = block(&net, 1, &[posts[1][1]], 1);
    net.budget = Some(0);
    let own = block(&net, 1, &[posts[0][POSTS - 1]], 2);
    bring(&mut net, &own);
    net.choose(0, &forum, tip).unwrap();
    net.budget = None;
    let items = [Item { block: late.clone(), payload: None }];
    let page = Page { items: Bounded::first(items), next: None };
    net.answer_instead = Some(Response::Page(page).encode());
    net.round();
    assert!(net.order(0, &forum).contains(&late.block.id()));
}

#[test]
fn what_is_chosen_is_frozen_though_something_was_broken_off() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    let more = write(&mut net, 1, &forum, POSTS, Span::hours(30));
    net.link(0, 1);
    net.cut(0, 1);
    // When this comes, as much is frozen as both sides had written before.
    let last = block(&net, 1, &[more[POSTS - 1]], 1);
    net.budget = Some(0);
    bring(&mut net, &last);
    net.budget = None;
    net.cut(0, 2);
    net.round();
    let side = (2 * POSTS + 1, POSTS);
    assert_eq!(net.choose(0, &forum, last.block.id()), Ok(side));
    let order = net.order(0, &forum);
    let ago = Span::hours(30 * POSTS as u64);
    let old = old_block(&mut net, ago, 1, &[posts[1][POSTS - 1]], 2);
    give(&mut net, 0, std::slice::from_ref(&old));
    assert!(net.heads(0, &forum, Which::Forked).contains(&old.block.id()));
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn other_forks_stay_when_one_is_chosen() {
    let Apart { mut net, forum, first, posts } = tolerant();
    let third = block(&net, 1, &[first], 7);
    give(&mut net, 0, std::slice::from_ref(&third));
    let all = net.heads(0, &forum, Which::Forked);
    assert_eq!(all.len(), 2, "{all:?}");
    net.choose(0, &forum, posts[1][POSTS - 1]).unwrap();
    let left = net.heads(0, &forum, Which::Forked);
    assert_eq!(left, sorted(vec![third.block.id(), posts[0][POSTS - 1]]));
    net.choose(0, &forum, posts[0][POSTS - 1]).unwrap();
    assert_eq!(net.heads(0, &forum, Which::Forked), all);
}

#[test]
fn what_was_aside_and_fits_comes_with_a_choice() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    // It builds on the other side, and not on what is chosen of that.
    let beside = block(&net, 1, &[posts[1][POSTS - 2]], 1);
    give(&mut net, 0, std::slice::from_ref(&beside));
    assert!(net.heads(0, &forum, Which::Forked).contains(&beside.block.id()));
    net.choose(0, &forum, posts[1][POSTS - 1]).unwrap();
    assert!(net.order(0, &forum).contains(&beside.block.id()));
    assert!(!net.heads(0, &forum, Which::Forked).contains(&beside.block.id()));
}

#[test]
fn what_was_followed_once_leaves_as_much_room_for_forks() {
    let owner = Owner { key: key(1).public(), only: false };
    let chain = Genesis { freeze: forum().freeze, ..Genesis::identity(network(), owner) };
    let mut net = Net::new(3);
    let first = together(&mut net, &chain);
    net.cut(0, 1);
    let old = made::line(&net, first, 1, FORKED_SHARE as u64 + 100);
    let [_, theirs] = [0, 1].map(|at| write(&mut net, at, &chain, POSTS, Span::hours(30)));
    net.tolerant = true;
    net.link(0, 1);
    net.choose(0, &chain, theirs[POSTS - 1]).unwrap();
    give(&mut net, 0, &old);
    let tips = net.heads(0, &chain, Which::Forked);
    assert!(tips.contains(&old[FORKED_SHARE - 1].block.id()), "{tips:?}");
}

#[test]
fn what_is_left_aside_is_not_served_and_not_voted_on() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    let theirs = posts[1][2];
    assert!(matches!(
        net.call(0, Command::Block(which(&forum), theirs)),
        Ok(Reply::Block(info)) if info.state == State::Forked
    ));
    for like in [true, false] {
        let refused = net.vote(0, &forum, (like, theirs), 9).unwrap_err();
        assert!(refused.to_string().contains("choose"), "{refused}");
    }
    // A node that joins at 0 gets the side of 0 alone.
    net.cut(0, 1);
    net.join(2, &forum);
    net.link(0, 2);
    assert_eq!(net.order(2, &forum), net.order(0, &forum));
    assert_eq!(net.heads(2, &forum, Which::Forked), []);
}

#[test]
fn sides_that_know_each_other_send_nothing_again() {
    let Apart { mut net, .. } = tolerant();
    net.round();
    net.pages.clear();
    net.round();
    let sent: usize = net.pages.iter().map(Vec::len).sum();
    assert_eq!(sent, 0, "in {} pages", net.pages.len());
}

#[test]
fn a_fork_beyond_its_bounds_is_not_sent_again_in_each_round() {
    let owner = Owner { key: key(1).public(), only: false };
    let chain = Genesis { freeze: forum().freeze, ..Genesis::identity(network(), owner) };
    let mut net = Net::new(3);
    let first = together(&mut net, &chain);
    net.cut(0, 1);
    let old = made::line(&net, first, 1, (FORKED_SHARE + PAGE_BLOCKS) as u64);
    give(&mut net, 1, &old);
    write(&mut net, 0, &chain, POSTS, Span::hours(30));
    net.tolerant = true;
    net.link(0, 1);
    net.round();
    net.pages.clear();
    let rounds = 12;
    (0..rounds).for_each(|_| net.round());
    let sent: usize = net.pages.iter().map(Vec::len).sum();
    assert!(sent > old.len(), "it is never tried again");
    assert!(sent < rounds / 2 * old.len(), "{sent} blocks in {rounds} rounds");
    // Who follows that side gets the rest.
    let last = old[FORKED_SHARE - 1].block.id();
    net.choose(0, &chain, last).unwrap();
    (0..5).for_each(|_| net.round());
    let (ours, theirs) = (net.order(0, &chain), net.order(1, &chain));
    assert_eq!(ours, theirs);
}

#[test]
fn what_is_brought_for_ever_freezes_in_the_end() {
    let Apart { mut net, forum, posts, .. } = tolerant();
    net.cut(0, 1);
    let frozen = net.status(0, &forum).frozen;
    let mut back = posts[0][POSTS - 1];
    let step = SETTLED_MILLIS - 1000;
    for number in 0..2 * SETTLED_MOST_MILLIS / step {
        net.wait(Span::millis(step));
        let next = block(&net, 1, &[back], number);
        back = next.block.id();
        // The exchange never ends: the page says that there is more, and the next one is lost.
        net.budget = Some(0);
        bring(&mut net, &next);
    }
    assert!(net.status(0, &forum).frozen > frozen, "{frozen} for ever");
}

/// A page of one block, of an exchange that goes on.
fn bring(net: &mut Net, block: &SignedBlock) {
    let items = [Item { block: block.clone(), payload: None }];
    let page = Page { items: Bounded::first(items), next: Some(1) };
    net.answer_instead = Some(Response::Page(page).encode());
    net.link(0, 2);
}
