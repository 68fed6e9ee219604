//! Which blocks to follow, if what one of them builds on is right: that is taken first, what is old of it
//! freezes, and everything else is offered against it as if it came now.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{PublicKey, Span};

use crate::limits::{HELD, NEWCOMERS, WASTED_PLACES, WASTED_TIMES};

use super::{Entry, Graph, Ix, Refused, Verdict, Vote, node::Node};

/// What follows from such a choice.
pub struct Side {
    /// The blocks that are left aside, and which place each would change; none if it builds on another one
    /// of them.
    pub aside: BTreeMap<Ix, Option<u64>>,
    /// How many places were frozen of what both sides build on.
    pub common: usize,
}

/// The blocks that are taken so far.
struct Trial<'g> {
    from: &'g Graph,
    keys: Vec<PublicKey>,
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
        trial.offer_all(self.aside_after(chosen), freeze, true);
        let followed = (1..).map(Ix).take(self.len().saturating_sub(1));
        trial.offer_all(followed.filter(|ix| !self.is_aside(*ix)), freeze, false);
        trial.offer_all(self.asides(), freeze, true);
        Side { aside: trial.rest(), common }
    }

    /// What is left aside and builds on a block.
    fn aside_after(&self, chosen: Ix) -> impl Iterator<Item = Ix> {
        let mut after = BTreeSet::from([chosen]);
        for ix in self.asides() {
            if self.backs_of(ix).iter().any(|back| after.contains(back)) {
                after.insert(ix);
            }
        }
        after.into_iter().filter(move |ix| *ix != chosen)
    }
}

impl<'g> Trial<'g> {
    fn new(from: &'g Graph, genesis: [u8; 32]) -> Self {
        let mut keys: Vec<_> = from.authors.iter().map(|(key, who)| (*who, *key)).collect();
        keys.sort_unstable_by_key(|(who, _)| *who);
        let mut numbers = vec![None; from.len()];
        if let Some(first) = numbers.first_mut() {
            *first = Some(Ix::GENESIS);
        }
        Self {
            from,
            keys: keys.into_iter().map(|(_, key)| key).collect(),
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
        let author = match node.author {
            Some(who) => Some(*self.keys.get(who.0 as usize)?),
            None => None,
        };
        let vote = match node.vote {
            Some(Vote { like, target }) => Some(Vote { like, target: self.number(target)? }),
            None => None,
        };
        let backs = node.backs.iter().map(|back| self.number(*back)).collect::<Option<_>>()?;
        let (id, height, time) = (node.id, node.height, node.time);
        Some((Entry { id, height, time, author, backs, vote }, node.verdict))
    }

    /// Takes those of some blocks, backs first, that leave what is frozen now as it is. Of what others made
    /// no more than when it comes from a peer.
    fn offer_all(
        &mut self,
        all: impl Iterator<Item = Ix>,
        freeze: Option<(u64, Span)>,
        bounded: bool,
    ) {
        let settled = self.frozen(freeze);
        let most =
            WASTED_PLACES.saturating_add((self.from.len() as u64).saturating_mul(WASTED_TIMES));
        let until = self.graph.sought().saturating_add(most);
        for (count, ix) in all.enumerate() {
            // The longer the order is not sought, the more of it is looked at again.
            if count.is_multiple_of(NEWCOMERS) {
                self.graph.refresh();
            }
            if bounded && self.graph.sought() > until {
                return;
            }
            // A held post comes with its like.
            let is_held = self.from.verdict(ix) == Some(Verdict::Liked);
            if !is_held && self.number(ix).is_none() {
                self.offer(ix, settled, if bounded { HELD } else { usize::MAX });
            }
        }
    }

    fn offer(&mut self, ix: Ix, settled: usize, limit: usize) {
        let held = self.from.node(ix).and_then(Node::vouches_for);
        let held = held.filter(|held| self.number(*held).is_none());
        let group = || held.into_iter().chain([ix]);
        group().for_each(|ix| self.take(ix));
        let author =
            self.from.node(ix).and_then(|node| self.keys.get(node.author?.0 as usize)).copied();
        let refused = match self.number(ix) {
            Some(_) => self.graph.may_stay(settled, author.as_ref(), limit).err(),
            None => None,
        };
        if self.number(ix).is_some() && refused.is_none() {
            return;
        }
        let taken: Vec<Ix> = group().filter(|ix| self.number(*ix).is_some()).collect();
        taken.iter().rev().for_each(|ix| self.retract(*ix));
        if let Some(Refused::Frozen(place)) = refused {
            for ix in taken {
                self.places.entry(ix).or_insert(place as u64);
            }
        }
    }

    /// What was not taken.
    fn rest(&mut self) -> BTreeMap<Ix, Option<u64>> {
        let end = self.graph.order().len() as u64;
        let all = (1..).map(Ix).take(self.from.len().saturating_sub(1));
        let is_rest = |ix: &Ix| self.number(*ix).is_none();
        let place = |ix: Ix| {
            let begins = !self.from.backs_of(ix).iter().any(is_rest);
            begins.then(|| self.places.get(&ix).copied().unwrap_or(end))
        };
        all.filter(is_rest).map(|ix| (ix, place(ix))).collect()
    }
}
