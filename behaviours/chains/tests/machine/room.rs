//! Payloads that a chain has no room for.

use covey_chains::{
    BlockId, Error,
    command::{Command, Purge},
    genesis::Genesis,
    limits::INLINE_BYTES,
};
use covey_kernel::Span;

use crate::{exchange::forum, net::Net};

/// Room for two large posts and a small one.
const ROOM: u64 = 2 * LARGE as u64 + 1000;
const LARGE: usize = 100_000;

fn readable(net: &mut Net, at: usize, forum: &Genesis, posts: &[BlockId]) -> usize {
    posts.iter().filter(|post| net.payload(at, forum, **post).is_ok()).count()
}

/// 0 writes and has no room either; 1 follows.
fn full(texts: &[usize]) -> (Net, Genesis, Vec<BlockId>) {
    let (mut net, forum) = (Net::new(2), forum());
    net.room = ROOM;
    for at in 0..2 {
        net.restart(at);
        net.join(at, &forum);
    }
    let post = |net: &mut Net, (number, size): (usize, &usize)| {
        net.wait(Span::hours(25));
        net.post(0, &forum, &format!("{number} {}", "x".repeat(size - 2)), 1).0
    };
    let posts: Vec<BlockId> = texts.iter().enumerate().map(|text| post(&mut net, text)).collect();
    net.link(0, 1);
    (net, forum, posts)
}

#[test]
fn what_others_wrote_waits_for_room() {
    let (mut net, forum, posts) = full(&[LARGE; 4]);
    assert_eq!(readable(&mut net, 0, &forum, &posts), 4, "one's own posts are kept in any case");
    net.same(&forum, 4);
    assert_eq!(readable(&mut net, 1, &forum, &posts), 2);
    let found = net.status(1, &forum);
    assert_eq!((found.kept, found.room, found.missing), (2 * LARGE as u64, ROOM, 2));
    net.round();
    assert_eq!(net.status(1, &forum), found, "the next round brings no more");
    // What there is counts after a restart, too.
    net.restart(1);
    net.round();
    assert_eq!(net.status(1, &forum), found);
}

/// Neither is it relayed as gossip, nor told of when its block came on a page, nor served on one, though it comes
/// with a block that was not there when it was purged.
#[test]
fn what_is_purged_goes_no_further_with_another_block() {
    for cut in [None, Some(0), Some(2)] {
        let (mut net, forum) = (Net::new(3), forum());
        (0..3).for_each(|at| net.join(at, &forum));
        net.link(0, 1);
        net.link(1, 2);
        net.post(0, &forum, "first", 1);
        (0..3).for_each(|_| net.round());
        let hash = covey_blobs::hash(b"spam");
        net.call(1, Command::Purge(Purge::Payload(hash))).unwrap();
        cut.into_iter().for_each(|at| net.cut(1, at));
        let (post, _) = net.post(0, &forum, "spam", 1);
        cut.into_iter().for_each(|at| net.link(1, at));
        (0..3).for_each(|_| net.round());
        net.same(&forum, 2);
        assert_eq!(net.payload(0, &forum, post).as_deref(), Ok("spam"));
        assert_eq!(net.payload(1, &forum, post), Err(Error::Purged));
        assert_eq!(net.payload(2, &forum, post), Err(Error::NotArrived));
    }
}

#[test]
fn what_is_purged_makes_room() {
    let (mut net, forum, posts) = full(&[LARGE; 4]);
    net.call(1, Command::Purge(Purge::Block(posts[0]))).unwrap();
    assert_eq!(net.status(1, &forum).kept, LARGE as u64);
    for _ in 0..2 {
        net.round();
    }
    assert_eq!(net.payload(1, &forum, posts[0]), Err(Error::Purged));
    assert_eq!(readable(&mut net, 1, &forum, &posts), 2);
    assert_eq!(net.status(1, &forum).missing, 1);
}

#[test]
fn more_room_is_filled() {
    let (mut net, forum, posts) = full(&[LARGE; 4]);
    net.room = u64::MAX;
    net.restart(1);
    for _ in 0..2 {
        net.round();
    }
    assert_eq!(readable(&mut net, 1, &forum, &posts), 4);
    assert_eq!(net.status(1, &forum).missing, 0);
}

#[test]
fn what_fits_comes_past_what_does_not() {
    let (mut net, forum, posts) = full(&[LARGE, LARGE, LARGE, INLINE_BYTES - 100, 900]);
    net.same(&forum, 5);
    assert_eq!(net.payload(1, &forum, posts[4]).map(|text| text.len()), Ok(900));
    let (kept, room) = (net.status(1, &forum).kept, ROOM);
    assert!(kept <= room, "{kept} of {room}");
}

#[test]
fn a_post_that_is_made_twice_is_counted_once() {
    let (mut net, forum) = (Net::new(1), forum());
    net.join(0, &forum);
    net.post(0, &forum, "first", 1);
    let before = net.status(0, &forum).kept;
    for _ in 0..3 {
        net.posted(0, &forum, "a newcomer's", Some(2), None).unwrap();
    }
    assert_eq!(net.status(0, &forum).held, 1);
    assert_eq!(net.status(0, &forum).kept, before + 12);
}
