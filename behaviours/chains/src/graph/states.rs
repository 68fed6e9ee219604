//! The reputations after a block and its past, for the blocks that were asked about last.

use std::collections::{BTreeMap, VecDeque};

use crate::rules::Reputation;

use super::{Graph, Ix, past::Past};

/// How many blocks' reputations are kept. Others are computed again.
const KEPT: usize = 4096;

pub(super) struct States {
    start: Reputation,
    kept: BTreeMap<Ix, Reputation>,
    /// In the order in which they came.
    turns: VecDeque<Ix>,
}

impl States {
    pub(super) fn new(start: Reputation) -> Self {
        Self { start, kept: BTreeMap::new(), turns: VecDeque::new() }
    }

    pub(super) fn get(&self, ix: Ix) -> Option<&Reputation> {
        if ix == Ix::GENESIS { Some(&self.start) } else { self.kept.get(&ix) }
    }

    pub(super) fn keep(&mut self, ix: Ix, state: Reputation) {
        if ix == Ix::GENESIS || self.kept.insert(ix, state).is_some() {
            return;
        }
        self.turns.push_back(ix);
        if self.turns.len() > KEPT
            && let Some(oldest) = self.turns.pop_front()
        {
            self.kept.remove(&oldest);
        }
    }
}

impl Graph {
    /// Keeps the reputations after some blocks that are placed one after the other.
    pub(super) fn keep_state(&mut self, blocks: &[Ix], mut reputation: Reputation) {
        for ix in blocks {
            self.place_after(*ix, &mut reputation);
        }
        if let Some(last) = blocks.last() {
            self.states.keep(*last, reputation);
        }
    }

    /// The reputations where an admitted block has just been placed, after its past and nothing
    /// else.
    pub(super) fn state(&mut self, ix: Ix) -> Reputation {
        // From the block back to one whose reputations are known, then forth again.
        let mut missing: Vec<(Ix, Past)> = Vec::new();
        let mut at = ix;
        let mut state = loop {
            if let Some(known) = self.states.get(at) {
                break known.clone();
            }
            let mut past = self.past(&self.backs(at), |_| true);
            past.region.push(at);
            let base = past.base;
            missing.push((at, past));
            at = base;
        };
        while let Some((ix, past)) = missing.pop() {
            state = self.replay(&past, state).reputation;
            self.states.keep(ix, state.clone());
        }
        state
    }
}
