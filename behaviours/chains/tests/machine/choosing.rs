//! Two sides of a hard fork: each can be chosen, and chosen again.

use covey_chains::{
    BlockId, Error,
    command::{Command, Event, Purge, Reply, State},
    genesis::Genesis,
};

use crate::{
    apart::{Apart, POSTS},
    made::{block, give},
    net::{Net, which},
};

#[test]
fn who_chooses_the_other_side_shows_its_order_and_keeps_the_own_aside() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    let before = [0, 1].map(|at| net.order(at, &forum));
    assert_ne!(before[0], before[1]);
    let fork = net.status(0, &forum).forks[0].first;
    assert_eq!(fork, posts[1][0]);
    assert_eq!(net.choose(0, &forum, fork), Ok((POSTS, POSTS)));
    assert_eq!(net.order(0, &forum), before[1]);
    let own = net.status(0, &forum).forks;
    assert_eq!(own.iter().map(|fork| fork.first).collect::<Vec<_>>(), [posts[0][0]]);
    // They go on together, and nothing is forked off again.
    net.round();
    net.post(0, &forum, "together", 1);
    net.round();
    net.post(1, &forum, "again", 1);
    net.round();
    net.same(&forum, 1 + POSTS + 2);
    net.restart(0);
    net.round();
    net.same(&forum, 1 + POSTS + 2);
}

#[test]
fn the_own_side_can_be_chosen_again_with_all_that_it_said() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    let before = net.order(0, &forum);
    net.choose(0, &forum, posts[1][0]).unwrap();
    net.round();
    let theirs = net.payload(0, &forum, posts[1][3]);
    assert_eq!(theirs.as_deref(), Ok("3 at 1"));
    // What is left aside can still be read by its id.
    assert_eq!(net.payload(0, &forum, posts[0][3]).as_deref(), Ok("3 at 0"));
    let from = posts[0][0];
    assert_eq!(net.choose(0, &forum, from), Ok((POSTS, POSTS)));
    assert_eq!(net.order(0, &forum), before);
    for (number, post) in posts[0].iter().enumerate() {
        assert_eq!(net.payload(0, &forum, *post), Ok(format!("{number} at 0")));
    }
    net.restart(0);
    assert_eq!(net.order(0, &forum), before);
}

#[test]
fn what_was_read_is_read_and_what_is_adopted_is_new() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    net.call(0, Command::MarkRead(which(&forum))).unwrap();
    net.choose(0, &forum, posts[1][0]).unwrap();
    assert_eq!(net.unread(0, &forum), posts[1]);
}

#[test]
fn a_part_of_a_side_is_a_side_if_it_is_chosen() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    // All that builds on a block of it comes with it, and what it builds on.
    let order = net.order(1, &forum);
    net.choose(0, &forum, posts[1][POSTS / 2]).unwrap();
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn who_is_on_the_right_side_changes_nothing() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    let order = net.order(0, &forum);
    let own = posts[0][POSTS - 1];
    assert_eq!(net.choose(0, &forum, own), Ok((0, 0)));
    assert_eq!(net.order(0, &forum), order);
    let unknown = BlockId { height: 3, ..own };
    let disk = net.nodes[0].disk.entries.clone();
    assert_eq!(net.choose(0, &forum, unknown), Err(Error::UnknownBlock(unknown)));
    assert_eq!(net.choose(0, &forum, forum.id()), Err(Error::NoSide(forum.id())));
    assert_eq!(net.nodes[0].disk.entries, disk);
}

#[test]
fn what_was_last_before_leads_back() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    let order = net.order(0, &forum);
    let chosen = net.call(0, Command::Choose(which(&forum), posts[1][POSTS - 1])).unwrap();
    let Reply::Chosen { before, .. } = chosen else { panic!("{chosen:?}") };
    assert_eq!(before, *order.last().unwrap());
    net.choose(0, &forum, before).unwrap();
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn what_fits_both_sides_does_not_hide_the_way_back() {
    let mut welcome = None;
    let both = |net: &mut Net, forum: &Genesis| {
        let (hello, _) = net.post(0, forum, "hello", 3);
        welcome = Some(net.vote(0, forum, (true, hello), 1).unwrap().0);
    };
    let Apart { mut net, forum, posts, .. } = Apart::after(3, both);
    // Somebody else's posts on what both follow come after the last of theirs.
    let one = block(&net, 3, &[welcome.unwrap()], 1);
    let other = block(&net, 3, &[one.block.id()], 2);
    let ids = [one.block.id(), other.block.id()];
    give(&mut net, 0, &[one, other]);
    let order = net.order(0, &forum);
    assert!(order.ends_with(&ids), "the test is for nothing");
    let Ok(Reply::Chosen { before, .. }) =
        net.call(0, Command::Choose(which(&forum), posts[1][POSTS - 1]))
    else {
        panic!("no choice")
    };
    assert!(ids.iter().all(|id| net.order(0, &forum).contains(id)));
    net.choose(0, &forum, before).unwrap();
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn a_fork_says_where_it_leads() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    let fork = net.status(0, &forum).forks.remove(0);
    assert_eq!(fork.tips, [posts[1][POSTS - 1]]);
}

#[test]
fn what_is_left_aside_can_be_purged() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    net.choose(0, &forum, posts[1][0]).unwrap();
    let own = posts[0][3];
    assert_eq!(net.call(0, Command::Purge(Purge::Block(own))), Ok(Reply::Purged(1)));
    net.choose(0, &forum, posts[0][0]).unwrap();
    assert_eq!(net.payload(0, &forum, own), Err(Error::Purged));
    assert_eq!(net.status(0, &forum).missing, 0, "it is asked for again");
}

#[test]
fn who_listens_hears_of_the_choice() {
    let Apart { mut net, forum, posts, .. } = Apart::new(2);
    net.nodes[0].events.clear();
    net.choose(0, &forum, posts[1][0]).unwrap();
    let (first, adopted) = net.nodes[0].events.split_first().unwrap();
    assert!(matches!(first, Event::Chosen { adopted: 8, aside: 8, .. }), "{first:?}");
    let is_adopted = |event: &Event| matches!(event, Event::Block { state: State::Placed(_), .. });
    assert_eq!(adopted.len(), POSTS);
    assert!(adopted.iter().all(is_adopted));
}
