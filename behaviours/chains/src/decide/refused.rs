//! What was refused because the order leaves out too many of an author's blocks. An honest peer that took
//! them offers them with each exchange, and to see each time that they are too many can cost a walk over all
//! of the chain: so that is done again only after some time, or when what builds on them is to be taken.

use std::collections::BTreeSet;

use covey_kernel::{Hash, Span, Time};

use super::desk::Desk;
use crate::{
    BlockId,
    limits::{REFUSED, REFUSED_MILLIS},
    memory::Chain,
};

/// Of one chain.
pub(crate) struct RefusedBlocks {
    since: Time,
    hashes: BTreeSet<Hash>,
}

impl Desk<'_, '_, '_> {
    pub(super) fn was_refused(&self, chain: &Chain, id: &BlockId) -> bool {
        let live = self.memory().live.borrow();
        live.refused.get(&chain.no).is_some_and(|refused| {
            !refused.is_over(self.now()) && refused.hashes.contains(&id.hash)
        })
    }

    pub(super) fn refuse(&self, chain: &Chain, hash: Hash) {
        let now = self.now();
        let mut live = self.memory().live.borrow_mut();
        let new = || RefusedBlocks { since: now, hashes: BTreeSet::new() };
        let refused = live.refused.entry(chain.no).or_insert_with(new);
        if refused.is_over(now) || refused.hashes.len() >= REFUSED {
            *refused = new();
        }
        refused.hashes.insert(hash);
    }
}

impl RefusedBlocks {
    fn is_over(&self, now: Time) -> bool {
        now < self.since || now.since(self.since) > Span::millis(REFUSED_MILLIS)
    }
}
