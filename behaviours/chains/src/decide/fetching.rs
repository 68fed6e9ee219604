//! Payloads that did not come with their block: fetched chunk by chunk, from where it stopped.

use covey_blobs::{Blob, CHUNK_BYTES};
use covey_kernel::{AskFailure, Effect, Fault, Peer, RequestId, Scan};

use super::desk::Desk;
use crate::{
    BlockId, SignedBlock,
    error::Error,
    graph::Ix,
    layout,
    limits::{MISSES, MISSING_PAGE, MISSING_PAGES},
    memory::{Chain, Errand, Fetch},
    records::{self, HeldPost},
    wire::{Asker, Chunk, Refusal, Request, Response, Want},
};

impl Desk<'_, '_, '_> {
    /// A peer wants a part of a payload.
    pub(super) fn wanted(&mut self, from: Peer, id: RequestId, want: &Want) -> Result<(), Error> {
        let chain = self.entitled(&from, &want.asker)?;
        let signed = self.served_block(chain, &want.block)?;
        let chunks = self.read_chunks(chain, &signed.block, want.first)?;
        let chunks = chunks.ok_or(Error::Refused(Refusal::NoPayload(())))?;
        let answer = Response::Chunks(chunks).encode();
        self.effect(Effect::Answer { to: id, bytes: answer });
        Ok(())
    }

    /// A block whose payload may be passed on: admitted and not revoked, or held.
    fn served_block(&self, chain: &Chain, id: &BlockId) -> Result<SignedBlock, Error> {
        let refused = Error::Refused(Refusal::NoPayload(()));
        let mut loaded = chain.load(self.store())?;
        let followed = loaded.find(id).filter(|ix| !loaded.graph.is_aside(*ix));
        let Some(ix) = followed else {
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

    /// Asks a peer for the next payload that is missing, after the one that it was asked for last.
    pub(super) fn fetch(&mut self, chain: &Chain, peer: Peer) -> Result<(), Fault> {
        let key = (chain.no, peer);
        let fetch = self.memory().live.borrow().fetches.get(&key).copied();
        let mut fetch = Fetch { under_way: false, ..fetch.unwrap_or_default() };
        let prefix = layout::all_missing(chain.no);
        let mut scan = Scan::prefix(&prefix).limit(MISSING_PAGE);
        if let Some(after) = fetch.after {
            scan = scan.after(&layout::missing(chain.no, after));
        }
        for _ in 0..MISSING_PAGES {
            let rows = self.store().scan(&scan)?;
            let Some((last, _)) = rows.last() else {
                self.memory().live.borrow_mut().fetches.remove(&key);
                return Ok(());
            };
            scan = scan.after(last);
            for (found, value) in &rows {
                let ix = layout::last_number(found).map(Ix);
                let ix = ix.ok_or_else(|| Fault::Corrupt("a missing payload's key".into()))?;
                let first: u32 = covey_kernel::cbor::decode_stored(value)?;
                fetch.after = Some(ix.0);
                let Some(block) = self.to_fetch(chain, ix, first)? else { continue };
                fetch.under_way = true;
                self.memory().live.borrow_mut().fetches.insert(key, fetch);
                self.ask_chunks(chain, peer, block, first);
                return Ok(());
            }
        }
        // The round goes on after these.
        self.memory().live.borrow_mut().fetches.insert(key, fetch);
        Ok(())
    }

    /// The block of a payload of which chunks from one on are missing, if it is to be fetched: for blocks in
    /// the order alone, or what nobody reads could fill all the room.
    fn to_fetch(&self, chain: &Chain, ix: Ix, first: u32) -> Result<Option<BlockId>, Fault> {
        let is_shown = {
            let mut loaded = chain.load(self.store())?;
            loaded.graph.place(ix).is_some() && !loaded.graph.is_revoked(ix)
        };
        if !is_shown {
            return Ok(None);
        }
        let block = self.signed(chain, ix)?.block;
        let there = u64::from(first).saturating_mul(CHUNK_BYTES as u64);
        let lacking = block.payload.size.saturating_sub(there);
        Ok(self.has_room(chain, lacking)?.then(|| block.id()))
    }

    /// A peer has given a payload, or not. Whether it may be asked for the next one: who lacks one after
    /// the other is asked for more with the next round.
    fn fetched(&mut self, chain: &Chain, peer: Peer, got: bool) -> bool {
        let mut live = self.memory().live.borrow_mut();
        let Some(fetch) = live.fetches.get_mut(&(chain.no, peer)) else { return false };
        fetch.misses = if got { 0 } else { fetch.misses.saturating_add(1) };
        if fetch.misses < MISSES {
            return true;
        }
        *fetch = Fetch { under_way: false, misses: 0, ..*fetch };
        false
    }

    /// Whether payloads are being fetched from a peer.
    pub(super) fn is_fetching(&self, chain: &Chain, peer: &Peer) -> bool {
        let live = self.memory().live.borrow();
        live.fetches.get(&(chain.no, *peer)).is_some_and(|fetch| fetch.under_way)
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
        let kept = match answer {
            Ok(Response::Chunks(chunks)) => self.keep_chunks(chain, &block, first, &chunks)?,
            Ok(_) => Kept::Nothing,
            Err(_) => {
                // The round asks again.
                self.memory().live.borrow_mut().fetches.remove(&(chain.no, from));
                return Ok(());
            }
        };
        match kept {
            Kept::More(next) => {
                self.ask_chunks(chain, from, block, next);
                return Ok(());
            }
            Kept::Bad => self.effect(Effect::Strike(from)),
            Kept::Enough | Kept::Nothing => {}
        }
        let got = matches!(kept, Kept::Enough);
        match self.fetched(chain, from, got) {
            true => Ok(self.fetch(chain, from)?),
            false => Ok(()),
        }
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
            if !self.has_room(chain, chunk.bytes.len() as u64)? {
                return Ok(Kept::Nothing);
            }
            self.put_chunk(chain, &id.hash, next, &chunk.bytes)?;
            next = next.saturating_add(1);
            records::write(self.view(), missing.clone(), &next);
        }
        if next < blob.chunks() {
            return Ok(if next > first { Kept::More(next) } else { Kept::Nothing });
        }
        self.view().delete(missing);
        if let Some(payload) = self.read_payload(chain, &signed.block)? {
            self.note_profile(chain, ix, &signed.block, payload)?;
        }
        Ok(Kept::Enough)
    }
}

/// What came of chunks.
enum Kept {
    /// More are missing, from this one on.
    More(u32),
    /// All is there, or it is no longer wanted.
    Enough,
    /// The peer has none of it, or there is no room.
    Nothing,
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
