//! Forums in the simulated world: each deliberate mistake is caught, and 21 nodes agree.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::time::Instant;

use covey_chains::limits::HELD;
use covey_tests::{
    forum::{Flaw, Harm, run_forked, run_forked_with, run_of, run_testnet, run_with},
    sim::Report,
};

/// Seeds of the large world.
const SEEDS: u64 = 12;

fn caught(flaw: Flaw, by: &str, run: impl Fn(u64, Option<Flaw>) -> Report) {
    let catches = |report: &Report| report.violations.iter().any(|found| found.starts_with(by));
    let caught = (0..20).any(|seed| catches(&run(seed, Some(flaw))));
    assert!(caught, "20 seeds did not catch {flaw:?}");
}

#[test]
fn a_node_that_never_asks_is_caught() {
    caught(Flaw::NeverPulls, "all show the same", run_with);
}

#[test]
fn a_node_that_gives_less_than_it_has_is_caught() {
    caught(Flaw::GivesLess, "all show the same", run_with);
}

#[test]
fn a_node_that_does_not_follow_the_chosen_side_is_caught() {
    caught(Flaw::NeverChooses, "sides at node", run_forked_with);
    caught(Flaw::NeverChooses, "all show the same order", run_forked_with);
}

#[test]
fn a_node_that_offers_what_waits_elsewhere_is_caught() {
    caught(Flaw::OffersOthers, "floods are kept small", |seed, flaw| run_of(seed, 5, flaw).0);
}

/// With latecomers, clocks that are far apart, authors who write at several nodes at once, backdate, write ahead
/// of time, and flood.
#[test]
fn twenty_one_nodes_agree() {
    let begun = Instant::now();
    let (reports, harm): (Vec<Report>, Vec<Harm>) = (0..SEEDS).map(run_testnet).unzip();
    println!("{:?}", begun.elapsed());
    is_done(&harm);
    let bad: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(reports.iter().all(|report| report.stats.inputs > 1000), "{reports:#?}");
}

/// Harm is done, and goes as far as it may; and much is said.
fn is_done(harm: &[Harm]) {
    assert!(harm.iter().map(|harm| harm.taken).sum::<usize>() > harm.len(), "{harm:?}");
    assert!(harm.iter().any(|harm| harm.held == HELD), "{harm:?}");
    assert!(harm.iter().all(|harm| harm.placed > 10), "{harm:?}");
}

/// The same with five, of which one comes late.
#[test]
fn five_nodes_agree() {
    let runs = (0..10 * SEEDS).map(|seed| run_of(seed, 5, None));
    let (reports, harm): (Vec<Report>, Vec<Harm>) = runs.unzip();
    is_done(&harm);
    let bad: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// After a partition that lasted too long people choose a side, crash while they do, and choose again.
#[test]
fn who_chooses_the_same_side_of_a_hard_fork_agrees() {
    let reports: Vec<Report> = (0..SEEDS).map(run_forked).collect();
    let bad: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert!(reports.iter().all(|report| report.stats.crashes > 0), "{reports:#?}");
}

#[test]
fn the_large_world_replays_bit_for_bit() {
    let [first, again] = [run_testnet(7), run_testnet(7)];
    assert_eq!(first, again);
    assert_ne!(first.0.trace, run_testnet(8).0.trace);
}
