//! Hard forks: what would change the frozen past is kept aside and shown, and the user chooses.

use covey_kernel::Fault;

use super::{desk::Desk, ingest::Taken};
use crate::{
    layout,
    limits::FORKED,
    loaded::Loaded,
    memory::Chain,
    records::{self, Forked},
    wire::Item,
};

impl Desk<'_, '_, '_> {
    /// How many places no block may change. During an exchange these are the places that were frozen
    /// before it: what comes first of it must not freeze out the rest.
    pub(super) fn settled(&self, chain: &Chain, loaded: &Loaded) -> Result<usize, Fault> {
        let before: Option<u64> = records::read(self.store(), &layout::settled(chain.no))?;
        Ok(match before {
            Some(before) => usize::try_from(before).unwrap_or(usize::MAX),
            None => loaded.frozen,
        })
    }

    /// An exchange of several pages begins: what is frozen now counts until its end.
    pub(super) fn begin_exchange(&mut self, chain: &Chain) -> Result<(), Fault> {
        let key = layout::settled(chain.no);
        if self.store().get(&key)?.is_none() {
            let frozen = chain.load(self.store())?.frozen as u64;
            records::write(self.view(), key, &frozen);
        }
        Ok(())
    }

    /// An exchange is at its end: what it has brought freezes with time.
    pub(super) fn end_exchange(&mut self, chain: &Chain) -> Result<(), Fault> {
        let key = layout::settled(chain.no);
        if self.store().get(&key)?.is_none() {
            return Ok(());
        }
        self.view().delete(key);
        chain.load(self.store())?.freeze(&chain.joined.genesis);
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
