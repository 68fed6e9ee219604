//! One outpoint, one transaction; the same one again, the same vote; a conflict with evidence.

use covey_kernel::{Fault, Input, Keypair};
use covey_ledger::{
    Genesis, NoEvidence, Outpoint, Reason,
    validator::{Command, DoubleSpendView, Event, Reply},
    wire::{FromValidator, ToValidator},
};

use crate::{
    money::{Coin, conflict_in, evidence_in, four, owner, salted, to, vote_in},
    net::{Net, genesis, stranger, vote_key},
};

/// Two transactions that spend the same coin of the genesis.
pub(crate) fn two_of_one(net: &Net) -> [covey_ledger::Spend; 2] {
    let coin = net.coin(0);
    [net.all_to(&[&coin], 21), net.all_to(&[&coin], 22)]
}

#[track_caller]
pub(crate) fn is_conflict_with(net: &Net, answer: &FromValidator, first: &covey_ledger::Spend) {
    let evidence = evidence_in(answer);
    assert_eq!(evidence.tx(&net.network.id), net.id(first));
}

#[test]
fn never_two_transactions_for_one_outpoint_one_after_the_other() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    for _ in 0..3 {
        let answer = net.pay(0, &second);
        is_conflict_with(&net, &answer, &first);
    }
    // Another validator may have heard them in the other order.
    net.vote(1, &second);
    let answer = net.pay(1, &first);
    is_conflict_with(&net, &answer, &second);
}

#[test]
fn never_two_transactions_for_one_outpoint_within_one_turn() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let other = net.all_to(&[&net.coin(1)], 21);
    let answers = net.pay_all(0, &[&other, &first, &second, &first, &second]);
    for (answer, spend) in [(0, &other), (1, &first), (3, &first)] {
        assert!(net.is_vote_of(0, &net.id(spend), &vote_in(&answers[answer])));
    }
    assert_eq!(answers[1], answers[3]);
    for answer in [2, 4] {
        is_conflict_with(&net, &answers[answer], &first);
    }
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
}

#[test]
fn never_two_transactions_for_one_outpoint_across_a_crash() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let vote = net.vote(0, &first);
    for _ in 0..3 {
        net.crash(0);
        let answer = net.pay(0, &second);
        is_conflict_with(&net, &answer, &first);
        assert_eq!(net.vote(0, &first), vote);
    }
}

#[test]
fn a_turn_whose_commit_failed_has_promised_nothing() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let before = net.nodes[0].disk.clone();
    let (_, inputs) = net.requests(&[&first]);
    net.turn_that_fails(0, inputs);
    // Only the start is counted.
    assert_eq!(net.nodes[0].disk.entries.len(), before.entries.len());
    net.vote(0, &second);
    let answer = net.pay(0, &first);
    is_conflict_with(&net, &answer, &second);
}

#[test]
fn the_locks_are_in_the_turn_that_the_vote_leaves_with() {
    let mut net = four();
    let spend = net.all_to(&[&net.coin(0), &net.coin(1)], 21);
    let (_, inputs) = net.requests(&[&spend]);
    let checks = net.check(0, inputs);
    let turn = net.decide(0, checks).unwrap();
    let is_answer = |effect: &_| matches!(effect, covey_kernel::Effect::Answer { .. });
    assert_eq!(turn.effects.iter().filter(|effect| is_answer(effect)).count(), 1);
    for outpoint in spend.body.inputs.iter() {
        let key = outpoint.key();
        let locked = turn.writes.iter().filter(|write| write.key.ends_with(&key)).count();
        assert_eq!(locked, 1);
    }
}

#[test]
fn a_disk_that_cannot_be_read_ends_the_turn_and_nothing_is_said() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let vote = net.vote(0, &first);
    let (_, inputs) = net.requests(&[&second, &first]);
    net.nodes[0].disk.broken = true;
    let checks = net.check(0, inputs);
    assert!(matches!(net.decide(0, checks), Err(Fault::Io(_))));
    // It works while it is checked, and fails when it is decided.
    let (_, inputs) = net.requests(&[&net.all_to(&[&net.coin(1)], 21)]);
    net.nodes[0].disk.broken = false;
    let checks = net.check(0, inputs);
    net.nodes[0].disk.broken = true;
    assert!(matches!(net.decide(0, checks), Err(Fault::Io(_))));
    net.nodes[0].disk.broken = false;
    net.crash(0);
    assert_eq!(net.vote(0, &first), vote);
    net.still_free(0, &[&net.coin(1)]);
}

#[test]
fn a_lock_that_does_not_decode_is_no_free_outpoint() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    let key = first.body.inputs[0].key();
    let lock = net.nodes[0].disk.entries.iter_mut().find(|(at, _)| at.ends_with(&key)).unwrap();
    lock.1.truncate(3);
    let (_, inputs) = net.requests(&[&second]);
    let checks = net.check(0, inputs);
    assert!(matches!(net.decide(0, checks), Err(Fault::Corrupt(_))));
}

#[test]
fn the_same_transaction_again_gets_the_same_vote_to_the_last_byte() {
    let mut net = four();
    let coins: Vec<Coin> = (0..6).map(|index| net.coin(index)).collect();
    let spends: Vec<_> = coins.iter().map(|coin| net.all_to(&[coin], 21)).collect();
    // In the same turn, under a ballot over many.
    let all: Vec<_> = spends.iter().chain(&spends).collect();
    let answers = net.pay_all(0, &all);
    assert_eq!(answers[..6], answers[6..]);
    assert_eq!(vote_in(&answers[0]).count, 6);
    let same = |net: &mut Net, why: &str| {
        for (spend, answer) in spends.iter().zip(&answers) {
            assert_eq!(net.pay(0, spend).encode(), answer.encode(), "{why}");
        }
        let again = net.pay_all(0, &spends.iter().rev().collect::<Vec<_>>());
        assert!(again.iter().rev().eq(&answers[..6]), "{why}");
    };
    same(&mut net, "in a later turn");
    net.crash(0);
    same(&mut net, "after a restart");
    let next = net.coin(0);
    let certificate = net.certify(&spends[0]);
    assert_eq!(next.outpoint, spends[0].body.inputs[0]);
    let child = net.made_by(&spends[0], 0, &certificate);
    net.vote(0, &net.all_to(&[&child], 22));
    same(&mut net, "after it was spent on");
}

#[test]
fn a_vote_once_given_is_given_again_while_a_validator_checks_how_far_it_had_come() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let vote = net.vote(0, &first);
    (1..4).for_each(|at| net.nodes[at].machine = None);
    net.crash(0);
    assert!(net.not_ready(0).is_some());
    // The lock is on the disk, so nothing can come of it.
    assert_eq!(net.vote(0, &first), vote);
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
}

#[test]
fn a_conflict_carries_evidence_that_anyone_can_check() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    let evidence = evidence_in(&net.pay(0, &second));
    assert_eq!(evidence.outpoint, first.body.inputs[0]);
    assert_eq!((&evidence.body, &evidence.witnesses), (&first.body, &first.witnesses));
    let check = |other: &covey_ledger::Spend| {
        evidence.check(&net.network.id, &other.body, &other.witnesses)
    };
    assert_eq!(check(&second), Ok(()));
    // And shows nothing of anything else.
    assert_eq!(check(&first), Err(NoEvidence::Same));
    assert_eq!(check(&net.all_to(&[&net.coin(1)], 21)), Err(NoEvidence::NotSpent));
    let mut forged = second.clone();
    let stolen = salted(to(66, 10), 1);
    forged.body.root = stolen.leaf(0);
    assert_eq!(check(&forged), Err(NoEvidence::NotSigned));
    let mut elsewhere = evidence.clone();
    elsewhere.outpoint.index = 1;
    let shown = elsewhere.check(&net.network.id, &second.body, &second.witnesses);
    assert_eq!(shown, Err(NoEvidence::NotSpent));
}

#[test]
fn a_conflict_carries_the_vote_for_what_was_first() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let answers = net.pay_all(0, &[&first, &second]);
    let vote = vote_in(&answers[0]);
    // Within one turn nothing is signed yet.
    assert_eq!(conflict_in(&answers[1]).vote, None);
    for _ in 0..2 {
        assert_eq!(conflict_in(&net.pay(0, &second)).vote.as_ref(), Some(&vote));
        net.crash(0);
    }
    // Also if the check did not see the lock: it was decided in between.
    let third = net.all_to(&[&net.coin(1)], 21);
    let (ids, inputs) = net.requests(&[&net.all_to(&[&net.coin(1)], 22)]);
    let checks = net.check(0, inputs);
    let vote = net.vote(0, &third);
    let answer = net.finish(0, checks).answers.remove(&ids[0]).unwrap();
    assert_eq!(conflict_in(&answer).vote, Some(vote));
}

#[test]
fn evidence_does_not_show_outputs() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    let bytes = net.pay(0, &second).encode();
    let payee = owner(21).public();
    assert!(!bytes.windows(32).any(|window| window == payee.as_bytes()));
    assert!(!bytes.windows(16).any(|window| window == &*first.outputs[0].salt));
}

#[test]
fn an_attempt_is_noted_once_and_shown_to_the_operator() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let third = net.all_to(&[&net.coin(0)], 23);
    net.vote(0, &first);
    let view = DoubleSpendView {
        outpoint: first.body.inputs[0],
        first: net.id(&first),
        second: net.id(&second),
    };
    let (_, inputs) = net.requests(&[&second, &third, &second]);
    let events = net.turn(0, inputs).events;
    assert_eq!(events, [Event::DoubleSpend(view.clone())]);
    let noted = net.nodes[0].disk.clone();
    let (_, inputs) = net.requests(&[&third, &second]);
    assert_eq!(net.turn(0, inputs).events, []);
    assert!(net.nodes[0].disk == noted, "a cheat could fill the disk");
    net.crash(0);
    let evidence = net.command(0, Command::Evidence { limit: 10, after: None });
    assert_eq!(evidence, Reply::Evidence(vec![view.clone()]));
    let command = Command::Evidence { limit: 10, after: Some(view.outpoint) };
    assert_eq!(net.command(0, command), Reply::Evidence(vec![]));
}

#[test]
fn a_validator_that_has_never_seen_the_parent_votes_on_its_certificate() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 25), to(22, 35)]);
    let coins = net.made(&parent);
    // The fourth was not asked, and is not needed to have been.
    let child = net.all_to(&[&coins[0], &coins[1]], 23);
    net.vote(3, &child);
    let grandchild = net.made(&child).remove(0);
    net.crash(3);
    net.vote(3, &net.all_to(&[&grandchild], 24));
    // It may still be asked for the parent, and would vote.
    net.vote(3, &parent);
}

#[test]
fn a_certificate_proves_an_input_whatever_is_locked_for_its_parents() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(3, &second);
    let coin = net.made(&first).remove(0);
    // The owner has cheated, and this validator has seen the other one. Its vote is not needed
    // for what is certified: the payee is not harmed.
    net.vote(3, &net.all_to(&[&coin], 23));
    let answer = net.pay(3, &first);
    is_conflict_with(&net, &answer, &second);
}

#[test]
fn nothing_about_keys_quorums_or_outpoints_is_taken_from_the_message() {
    let mut net = four();
    // A whole network of a cheat's own, with keys, quorum and coins of his choice.
    let mine = Net::of(genesis(1, vec![to(1, 1_000_000)]));
    let theft = mine.all_to(&[&mine.coin(0)], 21);
    net.refuses(0, &theft, Reason::ProofOutpoint);
    let mut renamed = theft.clone();
    renamed.body.inputs = covey_kernel::Bounded::new(vec![net.coin(0).outpoint]).unwrap();
    net.sign(&mut renamed, &[owner(1).public()]);
    net.refuses(0, &renamed, Reason::Sums);
    // A quorum of one, as in that network.
    let alone = [(0, vote_key(0))];
    let coin = net.invented(to(21, 5), &alone);
    net.refuses(0, &net.all_to(&[&coin], 22), Reason::CertificateVotes);
    // Who sends a request is of no importance to it.
    let thieves: Vec<(u8, Keypair)> = (0u8..3).map(|at| (at, owner(50 + at))).collect();
    let coin = net.invented(to(21, 5), &thieves);
    let spend = ToValidator::Spend(Box::new(net.all_to(&[&coin], 22)));
    for from in [stranger(), crate::net::peer(1)] {
        let answer = net.ask_as(from, 0, spend.clone());
        assert_eq!(answer, FromValidator::Invalid(Reason::VoteSignature));
    }
    net.still_free(0, &[&net.coin(0)]);
}

#[test]
fn a_coin_of_the_genesis_has_one_name() {
    let mut net = four();
    let mut coin = net.coin(0);
    for index in [6, u16::MAX] {
        coin.outpoint = Outpoint { index, ..Genesis::outpoint(&net.network.id, 0) };
        net.refuses(0, &net.all_to(&[&coin], 21), Reason::UnknownOutpoint);
    }
    net.still_free(0, &[&net.coin(0)]);
}

#[test]
fn what_is_no_request_is_answered_to_nobody() {
    let mut net = four();
    let before = net.nodes[0].disk.clone();
    let inputs = vec![Input::Wake, Input::Connected(stranger()), Input::Disconnected(stranger())];
    let outcome = net.turn(0, inputs);
    assert!(outcome.answers.is_empty() && outcome.asks.is_empty());
    assert!(net.nodes[0].disk == before);
}
