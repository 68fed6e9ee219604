//! What counts as a vote, and what as a refusal.

use std::collections::BTreeSet;

use covey_kernel::{AskFailure, AskId, Hash, Input, Signature, Span};
use covey_ledger::{
    Reason, TxId, Vote,
    limits::RETRY_LAST,
    wallet::{Failure, Progress},
    wire::{FromValidator, NotReady},
};

use crate::{
    money::signed,
    net::{Net, validator, vote_key},
};

/// A payment for which two of the three votes that it needs are there.
fn nearly() -> (Net, TxId) {
    let mut net = Net::new();
    net.fund(&[30, 30]);
    let tx = net.pay(30);
    for at in [0, 1] {
        net.says(at, &tx, &net.vote(at, &tx));
    }
    (net, tx)
}

/// An answer of the third validator, which does not count; it is asked again, and its vote does.
#[track_caller]
fn does_not_count(answer: &FromValidator) {
    let (mut net, tx) = nearly();
    net.says(2, &tx, answer);
    let view = net.view(&tx);
    assert_eq!((view.progress, view.votes), (Progress::Sending(()), 2), "{answer:?}");
    assert_eq!(net.amounts(), (30, 30, 0));
    net.wait(RETRY_LAST);
    net.says(2, &tx, &net.vote(2, &tx));
    assert!(matches!(net.progress(&tx), Progress::Certified(_)));
}

fn vote(epoch: u64, at: usize, of: impl Fn(&Net, TxId) -> TxId) -> FromValidator {
    let (net, tx) = nearly();
    FromValidator::Vote(signed(&net, epoch, &vote_key(epoch, at), &of(&net, tx)))
}

#[test]
fn a_vote_of_nobody_who_validates_does_not_count() {
    does_not_count(&vote(0, 7, |_, tx| tx));
}

#[test]
fn nor_does_that_of_another_validator_in_its_place() {
    does_not_count(&vote(0, 0, |_, tx| tx));
    does_not_count(&vote(0, 3, |_, tx| tx));
}

#[test]
fn nor_one_with_a_wrong_signature() {
    let FromValidator::Vote(right) = vote(0, 2, |_, tx| tx) else { panic!() };
    let wrong = Vote { signature: Signature::from_bytes([5; 64]), ..right.clone() };
    does_not_count(&FromValidator::Vote(wrong));
    let elsewhere = Vote { first: right.first + 1, ..right };
    does_not_count(&FromValidator::Vote(elsewhere));
}

#[test]
fn nor_one_of_another_epoch() {
    let (net, tx) = nearly();
    // By the key of this one.
    does_not_count(&FromValidator::Vote(signed(&net, 1, &vote_key(0, 2), &tx)));
    does_not_count(&vote(1, 2, |_, tx| tx));
}

#[test]
fn nor_one_for_another_transaction() {
    does_not_count(&vote(0, 2, |_, _| TxId(Hash::of(b"another"))));
}

#[test]
fn nor_any_answer_to_another_question() {
    for answer in [
        FromValidator::Noted(()),
        FromValidator::Height(None),
        FromValidator::Holdings(Default::default()),
    ] {
        does_not_count(&answer);
    }
}

#[test]
fn nor_does_what_is_no_answer() {
    for failure in [
        AskFailure::Unreachable,
        AskFailure::Timeout,
        AskFailure::Closed,
        AskFailure::Unsupported,
        AskFailure::Busy,
    ] {
        let (mut net, tx) = nearly();
        let ask = net.take_spend(2, &tx);
        net.answer_bytes(&ask, Err(failure));
        assert_eq!(net.view(&tx).votes, 2);
        net.wait(RETRY_LAST);
        net.says(2, &tx, &net.vote(2, &tx));
        assert!(matches!(net.progress(&tx), Progress::Certified(_)));
    }
    let (mut net, tx) = nearly();
    let ask = net.take_spend(2, &tx);
    net.answer_bytes(&ask, Ok(vec![0x82, 0, 0xff]));
    assert_eq!(net.view(&tx).votes, 2);
}

#[test]
fn the_same_signer_counts_once() {
    let (mut net, tx) = nearly();
    let ask = net.take_spend(2, &tx);
    let again = net.vote(1, &tx).encode();
    for _ in 0..3 {
        net.answer_bytes(&ask, Ok(again.clone()));
    }
    assert_eq!(net.view(&tx).votes, 2);
    // An answer may come twice.
    let (mut net, tx) = new();
    let ask = net.take_spend(0, &tx);
    for _ in 0..3 {
        net.answer_bytes(&ask, Ok(net.vote(0, &tx).encode()));
    }
    assert_eq!(net.view(&tx).votes, 1);
}

#[test]
fn an_answer_to_what_was_never_asked_or_before_a_restart_is_nothing() {
    let (mut net, tx) = nearly();
    let old = net.take_spend(2, &tx);
    let bytes = net.vote(2, &tx).encode();
    net.feed(Input::Answer {
        from: validator(2),
        ask: AskId(old.id.0 + 4000),
        outcome: Ok(bytes.clone()),
    });
    assert_eq!(net.view(&tx).votes, 2);
    net.restart();
    net.answer_bytes(&old, Ok(bytes));
    assert_eq!(net.view(&tx).votes, 0, "votes are asked for anew");
    net.certify(&tx);
}

#[test]
fn questions_of_two_lives_are_not_numbered_alike() {
    let (mut net, _) = nearly();
    let before: BTreeSet<AskId> = net.asks.iter().map(|ask| ask.id).collect();
    net.restart();
    assert!(!before.is_empty() && !net.asks.is_empty());
    assert!(net.asks.iter().all(|ask| !before.contains(&ask.id)));
}

/// A payment with nobody's answer.
fn new() -> (Net, TxId) {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(30);
    (net, tx)
}

#[test]
fn it_has_failed_when_f_plus_one_say_invalid_and_not_before() {
    let (mut net, tx) = new();
    net.says(0, &tx, &FromValidator::Invalid(Reason::Sums));
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    assert_eq!(net.amounts(), (0, 30, 0));
    net.says(1, &tx, &FromValidator::Invalid(Reason::Sums));
    let failed = Progress::Failed(Failure::Invalid(Reason::Sums));
    assert_eq!(net.told(&tx), std::slice::from_ref(&failed));
    assert_eq!((net.amounts(), net.status().pending), ((30, 0, 0), 0));
    // For good.
    net.restart();
    assert_eq!((net.progress(&tx), net.waiting(&tx)), (failed, vec![]));
}

#[test]
fn one_liar_does_not_make_it_fail_however_often_it_says_so() {
    let (mut net, tx) = new();
    let ask = net.take_spend(0, &tx);
    for _ in 0..3 {
        net.answer_bytes(&ask, Ok(FromValidator::Invalid(Reason::Sums).encode()));
    }
    net.wait(Span::secs(60));
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    for at in 1..4 {
        net.says(at, &tx, &net.vote(at, &tx));
    }
    assert!(matches!(net.progress(&tx), Progress::Certified(_)));
}

#[test]
fn what_may_be_judged_otherwise_later_is_no_refusal() {
    let passing = [Reason::NotImported, Reason::Locked, Reason::Frozen, Reason::CertificateEpoch];
    for reason in passing {
        let (mut net, tx) = new();
        for at in 0..4 {
            net.says(at, &tx, &FromValidator::Invalid(reason));
        }
        assert_eq!(net.progress(&tx), Progress::Sending(()), "{reason}");
        net.wait(RETRY_LAST);
        net.certify(&tx);
    }
}

#[test]
fn who_is_not_ready_has_refused_nothing() {
    for why in [NotReady::Checking(()), NotReady::Behind(()), NotReady::Importing(())] {
        let (mut net, tx) = new();
        for at in 0..4 {
            net.says(at, &tx, &FromValidator::NotReady(why));
        }
        assert_eq!(net.progress(&tx), Progress::Sending(()));
        net.wait(RETRY_LAST);
        net.certify(&tx);
    }
}

#[test]
fn an_answer_to_a_question_of_the_last_epoch_is_nothing() {
    let (mut net, tx) = new();
    let old = [0, 1].map(|at| net.take_spend(at, &tx));
    net.turn_epoch();
    for ask in &old {
        net.answer_bytes(ask, Ok(FromValidator::Invalid(Reason::Sums).encode()));
    }
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    net.certify(&tx);
}

#[test]
fn in_the_next_epoch_all_votes_and_refusals_are_asked_for_anew() {
    let (mut net, tx) = nearly();
    net.says(2, &tx, &FromValidator::Invalid(Reason::Sums));
    net.turn_epoch();
    assert_eq!((net.view(&tx).votes, net.waiting(&tx)), (0, vec![0, 1, 2, 3]));
    net.says(0, &tx, &FromValidator::Invalid(Reason::Sums));
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    for at in 1..4 {
        net.says(at, &tx, &net.vote(at, &tx));
    }
    let Progress::Certified(certificate) = net.progress(&tx) else { panic!("not final") };
    assert_eq!(certificate.epoch, 1);
}
