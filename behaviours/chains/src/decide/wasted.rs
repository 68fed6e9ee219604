//! What a peer may cost us for nothing. Whether a block is taken is known only after its place was
//! sought, which can mean to place much of the chain again; and it may have honest reasons if it is not.

use covey_kernel::{Effect, Fault, Peer};

use super::{
    desk::Desk,
    ingest::{Sought, Taken},
};
use crate::{
    graph::Ix,
    limits::{HELD, share},
    memory::{Chain, Wasted},
    wire::Item,
};

/// A peer's share is used up.
pub(super) const WASTED: &str = "too much of what it sent could not be taken: try again later";

/// What several blocks that come together cost for nothing.
#[derive(Default)]
pub(super) struct Bill {
    /// For a held post: whether that was for nothing is seen when the next block has been tried, since a peer
    /// sends it right before its like.
    held: u64,
}

impl Bill {
    /// What is owed once this block was tried.
    pub(super) fn next(&mut self, taken: Taken, sought: Sought) -> Wasted {
        let (later, other) = match taken {
            Taken::Held => (sought.wasted, 0),
            _ => (0, sought.wasted),
        };
        let held = std::mem::replace(&mut self.held, later);
        let (held, back) = (held.saturating_sub(sought.used), sought.used.saturating_sub(held));
        Wasted { held, all: held.saturating_add(other), back }
    }

    /// What is owed for a block that comes alone.
    pub(super) fn alone(taken: Taken, sought: Sought) -> Wasted {
        let mut bill = Self::default();
        bill.next(taken, sought).plus(bill.last())
    }

    /// What is owed at the end.
    pub(super) fn last(self) -> Wasted {
        Wasted { held: self.held, all: self.held, back: 0 }
    }
}

impl Desk<'_, '_, '_> {
    /// Counts what was sought for what was not taken, and tells whether the peer's share is used up. An honest
    /// peer may have that many blocks of a hard fork, or siblings that it took and we did not, as who makes
    /// them sends others to everybody; but not that many held posts.
    pub(super) fn waste(&mut self, chain: &Chain, from: Peer, owed: Wasted) -> Result<bool, Fault> {
        let held = {
            let mut live = self.memory().live.borrow_mut();
            let wasted = live.wasted.entry((chain.no, from)).or_default();
            *wasted = wasted.plus(owed);
            wasted.held
        };
        if owed.held > 0 && held > self.share(chain)? {
            self.effect(Effect::Strike(from));
        }
        Ok(owed.all > 0 && self.wastes(chain, from)?)
    }

    /// Whether the order leaves out so many of the author's blocks that one more is hardly taken.
    pub(super) fn is_crowded(&self, chain: &Chain, item: &Item) -> Result<bool, Fault> {
        let Some(author) = item.block.block.author else { return Ok(false) };
        let mut loaded = chain.load(self.store())?;
        if loaded.find(&item.block.block.id()).is_some() {
            return Ok(false);
        }
        let tips: Vec<Ix> = loaded.graph.tips().collect();
        let own =
            tips.into_iter().filter(|ix| loaded.graph.is_by(*ix, &author)).collect::<Vec<_>>();
        let out = own.into_iter().filter(|ix| loaded.graph.place(*ix).is_none());
        Ok(out.count() >= HELD)
    }

    /// Whether a peer's share is used up until the next round.
    pub(super) fn wastes(&self, chain: &Chain, from: Peer) -> Result<bool, Fault> {
        let wasted = self.memory().live.borrow().wasted.get(&(chain.no, from)).copied();
        let Some(wasted) = wasted else { return Ok(false) };
        Ok(wasted.all > self.share(chain)?)
    }

    fn share(&self, chain: &Chain) -> Result<u64, Fault> {
        Ok(share(chain.load(self.store())?.followed()))
    }
}
