//! Own parts: which blocks build on one ready block alone, and what they weigh.

use covey_kernel::Time;

use crate::rules::{Reputation, Who};

use super::region::Region;

/// Where a block of the region stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many of its backs are not placed; if none, it is ready.
    Waits(usize),
    Placed,
    Blocked,
}

/// The own part of one ready block. What follows a block as its only child takes its part over.
#[derive(Default)]
struct Part {
    /// Its blocks, and some that have been placed.
    blocks: Vec<usize>,
    /// How many of them each author wrote.
    counts: Vec<usize>,
    /// The authors who wrote any.
    authors: Vec<usize>,
    weight: i64,
    /// Its weight holds until then.
    until: Time,
}

/// An author's running reps, and until when they hold if nothing is placed that touches them.
#[derive(Clone, Copy, Default)]
struct Reps {
    reps: i64,
    until: Time,
}

/// The ready blocks and their own parts, while a region is placed. As long as one block alone is
/// ready there is nothing to weigh, and no parts are known: else its part would be all that is
/// left, and change with every fork.
pub(super) struct Parts<'r, 'g> {
    region: &'r Region<'g>,
    stages: Vec<Stage>,
    /// Of whose part a block is; none if it builds on several ready blocks, or on a blocked one.
    owners: Vec<Option<usize>>,
    parts: Vec<Part>,
    free: Vec<usize>,
    /// Each with its part, if parts are known.
    ready: Vec<(usize, Option<usize>)>,
    reps: Vec<Reps>,
}

impl<'r, 'g> Parts<'r, 'g> {
    pub(super) fn new(region: &'r Region<'g>) -> Self {
        let stages: Vec<Stage> =
            (0..region.len()).map(|at| Stage::Waits(region.backs(at).len())).collect();
        let is_ready = |at: &usize| stages.get(*at) == Some(&Stage::Waits(0));
        let ready = (0..region.len()).filter(is_ready).map(|at| (at, None)).collect();
        let mut parts = Self {
            region,
            stages,
            owners: vec![None; region.len()],
            parts: Vec::new(),
            free: Vec::new(),
            ready,
            reps: vec![Reps::default(); region.people().len()],
        };
        parts.know();
        parts
    }

    /// The ready block, if it is the only one.
    pub(super) fn only(&self) -> Option<usize> {
        match self.ready.as_slice() {
            [(at, _)] => Some(*at),
            _ => None,
        }
    }

    /// The ready blocks, each with the weight of its part.
    pub(super) fn weights(
        &mut self,
        reputation: &Reputation,
    ) -> impl Iterator<Item = (usize, i64)> {
        let now = reputation.last();
        for part in self.ready.iter().filter_map(|(_, part)| *part) {
            let Some(part) = self.parts.get_mut(part) else { continue };
            if part.until <= now {
                part.weigh(&mut self.reps, self.region.people(), reputation);
            }
        }
        self.ready.iter().map(|(at, part)| {
            let part = part.and_then(|part| self.parts.get(part));
            (*at, part.map_or(0, |part| part.weight))
        })
    }

    /// A ready block is placed; what it does to reputations touches these authors.
    pub(super) fn place(&mut self, at: usize, touched: impl Iterator<Item = Who>) {
        for who in touched {
            self.touch(who);
        }
        self.set(at, Stage::Placed);
        for child in self.region.children(at) {
            if let Stage::Waits(backs) = self.stage(*child) {
                self.set(*child, Stage::Waits(backs.saturating_sub(1)));
            }
        }
        match self.region.children(at) {
            [only] if self.is_ready(*only) => self.hand_over(at, *only),
            children => self.end(at, children),
        }
    }

    /// A ready block stays out, with all that builds on it.
    pub(super) fn block(&mut self, at: usize) {
        self.set(at, Stage::Blocked);
        self.end(at, &[]);
    }

    fn stage(&self, at: usize) -> Stage {
        self.stages.get(at).copied().unwrap_or(Stage::Blocked)
    }

    fn set(&mut self, at: usize, stage: Stage) {
        if let Some(slot) = self.stages.get_mut(at) {
            *slot = stage;
        }
    }

    fn is_ready(&self, at: usize) -> bool {
        self.stage(at) == Stage::Waits(0)
    }

    fn owner(&self, at: usize) -> Option<usize> {
        self.owners.get(at).copied().flatten()
    }

    /// What is known of an author's reps, and of the parts that count them, no longer holds.
    fn touch(&mut self, who: Who) {
        let Ok(author) = self.region.people().binary_search(&who) else { return };
        if let Some(reps) = self.reps.get_mut(author) {
            reps.until = Time::default();
        }
        for part in &mut self.parts {
            if part.counts.get(author).is_some_and(|count| *count > 0) {
                part.until = Time::default();
            }
        }
    }

    /// The only child of a placed block becomes ready: all else in the part builds on it.
    fn hand_over(&mut self, at: usize, child: usize) {
        if let Some(ready) = self.ready.iter_mut().find(|(ready, _)| *ready == at) {
            ready.0 = child;
        }
        self.leave(at);
    }

    /// A block is no longer ready, and its part falls apart.
    fn end(&mut self, at: usize, children: &[usize]) {
        if let Some(part) = self.owner(at) {
            self.dissolve(part);
        }
        self.ready.retain(|(ready, _)| *ready != at);
        let ready = children.iter().copied().filter(|child| self.is_ready(*child));
        let ready: Vec<_> = ready.map(|child| (child, None)).collect();
        self.ready.extend(ready);
        self.know();
        if self.ready.len() > 1 {
            children.iter().for_each(|child| self.join(*child));
        }
    }

    /// Sees to it that all parts are known if there is something to weigh, else none.
    fn know(&mut self) {
        if let [(_, part)] = self.ready.as_mut_slice() {
            if let Some(part) = part.take() {
                self.dissolve(part);
            }
            return;
        }
        for index in 0..self.ready.len() {
            let Some((at, None)) = self.ready.get(index).copied() else { continue };
            let part = self.new_part();
            if let Some(ready) = self.ready.get_mut(index) {
                ready.1 = Some(part);
            }
            self.grow(part, at);
        }
    }

    fn new_part(&mut self) -> usize {
        if let Some(part) = self.free.pop() {
            return part;
        }
        let counts = vec![0; self.region.people().len()];
        self.parts.push(Part { counts, ..Part::default() });
        self.parts.len().saturating_sub(1)
    }

    /// A block that waits joins a part when the rest of what it builds on is in it.
    fn join(&mut self, at: usize) {
        if self.owner(at).is_none()
            && !self.is_ready(at)
            && let Some(part) = self.part_of_backs(at)
        {
            self.grow(part, at);
        }
    }

    /// Adds a block, and all that builds on the part alone.
    fn grow(&mut self, part: usize, at: usize) {
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            self.enter(part, at);
            for child in self.region.children(at) {
                if self.owner(*child).is_none() && self.part_of_backs(*child) == Some(part) {
                    open.push(*child);
                }
            }
        }
    }

    /// The part in which all of a block's backs are that are not placed.
    fn part_of_backs(&self, at: usize) -> Option<usize> {
        let backs = self.region.backs(at).iter();
        let mut waiting = backs.filter(|back| self.stage(**back) != Stage::Placed);
        let part = self.owner(*waiting.next()?)?;
        waiting.all(|back| self.owner(*back) == Some(part)).then_some(part)
    }

    fn enter(&mut self, part: usize, at: usize) {
        if let Some(owner) = self.owners.get_mut(at) {
            *owner = Some(part);
        }
        let Some(part) = self.parts.get_mut(part) else { return };
        part.blocks.push(at);
        let Some(author) = self.region.author(at) else { return };
        let Some(count) = part.counts.get_mut(author) else { return };
        *count = count.saturating_add(1);
        if *count == 1 {
            part.authors.push(author);
            part.until = Time::default();
        }
    }

    fn leave(&mut self, at: usize) {
        let Some(part) = self.owners.get_mut(at).and_then(Option::take) else { return };
        let Some(part) = self.parts.get_mut(part) else { return };
        let Some(author) = self.region.author(at) else { return };
        let Some(count) = part.counts.get_mut(author) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            part.authors.retain(|other| *other != author);
            part.until = Time::default();
        }
    }

    fn dissolve(&mut self, part: usize) {
        let Some(old) = self.parts.get_mut(part) else { return };
        for at in old.blocks.drain(..) {
            if let Some(owner) = self.owners.get_mut(at)
                && *owner == Some(part)
            {
                *owner = None;
            }
        }
        for author in old.authors.drain(..) {
            if let Some(count) = old.counts.get_mut(author) {
                *count = 0;
            }
        }
        (old.weight, old.until) = (0, Time::default());
        self.free.push(part);
    }
}

impl Part {
    /// The running reps of its distinct authors; negative ones count 0.
    fn weigh(&mut self, reps: &mut [Reps], people: &[Who], reputation: &Reputation) {
        let now = reputation.last();
        (self.weight, self.until) = (0, Time::from_millis(u64::MAX));
        for author in &self.authors {
            let Some((known, who)) = reps.get_mut(*author).zip(people.get(*author)) else {
                continue;
            };
            if known.until <= now {
                (known.reps, known.until) = reputation.running_until(*who);
            }
            self.weight = self.weight.saturating_add(known.reps.max(0));
            self.until = self.until.min(known.until);
        }
    }
}
