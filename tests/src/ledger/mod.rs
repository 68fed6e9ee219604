//! The ledger as a guest of the simulated world: 4, 7 or 21 validators, of which as many cheat as may, and
//! some people who pay each other, one of whom may use their phrase on two nodes to pay twice.

mod act;
mod cast;
mod check;
mod flaw;
mod half;
mod hostile;
mod look;
mod losing;
mod machine;
mod seen;

use covey_kernel::Span;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use check::checkers;
pub use flaw::{Flaw, Vice};
pub use machine::{Command, Error, Event, LedgerNode, Reply, Rules};
pub use seen::Seen;

use crate::sim::{Config, Report};
use act::Market;
use cast::Cast;

/// Things that people do in one run, and in one of many validators.
const STEPS: usize = 60;
const FEW_STEPS: usize = 20;

/// Some minutes of payments in a rough world, then time to settle.
#[must_use]
pub fn run(seed: u64) -> Report {
    let sizes = [4, 4, 4, 7];
    run_of(seed, sizes[(seed % 4) as usize], None).0
}

/// What came of a run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Deeds {
    /// Payments that are final.
    pub certified: usize,
    /// Payments to nodes that were asked for an address.
    pub asked: usize,
    /// Tokens that were issued.
    pub tokens: usize,
    /// Payments that are blocked, as another device with the same phrase has paid the same.
    pub blocked: usize,
}

/// The same with so many validators, and a mistake in every node; and what came of it.
#[must_use]
pub fn run_of(seed: u64, members: usize, flaw: Option<Flaw>) -> (Report, Deeds) {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let cast = Cast::of(members, flaw, &mut rng);
    let mut market = Market::open(seed, Config::seeded(seed, cast.nodes()), &cast, rng);
    let settled = market.trade(if members > 7 { FEW_STEPS } else { STEPS });
    market.report(settled)
}

/// After that somebody loses all but their phrase, takes it on an empty node, and must have what they had.
/// Whether validators cheat, too.
#[must_use]
pub fn run_restored(seed: u64, members: usize, cheats: bool) -> Report {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let mut cast = Cast::of(members, None, &mut rng);
    if !cheats {
        cast.vices.fill(None);
    }
    let mut market = Market::open(seed, Config::seeded(seed, cast.nodes()), &cast, rng);
    let settled = market.trade(STEPS);
    let (mut report, _) = market.report(settled);
    let found = market.lose_all_but_phrase();
    report.violations.extend(found.err());
    report
}

/// A calm world in which one validator more cheats than may, and somebody pays twice: the checkers must
/// complain, or they prove nothing.
#[must_use]
pub fn run_broken(seed: u64) -> Report {
    let rng = ChaCha8Rng::seed_from_u64(!seed);
    let cheats = Some(Vice::VotesForAll);
    let cast = Cast {
        vices: vec![cheats, None, cheats, None],
        people: vec![(4, Some(0)), (5, None), (6, Some(1)), (7, Some(1))],
        ..Cast::small()
    };
    let mut market = Market::open(seed, Config::calm(cast.nodes()), &cast, rng);
    let begun = market.begin();
    market.cheat();
    let settled = begun.and_then(|()| market.settle());
    market.report(settled).0
}

/// Somebody with a wallet on a validator's node, when as many others cheat as may.
#[must_use]
pub fn run_hosted(seed: u64) -> Report {
    let rng = ChaCha8Rng::seed_from_u64(!seed);
    let cast = Cast {
        vices: vec![None, None, None, Some(Vice::Silent)],
        people: vec![(4, Some(0)), (0, None)],
        ..Cast::small()
    };
    let mut market = Market::open(seed, Config::calm(cast.nodes()), &cast, rng);
    let settled = market.trade(STEPS / 4);
    market.report(settled).0
}

/// Somebody whose clock is a day ahead when validators are busy, and then right.
#[must_use]
pub fn run_set_back(seed: u64) -> Report {
    let rng = ChaCha8Rng::seed_from_u64(!seed);
    let cast = Cast::small();
    let config = Config { busy: 0.7, ..Config::calm(cast.nodes()) };
    let mut market = Market::open(seed, config, &cast, rng);
    for node in 0..cast.nodes() {
        market.world.set_skew(node, Span::days(1));
    }
    let begun = market.begin();
    (0..STEPS / 8).for_each(|_| market.step());
    for node in 0..cast.nodes() {
        market.world.set_skew(node, Span::ZERO);
    }
    market.world.calm();
    let settled = begun.and_then(|()| market.settle());
    market.show_all();
    market.report(settled).0
}

/// Somebody loses all but their phrase in the middle of a payment, for which some validators have voted.
#[must_use]
pub fn run_interrupted(seed: u64) -> Report {
    let rng = ChaCha8Rng::seed_from_u64(!seed);
    let cast = Cast::small();
    let mut market = Market::open(seed, Config::calm(cast.nodes()), &cast, rng);
    let begun = market.begin();
    let found = begun.and_then(|()| market.break_off());
    let mut report = market.report(Ok(())).0;
    report.violations = found.err().into_iter().collect();
    report
}
