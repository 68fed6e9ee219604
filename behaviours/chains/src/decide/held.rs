//! Posts that wait for a like. They are neither linked to nor gossiped: who is connected with the
//! node where one was made may ask for it.

use covey_kernel::{AskFailure, Bounded, Bytes, Effect, Fault, Hash, Peer, RequestId, Time};

use super::{
    desk::Desk,
    ingest::{Taken, is_payload},
    serving::size,
    waiting::Waiting,
};
use crate::{
    BlockId,
    error::Error,
    layout,
    limits::{HELD, HELD_PER_CHAIN, HELD_PER_NEIGHBOUR, INLINE_BYTES, PAGE_BYTES},
    loaded::{Holding, Loaded},
    memory::{Chain, Errand, Wasted},
    records::{self, HeldPost},
    wire::{Asker, Item, Request, Response, Tally},
};

impl Desk<'_, '_, '_> {
    /// Whether a chain has room for one more held post of a neighbour, if the oldest of its kind go.
    fn can_hold(&self, chain: &Chain) -> Result<bool, Fault> {
        Ok(chain.load(self.store())?.held.len() < HELD_PER_CHAIN)
    }

    /// Whether one more post that is made here can be held. None of them is dropped for another, and
    /// what neighbours have takes no room of it.
    pub(super) fn can_hold_own(&self, chain: &Chain) -> Result<bool, Fault> {
        let loaded = chain.load(self.store())?;
        let own = loaded.held.values().filter(|holding| holding.from.is_none());
        Ok(own.count() < HELD_PER_NEIGHBOUR)
    }

    /// Holds a post. For a neighbour's, the oldest of its author from there, and of that neighbour, go.
    pub(super) fn hold(
        &mut self,
        chain: &Chain,
        id: &BlockId,
        post: &HeldPost,
    ) -> Result<(), Fault> {
        let holding = Holding::of(post);
        let evicted = {
            let mut loaded = chain.load(self.store())?;
            let from = |other: &Holding| other.from.is_some() && other.from == holding.from;
            let mut evicted = oldest(&loaded, |h| from(h) && h.author == holding.author, HELD);
            evicted.extend(oldest(&loaded, from, HELD_PER_NEIGHBOUR));
            for hash in &evicted {
                loaded.held.remove(hash);
            }
            loaded.held.insert(id.hash, holding);
            evicted
        };
        for hash in evicted {
            self.view().delete(layout::held(chain.no, &hash));
            self.drop_payload(chain, &hash)?;
        }
        records::write(self.view(), layout::held(chain.no, &id.hash), post);
        Ok(())
    }

    /// A post is admitted.
    pub(super) fn held_no_longer(&mut self, chain: &Chain, id: &BlockId) -> Result<(), Fault> {
        let holding = chain.load(self.store())?.held.remove(&id.hash);
        let Some(holding) = holding else { return Ok(()) };
        self.view().delete(layout::held(chain.no, &id.hash));
        if holding.from.is_none() { self.note_own(chain, id) } else { Ok(()) }
    }

    /// A block in the graph was made here.
    pub(super) fn note_own(&mut self, chain: &Chain, id: &BlockId) -> Result<(), Fault> {
        let found = chain.load(self.store())?.find(id);
        if let Some(ix) = found {
            self.view().put(layout::own(chain.no, ix.0), Vec::new());
        }
        Ok(())
    }

    /// Asks a neighbour for the posts that are held there.
    pub(super) fn ask_held(&mut self, chain: &Chain, peer: Peer) {
        let Some(flight) = self.flight(chain, peer, |flight| flight.number) else { return };
        let asker = self.asker(chain, &peer);
        self.ask(peer, Errand::Held { chain: chain.no, flight }, &Request::Held(asker));
    }

    /// A neighbour wants the posts that were made here and are held.
    pub(super) fn held_wanted(
        &mut self,
        from: Peer,
        id: RequestId,
        asker: &Asker,
    ) -> Result<(), Error> {
        let chain = self.entitled(&from, asker)?;
        let held = records::held(self.store(), chain.no)?;
        let own = held.into_iter().filter(|(_, post)| post.from.is_none());
        let own = own.map(|(_, post)| Item { block: post.signed, payload: None });
        let mut items: Vec<Item> = own.take(HELD_PER_NEIGHBOUR).collect();
        let mut bytes = items.iter().map(size).fold(0, usize::saturating_add);
        // Not always the same ones get the room.
        let start = usize::try_from(self.below(items.len() as u64)).unwrap_or(0);
        items.rotate_left(start);
        for item in &mut items {
            let left = PAGE_BYTES.saturating_sub(bytes).min(INLINE_BYTES);
            // What there is no room for is known by its block, and comes with the like.
            if item.block.block.payload.size > left as u64 {
                continue;
            }
            let payload = self.read_payload(chain, &item.block.block)?;
            bytes = bytes.saturating_add(payload.as_ref().map_or(0, Vec::len));
            item.payload = payload.and_then(|payload| Bytes::new(payload).ok());
        }
        let answer = Response::Held(Bounded::first(items)).encode();
        self.effect(Effect::Answer { to: id, bytes: answer });
        Ok(())
    }

    /// Held posts have come.
    pub(super) fn take_held(
        &mut self,
        from: Peer,
        chain: &Chain,
        answer: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        if let Ok(Response::Held(items)) = &answer {
            let accepted = self.take_posts(from, chain, items)?;
            let tally = Tally { accepted, offered: items.len() as u64 };
            self.flight(chain, from, |flight| flight.count(tally));
        }
        Ok(self.end(chain, from, Ok(()))?)
    }

    fn take_posts(&mut self, from: Peer, chain: &Chain, items: &[Item]) -> Result<u64, Error> {
        let mut accepted = 0u64;
        for item in items {
            let id = item.block.block.id();
            let there = chain.load(self.store())?.held.contains_key(&id.hash);
            if there {
                self.fill_held(chain, item)?;
                continue;
            }
            if item.block.block.vote.is_some() {
                continue;
            }
            let mut waiting = Waiting::default();
            let taken = self.take(chain, item, &mut waiting)?;
            self.tell_taken(chain, &mut waiting)?;
            // A neighbour is asked for them, so they are no fault of its.
            let wasted = self.waste(chain, from, Wasted::new(waiting.sought().wasted, 0))?;
            match taken {
                Taken::Held => {
                    self.keep_held(from, chain, item)?;
                    accepted = accepted.saturating_add(1);
                }
                Taken::New if self.is_placed(chain, item)? => {
                    self.announce(chain, item)?;
                    accepted = accepted.saturating_add(1);
                }
                Taken::Invalid(_) => {
                    self.effect(Effect::Strike(from));
                    break;
                }
                _ => {}
            }
            if wasted {
                break;
            }
        }
        Ok(accepted)
    }

    /// A post is held already: its payload may have come without room for it, or not at all.
    fn fill_held(&mut self, chain: &Chain, item: &Item) -> Result<(), Fault> {
        let Some(payload) = &item.payload else { return Ok(()) };
        let id = item.block.block.id();
        if self.store().get(&layout::leaf(chain.no, &id.hash, 0))?.is_none()
            && is_payload(chain, &item.block, payload)
            && self.has_room(chain, payload.len() as u64)?
        {
            self.put_payload(chain, &id, payload)?;
        }
        Ok(())
    }

    fn keep_held(&mut self, from: Peer, chain: &Chain, item: &Item) -> Result<(), Error> {
        // If the chain is full of them, this one waits at its author's node.
        if !self.can_hold(chain)? {
            return Ok(());
        }
        let id = item.block.block.id();
        let (signed, arrived) = (item.block.clone(), self.now());
        self.hold(chain, &id, &HeldPost { signed, arrived, from: Some(from) })?;
        if let Some(payload) = &item.payload
            && self.has_room(chain, payload.len() as u64)?
        {
            self.put_payload(chain, &id, payload)?;
        }
        Ok(())
    }
}

/// Held posts that are to go so that no more than `most` of a kind are held with one more.
fn oldest(loaded: &Loaded, which: impl Fn(&Holding) -> bool, most: usize) -> Vec<Hash> {
    let mut kind: Vec<(Time, Hash)> = loaded
        .held
        .iter()
        .filter(|(_, holding)| which(holding))
        .map(|(hash, holding)| (holding.arrived, *hash))
        .collect();
    kind.sort_unstable();
    let over = kind.len().saturating_add(1).saturating_sub(most);
    kind.into_iter().take(over).map(|(_, hash)| hash).collect()
}
