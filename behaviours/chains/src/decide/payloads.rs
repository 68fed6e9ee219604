//! Payloads: stored in chunks, and fetched chunk by chunk if they did not come with their block.

use covey_blobs::{Blob, Tree};
use covey_kernel::{AskFailure, Effect, Fault, Hash, Peer, RequestId, Scan};

use super::{desk::Desk, ingest::is_payload};
use crate::{
    Block, BlockId, SignedBlock,
    error::Error,
    graph::Ix,
    layout,
    limits::CHUNKS,
    memory::{Chain, Errand},
    records::{self, HeldPost, Stored},
    wire::{Asker, Chunk, Item, Refusal, Request, Response, Want},
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
        if self.store().get(&missing)?.is_none() || !is_payload(chain, &item.block, payload) {
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
        for (index, chunk) in (0..).zip(Tree::new(payload).chunks()) {
            self.view().put(layout::chunk(chain.no, &id.hash, index), chunk.to_vec());
        }
        let ix = chain.load(self.store())?.find(id);
        if let Some(ix) = ix {
            self.view().delete(layout::missing(chain.no, ix.0));
            let block = self.signed(chain, ix)?.block;
            self.note_profile(chain, ix, &block)?;
        }
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
        let stored: Option<Stored> = records::read(self.store(), &layout::block(chain.no, ix.0))?;
        let stored = stored.ok_or_else(|| Fault::Corrupt("a block that is not there".into()))?;
        Ok(stored.signed)
    }

    /// A peer wants a part of a payload.
    pub(super) fn wanted(&mut self, from: Peer, id: RequestId, want: &Want) -> Result<(), Error> {
        let chain = self.entitled(&from, &want.asker)?;
        let signed = self.served_block(chain, &want.block)?;
        let payload = self.read_payload(chain, &signed.block)?;
        let payload = payload.ok_or(Error::Refused(Refusal::NoPayload(())))?;
        let tree = Tree::new(&payload);
        let indexes = (want.first..).take(CHUNKS);
        let chunks = indexes.filter_map(|index| {
            let bytes = tree.chunks().get(usize::try_from(index).ok()?)?;
            let bytes = covey_kernel::Bytes::new(bytes.to_vec()).ok()?;
            Some(Chunk { bytes, path: covey_kernel::Bounded::new(tree.path(index)?).ok()? })
        });
        let chunks = covey_kernel::Bounded::first(chunks);
        let answer = Response::Chunks(chunks).encode();
        self.effect(Effect::Answer { to: id, bytes: answer });
        Ok(())
    }

    /// A block whose payload may be passed on: placed and not revoked, or held.
    fn served_block(&self, chain: &Chain, id: &BlockId) -> Result<SignedBlock, Error> {
        let refused = Error::Refused(Refusal::NoPayload(()));
        let mut loaded = chain.load(self.store())?;
        let Some(ix) = loaded.find(id) else {
            drop(loaded);
            let held: Option<HeldPost> =
                records::read(self.store(), &layout::held(chain.no, &id.hash))?;
            return held.map(|held| held.signed).ok_or(refused);
        };
        if ix == Ix::GENESIS || loaded.graph.is_revoked(ix) {
            return Err(refused);
        }
        drop(loaded);
        Ok(self.signed(chain, ix)?)
    }

    /// Asks a peer for the next payload that is missing.
    pub(super) fn fetch(&mut self, chain: &Chain, peer: Peer) -> Result<(), Fault> {
        let key = (chain.no, peer);
        let after = self.memory().live.borrow().wants.get(&key).copied();
        let prefix = layout::all_missing(chain.no);
        let mut scan = Scan::prefix(&prefix).limit(1);
        if let Some(after) = after {
            scan = scan.after(&layout::missing(chain.no, after));
        }
        while let Some((found, value)) = self.store().scan(&scan)?.pop() {
            scan = scan.after(&found);
            let ix = layout::last_number(&found).map(Ix);
            let ix = ix.ok_or_else(|| Fault::Corrupt("a missing payload's key".into()))?;
            let revoked = chain.load(self.store())?.graph.is_revoked(ix);
            if revoked {
                continue;
            }
            let first = covey_kernel::cbor::decode_stored(&value)?;
            let block = self.signed(chain, ix)?.block.id();
            self.memory().live.borrow_mut().wants.insert(key, ix.0);
            self.ask_chunks(chain, peer, block, first);
            return Ok(());
        }
        self.memory().live.borrow_mut().wants.remove(&key);
        Ok(())
    }

    /// Whether payloads are being fetched from a peer.
    pub(super) fn is_fetching(&self, chain: &Chain, peer: &Peer) -> bool {
        self.memory().live.borrow().wants.contains_key(&(chain.no, *peer))
    }

    fn ask_chunks(&mut self, chain: &Chain, peer: Peer, block: BlockId, first: u32) {
        let asker = self.asker(chain, &peer);
        let errand = Errand::Want { chain: chain.no, block, first };
        self.ask(peer, errand, &Request::Want(Want { asker, block, first }));
    }

    /// Chunks have come, or not.
    pub(super) fn take_chunks(
        &mut self,
        from: Peer,
        chain: &Chain,
        (block, first): (BlockId, u32),
        answer: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        match answer {
            Ok(Response::Chunks(chunks)) => {
                match self.keep_chunks(chain, &block, first, &chunks)? {
                    Kept::More(next) => {
                        self.ask_chunks(chain, from, block, next);
                        return Ok(());
                    }
                    Kept::Bad => self.effect(Effect::Strike(from)),
                    Kept::Enough => {}
                }
            }
            Ok(_) => {}
            Err(_) => {
                // The round asks again.
                self.memory().live.borrow_mut().wants.remove(&(chain.no, from));
                return Ok(());
            }
        }
        Ok(self.fetch(chain, from)?)
    }

    /// Stores chunks that belong to a payload.
    fn keep_chunks(
        &mut self,
        chain: &Chain,
        id: &BlockId,
        first: u32,
        chunks: &[Chunk],
    ) -> Result<Kept, Fault> {
        let ix = chain.load(self.store())?.find(id);
        let Some(ix) = ix else { return Ok(Kept::Enough) };
        let missing = layout::missing(chain.no, ix.0);
        let expected: Option<u32> = records::read(self.store(), &missing)?;
        if expected != Some(first) {
            return Ok(Kept::Enough);
        }
        let signed = self.signed(chain, ix)?;
        let said = &signed.block.payload;
        let blob = Blob { hash: said.hash, size: said.size };
        let mut next = first;
        for chunk in chunks {
            if blob.verify(next, &chunk.bytes, &chunk.path).is_err() {
                return Ok(Kept::Bad);
            }
            self.view().put(layout::chunk(chain.no, &id.hash, next), chunk.bytes.to_vec());
            next = next.saturating_add(1);
            records::write(self.view(), missing.clone(), &next);
        }
        if next < blob.chunks() {
            return Ok(if next > first { Kept::More(next) } else { Kept::Enough });
        }
        self.view().delete(missing);
        self.note_profile(chain, ix, &signed.block)?;
        Ok(Kept::Enough)
    }
}

/// What came of chunks.
enum Kept {
    /// More are missing, from this one on.
    More(u32),
    /// Nothing is missing, or nothing came.
    Enough,
    /// One does not belong to the payload.
    Bad,
}

impl Desk<'_, '_, '_> {
    /// What shows a peer that we may have a chain.
    pub(super) fn asker(&self, chain: &Chain, to: &Peer) -> Asker {
        let proof = chain.seal.as_ref().map(|seal| seal.proof(&self.rules().peer, to));
        Asker { chain: chain.reference(), proof }
    }
}
