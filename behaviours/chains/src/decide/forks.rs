//! Hard forks: what would change the frozen past is kept aside and shown, and the user chooses.

use covey_kernel::{Fault, Peer, Span};

use super::{desk::Desk, ingest::Taken};
use crate::{
    layout,
    limits::{FORKED, SETTLED_MILLIS},
    loaded::Loaded,
    memory::Chain,
    records::{self, Forked, Settled},
    wire::Item,
};

impl Desk<'_, '_, '_> {
    /// How many places no block may change. During an exchange these are the places that were frozen
    /// before it: what comes first of it must not freeze out the rest.
    pub(super) fn settled(&self, chain: &Chain, loaded: &Loaded) -> Result<usize, Fault> {
        Ok(match self.before_exchange(chain)? {
            Some(before) => usize::try_from(before.places).unwrap_or(usize::MAX),
            None => loaded.frozen,
        })
    }

    /// What was frozen before an exchange that still brings something.
    fn before_exchange(&self, chain: &Chain) -> Result<Option<Settled>, Fault> {
        let before: Option<Settled> = records::read(self.store(), &layout::settled(chain.no))?;
        Ok(before.filter(|before| !self.is_over(before)))
    }

    /// Whether nothing new has come for long; or it will not be over for long, since the clock was set
    /// back.
    fn is_over(&self, before: &Settled) -> bool {
        before.until <= self.now()
            || before.until.since(self.now()) > Span::millis(SETTLED_MILLIS.saturating_mul(2))
    }

    /// A peer has brought blocks: what is frozen now counts until the end of what it brings, or until
    /// nothing new has come for some time. After a restart, too: what came before it must not freeze out
    /// the rest either.
    pub(super) fn begin_exchange(&mut self, chain: &Chain, from: Peer) -> Result<(), Fault> {
        self.flight(chain, from, |flight| flight.taking = true);
        if self.before_exchange(chain)?.is_some() {
            return Ok(());
        }
        let places = {
            let mut loaded = chain.load(self.store())?;
            loaded.freeze(&chain.joined.genesis);
            loaded.frozen as u64
        };
        self.settle(chain, from, places);
        Ok(())
    }

    /// Something of it was new.
    pub(super) fn go_on_exchanging(&mut self, chain: &Chain, from: Peer) -> Result<(), Fault> {
        if let Some(before) = self.before_exchange(chain)? {
            self.settle(chain, from, before.places);
        }
        Ok(())
    }

    fn settle(&mut self, chain: &Chain, from: Peer, places: u64) {
        let until = self.now().plus(Span::millis(SETTLED_MILLIS));
        let settled = Settled { places, until, from };
        records::write(self.view(), layout::settled(chain.no), &settled);
    }

    /// A peer has brought all it has: that freezes with time, unless others are bringing something, or
    /// did so last and were broken off.
    pub(super) fn end_exchange(&mut self, chain: &Chain, from: Peer) -> Result<(), Fault> {
        let others = {
            let live = self.memory().live.borrow();
            live.flights.iter().any(|((no, _), flight)| *no == chain.no && flight.taking)
        };
        let last = self.before_exchange(chain)?.is_none_or(|before| before.from == from);
        if last && !others {
            self.view().delete(layout::settled(chain.no));
            self.freeze(chain)?;
        }
        Ok(())
    }

    /// An exchange that was broken off, or brings nothing, counts no longer.
    pub(super) fn expire_exchange(&mut self, chain: &Chain) -> Result<(), Fault> {
        let key = layout::settled(chain.no);
        if self.store().get(&key)?.is_none() || self.before_exchange(chain)?.is_some() {
            return Ok(());
        }
        self.view().delete(key);
        self.freeze(chain)
    }

    /// What is old enough freezes, unless an exchange is under way.
    pub(super) fn freeze(&self, chain: &Chain) -> Result<(), Fault> {
        if self.before_exchange(chain)?.is_none() {
            chain.load(self.store())?.freeze(&chain.joined.genesis);
        }
        Ok(())
    }

    /// A block would change a frozen place.
    pub(super) fn fork(
        &mut self,
        chain: &Chain,
        before: &[Item],
        item: &Item,
        place: usize,
    ) -> Result<Taken, Fault> {
        let mut place = Some(place as u64);
        for item in before {
            self.keep_forked(chain, item, place.take())?;
        }
        self.keep_forked(chain, item, place)
    }

    /// Keeps a block aside, while there is room.
    pub(super) fn keep_forked(
        &mut self,
        chain: &Chain,
        item: &Item,
        place: Option<u64>,
    ) -> Result<Taken, Fault> {
        let hash = item.block.block.id().hash;
        {
            let mut loaded = chain.load(self.store())?;
            if loaded.forked.contains(&hash) {
                return Ok(Taken::Forked);
            }
            if loaded.forked.len() >= FORKED {
                return Ok(Taken::Aside);
            }
            loaded.forked.insert(hash);
        }
        let forked = Forked { signed: item.block.clone(), arrived: self.now(), place };
        records::write(self.view(), layout::forked(chain.no, &hash), &forked);
        Ok(Taken::Forked)
    }
}
