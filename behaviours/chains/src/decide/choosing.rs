//! Following another side of a hard fork: a block is taken as right with all that it builds on, what is old
//! of that freezes, and everything else that is here is offered against it as if it came now. What
//! contradicts it is left aside, as the other side was before, so that the choice can be made again.

use std::collections::BTreeMap;

use covey_kernel::{Fault, Peer};

use super::desk::Desk;
use crate::{
    BlockId,
    command::{Event, Reply, Selector},
    error::Error,
    graph::{Ix, Side},
    layout,
    memory::Chain,
    records::{self, Aside},
};

/// Which blocks change sides.
#[derive(Default)]
struct Changes {
    /// They are followed from now on.
    adopted: Vec<Ix>,
    /// They are followed no longer.
    left: Vec<Ix>,
}

impl Desk<'_, '_, '_> {
    /// Follows the side on which a block is. Whatever can be refused is refused before anything changes.
    pub(super) fn choose(&mut self, which: &Selector, id: &BlockId) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let genesis = &chain.joined.genesis;
        let (side, last) = {
            let mut loaded = chain.load(self.store())?;
            let is_held = loaded.held.contains_key(&id.hash);
            let chosen = loaded.find(id).ok_or(match is_held {
                true => Error::NoSide(*id),
                false => Error::UnknownBlock(*id),
            })?;
            if chosen == Ix::GENESIS {
                return Err(Error::NoSide(*id));
            }
            let last = loaded.graph.order().last().copied();
            let last = last.and_then(|last| loaded.graph.id(last));
            let freeze = genesis.freeze.map(|freeze| (freeze.places, freeze.span));
            let side = loaded.graph.side_of(chosen, *chain.genesis.hash.as_bytes(), freeze);
            if side.is_both {
                return Err(Error::TooEarly(*id));
            }
            (side, last)
        };
        let changes = self.rewrite(chain, &side)?;
        self.resettle(chain, side.common);
        chain.unload();
        // What was refused may be taken now.
        self.memory().live.borrow_mut().refused.remove(&chain.no);
        let (adopted, aside) = (changes.adopted.len() as u64, changes.left.len() as u64);
        self.tell(Event::Chosen { chain: chain.info(), adopted, aside });
        for ix in &changes.left {
            self.lose(chain, *ix)?;
        }
        for ix in &changes.adopted {
            self.adopt(chain, *ix)?;
        }
        Ok(Reply::Chosen { adopted, aside, before: last.unwrap_or(chain.genesis) })
    }

    /// Notes of each block on which side it is.
    fn rewrite(&mut self, chain: &Chain, side: &Side) -> Result<Changes, Fault> {
        let was: BTreeMap<Ix, bool> = {
            let loaded = chain.load(self.store())?;
            let all = (1..).map(Ix).take(loaded.blocks());
            all.map(|ix| (ix, loaded.graph.is_aside(ix))).collect()
        };
        let mut changes = Changes::default();
        for (ix, was_aside) in was {
            let is_aside = side.aside.get(&ix);
            match (was_aside, is_aside) {
                (false, None) => continue,
                (true, None) => changes.adopted.push(ix),
                (false, Some(_)) => changes.left.push(ix),
                (true, Some(_)) => {}
            }
            let mut stored = self.stored(chain, ix)?;
            let before = stored.aside;
            let since = before.map_or(self.now(), |aside| aside.since);
            let offered = before.is_some_and(|aside| aside.offered);
            stored.aside = is_aside.map(|place| Aside { since, place: *place, offered });
            records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        }
        Ok(changes)
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
