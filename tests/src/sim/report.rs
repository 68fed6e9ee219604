use std::fmt;

use covey_kernel::{Hash, Machine, Span};

use super::World;

/// A property that must hold at the end of a run: its name, and what to look at.
pub type Checker<M> = (&'static str, fn(&World<M>) -> Result<(), String>);

/// What happened in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Crashes, at any point of a turn.
    pub crashes: u64,
    /// Nodes that halted on a failing disk.
    pub halts: u64,
    /// Partitions and one-way cuts.
    pub cuts: u64,
    /// Messages lost, also to cuts.
    pub lost: u64,
    /// Messages delivered twice.
    pub doubled: u64,
    /// Inputs delivered to machines.
    pub inputs: u64,
    /// Turns taken.
    pub turns: u64,
}

impl Stats {
    /// Everything that went wrong by intention.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.crashes + self.halts + self.cuts + self.lost + self.doubled
    }
}

/// What came of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Virtual time from beginning to end.
    pub simulated: Span,
    /// What happened.
    pub stats: Stats,
    /// The same for every run of the same seed.
    pub trace: Hash,
    /// What must not have happened; empty if all is well.
    pub violations: Vec<String>,
}

impl Report {
    /// Ends a run: checks the world, and says what it was.
    pub fn of<M: Machine>(world: &World<M>, checkers: &[Checker<M>]) -> Self {
        Self {
            seed: world.seed(),
            simulated: world.elapsed(),
            stats: world.stats(),
            trace: world.trace(),
            violations: world.check(checkers),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {} faults", self.seed, self.stats.faults())?;
        for violation in &self.violations {
            write!(f, "\n  {violation}")?;
        }
        Ok(())
    }
}
