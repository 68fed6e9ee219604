//! Validators tell each other how far they have come.

use std::collections::BTreeMap;

use covey_kernel::{Input, Peer, Span, Time};
use covey_ledger::{
    Height, Reason, SignedHeight,
    validator::{Command, Reply},
    wire::{FromValidator, ToValidator},
};

use crate::{
    money::{four, to},
    net::{Net, genesis, peer, vote_key},
};

/// Four validators, all connected, and a hundred coins.
fn connected() -> Net {
    let mut net = Net::of(genesis(4, (0..100).map(|_| to(1, 1)).collect()));
    for at in 0..4 {
        for other in (0..4).filter(|other| *other != at) {
            net.feed(at, Input::Connected(peer(other)));
        }
    }
    net
}

/// What others know of the first validator.
fn known(net: &mut Net) -> [Option<u64>; 3] {
    [1, 2, 3].map(|at| {
        let Reply::Status(status) = net.command(at, Command::Status) else { panic!("no status") };
        status.others[0].height
    })
}

/// Lets this much time pass, and wakes the first validator every tenth of a second; when it told whom
/// what.
fn tells(net: &mut Net, span: Span) -> BTreeMap<Peer, Vec<(Time, u64)>> {
    let end = net.now.plus(span);
    let mut told: BTreeMap<Peer, Vec<(Time, u64)>> = BTreeMap::new();
    while net.now < end {
        net.wait(Span::millis(100));
        let asks = net.turn(0, vec![Input::Wake]).asks;
        for (to, _, request) in &asks {
            match request {
                ToValidator::Height(height) => {
                    told.entry(*to).or_default().push((net.now, height.height.next));
                }
                ToValidator::Links(0) => {}
                other => panic!("{other:?}"),
            }
        }
        net.carry(0, asks);
    }
    told
}

#[test]
fn it_tells_all_others_within_a_second() {
    let mut net = connected();
    assert_eq!(known(&mut net), [None; 3]);
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    net.vote(0, &net.all_to(&[&net.coin(1)], 21));
    let told = tells(&mut net, Span::secs(1));
    assert_eq!(told.len(), 3);
    assert!(told.values().all(|told| told.len() == 1 && told[0].1 == 2));
    assert_eq!(known(&mut net), [Some(2); 3]);
}

#[test]
fn it_tells_at_most_once_a_second_while_it_votes_and_not_at_all_while_it_does_not() {
    let mut net = connected();
    let mut told: Vec<(Time, u64)> = Vec::new();
    let mut votes = Vec::new();
    for number in 0..80 {
        net.vote(0, &net.all_to(&[&net.coin(number)], 21));
        votes.push(net.now);
        told.extend(tells(&mut net, Span::millis(100)).remove(&peer(1)).unwrap_or_default());
    }
    told.extend(tells(&mut net, Span::secs(1)).remove(&peer(1)).unwrap_or_default());
    assert!(told.windows(2).all(|two| two[1].0.since(two[0].0) >= Span::secs(1)), "{told:?}");
    // No vote stays untold for longer than a second.
    for (sequence, vote) in (0..).zip(votes) {
        let first = told.iter().find(|(_, next)| *next > sequence).expect("it is told");
        assert!(first.0.since(vote) <= Span::secs(1), "{sequence} of {told:?}");
    }
    assert!(tells(&mut net, Span::secs(10)).is_empty());
    // What votes for nothing new has nothing to tell.
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    net.pay(0, &net.all_to(&[&net.coin(0)], 22));
    assert!(tells(&mut net, Span::secs(10)).is_empty());
}

#[test]
fn who_connects_later_is_told_then() {
    let mut net = connected();
    net.feed(0, Input::Disconnected(peer(3)));
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    assert_eq!(tells(&mut net, Span::secs(1)).len(), 2);
    assert_eq!(known(&mut net), [Some(1), Some(1), None]);
    net.feed(0, Input::Connected(peer(3)));
    assert_eq!(known(&mut net), [Some(1); 3]);
}

#[test]
fn strangers_are_not_told() {
    let mut net = connected();
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    let asks = net.turn(0, vec![Input::Connected(crate::net::stranger())]).asks;
    assert_eq!(asks, []);
    assert!(!tells(&mut net, Span::secs(2)).contains_key(&crate::net::stranger()));
}

#[test]
fn what_was_not_told_before_a_crash_is_told_after_it() {
    let mut net = connected();
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    // The crash comes within the second, and nobody pays for a long time.
    net.nodes[0].machine = None;
    net.open(0).unwrap();
    for at in 1..4 {
        net.feed(0, Input::Connected(peer(at)));
    }
    net.feed(0, Input::Start);
    assert_eq!(net.not_ready(0), None);
    tells(&mut net, Span::secs(10));
    assert_eq!(known(&mut net), [Some(1); 3]);
}

#[test]
fn a_lower_height_never_replaces_a_higher_one() {
    let mut net = four();
    let height =
        |next| SignedHeight::sign(&vote_key(0), &net.network.id, Height { epoch: 0, next });
    let heights = [5, 3, 5, 0, 7, 6].map(height);
    let mut highest = None;
    for height in heights {
        let answer = net.ask_as(peer(0), 1, ToValidator::Height(height));
        assert_eq!(answer, FromValidator::Noted(()));
        highest = highest.max(Some(height.height.next));
        let answer = net.ask_as(peer(0), 1, ToValidator::MyHeight(0));
        let FromValidator::Height(Some(known)) = answer else { panic!("{answer:?}") };
        assert_eq!(Some(known.height.next), highest);
    }
    net.crash(1);
    let answer = net.ask_as(peer(0), 1, ToValidator::MyHeight(0));
    assert_eq!(answer, FromValidator::Height(Some(heights[4])));
    // Nobody else's is told to it.
    assert_eq!(net.ask_as(peer(2), 1, ToValidator::MyHeight(0)), FromValidator::Height(None));
}

#[test]
fn heights_within_one_turn_leave_the_highest() {
    let mut net = four();
    let heights = [2, 9, 4]
        .map(|next| SignedHeight::sign(&vote_key(0), &net.network.id, Height { epoch: 0, next }));
    let inputs = heights.map(|height| {
        let bytes = covey_ledger::wire::Request::Validator(ToValidator::Height(height)).encode();
        net.request(peer(0), bytes).1
    });
    net.turn(1, inputs.into());
    let answer = net.ask_as(peer(0), 1, ToValidator::MyHeight(0));
    assert_eq!(answer, FromValidator::Height(Some(heights[1])));
}

#[test]
fn a_height_of_another_epoch_is_refused() {
    let mut net = four();
    let before = net.nodes[1].disk.clone();
    let height = SignedHeight::sign(&vote_key(0), &net.network.id, Height { epoch: 1, next: 5 });
    let answer = net.ask_as(peer(0), 1, ToValidator::Height(height));
    assert_eq!(answer, FromValidator::Invalid(Reason::CertificateEpoch));
    assert!(net.nodes[1].disk == before);
}
