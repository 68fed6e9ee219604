//! A small machine to prove the simulated world with: every node keeps the same growing log
//! of numbers and their sum. What is added anywhere comes to every node once.
//!
//! Each of its [`Bug`]s is a mistake that a protocol could make, and that the checkers must
//! catch.

mod check;
mod machine;

use covey_kernel::{Blame, Fault, Keypair, MachineError, Peer, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use check::checkers;
pub use machine::Tally;

use crate::sim::{Config, Report, World};

/// A deliberate mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Answers a peer before what it sent is stored.
    AnswersFirst,
    /// Knows only in memory what it has had already.
    ForgetsSeen,
    /// Does not ask again after a failure.
    AsksOnce,
    /// Keeps in memory only what it still owes.
    ForgetsOwed,
}

/// Who takes part.
#[derive(Debug, Clone)]
pub struct Rules {
    /// This node.
    pub me: Peer,
    /// All the others.
    pub others: Vec<Peer>,
    /// The mistake that this node makes.
    pub bug: Option<Bug>,
}

impl Rules {
    /// Everyone, and no mistake.
    #[must_use]
    pub fn new(me: &Keypair, peers: &[Peer]) -> Self {
        let me = me.public();
        let others = peers.iter().copied().filter(|peer| *peer != me).collect();
        Self { me, others, bug: None }
    }
}

/// What a local user asks for.
#[derive(Debug)]
pub enum Command {
    /// Add a number.
    Add(u64),
}

/// A number has come into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Who added it.
    pub author: Peer,
    /// Its place among the author's numbers.
    pub place: u64,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A request does not decode.
    #[error("not a list of numbers: {0}")]
    Malformed(#[from] covey_kernel::cbor::DecodeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Malformed(_) => Blame::Peer,
            Self::Store(fault) => Blame::Store(fault.clone()),
        }
    }
}

/// Half an hour of work in a rough world, then time to settle.
#[must_use]
pub fn run(seed: u64) -> Report {
    run_with(seed, None)
}

/// The same, with a mistake in every node.
#[must_use]
pub fn run_with(seed: u64, bug: Option<Bug>) -> Report {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let config = Config::seeded(seed, rng.random_range(2..=6));
    let mut world: World<Tally> =
        World::new(seed, config, |me, peers| Rules { bug, ..Rules::new(me, peers) });
    for _ in 0..120 {
        let node = rng.random_range(0..world.nodes().len());
        world.command(node, Command::Add(rng.random_range(1..1000)));
        world.run_for(Span::millis(rng.random_range(0..30_000)));
    }
    world.calm();
    world.run_until(Span::secs(600), Tally::settled);
    Report::of(&world, &checkers())
}
