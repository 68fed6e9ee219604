//! Deleting payloads here. The blocks stay.

use covey_kernel::{Fault, Hash};

use super::desk::Desk;
use crate::{
    command::{Purge, Reply},
    error::Error,
    graph::Ix,
    layout,
    memory::Chain,
    records::{self, Stored},
};

impl Desk<'_, '_, '_> {
    pub(super) fn purge(&mut self, purge: Purge) -> Result<Reply, Error> {
        let payload = match purge {
            Purge::Payload(hash) => hash,
            Purge::Block(id) => self.payload_of(&id)?.ok_or(Error::UnknownBlock(id))?,
        };
        self.view().put(layout::purged(&payload), Vec::new());
        let mut purged = 0u64;
        for chain in self.memory().chains.values() {
            for (ix, hash) in self.carriers(chain, &payload)? {
                let there = self.store().get(&layout::chunk(chain.no, &hash, 0))?.is_some();
                purged = purged.saturating_add(u64::from(there));
                self.drop_payload(chain, &hash)?;
                if let Some(ix) = ix {
                    self.view().delete(layout::missing(chain.no, ix.0));
                }
            }
        }
        Ok(Reply::Purged(purged))
    }

    /// The payload of a block, in whichever chain it is.
    fn payload_of(&self, id: &crate::BlockId) -> Result<Option<Hash>, Fault> {
        for chain in self.memory().chains.values() {
            let ix = chain.load(self.store())?.find(id);
            if let Some(ix) = ix.filter(|ix| *ix != Ix::GENESIS) {
                return Ok(Some(self.signed(chain, ix)?.block.payload.hash));
            }
            let key = layout::held(chain.no, &id.hash);
            let held: Option<records::HeldPost> = records::read(self.store(), &key)?;
            if let Some(held) = held {
                return Ok(Some(held.signed.block.payload.hash));
            }
        }
        Ok(None)
    }

    /// The blocks of a chain that carry a payload; held ones have no number.
    fn carriers(&self, chain: &Chain, payload: &Hash) -> Result<Vec<(Option<Ix>, Hash)>, Fault> {
        let mut found = Vec::new();
        records::each(self.store(), &layout::blocks(chain.no), |key, value| {
            let stored: Stored = covey_kernel::cbor::decode_stored(value)?;
            if stored.signed.block.payload.hash == *payload {
                found.push((layout::last_number(key).map(Ix), stored.signed.block.id().hash));
            }
            Ok(())
        })?;
        for (hash, held) in records::held(self.store(), chain.no)? {
            if held.signed.block.payload.hash == *payload {
                found.push((None, hash));
            }
        }
        Ok(found)
    }
}
