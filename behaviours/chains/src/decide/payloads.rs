//! Payloads as they lie in the store: chunk by chunk, beside each its leaf of the payload's tree, so
//! that a part can be passed on without reading the rest.

use covey_blobs::Blob;
use covey_kernel::{Bounded, Bytes, Fault, Hash, Scan};

use super::{desk::Desk, ingest::is_payload};
use crate::{
    Block, BlockId, SignedBlock,
    graph::Ix,
    layout,
    limits::CHUNKS,
    memory::Chain,
    records::{self, Stored},
    wire::{Chunk, Item},
};

impl Desk<'_, '_, '_> {
    /// A block's payload is not there.
    pub(super) fn await_payload(
        &mut self,
        chain: &Chain,
        ix: Ix,
        block: &Block,
    ) -> Result<(), Fault> {
        if self.is_purged(&block.payload.hash)? {
            return Ok(());
        }
        records::write(self.view(), layout::missing(chain.no, ix.0), &0u32);
        Ok(())
    }

    /// Stores the payload that came with a block, if it is missing. It has been checked against a new
    /// block; against one that was there, it is now.
    pub(super) fn take_payload(&mut self, chain: &Chain, ix: Ix, item: &Item) -> Result<(), Fault> {
        let Some(payload) = &item.payload else { return Ok(()) };
        let missing = layout::missing(chain.no, ix.0);
        if self.store().get(&missing)?.is_none()
            || !is_payload(chain, &item.block, payload)
            || !self.has_room(chain, payload.len() as u64)?
        {
            return Ok(());
        }
        self.put_payload(chain, &item.block.block.id(), payload)
    }

    /// Stores a block's whole payload.
    pub(super) fn put_payload(
        &mut self,
        chain: &Chain,
        id: &BlockId,
        payload: &[u8],
    ) -> Result<(), Fault> {
        if self.is_purged(&covey_blobs::hash(payload))? {
            return Ok(());
        }
        self.put_chunks(chain, &id.hash, payload)?;
        let ix = chain.load(self.store())?.find(id);
        if let Some(ix) = ix {
            self.view().delete(layout::missing(chain.no, ix.0));
            let block = self.signed(chain, ix)?.block;
            self.note_profile(chain, ix, &block, payload.to_vec())?;
        }
        Ok(())
    }

    /// Stores the payload that came with a block that was not there before, and has been checked against it.
    /// False if none came, or there is no room.
    pub(super) fn put_new_payload(
        &mut self,
        chain: &Chain,
        ix: Ix,
        id: &BlockId,
        item: &Item,
    ) -> Result<bool, Fault> {
        let (block, payload) = (&item.block.block, &item.payload);
        let Some(payload) = payload else { return Ok(false) };
        if !self.has_room(chain, payload.len() as u64)? {
            return Ok(false);
        }
        if !self.is_purged(&block.payload.hash)? {
            self.put_chunks(chain, &id.hash, payload)?;
            self.note_profile(chain, ix, block, payload.to_vec())?;
        }
        Ok(true)
    }

    fn put_chunks(&mut self, chain: &Chain, block: &Hash, payload: &[u8]) -> Result<(), Fault> {
        for (index, chunk) in (0..).zip(covey_blobs::chunks(payload)) {
            self.put_chunk(chain, block, index, chunk)?;
        }
        Ok(())
    }

    /// Stores a part of a payload.
    pub(super) fn put_chunk(
        &mut self,
        chain: &Chain,
        block: &Hash,
        index: u32,
        chunk: &[u8],
    ) -> Result<(), Fault> {
        let leaf = layout::leaf(chain.no, block, index);
        if self.store().get(&leaf)?.is_some() {
            return Ok(());
        }
        self.view().put(layout::chunk(chain.no, block, index), chunk.to_vec());
        self.view().put(leaf, covey_blobs::leaf(chunk).as_bytes().to_vec());
        self.keep(chain, |kept| kept.saturating_add(chunk.len() as u64))
    }

    /// Whether a chain has room for so many more bytes from others.
    pub(super) fn has_room(&self, chain: &Chain, bytes: u64) -> Result<bool, Fault> {
        let kept = chain.load(self.store())?.kept;
        Ok(kept.saturating_add(bytes) <= self.rules().room)
    }

    /// Where more than half of the room is taken, others' payloads that do not go with their blocks give way, the latest
    /// first: who sent them filled it with what nobody reads. If their blocks come back, whoever made them has them.
    pub(super) fn make_room(&mut self, chain: &Chain) -> Result<(), Fault> {
        let kept: u64 = records::read(self.store(), &layout::kept(chain.no))?.unwrap_or(0);
        if kept <= self.rules().room / 2 {
            return Ok(());
        }
        let unread = chain.load(self.store())?.graph.unread();
        for ix in unread.into_iter().rev() {
            if chain.load(self.store())?.kept <= self.rules().room / 2 {
                break;
            }
            self.give_way(chain, ix)?;
        }
        self.memory().tidy(chain.no);
        Ok(())
    }

    fn give_way(&mut self, chain: &Chain, ix: Ix) -> Result<(), Fault> {
        for stays in [layout::missing(chain.no, ix.0), layout::own(chain.no, ix.0)] {
            if self.store().get(&stays)?.is_some() {
                return Ok(());
            }
        }
        let block = self.signed(chain, ix)?.block;
        self.drop_payload(chain, &block.id().hash)?;
        self.await_payload(chain, ix, &block)
    }

    /// Changes how many bytes are here.
    fn keep(&mut self, chain: &Chain, change: impl FnOnce(u64) -> u64) -> Result<(), Fault> {
        let kept = {
            let mut loaded = chain.load(self.store())?;
            loaded.kept = change(loaded.kept);
            loaded.kept
        };
        records::write(self.view(), layout::kept(chain.no), &kept);
        Ok(())
    }

    pub(super) fn is_purged(&self, payload: &Hash) -> Result<bool, Fault> {
        Ok(self.store().get(&layout::purged(payload))?.is_some())
    }

    /// A payload as it travels; none if some of it is missing.
    pub(super) fn read_payload(
        &self,
        chain: &Chain,
        block: &Block,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let id = block.id().hash;
        let blob = Blob { hash: block.payload.hash, size: block.payload.size };
        let mut payload = Vec::new();
        for index in 0..blob.chunks() {
            match self.store().get(&layout::chunk(chain.no, &id, index))? {
                Some(chunk) => payload.extend(chunk),
                None => return Ok(None),
            }
        }
        Ok(Some(payload))
    }

    /// A block, from the store.
    pub(super) fn signed(&self, chain: &Chain, ix: Ix) -> Result<SignedBlock, Fault> {
        Ok(self.stored(chain, ix)?.signed)
    }

    /// The same, with what is known of its coming.
    pub(super) fn stored(&self, chain: &Chain, ix: Ix) -> Result<Stored, Fault> {
        let stored = records::read(self.store(), &layout::block(chain.no, ix.0))?;
        stored.ok_or_else(|| Fault::Corrupt("a block that is not there".into()))
    }

    /// A part of a payload with what proves it; none if some of the payload is missing.
    pub(super) fn read_chunks(
        &self,
        chain: &Chain,
        block: &Block,
        first: u32,
    ) -> Result<Option<Bounded<Chunk, CHUNKS>>, Fault> {
        let id = block.id().hash;
        let blob = Blob { hash: block.payload.hash, size: block.payload.size };
        let leaves = self.leaves(chain, &id)?;
        if u32::try_from(leaves.len()) != Ok(blob.chunks()) {
            return Ok(None);
        }
        let mut chunks = Vec::new();
        for index in (first..blob.chunks()).take(CHUNKS) {
            let bytes = self.store().get(&layout::chunk(chain.no, &id, index))?;
            let path = covey_blobs::path(&leaves, index);
            let (Some(bytes), Some(path)) = (bytes, path) else { return Ok(None) };
            let corrupt = |_| Fault::Corrupt("a chunk that is too long".into());
            let bytes = Bytes::new(bytes).map_err(corrupt)?;
            chunks.push(Chunk { bytes, path: Bounded::first(path) });
        }
        Ok(Some(Bounded::first(chunks)))
    }

    /// The leaves of a payload's tree, as far as its chunks are there.
    fn leaves(&self, chain: &Chain, block: &Hash) -> Result<Vec<Hash>, Fault> {
        let rows = self.store().scan(&Scan::prefix(&layout::leaves(chain.no, block)))?;
        let leaves = rows.iter().map(|(_, leaf)| {
            let leaf: Option<[u8; 32]> = leaf.as_slice().try_into().ok();
            leaf.map(Hash::from_bytes).ok_or_else(|| Fault::Corrupt("a payload's leaf".into()))
        });
        leaves.collect()
    }

    /// Forgets a payload.
    pub(super) fn drop_payload(&mut self, chain: &Chain, block: &Hash) -> Result<(), Fault> {
        let rows = self.store().scan(&Scan::prefix(&layout::leaves(chain.no, block)))?;
        let mut dropped = 0u64;
        for (leaf, _) in rows {
            if let Some(index) = layout::last_number(&leaf) {
                let key = layout::chunk(chain.no, block, index);
                let chunk = self.store().get(&key)?;
                dropped = dropped.saturating_add(chunk.map_or(0, |chunk| chunk.len() as u64));
                self.view().delete(key);
            }
            self.view().delete(leaf);
        }
        self.keep(chain, |kept| kept.saturating_sub(dropped))
    }
}
