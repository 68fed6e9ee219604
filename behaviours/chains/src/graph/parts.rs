//! Own parts: which blocks build on one ready block alone, and what they weigh.

use covey_kernel::Time;

use crate::rules::{Reputation, Who};

use super::region::Region;

/// Where a block of the region stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many of its backs are not placed; if none, it is ready.
    Waits(u32),
    Placed,
    Blocked,
}

/// The own part of one ready block. What follows a block as its only child takes its part over.
struct Part {
    /// Its blocks, and some that have been placed.
    blocks: Vec<usize>,
    /// The authors who wrote any.
    authors: Vec<usize>,
    /// The running reps of these, as they were last learned; negative ones count 0.
    weight: i64,
    /// Until then no time that passes changes them.
    until: Time,
}

const NEVER: Time = Time::from_millis(u64::MAX);

/// An author of the region.
#[derive(Default)]
struct Author {
    /// The running reps; negative ones count 0.
    reps: i64,
    /// They hold until then, if nothing is placed that touches them; 0 if they are to be learned.
    until: Time,
    /// The parts with blocks of this author, and how many.
    parts: Vec<(usize, u32)>,
}

/// The ready blocks and their own parts, while a region is placed. As long as one block alone is
/// ready there is nothing to weigh, and no parts are known: else its part would be all that is
/// left, and change with every fork.
pub(super) struct Parts<'r, 'g> {
    region: &'r Region<'g>,
    stages: Vec<Stage>,
    /// Of whose part a block is; none if it builds on several ready blocks, or on a blocked one.
    owners: Vec<Option<u32>>,
    parts: Vec<Part>,
    free: Vec<usize>,
    /// Each with its part, if parts are known.
    ready: Vec<(usize, Option<usize>)>,
    /// By place among the people of the region.
    authors: Vec<Author>,
    /// Those in parts whose reps are to be learned.
    unknown: Vec<usize>,
}

impl<'r, 'g> Parts<'r, 'g> {
    pub(super) fn new(region: &'r Region<'g>) -> Self {
        let backs = |at| u32::try_from(region.backs(at).len()).unwrap_or(u32::MAX);
        let stage = |at| Stage::Waits(backs(at));
        let stages: Vec<Stage> = (0..region.len()).map(stage).collect();
        let is_ready = |at: &usize| stages.get(*at) == Some(&Stage::Waits(0));
        let ready = (0..region.len()).filter(is_ready).map(|at| (at, None)).collect();
        let mut authors = Vec::new();
        authors.resize_with(region.people().len(), Author::default);
        let owners = vec![None; region.len()];
        let (parts, free, unknown) = (Vec::new(), Vec::new(), Vec::new());
        let mut parts = Self { region, stages, owners, parts, free, ready, authors, unknown };
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
        while let Some(author) = self.unknown.pop() {
            self.learn(author, reputation);
        }
        for index in 0..self.ready.len() {
            if let Some((_, Some(part))) = self.ready.get(index).copied() {
                self.update(part, reputation);
            }
        }
        self.weighed()
    }

    /// The same, as they were weighed last.
    pub(super) fn weighed(&self) -> impl Iterator<Item = (usize, i64)> {
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
        let region = self.region;
        for child in region.children(at) {
            if let Stage::Waits(backs) = self.stage(child) {
                self.set(child, Stage::Waits(backs.saturating_sub(1)));
            }
        }
        let mut children = region.children(at);
        match (children.next(), children.next()) {
            (Some(only), None) if self.is_ready(only) => self.hand_over(at, only),
            _ => self.end(at, true),
        }
    }

    /// A ready block stays out, with all that builds on it.
    pub(super) fn block(&mut self, at: usize) {
        self.set(at, Stage::Blocked);
        self.end(at, false);
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
        self.owners.get(at).copied().flatten().map(|part| part as usize)
    }

    /// What is known of an author's reps no longer holds.
    fn touch(&mut self, who: Who) {
        let Ok(at) = self.region.people().binary_search(&who) else { return };
        let Some(author) = self.authors.get_mut(at) else { return };
        author.until = Time::default();
        if !author.parts.is_empty() {
            self.unknown.push(at);
        }
    }

    /// The only child of a placed block becomes ready: all else in the part builds on it.
    fn hand_over(&mut self, at: usize, child: usize) {
        if let Some(ready) = self.ready.iter_mut().find(|(ready, _)| *ready == at) {
            ready.0 = child;
        }
        self.leave(at);
    }

    /// A block is no longer ready, and its part falls apart. Those that build on a placed one may
    /// be ready now.
    fn end(&mut self, at: usize, placed: bool) {
        if let Some(part) = self.owner(at) {
            self.dissolve(part);
        }
        self.ready.retain(|(ready, _)| *ready != at);
        let region = self.region;
        let children = || region.children(at).filter(|_| placed);
        for child in children() {
            if self.is_ready(child) {
                self.ready.push((child, None));
            }
        }
        self.know();
        if self.ready.len() > 1 {
            children().for_each(|child| self.join(child));
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
        let (blocks, authors) = (Vec::new(), Vec::new());
        self.parts.push(Part { blocks, authors, weight: 0, until: NEVER });
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
        let region = self.region;
        let mut open = vec![at];
        while let Some(at) = open.pop() {
            self.enter(part, at);
            for child in region.children(at) {
                if self.owner(child).is_none() && self.part_of_backs(child) == Some(part) {
                    open.push(child);
                }
            }
        }
    }

    /// The part in which all of a block's backs are that are not placed.
    fn part_of_backs(&self, at: usize) -> Option<usize> {
        let mut waiting = self.region.backs(at).filter(|back| self.stage(*back) != Stage::Placed);
        let part = self.owner(waiting.next()?)?;
        waiting.all(|back| self.owner(back) == Some(part)).then_some(part)
    }

    fn enter(&mut self, number: usize, at: usize) {
        if let Some(owner) = self.owners.get_mut(at) {
            *owner = u32::try_from(number).ok();
        }
        let Some(part) = self.parts.get_mut(number) else { return };
        part.blocks.push(at);
        let Some(who) = self.region.author(at) else { return };
        let Some(author) = self.authors.get_mut(who) else { return };
        if let Some((_, count)) = author.parts.iter_mut().find(|(part, _)| *part == number) {
            *count = count.saturating_add(1);
            return;
        }
        author.parts.push((number, 1));
        part.authors.push(who);
        part.weight = part.weight.saturating_add(author.reps);
        match author.until == Time::default() {
            true => self.unknown.push(who),
            false => part.until = part.until.min(author.until),
        }
    }

    fn leave(&mut self, at: usize) {
        let number = self.owner(at);
        if let Some(owner) = self.owners.get_mut(at) {
            *owner = None;
        }
        let Some(number) = number else { return };
        let Some(part) = self.parts.get_mut(number) else { return };
        let Some(who) = self.region.author(at) else { return };
        let Some(author) = self.authors.get_mut(who) else { return };
        let Some(index) = author.parts.iter().position(|(part, _)| *part == number) else { return };
        let Some((_, count)) = author.parts.get_mut(index) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            author.parts.swap_remove(index);
            part.authors.retain(|other| *other != who);
            part.weight = part.weight.saturating_sub(author.reps);
        }
    }

    fn dissolve(&mut self, number: usize) {
        let Some(part) = self.parts.get_mut(number) else { return };
        for at in part.blocks.drain(..) {
            if let Some(owner) = self.owners.get_mut(at)
                && owner.is_some_and(|owner| owner as usize == number)
            {
                *owner = None;
            }
        }
        for author in part.authors.drain(..) {
            if let Some(author) = self.authors.get_mut(author) {
                author.parts.retain(|(part, _)| *part != number);
            }
        }
        (part.weight, part.until) = (0, NEVER);
        self.free.push(number);
    }

    /// Learns an author's reps, for all parts.
    fn learn(&mut self, at: usize, reputation: &Reputation) {
        let known = self.authors.get_mut(at).zip(self.region.people().get(at));
        let Some((author, who)) = known else { return };
        let old = author.reps;
        (author.reps, author.until) = reputation.running_until(*who);
        author.reps = author.reps.max(0);
        for (part, _) in &author.parts {
            let Some(part) = self.parts.get_mut(*part) else { continue };
            part.weight = part.weight.saturating_sub(old).saturating_add(author.reps);
            part.until = part.until.min(author.until);
        }
    }

    /// Time has passed, and the reps of some authors of a part may have changed with it.
    fn update(&mut self, number: usize, reputation: &Reputation) {
        let now = reputation.last();
        let Some(part) = self.parts.get_mut(number).filter(|part| part.until <= now) else {
            return;
        };
        let authors = std::mem::take(&mut part.authors);
        let mut until = NEVER;
        for at in &authors {
            let known = |parts: &Self| parts.authors.get(*at).map_or(NEVER, |author| author.until);
            if known(self) <= now {
                self.learn(*at, reputation);
            }
            until = until.min(known(self));
        }
        if let Some(part) = self.parts.get_mut(number) {
            (part.authors, part.until) = (authors, until);
        }
    }
}
