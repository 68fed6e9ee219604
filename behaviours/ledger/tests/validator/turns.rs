//! One signature for all that a turn has locked, and a number for each.

use std::collections::BTreeSet;

use covey_kernel::Bounded;
use covey_ledger::{
    Certificate, Reason, Spend, Vote, limits,
    validator::{Command, LockView, Reply},
};

use crate::{
    money::{Coin, to, vote_in},
    net::{Net, genesis},
};

/// Four validators, and so many coins with a transaction for each.
fn many(count: u16) -> (Net, Vec<Spend>) {
    let net = Net::of(genesis(4, (0..count).map(|_| to(1, 2)).collect()));
    let spends = (0..count).map(|index| net.all_to(&[&net.coin(index)], 21)).collect();
    (net, spends)
}

#[track_caller]
fn votes(net: &mut Net, at: usize, spends: &[Spend]) -> Vec<Vote> {
    let answers = net.pay_all(at, &spends.iter().collect::<Vec<_>>());
    answers.iter().map(vote_in).collect()
}

#[test]
fn a_hundred_transactions_in_one_turn_have_one_signature() {
    let (mut net, spends) = many(100);
    let votes = votes(&mut net, 0, &spends);
    let signatures: BTreeSet<_> = votes.iter().map(|vote| vote.signature).collect();
    assert_eq!(signatures.len(), 1);
    for (spend, (number, vote)) in spends.iter().zip((0..).zip(&votes)) {
        assert!(net.is_vote_of(0, &net.id(spend), vote));
        assert_eq!((vote.first, vote.count, vote.sequence()), (0, 100, number));
    }
}

#[test]
fn the_path_of_a_neighbour_does_not_verify() {
    let (mut net, spends) = many(100);
    let votes = votes(&mut net, 0, &spends);
    for (at, spend) in spends.iter().enumerate() {
        let tx = net.id(spend);
        for other in (1..100).step_by(9).map(|more| (at + more) % 100) {
            assert!(!net.is_vote_of(0, &tx, &votes[other]), "{at} by {other}");
            let path = votes[other].path.clone();
            let mixed = Vote { path, ..votes[at].clone() };
            assert!(mixed == votes[at] || !net.is_vote_of(0, &tx, &mixed), "{at} by {other}");
            let mixed = Vote { index: votes[other].index, ..votes[at].clone() };
            assert!(!net.is_vote_of(0, &tx, &mixed), "{at} by {other}");
        }
    }
}

#[test]
fn a_neighbours_vote_makes_no_certificate() {
    let (mut net, spends) = many(5);
    let votes = [0, 1, 2].map(|at| votes(&mut net, at, &spends));
    let certificate = |places: [usize; 3]| {
        let votes = votes.iter().zip(places).map(|(votes, place)| votes[place].clone()).collect();
        Certificate { epoch: 0, signers: 0b0111, votes: Bounded::new(votes).unwrap() }
    };
    let coin = |net: &Net, places| net.made_by(&spends[0], 0, &certificate(places));
    for places in [[1, 1, 1], [0, 1, 0], [0, 0, 3]] {
        let coin = coin(&net, places);
        net.refuses(3, &net.all_to(&[&coin], 22), Reason::VoteSignature);
    }
    // The fifth of five has a path of another length, which cannot be one of the first.
    let odd = coin(&net, [0, 0, 4]);
    net.refuses(3, &net.all_to(&[&odd], 22), Reason::VoteSignature);
    let coin = coin(&net, [0; 3]);
    net.vote(3, &net.all_to(&[&coin], 22));
}

#[test]
fn a_turn_as_large_as_may_be() {
    let count = u16::try_from(limits::BATCH).unwrap();
    let (mut net, spends) = many(count);
    for at in 0..3 {
        let votes = votes(&mut net, at, &spends);
        assert_eq!(votes.len(), 512);
        assert!(votes.iter().all(|vote| vote.count == count && vote.path.len() == 9));
    }
    net.crash(0);
    let coins: Vec<Coin> =
        [0, 255, 256, 511].map(|at: usize| net.made(&spends[at]).remove(0)).into();
    net.vote(3, &net.all_to(&coins.iter().collect::<Vec<_>>(), 22));
}

#[test]
fn each_number_is_given_once_and_none_is_left_out() {
    let (mut net, spends) = many(40);
    let mut numbers = Vec::new();
    for (turn, spends) in spends.chunks(7).enumerate() {
        numbers.extend(votes(&mut net, 0, spends).iter().map(Vote::sequence));
        if turn % 2 == 0 {
            net.crash(0);
        }
    }
    assert!(numbers.into_iter().eq(0..40));
}

#[test]
fn what_is_refused_or_repeated_takes_no_number() {
    let (mut net, spends) = many(4);
    let conflict = net.all_to(&[&net.coin(0)], 22);
    let forged = Spend { witnesses: Bounded::default(), ..spends[3].clone() };
    let mixed = [&spends[0], &conflict, &spends[0], &forged, &spends[1]];
    let answers = net.pay_all(0, &mixed);
    let votes = [0, 2, 4].map(|at| vote_in(&answers[at]));
    assert_eq!(votes.each_ref().map(Vote::sequence), [0, 0, 1]);
    assert!(votes.iter().all(|vote| vote.count == 2));
    net.pay(0, &conflict);
    net.pay(0, &forged);
    net.pay(0, &spends[1]);
    let answers = net.pay_all(0, &[&conflict, &spends[2]]);
    assert_eq!(vote_in(&answers[1]).sequence(), 2);
}

#[test]
fn a_turn_that_failed_gives_its_numbers_to_another_one() {
    let (mut net, spends) = many(6);
    votes(&mut net, 0, &spends[..2]);
    let (_, inputs) = net.requests(&spends[2..5].iter().collect::<Vec<_>>());
    net.turn_that_fails(0, inputs);
    // No signature with these numbers has left.
    let vote = net.vote(0, &spends[5]);
    assert_eq!((vote.first, vote.count), (2, 1));
}

#[test]
fn the_operator_sees_what_was_locked_newest_first() {
    let (mut net, spends) = many(10);
    for spends in spends.chunks(4) {
        votes(&mut net, 0, spends);
    }
    let view = |number: usize| LockView {
        sequence: u64::try_from(number).unwrap(),
        tx: net.id(&spends[number]),
        inputs: spends[number].body.inputs.to_vec(),
    };
    let views: Vec<LockView> = (0..10).rev().map(view).collect();
    for (limit, before, range) in [
        (100, None, 0..10),
        (3, None, 0..3),
        (3, Some(7), 3..6),
        (100, Some(4), 6..10),
        (2, Some(5), 5..7),
        (100, Some(0), 10..10),
        (100, Some(1), 9..10),
        (0, None, 0..0),
    ] {
        let Reply::Locks(shown) = net.command(0, Command::Locks { limit, before }) else {
            panic!("no locks")
        };
        assert_eq!(shown, views[range], "{limit} before {before:?}");
    }
}
