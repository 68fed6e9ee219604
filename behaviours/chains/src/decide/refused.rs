//! What was refused because there are too many of an author's blocks that the order leaves out, or that a hard
//! fork has. An honest peer that took them offers them with each exchange, and to see each time that they are
//! too many can cost a walk over all of the chain: so that is done again only after some time, or when what
//! builds on them is to be taken.

use std::collections::BTreeMap;

use covey_kernel::{Hash, Span, Time};

use super::desk::Desk;
use crate::{
    BlockId,
    limits::{REFUSED, REFUSED_MILLIS},
    memory::Chain,
};

/// Of one chain: until when.
#[derive(Default)]
pub(crate) struct RefusedBlocks(BTreeMap<Hash, Time>);

impl RefusedBlocks {
    fn contains(&self, now: Time, hash: &Hash) -> bool {
        self.0.get(hash).is_some_and(|until| is_ahead(now, *until))
    }

    /// What is past is forgotten when there are too many; and then anything.
    fn insert(&mut self, now: Time, hash: Hash) {
        if self.0.len() >= REFUSED {
            self.0.retain(|_, until| is_ahead(now, *until));
        }
        if self.0.len() >= REFUSED {
            self.0.pop_first();
        }
        self.0.insert(hash, now.plus(Span::millis(REFUSED_MILLIS)));
    }
}

impl Desk<'_, '_, '_> {
    pub(super) fn was_refused(&self, chain: &Chain, id: &BlockId) -> bool {
        let live = self.memory().live.borrow();
        live.refused.get(&chain.no).is_some_and(|refused| refused.contains(self.now(), &id.hash))
    }

    pub(super) fn refuse(&self, chain: &Chain, hash: Hash) {
        let mut live = self.memory().live.borrow_mut();
        live.refused.entry(chain.no).or_default().insert(self.now(), hash);
    }
}

/// Whether a time has not come; or the clock was set back.
fn is_ahead(now: Time, until: Time) -> bool {
    now < until && until.since(now) <= Span::millis(REFUSED_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> Hash {
        Hash::of(&number.to_be_bytes())
    }

    #[test]
    fn only_so_many_are_remembered_and_the_latest_always() {
        let (mut refused, now) = (RefusedBlocks::default(), Time::from_millis(1_000));
        for number in 0..2 * REFUSED {
            refused.insert(now, hash(number));
            assert!(refused.contains(now, &hash(number)));
            assert_eq!(refused.0.len(), REFUSED.min(number + 1));
        }
    }

    #[test]
    fn what_is_past_makes_room() {
        let (mut refused, now) = (RefusedBlocks::default(), Time::from_millis(1_000));
        (0..REFUSED).for_each(|number| refused.insert(now, hash(number)));
        let later = now.plus(Span::millis(REFUSED_MILLIS));
        assert!(!refused.contains(later, &hash(0)));
        refused.insert(later, hash(REFUSED));
        assert_eq!(refused.0.len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_refuses_nothing_for_long() {
        let (mut refused, now) = (RefusedBlocks::default(), Time::from_millis(REFUSED_MILLIS));
        refused.insert(now, hash(0));
        assert!(!refused.contains(now.minus(Span::secs(1)), &hash(0)));
    }
}
