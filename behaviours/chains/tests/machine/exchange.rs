use covey_chains::{
    Error,
    command::{Command, Direction, Event, Reply, State},
    genesis::{Genesis, Rules},
    limits::SOON_MILLIS,
};
use covey_kernel::{Input, Span, Text};

use crate::net::{Net, network, which};

pub(crate) fn forum() -> Genesis {
    Genesis::forum(network(), Text::new("chat").unwrap(), Rules::Paper(()))
}

/// A line of nodes that all follow a forum.
fn line(count: u8) -> (Net, Genesis) {
    let (mut net, forum) = (Net::new(count), forum());
    for at in 0..usize::from(count) {
        net.join(at, &forum);
    }
    for at in 1..usize::from(count) {
        net.link(at - 1, at);
    }
    (net, forum)
}

#[test]
fn a_post_reaches_everybody_hop_by_hop() {
    let (mut net, forum) = line(5);
    let (first, state) = net.post(0, &forum, "Bom dia!", 1);
    assert_eq!(state, State::Placed(1));
    // Who has not begun is not yet told by gossip, but asks from time to time.
    for _ in 0..5 {
        net.round();
    }
    net.same(&forum, 1);
    let (second, _) = net.post(4, &forum, "Boa tarde!", 1);
    net.same(&forum, 2);
    assert_eq!(net.payload(4, &forum, first).as_deref(), Ok("Bom dia!"));
    assert_eq!(net.payload(0, &forum, second).as_deref(), Ok("Boa tarde!"));
}

#[test]
fn both_sides_of_a_partition_end_with_the_same_order() {
    let (mut net, forum) = line(3);
    net.post(0, &forum, "first", 1);
    for _ in 0..3 {
        net.round();
    }
    net.cut(1, 2);
    for number in 0..5 {
        net.post(0, &forum, &format!("left {number}"), 1);
        net.post(2, &forum, &format!("right {number}"), 1);
    }
    net.link(1, 2);
    for _ in 0..3 {
        net.round();
    }
    net.same(&forum, 11);
}

#[test]
fn what_was_lost_comes_with_the_next_round() {
    let (mut net, forum) = line(2);
    net.post(0, &forum, "first", 1);
    net.deaf = true;
    net.post(0, &forum, "second", 1);
    net.round();
    net.same(&forum, 2);
}

#[test]
fn what_was_said_before_a_node_listened_comes_soon() {
    let (mut net, forum) = line(2);
    net.round();
    net.post(0, &forum, "first", 1);
    net.deaf = true;
    net.post(0, &forum, "second", 1);
    net.wait(Span::millis(SOON_MILLIS));
    net.feed(1, Input::Wake);
    net.run();
    net.same(&forum, 2);
}

#[test]
fn whose_clock_was_set_back_is_told_so() {
    let (mut net, forum) = line(1);
    net.post(0, &forum, "first", 1);
    let now = net.now;
    net.now = now.minus(Span::hours(1));
    let refused = net.posted(0, &forum, "second", Some(1), None);
    assert_eq!(refused, Err(Error::ClockBehind));
    net.now = now;
    net.post(0, &forum, "second", 1);
    net.same(&forum, 2);
}

#[test]
fn a_restarted_node_shows_the_same_and_goes_on() {
    let (mut net, forum) = line(2);
    for number in 0..10 {
        net.post(0, &forum, &format!("post {number}"), 1);
    }
    net.round();
    net.restart(1);
    net.same(&forum, 10);
    net.post(1, &forum, "after", 1);
    net.same(&forum, 11);
}

#[test]
fn two_who_differ_by_little_exchange_little() {
    let (mut net, forum) = line(2);
    net.post(0, &forum, "first", 1);
    net.round();
    net.deaf = true;
    let day = Span::hours(25);
    for number in 0..1500 {
        net.wait(day);
        net.post(0, &forum, &format!("post {number}"), 1);
    }
    net.round();
    net.round();
    net.same(&forum, 1501);
    net.cut(0, 1);
    for number in 0..10 {
        net.wait(day);
        net.post(0, &forum, &format!("left {number}"), 1);
        net.post(1, &forum, &format!("right {number}"), 1);
    }
    net.traffic = (0, 0);
    net.link(0, 1);
    net.same(&forum, 1521);
    let (bytes, responses) = net.traffic;
    assert!(bytes < 60_000, "{bytes} bytes for 20 blocks");
    assert!(responses < 16, "{responses} answers");
}

#[test]
fn a_peer_gets_a_chain_by_hand() {
    let (mut net, forum) = (Net::new(2), forum());
    net.join(0, &forum);
    net.post(0, &forum, "first", 1);
    net.post(0, &forum, "second", 1);
    net.link(0, 1);
    net.join(1, &forum);
    let to = net.nodes[1].peer;
    let reply = net.call(0, Command::Sync(which(&forum), to, Direction::Send)).unwrap();
    let Reply::Synced(tally) = reply else { panic!("{reply:?}") };
    assert_eq!((tally.accepted, tally.offered), (0, 0), "it came when the chain was joined");
    net.same(&forum, 2);
}

#[test]
fn a_forum_begins_once_however_much_comes_with_its_first_post() {
    let (mut net, forum) = (Net::new(2), forum());
    net.join(0, &forum);
    for number in 0..9 {
        net.post(0, &forum, &format!("post {number}"), 1);
    }
    net.join(1, &forum);
    net.link(0, 1);
    net.same(&forum, 9);
    let begun = net.nodes[1].events.iter().filter(|event| matches!(event, Event::Begun(_)));
    assert_eq!(begun.count(), 1);
}

#[test]
fn who_waits_for_an_exchange_hears_that_the_chain_was_left() {
    let (mut net, forum) = line(2);
    net.post(0, &forum, "first", 1);
    let to = net.nodes[1].peer;
    // The peer is silent.
    net.budget = Some(0);
    let waits = net.start(0, Command::Sync(which(&forum), to, Direction::Receive));
    assert_eq!(net.reply(0, waits), None);
    net.call(0, Command::Leave(which(&forum))).unwrap();
    assert_eq!(net.reply(0, waits), Some(Err(Error::UnknownChain("#chat".into()))));
}
