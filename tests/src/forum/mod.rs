//! Chains as a guest of the simulated world: some nodes follow a forum, and authors write, like and
//! dislike at any of them, the same author at several at once.

mod act;
mod check;
mod forked;
mod machine;
mod testnet;

use covey_kernel::{Keypair, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use check::checkers;
pub use forked::{run_forked, run_forked_with};
pub use machine::{Flaw, Forum, Rules};

use crate::sim::{Config, Report, World};
use act::Authors;

/// Authors of the forum.
const AUTHORS: u8 = 6;

/// Things that authors do in one run.
const STEPS: usize = 60;

/// How far clocks of the large world are apart: more than a block may be ahead.
const FAR_APART: Span = Span::secs(40 * 60);

/// An author's key.
#[must_use]
pub fn author(number: u8) -> Keypair {
    Keypair::from_secret(&[number; 32])
}

/// A quarter of an hour of a forum in a rough world, then time to settle.
#[must_use]
pub fn run(seed: u64) -> Report {
    run_with(seed, None)
}

/// The same with a mistake in every node.
#[must_use]
pub fn run_with(seed: u64, flaw: Option<Flaw>) -> Report {
    let nodes = ChaCha8Rng::seed_from_u64(!seed).random_range(2..=5);
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let links = links(nodes, &mut rng);
    let mut authors =
        Authors::new(world(seed, Config::seeded(seed, nodes), links, flaw), rng, act::genesis());
    authors.begin(&[]);
    (0..STEPS).for_each(|_| authors.step());
    authors.settle();
    Report::of(&authors.world, &checkers())
}

/// The testnet's 21 nodes, of which some come late, with clocks so far apart that what some make
/// is ahead of time for others.
#[must_use]
pub fn run_testnet(seed: u64) -> Report {
    let config = Config { skew: FAR_APART, ..Config::seeded(seed, testnet::NODES) };
    let links = testnet::links();
    let world = world(seed, config, links, None);
    let mut authors = Authors::new(world, ChaCha8Rng::seed_from_u64(!seed), act::genesis());
    authors.begin(&testnet::LATE);
    for late in testnet::LATE {
        (0..STEPS / 3).for_each(|_| authors.step());
        authors.come_late(late);
    }
    (0..STEPS / 3).for_each(|_| authors.step());
    authors.settle();
    assert!(authors.order(0).len() > STEPS / 4, "seed {seed}: little is said");
    Report::of(&authors.world, &checkers())
}

/// A world whose nodes stay connected with their neighbours.
fn world(
    seed: u64,
    config: Config,
    links: Vec<(usize, usize)>,
    flaw: Option<Flaw>,
) -> World<Forum> {
    World::new(seed, config, |me: &Keypair, peers: &[covey_kernel::Peer]| {
        let me = me.public();
        let number = peers.iter().position(|peer| *peer == me).unwrap_or_default();
        let near = links.iter().filter_map(|(a, b)| match number {
            number if number == *a => Some(*b),
            number if number == *b => Some(*a),
            _ => None,
        });
        let neighbours = near.map(|other| peers[other]).collect();
        let network = covey_kernel::NetworkId::open();
        let rules = covey_chains::Rules { network, peer: me, room: u64::MAX };
        Rules { rules, neighbours, flaw }
    })
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
