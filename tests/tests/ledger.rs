//! The ledger in the simulated world: money is conserved and never spent twice, whoever cheats; each
//! deliberate mistake is caught.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use covey_tests::{
    ledger::{
        Deeds, Flaw, run_broken, run_hosted, run_interrupted, run_of, run_restored, run_set_back,
    },
    sim::Report,
};

/// Seeds of each deliberate mistake at most.
const TRIES: u64 = 20;

fn all_well(reports: &[Report]) {
    let bad: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Nothing is wrong in these seeds, and much is done.
fn runs(seeds: u64, members: usize) {
    let runs = (0..seeds).map(|seed| run_of(seed, members, None));
    let (reports, deeds): (Vec<Report>, Vec<Deeds>) = runs.unzip();
    all_well(&reports);
    assert!(reports.iter().all(|report| report.stats.inputs > 1000), "{reports:#?}");
    assert!(deeds.iter().all(|deeds| deeds.certified > 10), "{deeds:#?}");
    let sum = |of: fn(&Deeds) -> usize| deeds.iter().map(of).sum::<usize>();
    for done in [sum(|deeds| deeds.asked), sum(|deeds| deeds.tokens), sum(|deeds| deeds.blocked)] {
        assert!(done > 0, "{deeds:#?}");
    }
}

fn caught(flaw: Flaw, by: &str) {
    let catches = |report: &Report| report.violations.iter().any(|found| found.starts_with(by));
    let caught = (0..TRIES).any(|seed| catches(&run_of(seed, 4, Some(flaw)).0));
    assert!(caught, "{TRIES} seeds did not catch {flaw:?}");
}

#[test]
fn four_validators() {
    runs(36, 4);
}

#[test]
fn seven_validators() {
    runs(8, 7);
}

#[test]
fn twenty_one_validators() {
    runs(2, 21);
}

#[test]
fn replays_bit_for_bit() {
    let [first, again] = [run_of(7, 7, None), run_of(7, 7, None)];
    assert_eq!(first, again);
    assert_ne!(first.0.trace, run_of(8, 7, None).0.trace);
}

#[test]
fn more_who_cheat_than_may_are_caught() {
    let found = run_broken(1).violations;
    let finds = |what: &str| found.iter().any(|found| found.starts_with(what));
    assert!(finds("no double-spend"), "{found:#?}");
    assert!(finds("money is conserved"), "{found:#?}");
}

#[test]
fn a_validator_that_writes_no_locks_is_caught() {
    caught(Flaw::ForgetsLocks, "no double-spend");
    caught(Flaw::ForgetsLocks, "no honest validator promises twice");
}

#[test]
fn a_validator_that_does_not_look_at_its_locks_is_caught() {
    caught(Flaw::VotesTwice, "no double-spend");
    caught(Flaw::VotesTwice, "no honest validator promises twice");
}

#[test]
fn a_wallet_that_spends_what_is_reserved_is_caught() {
    caught(Flaw::SpendsReserved, "honest payments are final");
}

#[test]
fn a_wallet_that_pays_again_is_caught() {
    caught(Flaw::PaysAgain, "an order is one payment");
}

#[test]
fn a_wallet_that_credits_twice_is_caught() {
    caught(Flaw::CreditsTwice, "whoever is paid is credited once");
}

#[test]
fn a_wallet_that_forgets_what_is_not_final_is_caught() {
    caught(Flaw::ForgetsPending, "honest payments are final");
}

#[test]
fn a_wallet_that_tells_no_payee_is_caught() {
    caught(Flaw::NeverDelivers, "all that is owed is done");
}

#[test]
fn a_wallet_that_oversleeps_is_caught() {
    caught(Flaw::Oversleeps, "all that is owed is done");
}

#[test]
fn a_phrase_finds_all_money_again() {
    all_well(&(0..5).map(|seed| run_restored(seed, 4, false)).collect::<Vec<_>>());
}

#[test]
fn a_clock_that_is_set_back_stops_nobody() {
    all_well(&(0..5).map(run_set_back).collect::<Vec<_>>());
}

#[test]
fn a_phrase_finds_all_money_again_although_validators_cheat() {
    all_well(&(0..15).map(|seed| run_restored(seed, 4, true)).collect::<Vec<_>>());
}

#[test]
fn a_phrase_finds_the_change_of_an_interrupted_payment() {
    all_well(&(0..5).map(run_interrupted).collect::<Vec<_>>());
}

#[test]
fn a_wallet_on_a_validators_node_pays_although_others_cheat() {
    all_well(&(0..5).map(run_hosted).collect::<Vec<_>>());
}
