use std::sync::atomic::Ordering;

use covey_chains::{
    Error, Invalid,
    command::{Command, Join, Said, State},
    genesis::{Genesis, Group, Owner},
    phrase::GroupKey,
};
use covey_kernel::Text;

use crate::{
    apart::forum,
    listing::part,
    net::{Net, key, network},
};

fn group(key: &GroupKey) -> Genesis {
    let name = Text::new("family").unwrap();
    let stretched = key.stretched(&network(), &name).unwrap();
    Genesis::group(network(), Group { name, stretched })
}

fn join(net: &mut Net, at: usize, genesis: &Genesis, key: &GroupKey) {
    let join = Join { genesis: genesis.clone(), first: None, key: Some(key.clone()) };
    net.call(at, Command::Join(Box::new(join))).unwrap();
}

#[test]
fn only_members_get_a_groups_chain_and_can_read_it() {
    let [ours, theirs]: [GroupKey; 2] =
        ["11", "22"].map(|digits| digits.repeat(32).parse().unwrap());
    let genesis = group(&ours);
    let mut net = Net::new(3);
    join(&mut net, 0, &genesis, &ours);
    join(&mut net, 1, &genesis, &ours);
    // Who knows the genesis, but not the key, and so blames others.
    net.tolerant = true;
    join(&mut net, 2, &genesis, &theirs);
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        net.link(a, b);
    }
    let (post, state) = net.posted(0, &genesis, "dinner at eight", None, None).unwrap();
    assert_eq!(state, State::Placed(1));
    for _ in 0..3 {
        net.round();
    }
    assert_eq!(net.payload(1, &genesis, post).as_deref(), Ok("dinner at eight"));
    assert_eq!(net.order(2, &genesis).len(), 1, "a stranger got the chain");
    let stored = net.nodes[0].disk.entries.values().flatten().copied().collect::<Vec<u8>>();
    assert!(!stored.windows(6).any(|part| part == b"dinner"), "it is stored as it travels");
}

#[test]
fn what_a_stranger_makes_does_not_enter_a_group() {
    let [ours, theirs]: [GroupKey; 2] =
        ["11", "22"].map(|digits| digits.repeat(32).parse().unwrap());
    let genesis = group(&ours);
    let mut net = Net::new(2);
    join(&mut net, 0, &genesis, &ours);
    join(&mut net, 1, &genesis, &theirs);
    net.tolerant = true;
    net.link(0, 1);
    net.posted(1, &genesis, "let me in", None, None).unwrap();
    for _ in 0..3 {
        net.round();
    }
    assert_eq!(net.order(0, &genesis).len(), 1);
}

#[test]
fn an_owner_posts_and_others_answer_or_not() {
    let owner = |only| Genesis::identity(network(), Owner { key: key(1).public(), only });
    let (open, alone) = (owner(false), owner(true));
    let mut net = Net::new(2);
    for at in 0..2 {
        net.join(at, &open);
        net.join(at, &alone);
    }
    net.link(0, 1);
    for genesis in [&open, &alone] {
        let (post, state) = net.post(0, genesis, "news", 1);
        assert_eq!(state, State::Placed(1));
        assert_eq!(net.payload(1, genesis, post).as_deref(), Ok("news"));
    }
    assert_eq!(net.post(1, &open, "an answer", 2).1, State::Held);
    let refused = net.posted(1, &alone, "an answer", Some(2), None);
    assert_eq!(refused, Err(Error::Invalid(Invalid::NotOwner)));
    let unsigned = net.posted(1, &alone, "an answer", None, None);
    assert_eq!(unsigned, Err(Error::Invalid(Invalid::NotOwner)));
    net.same(&alone, 1);
}

#[test]
fn large_payloads_come_in_chunks_and_go_on_after_a_break() {
    let genesis = Genesis::identity(network(), Owner { key: key(1).public(), only: false });
    let mut net = Net::new(3);
    for at in 0..3 {
        net.join(at, &genesis);
    }
    net.link(0, 1);
    let large = "0123456789abcdef".repeat(200_000);
    let (post, _) = net.post(0, &genesis, &large, 1);
    assert_eq!(net.payload(1, &genesis, post).as_ref(), Ok(&large));
    // Two comes to it from who has it all, and is cut off again and again.
    net.budget = Some(6);
    net.link(1, 2);
    assert_eq!(net.payload(2, &genesis, post), Err(Error::NotArrived));
    let mut breaks = 0;
    while net.payload(2, &genesis, post) == Err(Error::NotArrived) {
        breaks += 1;
        assert!(breaks < 50, "it begins anew each time");
        let before = net.nodes[2].disk.reads.load(Ordering::Relaxed);
        let (shown, _) = part(&mut net, 2, &genesis, 0, 1);
        assert_eq!(shown[0].said, Said::Missing);
        let reads = net.nodes[2].disk.reads.load(Ordering::Relaxed) - before;
        assert!(reads < 10, "{reads} reads: what is there of it is not looked at");
        net.budget = Some(6);
        net.cut(1, 2);
        net.restart(2);
        net.budget = Some(6);
        net.link(1, 2);
    }
    assert!(breaks > 2, "{breaks} breaks");
    assert_eq!(net.payload(2, &genesis, post).as_ref(), Ok(&large));
}

#[test]
fn a_payload_is_refused_one_byte_over_the_limit() {
    let genesis = Genesis::identity(network(), Owner { key: key(1).public(), only: false });
    let mut net = Net::new(1);
    net.join(0, &genesis);
    let limit = 128_000;
    let fits = "x".repeat(limit);
    let (_, state) = net.posted(0, &genesis, &fits, Some(2), None).unwrap();
    assert_eq!(state, State::Held);
    let over = "x".repeat(limit + 1);
    let refused = Invalid::PayloadSize { size: limit as u64 + 1, limit: limit as u64 };
    assert_eq!(net.posted(0, &genesis, &over, Some(2), None), Err(Error::Invalid(refused)));
}

#[test]
fn who_names_the_first_post_of_a_forum_later_follows_that_one() {
    let (mut net, forum) = (Net::new(2), forum());
    net.join(0, &forum);
    let (first, _) = net.post(0, &forum, "first", 1);
    // What is known of the forum is in memory before its first post is named.
    net.join(1, &forum);
    assert_eq!(net.order(1, &forum).len(), 1);
    let pinned = Join { genesis: forum.clone(), first: Some(first.hash), key: None };
    net.call(1, Command::Join(Box::new(pinned))).unwrap();
    let other = net.posted(1, &forum, "another first", Some(2), None);
    assert!(matches!(other, Err(Error::NoFirst)), "{other:?}");
    net.link(0, 1);
    assert_eq!(net.order(1, &forum), net.order(0, &forum));
    net.restart(1);
    assert_eq!(net.order(1, &forum), net.order(0, &forum));
}
