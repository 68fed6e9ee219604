//! The simulated world over its own small machine: the checkers find nothing in 200 seeds, and
//! find each deliberate mistake.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::time::Instant;

use covey_kernel::Span;
use covey_tests::{
    guests::{GUESTS, twice},
    sim::{Config, Outgoing, Report, World},
    tally::{self, Bug, Command, Rules, Tally, checkers},
};

fn caught(bug: Bug, by: &str) {
    let reports: Vec<Report> = (0..20).map(|seed| tally::run_with(seed, Some(bug))).collect();
    let mut violations = reports.iter().flat_map(|report| &report.violations);
    assert!(violations.any(|found| found.starts_with(by)), "20 seeds did not catch {bug:?}");
}

#[test]
fn two_hundred_seeds_of_every_guest_are_clean() {
    let begun = Instant::now();
    for (name, run) in GUESTS {
        let reports: Vec<Report> = (0..200).map(run).collect();
        let bad: Vec<_> = reports.iter().filter(|report| !report.violations.is_empty()).collect();
        assert!(bad.is_empty(), "{name}: {bad:#?}");
        let crashes: u64 = reports.iter().map(|report| report.stats.crashes).sum();
        let halts: u64 = reports.iter().map(|report| report.stats.halts).sum();
        assert!(crashes > 1000 && halts > 100, "{crashes} crashes, {halts} halts: too calm");
    }
    println!("{:?}", begun.elapsed());
}

#[test]
fn a_seed_replays_bit_for_bit() {
    for guest in GUESTS {
        for seed in 0..5 {
            let (report, differ) = twice(*guest, seed);
            assert_eq!(differ, None, "{report}");
        }
        assert_ne!(guest.1(1).trace, guest.1(2).trace);
    }
}

#[test]
fn an_answer_before_the_commit_is_caught() {
    caught(Bug::AnswersFirst, "nothing is lost");
}

#[test]
fn forgetting_what_was_seen_is_caught() {
    caught(Bug::ForgetsSeen, "nothing is doubled");
}

#[test]
fn asking_only_once_is_caught() {
    caught(Bug::AsksOnce, "nothing is lost");
}

#[test]
fn forgetting_what_is_owed_is_caught() {
    caught(Bug::ForgetsOwed, "nothing is lost");
}

#[test]
fn a_calm_world_needs_no_faults() {
    let mut world: World<Tally> = World::new(1, Config::calm(5), Rules::new);
    for node in 0..5 {
        world.command(node, Command::Add(10));
    }
    assert!(world.run_until(Span::secs(10), |world| world.events().len() == 25));
    world.run_for(Span::secs(1));
    assert_eq!(world.check(&checkers()), Vec::<String>::new());
    assert_eq!(world.stats().faults(), 0);
}

/// A liar changes what it sends: the checkers see it, so the hook is in the path.
#[test]
fn a_liar_is_seen() {
    let mut world: World<Tally> = World::new(1, Config::calm(3), Rules::new);
    world.tamper(
        0,
        Box::new(|outgoing, _rng| match outgoing {
            // Never sends what it has added.
            Outgoing::Ask { .. } => vec![],
            answer => vec![answer.clone(), answer],
        }),
    );
    world.command(0, Command::Add(10));
    world.run_for(Span::secs(60));
    let violations = world.check(&checkers());
    assert!(violations.iter().any(|found| found.starts_with("nothing is lost")), "{violations:?}");
}
