//! What a peer may cost us for nothing. Whether a block is taken is known only after its place was
//! sought, which can mean to place much of the chain again; and it may have honest reasons if it is not.

use covey_kernel::{Effect, Fault, Hash, Peer, PublicKey};

use super::{
    desk::Desk,
    ingest::Taken,
    waiting::{Sought, Way},
};
use crate::{
    Block, BlockId,
    graph::Ix,
    limits::{HELD, share},
    memory::{Chain, Wasted},
    refused::What,
    wire::Item,
};

/// A peer's share is used up.
pub(super) const WASTED: &str = "too much of what it sent could not be taken: try again later";

/// What the blocks of a page cost for nothing.
#[derive(Default)]
pub(super) struct Bill {
    /// For a held post: whether that was for nothing is seen when the next block has been tried, since a peer
    /// sends it right before its like.
    held: Wasted,
}

impl Bill {
    /// What is owed once a block was tried. What follows a held post may say that it is its like.
    pub(super) fn next(&mut self, taken: Taken, sought: Sought, has_like: bool) -> Wasted {
        let (all, nothing) = (sought.wasted, Wasted::default());
        let (now, later) = match taken {
            Taken::Held if has_like => (nothing, Wasted::new(all, 0)),
            Taken::Held => (nothing, Wasted::new(all, all)),
            _ => (Wasted::new(all, 0), nothing),
        };
        std::mem::replace(&mut self.held, later).plus(now).less(sought.used)
    }

    /// What is owed at the end.
    pub(super) fn last(self) -> Wasted {
        self.held
    }
}

impl Desk<'_, '_, '_> {
    /// Counts what was sought for what was not taken, and tells whether the peer's share is used up. An honest
    /// peer may have that many blocks of a hard fork, or siblings that it took and we did not, as who makes
    /// them sends others to everybody; but it does not pass held posts on without their likes.
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

    /// Whether a block was refused some time ago. A held post whose like was may still be held.
    pub(super) fn was_refused(&self, chain: &Chain, id: &BlockId, way: Way) -> bool {
        match self.what_was_refused(chain, id) {
            None => false,
            Some(What::HeldPost) => way == Way::Page,
            Some(What::Sibling | What::Fork) => true,
        }
    }

    /// Whether a block builds on one of a hard fork of which there are too many.
    pub(super) fn builds_on_refused(&self, chain: &Chain, block: &Block) -> bool {
        block.backs.iter().any(|back| self.what_was_refused(chain, back) == Some(What::Fork))
    }

    fn what_was_refused(&self, chain: &Chain, id: &BlockId) -> Option<What> {
        let live = self.memory().live.borrow();
        live.refused.get(&chain.no)?.get(self.now(), &id.hash)
    }

    pub(super) fn refuse(&self, chain: &Chain, hash: Hash, what: What) {
        let mut live = self.memory().live.borrow_mut();
        live.refused.entry(chain.no).or_default().insert(self.now(), hash, what);
    }

    /// Whether a block is refused as one of too many of a hard fork.
    pub(super) fn is_of_refused_fork(&self, chain: &Chain, item: &Item) -> bool {
        self.what_was_refused(chain, &item.block.block.id()) == Some(What::Fork)
    }

    /// Whether a block, or the like that comes with it, is new, and the order leaves out so much of its author that
    /// it is hardly taken.
    pub(super) fn would_crowd(
        &self,
        chain: &Chain,
        item: &Item,
        like: Option<&Item>,
    ) -> Result<bool, Fault> {
        Ok(self.crowds(chain, item)?
            || like.map(|like| self.crowds(chain, like)).transpose()?.unwrap_or(false))
    }

    fn crowds(&self, chain: &Chain, item: &Item) -> Result<bool, Fault> {
        let block = &item.block.block;
        let Some(author) = block.author else { return Ok(false) };
        let backs: Vec<Ix> = {
            let loaded = chain.load(self.store())?;
            if loaded.find(&block.id()).is_some() {
                return Ok(false);
            }
            block.backs.iter().filter_map(|back| loaded.find(back)).collect()
        };
        self.is_crowded(chain, &author, &backs)
    }

    /// Whether the order leaves out so much of an author that one more block of theirs, on these, is hardly taken.
    pub(super) fn is_crowded(
        &self,
        chain: &Chain,
        author: &PublicKey,
        backs: &[Ix],
    ) -> Result<bool, Fault> {
        let mut loaded = chain.load(self.store())?;
        let tips: Vec<Ix> = loaded.graph.tips().collect();
        let own = tips.into_iter().filter(|ix| loaded.graph.is_by(*ix, author)).collect::<Vec<_>>();
        let out = own.into_iter().filter(|ix| loaded.graph.place(*ix).is_none());
        Ok(out.count() >= HELD || loaded.graph.is_full(author, backs))
    }

    /// Whether a peer's share is used up until the next round.
    pub(super) fn wastes(&self, chain: &Chain, from: Peer) -> Result<bool, Fault> {
        let wasted = self.memory().live.borrow().wasted.get(&(chain.no, from)).copied();
        let Some(wasted) = wasted else { return Ok(false) };
        Ok(wasted.all > self.share(chain)?)
    }

    /// Whether it is used up twice: who sends siblings as many as are refused may also send what is taken.
    pub(super) fn wastes_twice(&self, chain: &Chain, from: Peer) -> Result<bool, Fault> {
        let wasted = self.memory().live.borrow().wasted.get(&(chain.no, from)).copied();
        let Some(wasted) = wasted else { return Ok(false) };
        Ok(wasted.all > self.share(chain)?.saturating_mul(2))
    }

    fn share(&self, chain: &Chain) -> Result<u64, Fault> {
        Ok(share(chain.load(self.store())?.followed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is owed for a held post of 100 places, with what is owed for what follows it.
    fn owed(has_like: bool, next: Taken, sought: Sought) -> (u64, u64) {
        let mut bill = Bill::default();
        let held = Sought { wasted: 100, used: 0 };
        let first = bill.next(Taken::Held, held, has_like);
        assert_eq!((first.all, first.held), (0, 0), "what follows is still to come");
        let then = bill.next(next, sought, false);
        let last = bill.last();
        assert_eq!((last.all, last.held), (0, 0), "nothing is owed twice");
        (then.all, then.held)
    }

    #[test]
    fn a_held_post_costs_its_sender_nothing_if_its_like_brings_it() {
        assert_eq!(owed(true, Taken::New, Sought { wasted: 0, used: 100 }), (0, 0));
    }

    #[test]
    fn a_held_post_whose_like_does_not_bring_it_costs_a_share_and_no_standing() {
        assert_eq!(owed(true, Taken::Refused, Sought { wasted: 20, used: 0 }), (120, 0));
    }

    #[test]
    fn a_held_post_without_a_like_costs_standing_too() {
        assert_eq!(owed(false, Taken::Known, Sought::default()), (100, 100));
        let mut bill = Bill::default();
        bill.next(Taken::Held, Sought { wasted: 100, used: 0 }, false);
        let last = bill.last();
        assert_eq!((last.all, last.held), (100, 100), "also at the end of a page");
    }
}
