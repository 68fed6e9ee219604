//! The reputations after a block and its past: all of late, and fewer the longer ago they were
//! asked for, so that others are computed again from one that is not much older.

use std::collections::BTreeMap;

use crate::{limits::STATES, rules::Reputation};

use super::{Graph, Ix, past::Past};

pub(super) struct States {
    start: Reputation,
    kept: BTreeMap<Ix, Reputation>,
    /// By their number, counted from 1.
    turns: BTreeMap<u64, Ix>,
    last: u64,
}

impl States {
    pub(super) fn new(start: Reputation) -> Self {
        Self { start, kept: BTreeMap::new(), turns: BTreeMap::new(), last: 0 }
    }

    /// Those before anything is placed.
    pub(super) fn start(&self) -> &Reputation {
        &self.start
    }

    pub(super) fn get(&self, ix: Ix) -> Option<&Reputation> {
        if ix == Ix::GENESIS { Some(&self.start) } else { self.kept.get(&ix) }
    }

    pub(super) fn keep(&mut self, ix: Ix, state: Reputation) {
        if ix == Ix::GENESIS || self.kept.insert(ix, state).is_some() {
            return;
        }
        self.last = self.last.saturating_add(1);
        self.turns.insert(self.last, ix);
        self.thin();
    }

    /// Forgets the reputations after a block that is gone.
    pub(super) fn forget(&mut self, ix: Ix) {
        if self.kept.remove(&ix).is_some() {
            self.turns.retain(|_, kept| *kept != ix);
        }
    }

    /// What can be divided by 2 so many times is kept so much longer, at each time twice.
    fn thin(&mut self) {
        for times in 0..u64::BITS {
            let age = 2u64.checked_pow(times).and_then(|longer| STATES.checked_mul(longer));
            let number = age.and_then(|age| self.last.checked_sub(age));
            let Some(number) = number.filter(|number| *number > 0) else { return };
            if number.trailing_zeros() == times
                && let Some(ix) = self.turns.remove(&number)
            {
                self.kept.remove(&ix);
            }
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
            state = self.replay(&past.region, state).reputation;
            self.states.keep(ix, state.clone());
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Paper;

    use super::*;

    #[test]
    fn the_late_ones_are_kept_and_fewer_of_the_older() {
        let state = || Reputation::Paper(Paper::new(None));
        let mut states = States::new(state());
        let all = u32::try_from(STATES * 64).unwrap();
        for ix in 1..=all {
            states.keep(Ix(ix), state());
        }
        let kept = |from: u32| (from..=all).filter(|ix| states.get(Ix(*ix)).is_some()).count();
        let late = u32::try_from(STATES).unwrap();
        assert_eq!(kept(all - late + 1), late as usize);
        assert!(states.kept.len() < late as usize * 5, "{} are kept", states.kept.len());
        assert_eq!(states.kept.len(), states.turns.len());
        // From any block back, one is kept that is not much further than the block is.
        for ix in (1..=all).step_by(97) {
            let nearest = (0..=ix).rev().find(|ix| states.get(Ix(*ix)).is_some()).unwrap();
            assert!(ix - nearest <= (all - ix) / late * 2 + 1, "{ix} has {nearest} of {all}");
        }
    }
}
