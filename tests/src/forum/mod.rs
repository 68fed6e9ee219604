//! Chains as a guest of the simulated world: some nodes follow a forum, and authors write, like and
//! dislike at any of them, the same author at several at once; some backdate, write ahead of time and flood.

mod act;
mod check;
mod forked;
mod hostile;
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

/// How far clocks of the large world are apart, and a hostile author's from others': more than a block may be ahead.
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
    run_of(seed, nodes, flaw).0
}

/// The same with so many nodes, of five the last of which comes late; and what came of the harm.
#[must_use]
pub fn run_of(seed: u64, nodes: usize, flaw: Option<Flaw>) -> (Report, Harm) {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let links = links(nodes, &mut rng);
    let world = world(seed, Config::seeded(seed, nodes), links, flaw);
    let late: &[usize] = if nodes == 5 { &[4] } else { &[] };
    run_steps(Authors::new(world, rng, act::genesis()), late)
}

/// The testnet's 21 nodes, of which some come late, with clocks so far apart that what some make
/// is ahead of time for others. With what came of the harm.
#[must_use]
pub fn run_testnet(seed: u64) -> (Report, Harm) {
    let config = Config { skew: FAR_APART, ..Config::seeded(seed, testnet::NODES) };
    let world = world(seed, config, testnet::links(), None);
    let authors = Authors::new(world, ChaCha8Rng::seed_from_u64(!seed), act::genesis());
    run_steps(authors, &testnet::LATE)
}

/// What came of the harm that was done.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Harm {
    /// Blocks that were made by hand and are in the order.
    pub taken: usize,
    /// Posts of a flood that one neighbour holds.
    pub held: usize,
    /// All that is in the order.
    pub placed: usize,
}

/// Authors do what they do, while some come late.
fn run_steps(mut authors: Authors, late: &[usize]) -> (Report, Harm) {
    authors.begin(late);
    let part = STEPS / (late.len() + 1);
    for node in late {
        (0..part).for_each(|_| authors.step());
        authors.come_late(*node);
    }
    (0..part).for_each(|_| authors.step());
    authors.settle();
    let placed = authors.order(0).len();
    let harm = Harm { taken: authors.taken(), held: authors.most_held(), placed };
    (Report::of(&authors.world, &checkers()), harm)
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
