//! What was refused because there are too many of an author's blocks that the order leaves out, or that a hard
//! fork has. An honest peer that took them offers them with each exchange, and to see each time that they are
//! too many can cost a walk over all of the chain: so that is done again only after some time, or when what
//! builds on them is to be taken.

use std::collections::BTreeMap;

use covey_kernel::{Hash, Span, Time};

use crate::limits::{REFUSED, REFUSED_MILLIS};

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// One of too many of its author's that the order leaves out.
    Sibling,
    /// One of too many of a hard fork.
    Fork,
    /// A held post whose like was refused. It may still be held.
    HeldPost,
}

/// Of one chain: until when.
#[derive(Default)]
pub(crate) struct RefusedBlocks(BTreeMap<Hash, (Time, What)>);

impl RefusedBlocks {
    /// What was refused of a block.
    pub(crate) fn get(&self, now: Time, hash: &Hash) -> Option<What> {
        let (until, what) = self.0.get(hash)?;
        is_ahead(now, *until).then_some(*what)
    }

    /// What is past is forgotten when there are too many; and then anything.
    pub(crate) fn insert(&mut self, now: Time, hash: Hash, what: What) {
        if self.0.len() >= REFUSED {
            self.0.retain(|_, (until, _)| is_ahead(now, *until));
        }
        if self.0.len() >= REFUSED {
            self.0.pop_first();
        }
        self.0.insert(hash, (now.plus(Span::millis(REFUSED_MILLIS)), what));
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
            refused.insert(now, hash(number), What::Fork);
            assert!(refused.get(now, &hash(number)).is_some());
            assert_eq!(refused.0.len(), REFUSED.min(number + 1));
        }
    }

    #[test]
    fn what_is_past_makes_room() {
        let (mut refused, now) = (RefusedBlocks::default(), Time::from_millis(1_000));
        (0..REFUSED).for_each(|number| refused.insert(now, hash(number), What::Fork));
        let later = now.plus(Span::millis(REFUSED_MILLIS));
        assert!(refused.get(later, &hash(0)).is_none());
        refused.insert(later, hash(REFUSED), What::Fork);
        assert_eq!(refused.0.len(), 1);
    }

    #[test]
    fn a_clock_that_is_set_back_refuses_nothing_for_long() {
        let (mut refused, now) = (RefusedBlocks::default(), Time::from_millis(REFUSED_MILLIS));
        refused.insert(now, hash(0), What::Fork);
        assert!(refused.get(now.minus(Span::secs(1)), &hash(0)).is_none());
    }
}
