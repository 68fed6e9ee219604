//! Chains as a guest of the simulated world: some nodes follow a forum, and authors write, like and
//! dislike at any of them, the same author at several at once.

mod act;
mod check;
mod machine;

use covey_kernel::Keypair;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use check::checkers;
pub use machine::{Flaw, Forum, Rules};

use crate::sim::{Config, Report, World};
use act::Authors;

/// Authors of the forum.
const AUTHORS: u8 = 6;

/// Things that authors do in one run.
const STEPS: usize = 60;

/// An author's key.
#[must_use]
pub fn author(number: u8) -> Keypair {
    Keypair::from_secret(&[number; 32])
}

/// A quarter of an hour of a forum in a rough world, then time to settle.
#[must_use]
pub fn run(seed: u64) -> Report {
    let nodes = ChaCha8Rng::seed_from_u64(!seed).random_range(2..=5);
    run_with(seed, nodes, None)
}

/// The same with so many nodes, and a mistake in every node.
#[must_use]
pub fn run_with(seed: u64, nodes: usize, flaw: Option<Flaw>) -> Report {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let links: Vec<(usize, usize)> = links(nodes, &mut rng);
    let config = Config::seeded(seed, nodes);
    let rules = |me: &Keypair, peers: &[covey_kernel::Peer]| {
        let me = me.public();
        let number = peers.iter().position(|peer| *peer == me).unwrap_or_default();
        let near = links.iter().filter_map(|(a, b)| match number {
            number if number == *a => Some(*b),
            number if number == *b => Some(*a),
            _ => None,
        });
        let neighbours = near.map(|other| peers[other]).collect();
        let rules = covey_chains::Rules { network: covey_kernel::NetworkId::open(), peer: me };
        Rules { rules, neighbours, flaw }
    };
    let world: World<Forum> = World::new(seed, config, rules);
    let mut authors = Authors::new(world, rng);
    authors.begin();
    for _ in 0..STEPS {
        authors.step();
    }
    authors.settle();
    Report::of(authors.world(), &checkers())
}

/// A tree, and sometimes more.
fn links(nodes: usize, rng: &mut ChaCha8Rng) -> Vec<(usize, usize)> {
    let mut links: Vec<(usize, usize)> =
        (1..nodes).map(|node| (rng.random_range(0..node), node)).collect();
    for node in 1..nodes {
        let other = rng.random_range(0..node);
        if rng.random_bool(0.3) && !links.contains(&(other, node)) {
            links.push((other, node));
        }
    }
    links
}
