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

impl Desk<'_, '_, '_> {
    pub(super) fn was_refused(&self, chain: &Chain, id: &BlockId) -> bool {
        let live = self.memory().live.borrow();
        let until = live.refused.get(&chain.no).and_then(|refused| refused.0.get(&id.hash));
        until.is_some_and(|until| is_ahead(self.now(), *until))
    }

    pub(super) fn refuse(&self, chain: &Chain, hash: Hash) {
        let now = self.now();
        let mut live = self.memory().live.borrow_mut();
        let RefusedBlocks(refused) = live.refused.entry(chain.no).or_default();
        if refused.len() >= REFUSED {
            refused.retain(|_, until| is_ahead(now, *until));
        }
        if refused.len() >= REFUSED {
            refused.pop_first();
        }
        refused.insert(hash, now.plus(Span::millis(REFUSED_MILLIS)));
    }
}

/// Whether a time has not come; or the clock was set back.
fn is_ahead(now: Time, until: Time) -> bool {
    now < until && until.since(now) <= Span::millis(REFUSED_MILLIS)
}
