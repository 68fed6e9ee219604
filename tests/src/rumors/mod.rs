//! A small guest that gossips: nodes stand in a row, and what one says goes from neighbour to
//! neighbour. As gossip may be lost, neighbours also tell each other now and then all they know.
//!
//! Its [`Bug`] is a mistake that a protocol could make with gossip.

mod machine;

use std::collections::BTreeSet;

use covey_kernel::{Blame, Fault, Keypair, MachineError, Peer, Span, Time};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use machine::{Rumors, topic};

use crate::sim::{Checker, Config, Node, Outcome, Report, World};
use machine::{WORDS, word};

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Blames whoever says what is known already.
    RejectsKnown,
    /// Does not join its topic again after a restart.
    JoinsOnce,
}

/// Who takes part.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The neighbours in the row.
    pub neighbours: Vec<Peer>,
    /// Whether neighbours tell each other now and then all they know.
    pub reconciles: bool,
    /// Whether this node passes on what it hears.
    pub passes_on: bool,
    /// The mistake that this node makes.
    pub bug: Option<Bug>,
}

impl Rules {
    /// A place in the row, and no mistake.
    #[must_use]
    pub fn new(me: &Keypair, peers: &[Peer]) -> Self {
        let me = peers.iter().position(|peer| *peer == me.public()).expect("everybody is there");
        let near = |(at, _): &(usize, &Peer)| at.abs_diff(me) == 1;
        let neighbours = peers.iter().enumerate().filter(near).map(|(_, peer)| *peer).collect();
        Self { neighbours, reconciles: true, passes_on: true, bug: None }
    }
}

/// What a local user asks for.
#[derive(Debug)]
pub enum Command {
    /// Say a word.
    Say(u64),
    /// Hear nothing more.
    Leave,
}

/// A word has become known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learnt {
    /// Which.
    pub word: u64,
    /// Whether gossip brought it.
    pub gossip: bool,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A peer's bytes are no words.
    #[error("these are no words")]
    Malformed,
    /// It is known already, which is nobody's fault.
    #[error("this is known")]
    Known,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Malformed => Blame::Peer,
            Self::Known => Blame::Later,
            Self::Store(fault) => Blame::Store(fault.clone()),
        }
    }
}

fn words(node: &Node<Rumors>) -> BTreeSet<u64> {
    node.disk().under(WORDS).map(|(key, _)| word(key)).collect()
}

fn said(world: &World<Rumors>) -> BTreeSet<u64> {
    let said = world.calls().filter_map(|call| match &call.outcome {
        Outcome::Done(Ok(word)) => Some(*word),
        _ => None,
    });
    said.collect()
}

/// What must hold when the world has settled.
#[must_use]
pub fn checkers() -> Vec<Checker<Rumors>> {
    vec![("all know all", all_know_all)]
}

fn all_know_all(world: &World<Rumors>) -> Result<(), String> {
    let first = words(&world.nodes()[0]);
    for (number, node) in world.nodes().iter().enumerate() {
        let known = words(node);
        if known != first || !said(world).is_subset(&known) {
            return Err(format!("node {number} knows {} words, others not the same", known.len()));
        }
    }
    Ok(())
}

/// Whether gossip alone reaches every node of a world that has settled. Some words are tried: now
/// and then neighbours tell each other all they know just before the gossip comes.
#[must_use]
pub fn gossips(world: &mut World<Rumors>) -> bool {
    (0..10).any(|n| gossips_of(world, u64::MAX - n))
}

fn gossips_of(world: &mut World<Rumors>, word: u64) -> bool {
    let before = world.events().len();
    world.command(0, Command::Say(word));
    world.run_for(Span::secs(5));
    let heard = |event: &&(Time, usize, Learnt)| event.2.word == word && event.2.gossip;
    world.events()[before..].iter().filter(heard).count() == world.nodes().len() - 1
}

/// Half an hour of talk in a rough world, then time to settle.
#[must_use]
pub fn run(seed: u64) -> Report {
    run_with(seed, None)
}

/// The same, with a mistake in every node.
#[must_use]
pub fn run_with(seed: u64, bug: Option<Bug>) -> Report {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let config = Config::seeded(seed, rng.random_range(2..=6));
    let mut world: World<Rumors> =
        World::new(seed, config, |me, peers| Rules { bug, ..Rules::new(me, peers) });
    for word in 0..100 {
        let node = rng.random_range(0..world.nodes().len());
        world.command(node, Command::Say(word));
        world.run_for(Span::millis(rng.random_range(0..36_000)));
    }
    world.calm();
    world.run_until(Span::secs(600), |world| all_know_all(world).is_ok());
    // Everybody is connected with their neighbours again.
    world.run_for(Span::secs(60));
    let gossips = gossips(&mut world);
    // What did not come by gossip comes all the same.
    world.run_until(Span::secs(600), |world| all_know_all(world).is_ok());
    let mut report = Report::of(&world, &checkers());
    if !gossips {
        report.violations.push("gossip does not reach everybody in a calm world".to_owned());
    }
    report
}
