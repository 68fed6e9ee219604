use covey_chains::{
    BlockId, Error,
    command::{State, Which},
    genesis::{Genesis, Rules},
    limits::{HELD_PER_NEIGHBOUR, INLINE_BYTES, PAGE_BYTES},
};
use covey_kernel::{Span, Text};

use crate::net::{Net, key, network};

fn started() -> (Net, Genesis) {
    let genesis = Genesis::forum(network(), Text::new("chat").unwrap(), Rules::Paper(()));
    let mut net = Net::new(3);
    for at in 0..3 {
        net.join(at, &genesis);
    }
    net.link(0, 1);
    net.link(1, 2);
    net.post(0, &genesis, "first", 1);
    for _ in 0..3 {
        net.round();
    }
    net.same(&genesis, 1);
    (net, genesis)
}

#[test]
fn a_newcomer_is_held_at_neighbours_and_admitted_by_one_like() {
    let (mut net, forum) = started();
    let (post, state) = net.post(2, &forum, "I am new", 2);
    assert_eq!(state, State::Held);
    for _ in 0..3 {
        net.round();
    }
    net.same(&forum, 1);
    assert_eq!([0, 1, 2].map(|at| net.heads(at, &forum, Which::Held).len()), [0, 1, 1]);
    assert_eq!(net.payload(1, &forum, post).as_deref(), Ok("I am new"));
    assert_eq!(net.payload(0, &forum, post), Err(Error::UnknownBlock(post)));
    let (_, state) = net.vote(1, &forum, (true, post), 1).unwrap();
    assert_eq!(state, State::Placed(3));
    for _ in 0..3 {
        net.round();
    }
    net.same(&forum, 3);
    assert_eq!([0, 1, 2].map(|at| net.heads(at, &forum, Which::Held).len()), [0, 0, 0]);
    assert_eq!(net.payload(0, &forum, post).as_deref(), Ok("I am new"));
}

#[test]
fn what_is_too_large_to_come_with_a_held_post_comes_with_the_like() {
    let (mut net, forum) = started();
    let text = "x".repeat(INLINE_BYTES + 1);
    let (post, _) = net.post(2, &forum, &text, 2);
    net.round();
    assert_eq!(net.payload(1, &forum, post), Err(Error::HeldBack));
    net.vote(1, &forum, (true, post), 1).unwrap();
    net.round();
    assert_eq!(net.payload(1, &forum, post), Ok(text));
}

/// A post at node 0 that has two likes and four dislikes.
fn disliked(net: &mut Net, forum: &Genesis) -> BlockId {
    let (post, _) = net.post(0, forum, "spam", 1);
    for voter in 2..=9u8 {
        let (hello, _) = net.post(0, forum, "hello", voter);
        net.vote(0, forum, (true, hello), 1).unwrap();
        net.wait(Span::hours(30));
    }
    for (voter, like) in [(2, true), (3, true), (4, false), (5, false), (6, false), (7, false)] {
        net.vote(0, forum, (like, post), voter).unwrap();
    }
    post
}

fn has_bytes(net: &Net, at: usize, bytes: &[u8]) -> bool {
    let mut stored = net.nodes[at].disk.entries.values();
    stored.any(|value| value.windows(bytes.len()).any(|part| part == bytes))
}

#[test]
fn a_revoked_payload_goes_to_nobody_else() {
    let (mut net, forum) = started();
    [0, 1].iter().for_each(|at| net.cut(*at, 2));
    let post = disliked(&mut net, &forum);
    net.round();
    net.vote(0, &forum, (false, post), 8).unwrap();
    net.round();
    net.link(0, 2);
    net.round();
    assert_eq!(net.order(2, &forum), net.order(0, &forum));
    assert!(has_bytes(&net, 1, b"spam"), "it came while it was not revoked");
    assert!(!has_bytes(&net, 2, b"spam") && !net.wants.contains(&post));
}

#[test]
fn five_dislikes_against_two_likes_revoke() {
    let (mut net, forum) = started();
    let post = disliked(&mut net, &forum);
    assert_eq!(net.payload(0, &forum, post).as_deref(), Ok("spam"));
    net.vote(0, &forum, (false, post), 8).unwrap();
    let revoked = Err(Error::Revoked { dislikes: 5, likes: 2 });
    for _ in 0..3 {
        net.round();
    }
    for at in 0..3 {
        assert_eq!(net.payload(at, &forum, post), revoked, "node {at}");
    }
}

#[test]
fn votes_that_cannot_be_are_refused_and_change_nothing() {
    let (mut net, forum) = started();
    let order = net.order(0, &forum);
    let first = order[1];
    assert_eq!(net.vote(0, &forum, (true, first), 1), Err(Error::OwnPost(first)));
    let author = key(2).public();
    assert_eq!(net.vote(0, &forum, (true, first), 2), Err(Error::NoReps { author, reps: 0 }));
    let unsigned = net.posted(0, &forum, "", None, Some((true, first)));
    assert_eq!(unsigned, Err(Error::Unsigned));
    let mut unknown = first;
    unknown.height += 1;
    assert_eq!(net.vote(0, &forum, (true, unknown), 1), Err(Error::UnknownBlock(unknown)));
    assert_eq!(net.order(0, &forum), order);
}

#[test]
fn a_flood_of_neighbours_posts_does_not_keep_anybody_from_posting() {
    let (mut net, forum) = started();
    // As many of one author as a neighbour may have, and all are kept where they were made.
    for number in 0..20 {
        let (post, state) = net.post(2, &forum, &format!("new {number}"), 2);
        assert_eq!(state, State::Held);
        assert!(net.payload(2, &forum, post).is_ok());
    }
    assert_eq!([1, 2].map(|at| net.heads(at, &forum, Which::Held).len()), [16, 20]);
    let (post, state) = net.post(1, &forum, "also new", 3);
    assert_eq!(state, State::Held);
    assert!(net.payload(1, &forum, post).is_ok());
}

#[test]
fn where_too_much_is_held_only_what_would_be_held_is_refused() {
    let (mut net, forum) = started();
    let mut posts = Vec::new();
    for number in 0..HELD_PER_NEIGHBOUR {
        posts.push(net.post(2, &forum, &format!("new {number}"), 10 + (number / 16) as u8).0);
    }
    let more = net.posted(2, &forum, "one more", Some(9), None);
    assert_eq!(more, Err(Error::TooManyHeld));
    net.round();
    // All of them are offered to neighbours.
    assert_eq!(net.heads(1, &forum, Which::Held).len(), HELD_PER_NEIGHBOUR);
    let (_, state) = net.post(2, &forum, "by somebody known", 1);
    assert!(matches!(state, State::Placed(_)));
    let (_, state) = net.vote(2, &forum, (true, posts[0]), 1).unwrap();
    assert!(matches!(state, State::Placed(_)));
    assert_eq!(net.post(2, &forum, "one more", 9).1, State::Held);
}

#[test]
fn held_posts_come_without_their_payloads_when_these_are_too_much() {
    let (mut net, forum) = started();
    let many = PAGE_BYTES / INLINE_BYTES + 4;
    let text = |number: usize| format!("{number:04}").repeat(INLINE_BYTES / 4);
    net.cut(1, 2);
    let posts: Vec<BlockId> = (0..many)
        .map(|number| net.post(2, &forum, &text(number), 10 + (number / 16) as u8).0)
        .collect();
    net.link(1, 2);
    assert_eq!(net.heads(1, &forum, Which::Held).len(), many);
    let missing = |net: &mut Net, id: &BlockId| net.payload(1, &forum, *id) == Err(Error::HeldBack);
    let late: Vec<usize> = (0..many).filter(|at| missing(&mut net, &posts[*at])).collect();
    assert!(!late.is_empty() && late.len() <= 8, "{late:?}");
    net.vote(1, &forum, (true, posts[late[0]]), 1).unwrap();
    net.round();
    assert_eq!(net.payload(1, &forum, posts[late[0]]), Ok(text(late[0])));
    // Those of the others come with later offers.
    for _ in 0..20 {
        net.round();
    }
    assert!(!posts.iter().any(|post| net.payload(1, &forum, *post).is_err()));
}
