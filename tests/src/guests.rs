//! The machines that run in the simulated world, each with its workload and its checkers.

use covey_kernel::Hash;

use crate::{forum, ledger, messaging, rumors, sim::Report, tally};

/// A machine's name, and how one seed of it runs.
pub type Guest = (&'static str, fn(u64) -> Report);

/// Every guest. A new protocol adds one line.
pub const GUESTS: &[Guest] = &[
    ("tally", tally::run),
    ("rumors", rumors::run),
    ("messaging", messaging::run),
    ("forum", forum::run),
    ("ledger", ledger::run),
];

/// Runs a seed twice: its report, and the two traces if they differ.
#[must_use]
pub fn twice(guest: Guest, seed: u64) -> (Report, Option<(Hash, Hash)>) {
    let (first, second) = (guest.1(seed), guest.1(seed));
    let traces = (first.trace, second.trace);
    (first, (traces.0 != traces.1).then_some(traces))
}
