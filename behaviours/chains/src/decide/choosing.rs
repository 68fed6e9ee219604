//! Following another side of a hard fork: a block is taken as right with all that it builds on, what is old
//! of that freezes, and everything else that is here is offered against it as if it came now. What
//! contradicts it is left aside, as the other side was before, so that the choice can be made again.

use std::collections::BTreeMap;

use covey_kernel::{Fault, Peer, PublicKey};

use super::desk::Desk;
use crate::{
    BlockId,
    command::{Event, Reply, Selector},
    error::Error,
    graph::{Ix, Side},
    layout,
    loaded::Loaded,
    memory::Chain,
    records::{self, Aside, Stored},
};

/// Which blocks change sides.
#[derive(Default)]
struct Changes {
    /// They are followed from now on.
    adopted: Vec<Ix>,
    /// They are followed no longer.
    left: Vec<Ix>,
}

impl Changes {
    fn of(loaded: &Loaded, side: &Side) -> Self {
        let mut changes = Self::default();
        for ix in (1..).map(Ix).take(loaded.blocks()) {
            match (loaded.graph.is_aside(ix), side.aside.contains_key(&ix)) {
                (true, false) => changes.adopted.push(ix),
                (false, true) => changes.left.push(ix),
                _ => {}
            }
        }
        changes
    }

    fn is_none(&self) -> bool {
        self.adopted.is_empty() && self.left.is_empty()
    }
}

impl Desk<'_, '_, '_> {
    /// Follows the side on which a block is. Whatever can be refused is refused before anything changes.
    pub(super) fn choose(&mut self, which: &Selector, id: &BlockId) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let (side, changes, before) = self.side(chain, id)?;
        let (adopted, aside) = (changes.adopted.len() as u64, changes.left.len() as u64);
        let reply = Reply::Chosen { adopted, aside, before };
        if changes.is_none() {
            return Ok(reply);
        }
        self.rewrite(chain, &side, &changes)?;
        self.resettle(chain, side.common);
        chain.unload();
        self.memory().live.borrow_mut().try_again(chain.no);
        self.tell(Event::Chosen { chain: chain.info(), adopted, aside });
        for ix in &changes.left {
            self.lose(chain, *ix)?;
        }
        for ix in &changes.adopted {
            self.adopt(chain, *ix)?;
        }
        Ok(reply)
    }

    /// The side on which a block is, what changes with it, and the block that leads back: the last in the order
    /// that is left aside.
    fn side(&self, chain: &Chain, id: &BlockId) -> Result<(Side, Changes, BlockId), Error> {
        let mut loaded = chain.load(self.store())?;
        let is_held = loaded.held.contains_key(&id.hash);
        let chosen = loaded.find(id).ok_or(match is_held {
            true => Error::NoSide(*id),
            false => Error::UnknownBlock(*id),
        })?;
        if chosen == Ix::GENESIS {
            return Err(Error::NoSide(*id));
        }
        let freeze = chain.joined.genesis.freeze.map(|freeze| (freeze.places, freeze.span));
        let side = loaded.graph.side_of(chosen, *chain.genesis.hash.as_bytes(), freeze);
        if side.is_both {
            return Err(Error::TooEarly(*id));
        }
        let changes = Changes::of(&loaded, &side);
        let order = loaded.graph.order().to_vec();
        let last = order.into_iter().rev().find(|ix| side.aside.contains_key(ix));
        let before = last.and_then(|last| loaded.graph.id(last)).unwrap_or(*id);
        Ok((side, changes, before))
    }

    /// Notes of each block on which side it is, and of those that stay aside which place they would change now.
    fn rewrite(&mut self, chain: &Chain, side: &Side, changes: &Changes) -> Result<(), Fault> {
        for ix in &changes.adopted {
            let stored = Stored { aside: None, ..self.stored(chain, *ix)? };
            records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        }
        let mut begun = BTreeMap::new();
        for (ix, place) in &side.aside {
            let stored = self.stored(chain, *ix)?;
            let (offered, since, by) = match stored.aside {
                Some(Aside { offered, since, begun_by, .. }) => (offered, since, begun_by),
                None => (false, self.now(), self.begun_by(chain, *ix, &begun)?),
            };
            begun.insert(*ix, by);
            let aside = Some(Aside { since, place: *place, offered, begun_by: by });
            let stored = Stored { aside, ..stored };
            records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        }
        Ok(())
    }

    /// Who began the fork that a block belongs to now that is followed no longer: who began that of a block before
    /// it; else its author, or who liked it if it was held.
    fn begun_by(
        &self,
        chain: &Chain,
        ix: Ix,
        before: &BTreeMap<Ix, Option<PublicKey>>,
    ) -> Result<Option<PublicKey>, Fault> {
        let loaded = chain.load(self.store())?;
        let backs = loaded.graph.backs_of(ix).iter();
        let inherited = backs.filter_map(|back| before.get(back).copied().flatten()).next();
        Ok(inherited.or_else(|| loaded.graph.answers_for(ix)))
    }

    /// What is brought meanwhile is of one past with the side that is followed now: what came first of it must
    /// not freeze out the rest. What was broken off was of the side that was followed before.
    fn resettle(&mut self, chain: &Chain, common: usize) {
        let bringing: Option<Peer> = {
            let live = self.memory().live.borrow();
            let mut flights = live.flights.iter();
            flights
                .find(|((no, _), flight)| *no == chain.no && flight.taking)
                .map(|((_, peer), _)| *peer)
        };
        match bringing {
            Some(peer) => self.settle(chain, peer, common as u64),
            None => self.view().delete(layout::settled(chain.no)),
        }
    }

    /// A block is followed no longer. What is missing of its payload nobody will be asked for, and a part of
    /// one counts for nothing.
    fn lose(&mut self, chain: &Chain, ix: Ix) -> Result<(), Fault> {
        self.view().delete(layout::unread(chain.no, ix.0));
        let missing = layout::missing(chain.no, ix.0);
        if self.store().get(&missing)?.is_some() {
            self.view().delete(missing);
            let hash = self.signed(chain, ix)?.block.id().hash;
            self.drop_payload(chain, &hash)?;
        }
        Ok(())
    }

    /// A block is followed, and new to who reads.
    fn adopt(&mut self, chain: &Chain, ix: Ix) -> Result<(), Fault> {
        let signed = self.signed(chain, ix)?;
        let id = signed.block.id();
        self.view().put(layout::unread(chain.no, ix.0), Vec::new());
        self.held_no_longer(chain, &id)?;
        self.expect_payload(chain, ix, &signed)?;
        let state = self.state_of(chain, &id)?;
        self.tell(Event::Block { chain: chain.info(), id, state });
        Ok(())
    }
}
