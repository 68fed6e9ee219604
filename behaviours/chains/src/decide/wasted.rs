//! What a peer may cost us for nothing. Whether a block is taken is known only after its place was
//! sought, which can mean to place much of the chain again; and it may have honest reasons if it is not.

use covey_kernel::{Effect, Fault, Peer};

use super::{
    desk::Desk,
    ingest::{Taken, Waiting},
};
use crate::{
    graph::Ix,
    limits::{HELD, WASTED_PLACES, WASTED_TIMES},
    memory::Chain,
    wire::Item,
};

/// A peer's share is used up.
pub(super) const WASTED: &str = "too much of what it sent could not be taken: try again later";

impl Desk<'_, '_, '_> {
    /// Counts what was sought for a block that was not taken, and tells whether the peer's share is used
    /// up. An honest peer may have that many blocks of a hard fork, or siblings that it took and we did not, as
    /// who makes them sends others to everybody; it serves no held posts and nothing invalid.
    pub(super) fn waste(
        &mut self,
        chain: &Chain,
        from: Peer,
        taken: Taken,
        waiting: &mut Waiting,
    ) -> Result<bool, Fault> {
        let (wasted, used) =
            (std::mem::take(&mut waiting.wasted), std::mem::take(&mut waiting.used));
        if wasted == 0 && used == 0 {
            return Ok(false);
        }
        {
            let mut live = self.memory().live.borrow_mut();
            let all = live.wasted.entry((chain.no, from)).or_default();
            *all = all.saturating_sub(used).saturating_add(wasted);
        }
        let over = self.wastes(chain, from)?;
        if over && matches!(taken, Taken::Held | Taken::Invalid(_)) {
            self.effect(Effect::Strike(from));
        }
        Ok(over)
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
        let blocks = chain.load(self.store())?.followed() as u64;
        Ok(wasted > WASTED_PLACES.saturating_add(blocks.saturating_mul(WASTED_TIMES)))
    }
}
