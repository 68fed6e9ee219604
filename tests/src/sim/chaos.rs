//! Faults at random moments, until [`World::calm`]; and by hand, for scenarios.

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
            node.held = false;
            node.disk.fill(false);
            node.disk.flip_in(None);
            self.start(number);
        }
    }

    /// Takes a node down at once, until [`World::bring_up`].
    pub fn take_down(&mut self, node: usize) {
        self.nodes[node].held = true;
        if self.nodes[node].machine.is_some() {
            self.stats.crashes += 1;
            self.go_down(node);
        }
    }

    /// Starts a node that was taken down.
    pub fn bring_up(&mut self, node: usize) {
        self.nodes[node].held = false;
        self.start(node);
    }

    /// Lets the node crash in its next turn, before what that wrote is on the disk.
    pub fn crash_before_commit(&mut self, node: usize) {
        self.nodes[node].crash = Some(Crash::BeforeCommit);
    }

    /// Lets the node crash in its next turn, when its writes are on the disk and nothing of it
    /// is said.
    pub fn crash_after_commit(&mut self, node: usize) {
        self.nodes[node].crash = Some(Crash::Speaking(0));
    }

    /// From now on nothing gets from the first to the second of each pair.
    pub fn cut_links(&mut self, pairs: impl IntoIterator<Item = (usize, usize)>) {
        self.stats.cuts += 1;
        let id = self.serial();
        self.cuts.insert(id, pairs.into_iter().collect());
    }

    /// From now on nothing passes between these nodes and all others.
    pub fn part(&mut self, side: &[usize]) {
        let numbers = 0..self.nodes.len();
        let pairs = numbers.clone().flat_map(|one| numbers.clone().map(move |two| (one, two)));
        let cut = pairs.filter(|(one, two)| side.contains(one) != side.contains(two));
        self.cut_links(cut.collect::<Vec<_>>());
    }

    /// All links work again.
    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    /// Fills a node's disk, or makes space on it.
    pub fn fill_disk(&mut self, node: usize, full: bool) {
        self.nodes[node].disk.fill(full);
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
        let numbers = 0..self.nodes.len();
        let side: Vec<_> = numbers.filter(|_| self.rng.random_bool(0.5)).collect();
        self.part(&side);
        self.heal_later();
    }

    fn strike_cut(&mut self, victim: usize) {
        let other = self.rng.random_range(0..self.nodes.len());
        self.cut_links([(victim, other)]);
        self.heal_later();
    }

    /// The latest cut lasts for a while.
    fn heal_later(&mut self) {
        let apart = self.up_to(self.config.apart);
        self.after(apart, Event::Heal(self.next_serial));
    }
}
