//! Gossip in the simulated world: from hop to hop, by each machine's verdict.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use covey_kernel::{Hash, Span, Topic};
use covey_tests::{
    rumors::{self, Bug, Command, Learnt, Rules, Rumors, checkers, gossips},
    sim::{Config, Outgoing, Report, World},
};

fn caught(bug: Bug, by: &str) {
    let reports: Vec<Report> = (0..20).map(|seed| rumors::run_with(seed, Some(bug))).collect();
    let mut violations = reports.iter().flat_map(|report| &report.violations);
    assert!(violations.any(|found| found.contains(by)), "20 seeds did not catch {bug:?}");
}

/// A row of five who talk by gossip alone; the node in the middle does what it is told to.
fn row(change: impl Fn(&mut Rules)) -> World<Rumors> {
    let mut world = World::new(5, Config::calm(5), |me, peers| {
        let mut rules = Rules { reconciles: false, ..Rules::new(me, peers) };
        if peers[2] == me.public() {
            change(&mut rules);
        }
        rules
    });
    world.run_for(Span::secs(30));
    world
}

/// Who has learnt a word.
fn know(world: &World<Rumors>, word: u64) -> Vec<usize> {
    let learnt = world.events().iter().filter(|(_, _, learnt)| learnt.word == word);
    let mut nodes: Vec<usize> = learnt.map(|(_, node, _)| *node).collect();
    nodes.sort_unstable();
    nodes
}

fn say(world: &mut World<Rumors>, node: usize, word: u64) -> Vec<usize> {
    world.command(node, Command::Say(word));
    world.run_for(Span::secs(5));
    know(world, word)
}

#[test]
fn a_word_goes_from_hop_to_hop_once() {
    let mut world = row(|_| {});
    assert_eq!(say(&mut world, 0, 7), [0, 1, 2, 3, 4]);
    assert_eq!(say(&mut world, 2, 8), [0, 1, 2, 3, 4]);
    // The same bytes are the same message, whoever says them.
    let inputs = world.stats().inputs;
    world.command(4, Command::Say(7));
    world.run_for(Span::secs(5));
    assert_eq!(world.stats().inputs, inputs + 1);
    assert_eq!(world.check(&[]), Vec::<String>::new());
}

#[test]
fn what_is_ignored_goes_no_further() {
    let mut world = row(|rules| rules.passes_on = false);
    assert_eq!(say(&mut world, 0, 7), [0, 1, 2]);
    assert_eq!(say(&mut world, 4, 8), [2, 3, 4]);
}

#[test]
fn whoever_has_left_hears_nothing_and_passes_nothing_on() {
    let mut world = row(|_| {});
    world.command(2, Command::Leave);
    world.run_for(Span::secs(1));
    assert_eq!(say(&mut world, 0, 7), [0, 1]);
    // A restart joins again.
    world.take_down(2);
    world.bring_up(2);
    world.run_for(Span::secs(60));
    assert_eq!(say(&mut world, 0, 8), [0, 1, 2, 3, 4]);
}

#[test]
fn whoever_is_down_is_not_waited_for() {
    let mut world = row(|_| {});
    world.take_down(2);
    assert_eq!(say(&mut world, 0, 7), [0, 1]);
    world.bring_up(2);
    world.run_for(Span::secs(60));
    assert_eq!(know(&world, 7), [0, 1], "gossip is a hint");
    assert_eq!(say(&mut world, 0, 8), [0, 1, 2, 3, 4]);
}

/// A crash between the commit and the verdict: the word is known, and goes no further.
#[test]
fn nothing_is_passed_on_by_a_node_that_crashes_first() {
    let mut world = row(|_| {});
    world.crash_after_commit(2);
    assert_eq!(say(&mut world, 0, 7), [0, 1]);
    world.run_for(Span::secs(120));
    let word = [b"word/".as_slice(), &7u64.to_be_bytes()].concat();
    assert!(world.nodes()[2].disk().entries().contains_key(&word));
    assert_eq!(know(&world, 7), [0, 1]);
}

#[test]
fn a_liar_is_rejected_and_its_words_go_no_further() {
    let mut world = row(|_| {});
    world.tamper(
        0,
        Box::new(|outgoing, _rng| match outgoing {
            Outgoing::Publish { topic, .. } => {
                let other = Topic(Hash::of(b"another topic"));
                vec![
                    Outgoing::Publish { topic, bytes: b"short".to_vec() },
                    Outgoing::Publish { topic: other, bytes: 9u64.to_be_bytes().to_vec() },
                ]
            }
            other => vec![other],
        }),
    );
    assert_eq!(say(&mut world, 0, 7), [0]);
    assert_eq!(know(&world, 9), [0; 0]);
    assert_eq!(world.check(&[]), Vec::<String>::new(), "a liar may be rejected");
}

#[test]
fn a_rough_world_loses_gossip_and_settles_all_the_same() {
    let report = rumors::run(3);
    assert_eq!(report.violations, Vec::<String>::new());
    let mut world: World<Rumors> = World::new(3, Config::calm(4), Rules::new);
    world.run_for(Span::secs(30));
    assert!(gossips(&mut world));
    assert!(
        world
            .events()
            .iter()
            .any(|(_, node, learnt)| *node == 3 && matches!(learnt, Learnt { gossip: true, .. }))
    );
    assert_eq!(world.check(&checkers()), Vec::<String>::new());
}

#[test]
fn blaming_an_honest_node_is_caught() {
    caught(Bug::RejectsKnown, "rejected gossip of node");
}

#[test]
fn not_joining_again_is_caught() {
    caught(Bug::JoinsOnce, "gossip does not reach everybody");
}
