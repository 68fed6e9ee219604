//! Which blocks to follow, if what one of them builds on is right: that is taken first, what is old of it
//! freezes, and everything else is offered against it as if it came now.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::Span;

use crate::limits::share;

use super::{Entry, Graph, Ix, Refused, Verdict, Vote, node::Node};

/// What follows from such a choice.
pub struct Side {
    /// The blocks that are left aside, and which place each would change; none if it builds on another one
    /// of them.
    pub aside: BTreeMap<Ix, Option<u64>>,
    /// How many places were frozen of what both sides build on.
    pub common: usize,
    /// What builds on the chosen block is not all there, and nothing that was followed contradicts what is:
    /// this would be both sides together, as nobody shows them.
    pub is_both: bool,
}

/// How much may be done for some blocks.
#[derive(Clone, Copy)]
enum Work {
    /// No more than for what one peer sends: they may be anybody's. What is not looked at stays aside.
    Bounded,
    /// All that there is to do: they are followed now.
    Unbounded,
}

/// The blocks that are taken so far.
struct Trial<'g> {
    from: &'g Graph,
    graph: Graph,
    /// The numbers that they have in `graph`.
    numbers: Vec<Option<Ix>>,
    /// What those that were not taken would have changed first.
    places: BTreeMap<Ix, u64>,
}

impl Graph {
    /// Which blocks to follow so that `chosen` is among them. `freeze` says after how many places from the
    /// end, and which time, a place is frozen.
    #[must_use]
    pub fn side_of(&self, chosen: Ix, genesis: [u8; 32], freeze: Option<(u64, Span)>) -> Side {
        let past = self.past_of(&[chosen]);
        let mut trial = Trial::new(self, genesis);
        past.iter().filter(|ix| !self.is_aside(**ix)).for_each(|ix| trial.take(*ix));
        let common = trial.frozen(freeze);
        past.iter().filter(|ix| self.is_aside(**ix)).for_each(|ix| trial.take(*ix));
        if self.is_aside(chosen) {
            trial.offer_all(&self.aside_after(chosen), freeze, Work::Bounded);
        }
        let all = (1..).map(Ix).take(self.len().saturating_sub(1));
        let followed: Vec<Ix> = all.filter(|ix| !self.is_aside(*ix)).collect();
        trial.offer_all(&followed, freeze, Work::Unbounded);
        trial.offer_all(&self.asides().collect::<Vec<_>>(), freeze, Work::Bounded);
        let aside = trial.rest();
        let lacks = self.is_aside(chosen)
            && self.aside_after(chosen).iter().any(|ix| aside.contains_key(ix));
        let is_both = lacks && aside.keys().all(|ix| self.is_aside(*ix));
        Side { aside, common, is_both }
    }

    /// What is left aside and builds on a block.
    fn aside_after(&self, chosen: Ix) -> Vec<Ix> {
        let mut after = BTreeSet::from([chosen]);
        for ix in self.asides() {
            if self.backs_of(ix).iter().any(|back| after.contains(back)) {
                after.insert(ix);
            }
        }
        after.into_iter().filter(|ix| *ix != chosen).collect()
    }
}

impl<'g> Trial<'g> {
    fn new(from: &'g Graph, genesis: [u8; 32]) -> Self {
        let mut numbers = vec![None; from.len()];
        if let Some(first) = numbers.first_mut() {
            *first = Some(Ix::GENESIS);
        }
        Self {
            from,
            graph: Graph::new(from.params.clone(), genesis),
            numbers,
            places: BTreeMap::new(),
        }
    }

    fn number(&self, ix: Ix) -> Option<Ix> {
        self.numbers.get(ix.at()).copied().flatten()
    }

    fn frozen(&mut self, freeze: Option<(u64, Span)>) -> usize {
        freeze.map_or(0, |(places, span)| self.graph.frozen(places, span))
    }

    /// Takes a block of which all is there that it builds on.
    fn take(&mut self, ix: Ix) {
        if self.number(ix).is_some() {
            return;
        }
        let Some((entry, verdict)) = self.entry(ix) else { return };
        let number = self.graph.insert_again(&entry, verdict);
        if let Some(slot) = self.numbers.get_mut(ix.at()) {
            *slot = Some(number);
        }
    }

    fn retract(&mut self, ix: Ix) {
        self.graph.retract_last();
        if let Some(slot) = self.numbers.get_mut(ix.at()) {
            *slot = None;
        }
    }

    /// A block as it goes into the new graph; none if what it builds on is not there, or it is not admitted.
    fn entry(&self, ix: Ix) -> Option<(Entry, Verdict)> {
        let node = self.from.node(ix)?;
        if !matches!(node.verdict, Verdict::Admitted | Verdict::Liked) {
            return None;
        }
        let author = self.from.author(ix);
        let vote = match node.vote {
            Some(Vote { like, target }) => Some(Vote { like, target: self.number(target)? }),
            None => None,
        };
        let backs = node.backs.iter().map(|back| self.number(*back)).collect::<Option<_>>()?;
        let (id, height, time) = (node.id, node.height, node.time);
        Some((Entry { id, height, time, author, backs, vote }, node.verdict))
    }

    /// Takes those of some blocks, backs first, that leave what is frozen now as it is: all at once, and if
    /// that would change something, one half after the other.
    fn offer_all(&mut self, all: &[Ix], freeze: Option<(u64, Span)>, work: Work) {
        let settled = self.frozen(freeze);
        let until = match work {
            Work::Bounded => share(self.from.len()),
            Work::Unbounded => u64::MAX,
        };
        let until = self.graph.sought().saturating_add(until);
        let mut open = vec![all];
        while let Some(part) = open.pop() {
            if self.graph.sought() > until {
                return;
            }
            let Some(place) = self.offer(part, settled) else { continue };
            match part {
                [only] => {
                    self.places.entry(*only).or_insert(place as u64);
                }
                _ => {
                    let (first, second) = part.split_at(part.len() / 2);
                    open.extend([second, first]);
                }
            }
        }
    }

    /// Takes those of some blocks that build on what is there, unless that would change a frozen place: this
    /// one.
    fn offer(&mut self, part: &[Ix], settled: usize) -> Option<usize> {
        let mut taken = Vec::new();
        for ix in part {
            // A held post comes with its like.
            if self.from.verdict(*ix) == Some(Verdict::Liked) {
                continue;
            }
            let held = self.from.node(*ix).and_then(Node::vouches_for);
            for ix in held.into_iter().chain([*ix]) {
                let is_new = self.number(ix).is_none();
                self.take(ix);
                if is_new && self.number(ix).is_some() {
                    taken.push(ix);
                }
            }
        }
        let Err(Refused::Frozen(place)) = self.graph.may_stay(settled, None, usize::MAX, 0) else {
            return None;
        };
        taken.iter().rev().for_each(|ix| self.retract(*ix));
        Some(place)
    }

    /// What was not taken.
    fn rest(&mut self) -> BTreeMap<Ix, Option<u64>> {
        let end = self.graph.order().len() as u64;
        let all = (1..).map(Ix).take(self.from.len().saturating_sub(1));
        let is_rest = |ix: &Ix| self.number(*ix).is_none();
        let place = |ix: Ix| {
            // That of a held post is that of its like.
            let like = || self.from.children(ix).iter().find_map(|like| self.places.get(like));
            let begins = !self.from.backs_of(ix).iter().any(is_rest);
            begins.then(|| self.places.get(&ix).or_else(like).copied().unwrap_or(end))
        };
        all.filter(is_rest).map(|ix| (ix, place(ix))).collect()
    }
}
