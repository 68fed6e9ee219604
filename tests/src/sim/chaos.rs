//! Faults at random moments, until [`World::calm`].

use std::collections::BTreeSet;

use covey_kernel::{Input, Machine, Span};
use rand::RngExt;

use super::{World, node::Crash, world::Event};

/// A kind of fault; each comes again after a random time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    Crash,
    Partition,
    Cut,
    Full,
    Flip,
    Nudge,
}

impl<M: Machine> World<M> {
    pub(super) fn begin_chaos(&mut self) {
        use Fault::{Crash, Cut, Flip, Full, Nudge, Partition};
        for fault in [Crash, Partition, Cut, Full, Flip, Nudge] {
            self.schedule(fault);
        }
    }

    /// No more faults: everything heals and starts, and stays so.
    pub fn calm(&mut self) {
        self.chaos = false;
        self.cuts.clear();
        self.config.loss = 0.0;
        self.config.duplicate = 0.0;
        self.config.busy = 0.0;
        for number in 0..self.nodes.len() {
            let node = &mut self.nodes[number];
            node.crash = None;
            node.disk.fill(false);
            node.disk.flip_in(None);
            self.start(number);
        }
    }

    fn schedule(&mut self, fault: Fault) {
        let mean = match fault {
            Fault::Crash => self.config.crash,
            Fault::Partition => self.config.partition,
            Fault::Cut => self.config.cut,
            Fault::Full => self.config.full,
            Fault::Flip => self.config.flip,
            Fault::Nudge => self.config.nudge,
        };
        if let Some(mean) = mean {
            let delay = self.up_to(Span::millis(mean.as_millis() * 2));
            self.after(delay, Event::Fault(fault));
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        if !self.chaos || self.nodes.is_empty() {
            return;
        }
        self.schedule(fault);
        let victim = self.rng.random_range(0..self.nodes.len());
        match fault {
            Fault::Crash => self.strike_crash(victim),
            Fault::Partition => self.strike_partition(),
            Fault::Cut => self.strike_cut(victim),
            Fault::Full => {
                self.nodes[victim].disk.fill(true);
                let full = self.up_to(self.config.apart);
                self.after(full, Event::Freed(victim));
            }
            Fault::Flip => {
                let reads = self.rng.random_range(0..50);
                self.nodes[victim].disk.flip_in(Some(reads));
            }
            Fault::Nudge => self.feed(victim, Input::Wake),
        }
    }

    /// Now, or in the middle of the next turn.
    fn strike_crash(&mut self, victim: usize) {
        match self.rng.random_range(0..3) {
            0 => self.crash(victim),
            1 => self.nodes[victim].crash = Some(Crash::BeforeCommit),
            _ => {
                let percent = self.rng.random_range(0..=100);
                self.nodes[victim].crash = Some(Crash::Speaking(percent));
            }
        }
    }

    fn strike_partition(&mut self) {
        let sides: Vec<bool> = (0..self.nodes.len()).map(|_| self.rng.random_bool(0.5)).collect();
        let numbers = 0..self.nodes.len();
        let pairs = numbers.clone().flat_map(|one| numbers.clone().map(move |two| (one, two)));
        let cut = pairs.filter(|(one, two)| sides[*one] != sides[*two]).collect();
        self.cut(cut);
    }

    fn strike_cut(&mut self, victim: usize) {
        let other = self.rng.random_range(0..self.nodes.len());
        self.cut(BTreeSet::from([(victim, other)]));
    }

    /// Nothing passes these directed pairs for a while.
    fn cut(&mut self, pairs: BTreeSet<(usize, usize)>) {
        self.stats.cuts += 1;
        let id = self.serial();
        self.cuts.insert(id, pairs);
        let apart = self.up_to(self.config.apart);
        self.after(apart, Event::Heal(id));
    }
}
