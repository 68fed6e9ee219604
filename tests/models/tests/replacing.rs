//! Several epochs: the rules of `Replacing validators`, and what breaks without each.

use covey_models::{
    few::Few,
    replacing::{
        ACCEPTED, CERTIFIED_AGAIN, CHILD_LATER, DIFFERENT_SETS, FROZEN, Leak, PARENT_FIRST,
        PROGRESS, Replacing, Rule, SPENT_ONCE, SPENT_ONCE_IN_EPOCH, THAWED, Tx,
    },
    search,
};
use stateright::Checker;

/// Safety, and that nobody who was paid is stuck.
const ALL: [&str; 4] = [SPENT_ONCE, PARENT_FIRST, ACCEPTED, PROGRESS];

/// The two spends of one outpoint, and nothing that spends them.
fn rivals() -> Few<Tx> {
    Few::of(&[Tx::T1, Tx::T2])
}

/// Both, and a child of each.
fn families() -> Few<Tx> {
    Few::of(&[Tx::T1, Tx::T2, Tx::C1, Tx::C2])
}

/// Two children that spend the same output of a payment.
fn siblings() -> Few<Tx> {
    Few::of(&[Tx::T1, Tx::C1, Tx::D1])
}

/// Only the change from epoch 0 to epoch 1.
fn once(model: Replacing) -> Replacing {
    Replacing { epochs: 2, ..model }
}

fn without(rule: Rule, model: Replacing) -> Replacing {
    Replacing { without: Some(rule), ..model }
}

fn leaking(leak: Leak, model: Replacing) -> Replacing {
    Replacing { leak: Some(leak), ..model }
}

/// Every reachable state has these properties; and some have those.
#[track_caller]
fn holds(model: Replacing, states: usize, always: &[&'static str], sometimes: &[&'static str]) {
    let checker = search::everywhere(model);
    for property in always {
        checker.assert_no_discovery(property);
    }
    for property in sometimes {
        checker.assert_any_discovery(property);
    }
    assert_eq!(checker.unique_state_count(), states);
}

/// Some state lacks this property.
#[track_caller]
fn breaks(model: Replacing, property: &'static str) {
    let path = search::until_broken(model, property).assert_any_discovery(property);
    println!("{model:?}: {:?}", path.into_actions());
}

// By the rules.

#[test]
fn the_same_members_over_three_epochs() {
    let possible = [CERTIFIED_AGAIN, CHILD_LATER, DIFFERENT_SETS, FROZEN, THAWED];
    holds(Replacing::same(), 2_401_311, &ALL, &possible);
}

#[test]
fn new_members_in_each_of_three_epochs() {
    let possible = [CERTIFIED_AGAIN, CHILD_LATER, DIFFERENT_SETS, FROZEN, THAWED];
    holds(Replacing::fresh(), 3_516_074, &ALL, &possible);
}

#[test]
fn two_members_continue_and_one_is_new() {
    let model = Replacing { continuing: 2, signed: rivals(), ..Replacing::same() };
    holds(model, 509_933, &ALL, &[CERTIFIED_AGAIN, DIFFERENT_SETS, FROZEN, THAWED]);
}

#[test]
fn a_coin_of_epoch_0_is_certified_in_epoch_3() {
    let model = Replacing { epochs: 4, signed: rivals(), ..Replacing::same() };
    holds(model, 1_066_129, &ALL, &[CERTIFIED_AGAIN, DIFFERENT_SETS, FROZEN, THAWED]);
}

#[test]
fn rival_children_of_one_payment() {
    let signed = rivals().and(siblings());
    for (model, states) in [(Replacing::same(), 129_253), (Replacing::fresh(), 152_504)] {
        holds(Replacing { signed, ..once(model) }, states, &ALL, &[CERTIFIED_AGAIN]);
    }
}

#[test]
fn the_checker_counts_every_state() {
    let model = Replacing { signed: rivals(), ..Replacing::same() };
    holds(model, 49_701, &ALL, &[CERTIFIED_AGAIN]);
    assert_eq!(search::count(&model), 49_701);
}

#[test]
fn f_plus_one_liars_spend_twice() {
    breaks(Replacing { liars: 2, ..once(Replacing::same()) }, SPENT_ONCE);
}

// Rule 2, the seal.

#[test]
fn a_validator_that_votes_after_it_has_served_its_set_spends_twice() {
    breaks(without(Rule::SealStops, once(Replacing::same())), SPENT_ONCE);
    breaks(without(Rule::SealStops, once(Replacing::fresh())), SPENT_ONCE);
}

#[test]
fn a_seal_before_its_own_import_spends_twice() {
    let fresh = Replacing { signed: rivals(), ..Replacing::fresh() };
    breaks(without(Rule::ImportBeforeSeal, fresh), SPENT_ONCE);
}

#[test]
fn sets_of_own_locks_alone_spend_twice() {
    let fresh = Replacing { signed: rivals(), ..Replacing::fresh() };
    breaks(without(Rule::Cumulative, fresh), SPENT_ONCE);
}

#[test]
fn keys_that_are_not_erased_spend_twice() {
    let model = Replacing { signed: rivals(), ..once(Replacing::fresh()) };
    breaks(leaking(Leak::Sealed, model), SPENT_ONCE);
}

/// A limit of the design: who has not sealed still has the key, and is a fault for good if it leaks.
#[test]
fn the_key_of_one_who_never_sealed_spends_twice() {
    let model = Replacing { signed: rivals(), ..once(Replacing::fresh()) };
    breaks(leaking(Leak::Asleep, model), SPENT_ONCE);
}

// Rule 3, the import.

#[test]
fn the_naive_swap_spends_twice() {
    breaks(without(Rule::Import, once(Replacing::same())), SPENT_ONCE);
    breaks(without(Rule::Import, once(Replacing::fresh())), SPENT_ONCE);
}

#[test]
fn an_import_of_fewer_than_q_sets_spends_twice() {
    breaks(without(Rule::QuorumOfSets, once(Replacing::fresh())), SPENT_ONCE);
}

#[test]
fn an_import_of_fewer_than_q_sets_leaves_a_payee_stuck() {
    breaks(without(Rule::QuorumOfSets, once(Replacing::same())), PROGRESS);
}

#[test]
fn another_than_the_only_one_spends_twice() {
    breaks(without(Rule::OnlyThatOne, once(Replacing::same())), SPENT_ONCE);
}

#[test]
fn a_choice_among_several_spends_twice() {
    breaks(without(Rule::Freezes, once(Replacing::same())), SPENT_ONCE);
}

#[test]
fn a_frozen_outpoint_that_no_certificate_thaws_leaves_a_payee_stuck() {
    breaks(without(Rule::Thaws, once(Replacing::same())), ACCEPTED);
    breaks(without(Rule::Thaws, once(Replacing::same())), PROGRESS);
}

#[test]
fn entries_checked_in_the_wrong_order_spend_twice() {
    let model = Replacing { signed: siblings(), ..once(Replacing::same()) };
    breaks(without(Rule::InAnyOrder, model), SPENT_ONCE);
}

#[test]
fn an_old_lock_that_refuses_a_certified_transaction_leaves_a_payee_stuck() {
    breaks(without(Rule::EntriesNotLocks, once(Replacing::same())), ACCEPTED);
    breaks(without(Rule::EntriesNotLocks, once(Replacing::same())), PROGRESS);
}

/// Merging them is harmless, and not needed: a quorum of sets has what matters of them.
#[test]
fn own_sets_of_earlier_epochs_need_not_be_merged() {
    let same = Replacing { signed: rivals(), ..Replacing::same() };
    holds(without(Rule::OwnSets, same), 140_922, &ALL, &[CERTIFIED_AGAIN]);
}

/// A validator may go on in an epoch that it has not sealed, while it votes in the next.
#[test]
fn a_member_may_import_for_the_next_epoch_before_its_own_seal() {
    let same = Replacing { signed: rivals(), ..Replacing::same() };
    holds(without(Rule::OwnSealFirst, same), 708_452, &ALL, &[CERTIFIED_AGAIN]);
}

/// The same with a child.
#[test]
#[ignore = "45,319,717 states: four minutes of processor time"]
fn a_member_may_import_for_the_next_epoch_before_its_own_seal_at_full_size() {
    let model = without(Rule::OwnSealFirst, Replacing::same());
    holds(model, 45_319_717, &ALL, &[CERTIFIED_AGAIN, CHILD_LATER]);
}

// Rule 4, old certificates.

#[test]
fn votes_of_different_epochs_combined_spend_twice() {
    let fresh = Replacing { signed: rivals(), ..Replacing::fresh() };
    breaks(without(Rule::OneEpoch, fresh), SPENT_ONCE);
}

/// While keys are erased there is no certificate whose transaction is not in every imported set,
/// and none of its rivals'. So both halves of the rule change nothing.
#[test]
fn rule_4_follows_from_the_others_while_no_key_leaks() {
    for (rule, model, states) in [
        (Rule::InImportedSet, Replacing::same(), 23_698),
        (Rule::InImportedSet, Replacing::fresh(), 27_488),
        (Rule::LocksOwnInputs, Replacing::same(), 37_968),
        (Rule::LocksOwnInputs, Replacing::fresh(), 42_492),
    ] {
        let model = Replacing { signed: families(), ..once(model) };
        holds(without(rule, model), states, &ALL, &[CERTIFIED_AGAIN]);
    }
}

/// What old keys sign for the first time after the import is refused.
#[test]
fn leaked_keys_certify_nothing_that_was_not_imported() {
    for (model, states) in [(Replacing::same(), 2_600), (Replacing::fresh(), 3_400)] {
        let model = Replacing { signed: families(), late: true, ..once(model) };
        holds(leaking(Leak::Sealed, model), states, &[SPENT_ONCE], &[CERTIFIED_AGAIN]);
    }
}

#[test]
fn an_old_certificate_of_what_is_not_imported_spends_twice() {
    let model = Replacing { signed: families(), late: true, ..once(Replacing::same()) };
    breaks(leaking(Leak::Sealed, without(Rule::InImportedSet, model)), SPENT_ONCE);
}

/// Even two certificates of an old epoch that exclude each other make none in the present one.
#[test]
fn leaked_keys_spend_nothing_twice_within_an_epoch() {
    for (model, states) in [(Replacing::same(), 304_524), (Replacing::fresh(), 162_894)] {
        let model = Replacing { signed: families(), ..once(model) };
        holds(leaking(Leak::Sealed, model), states, &[SPENT_ONCE_IN_EPOCH], &[CERTIFIED_AGAIN]);
    }
}

#[test]
fn an_old_certificate_that_locks_nothing_spends_twice_within_an_epoch() {
    let model = Replacing { signed: families(), ..once(Replacing::same()) };
    let model = without(Rule::LocksOwnInputs, model);
    breaks(leaking(Leak::Sealed, model), SPENT_ONCE_IN_EPOCH);
}

/// A limit of the design: what nobody had in epoch 0 comes in with the lock set of a liar of epoch 1,
/// and then old keys have two rivals to choose from.
#[test]
fn leaked_keys_spend_twice_two_epochs_later() {
    let model = Replacing { signed: rivals(), late: true, ..Replacing::same() };
    breaks(leaking(Leak::Sealed, model), SPENT_ONCE);
}
