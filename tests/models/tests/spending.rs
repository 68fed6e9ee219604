//! One epoch: locks, signatures and crashes.

use covey_models::{
    search,
    spending::{CERTIFIED, Mistake, ONE_CERTIFICATE, RESENT, SIBLINGS, Spending, VOTE_LOST},
};
use stateright::Checker;

/// A model that must break, and does: someone can hold certificates of conflicting transactions.
#[track_caller]
fn spends_twice(model: Spending) {
    let checker = search::until_broken(model, ONE_CERTIFICATE);
    let path = checker.assert_any_discovery(ONE_CERTIFICATE);
    println!("{model:?}: {:?}", path.into_actions());
}

fn with(mistake: Mistake) -> Spending {
    Spending { mistake: Some(mistake), ..Spending::of_two() }
}

#[test]
fn one_liar_gets_no_two_certificates() {
    let checker = search::everywhere(Spending::right());
    for always in [ONE_CERTIFICATE, RESENT] {
        checker.assert_no_discovery(always);
    }
    for possible in [CERTIFIED, SIBLINGS, VOTE_LOST] {
        checker.assert_any_discovery(possible);
    }
    assert_eq!(checker.unique_state_count(), 414_720);
}

#[test]
fn the_checker_counts_every_state() {
    let checker = search::everywhere(Spending::of_two());
    checker.assert_no_discovery(ONE_CERTIFICATE);
    assert_eq!(checker.unique_state_count(), 6_552);
    assert_eq!(search::count(&Spending::of_two()), 6_552);
}

#[test]
fn f_plus_one_liars_spend_twice() {
    spends_twice(Spending { liars: 2, ..Spending::of_two() });
}

#[test]
fn a_quorum_of_f_plus_one_spends_twice() {
    spends_twice(Spending { quorum: 2, ..Spending::of_two() });
}

#[test]
fn a_signature_that_leaves_before_its_lock_spends_twice() {
    spends_twice(with(Mistake::SignsBeforeLocking));
}

#[test]
fn one_signer_counted_twice_spends_twice() {
    spends_twice(with(Mistake::CountsTwice));
}

#[test]
fn some_inputs_locked_and_others_not_spends_twice() {
    spends_twice(with(Mistake::LocksOneByOne));
}

#[test]
fn a_race_between_read_and_update_spends_twice() {
    spends_twice(with(Mistake::ChecksThenWrites));
}

#[test]
fn a_start_without_the_lock_store_spends_twice() {
    spends_twice(with(Mistake::ForgetsLocks));
}
