//! Messaging as a guest of the simulated world: a few people who invite, accept, reject, block,
//! write, edit, react, read and change their keys, all at once and under every fault.
//!
//! Checkers look at what each person would see, through the same commands that a user has.

mod act;
mod check;
mod flaw;
mod look;

use covey_kernel::{Machine, NetworkId, Span, Text};
use covey_messaging::{
    Command, Error, Event, Messaging, Reply, Rules, decode_request, decode_response,
    ratchet::{Olm, Ratchet},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    ratchet::Toy,
    sim::{Config, Report, Words, World},
};

pub use act::Crowd;
pub use check::checkers;
pub use flaw::{Flaw, Flawed, FlawedRules};
pub use look::{Snapshot, ask};

/// Any machine that a person can use as messaging.
pub trait Person: Machine<Command = Command, Reply = Reply, Event = Event, Error = Error> {}

impl<M> Person for M where M: Machine<Command = Command, Reply = Reply, Event = Event, Error = Error>
{}

const NAMES: [&str; 5] = ["ann", "bob", "cat", "dan", "eve"];

/// Things that people do in one run.
const STEPS: usize = 140;

/// The rules of one node.
#[must_use]
pub fn rules(me: &covey_kernel::Keypair, peers: &[covey_kernel::Peer]) -> Rules {
    let number = peers.iter().position(|peer| *peer == me.public()).unwrap_or_default();
    let (network, name) = (NetworkId::open(), Text::new(NAMES[number]).unwrap());
    Rules { network, peer: me.public(), name, read_receipts: true }
}

/// Half an hour of people in a rough world, then time to settle; over the ratchet that replays.
#[must_use]
pub fn run(seed: u64) -> Report {
    run_over::<Toy>(seed)
}

/// The same over any ratchet.
#[must_use]
pub fn run_over<R: Ratchet>(seed: u64) -> Report {
    run_as::<Messaging<R>>(seed, |rules| rules)
}

/// The same with Olm, which draws its own randomness: its traces cannot be compared.
#[must_use]
pub fn run_olm(seed: u64) -> Report {
    run_over::<Olm>(seed)
}

/// The same with a mistake in every node.
#[must_use]
pub fn run_with(seed: u64, flaw: Flaw) -> Report {
    run_as::<Flawed<Toy>>(seed, |rules| FlawedRules { rules, flaw })
}

fn run_as<M: Person>(seed: u64, rules_of: impl Fn(Rules) -> M::Rules) -> Report {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let mut config = Config::seeded(seed, rng.random_range(2..=5));
    config.story = std::env::var_os("COVEY_STORY").map(|_| words as Words);
    let world: World<M> = World::new(seed, config, |me, peers| rules_of(rules(me, peers)));
    let mut crowd = Crowd::new(world, rng);
    for _ in 0..STEPS {
        crowd.step();
        crowd.pause(Span::secs(20));
    }
    crowd.settle();
    Report::of(crowd.world(), &checkers())
}

/// What the bytes of a request, an answer, a command or an event say.
fn words(bytes: &[u8]) -> Option<String> {
    let request = || decode_request(bytes).ok().map(|request| format!("{request:?}"));
    let response = || decode_response(bytes).ok().map(|response| format!("{response:?}"));
    request().or_else(response).or_else(|| String::from_utf8(bytes.to_vec()).ok())
}
