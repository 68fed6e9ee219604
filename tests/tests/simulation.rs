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
    sim::{Config, Outcome, Outgoing, Report, World},
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

fn calm_pair() -> World<Tally> {
    let mut world: World<Tally> = World::new(3, Config::calm(2), Rules::new);
    world.run_for(Span::secs(30));
    world
}

fn settles(world: &mut World<Tally>) {
    assert!(world.run_until(Span::secs(60), Tally::settled), "{:?}", world.check(&checkers()));
    assert_eq!(world.check(&checkers()), Vec::<String>::new());
}

#[test]
fn a_crash_before_the_commit_leaves_nothing() {
    let mut world = calm_pair();
    world.crash_before_commit(0);
    let add = world.command(0, Command::Add(5));
    world.run_for(Span::secs(120));
    assert!(matches!(world.outcome(add), Some(Outcome::Unknown)));
    assert_eq!(world.nodes()[0].disk().entries().len(), 0);
    assert_eq!(world.nodes()[0].life(), 2);
    settles(&mut world);
}

#[test]
fn a_crash_after_the_commit_leaves_all_and_tells_none() {
    let mut world = calm_pair();
    world.crash_after_commit(0);
    let add = world.command(0, Command::Add(5));
    assert!(world.run_until(Span::secs(1), |world| world.nodes()[0].machine().is_none()));
    assert!(matches!(world.outcome(add), Some(Outcome::Unknown)));
    assert_eq!(world.events().len(), 0);
    settles(&mut world);
    assert_eq!(world.nodes()[1].disk().under(b"log/").count(), 1, "sent after the restart");
}

#[test]
fn a_full_disk_halts_the_node_until_there_is_space() {
    let mut world = calm_pair();
    world.fill_disk(0, true);
    let add = world.command(0, Command::Add(5));
    world.run_for(Span::secs(60));
    assert!(matches!(world.outcome(add), Some(Outcome::Unknown)));
    assert!(world.stats().halts >= 1);
    assert_eq!(world.nodes()[0].disk().entries().len(), 0);
    world.fill_disk(0, false);
    world.run_for(Span::secs(60));
    let add = world.command(0, Command::Add(6));
    settles(&mut world);
    assert!(matches!(world.outcome(add), Some(Outcome::Done(Ok(0)))));
}

#[test]
fn parted_sides_agree_after_healing() {
    let mut world: World<Tally> = World::new(3, Config::calm(4), Rules::new);
    world.part(&[0, 1]);
    for node in 0..4 {
        world.command(node, Command::Add(1));
    }
    world.run_for(Span::secs(300));
    assert_eq!(world.events().len(), 8, "each side has its own two");
    world.heal();
    settles(&mut world);
    assert_eq!(world.events().len(), 16);
}

#[test]
fn one_way_is_not_enough() {
    let mut world = calm_pair();
    world.cut_links([(1, 0)]);
    world.command(0, Command::Add(1));
    world.run_for(Span::secs(300));
    assert_eq!(world.nodes()[1].disk().under(b"log/").count(), 1, "it came");
    assert_eq!(world.nodes()[0].disk().under(b"owed/").count(), 1, "but nobody knows");
    world.heal();
    settles(&mut world);
}

#[test]
fn a_receiver_that_comes_late_gets_all() {
    let mut world = calm_pair();
    world.take_down(1);
    world.command(0, Command::Add(1));
    world.run_for(Span::secs(600));
    world.bring_up(1);
    settles(&mut world);
}
