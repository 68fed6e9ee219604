//! Posts that wait for a like. They are neither linked to nor gossiped: who is connected with the
//! node where one was made may ask for it.

use covey_kernel::{AskFailure, Bounded, Bytes, Effect, Fault, Hash, Peer, PublicKey, RequestId};

use super::{
    desk::Desk,
    ingest::{Taken, Waiting},
};
use crate::{
    command::State,
    error::Error,
    layout,
    limits::{HELD, HELD_PER_CHAIN, HELD_PER_NEIGHBOUR, INLINE_BYTES, PAGE_BYTES},
    memory::{Chain, Errand},
    records::{self, HeldPost},
    wire::{Asker, Item, Request, Response, Tally},
};

impl Desk<'_, '_, '_> {
    /// Makes room for one more held post of an author from a neighbour: the oldest goes. What was
    /// made here goes last.
    pub(super) fn room_for_held(
        &mut self,
        chain: &Chain,
        from: Option<Peer>,
        author: Option<PublicKey>,
    ) -> Result<(), Error> {
        let mut held = records::held(self.store(), chain.no)?;
        held.sort_by_key(|(hash, post)| (post.arrived, *hash));
        let of = |post: &HeldPost| post.from == from;
        let by = |post: &HeldPost| of(post) && post.signed.block.author == author;
        self.evict(chain, &held, by, HELD)?;
        self.evict(chain, &held, of, HELD_PER_NEIGHBOUR)?;
        match held.len() < HELD_PER_CHAIN {
            true => Ok(()),
            false => Err(Error::TooManyHeld),
        }
    }

    fn evict(
        &mut self,
        chain: &Chain,
        held: &[(Hash, HeldPost)],
        which: impl Fn(&HeldPost) -> bool,
        most: usize,
    ) -> Result<(), Fault> {
        let counted: Vec<&Hash> =
            held.iter().filter(|(_, post)| which(post)).map(|(hash, _)| hash).collect();
        let over = counted.len().saturating_add(1).saturating_sub(most);
        for hash in counted.into_iter().take(over) {
            self.view().delete(layout::held(chain.no, hash));
            self.drop_payload(chain, hash)?;
        }
        Ok(())
    }

    /// Asks a neighbour for the posts that are held there.
    pub(super) fn ask_held(&mut self, chain: &Chain, peer: Peer) {
        let asker = self.asker(chain, &peer);
        self.ask(peer, Errand::Held { chain: chain.no }, &Request::Held(asker));
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
        let (mut items, mut bytes) = (Vec::new(), 0usize);
        for (_, post) in held.into_iter().filter(|(_, post)| post.from.is_none()) {
            let payload = self.read_payload(chain, &post.signed.block)?;
            let payload = payload.filter(|payload| payload.len() <= INLINE_BYTES);
            bytes = bytes.saturating_add(payload.as_ref().map_or(512, |p| p.len().max(512)));
            if bytes > PAGE_BYTES {
                break;
            }
            let payload = payload.and_then(|payload| Bytes::new(payload).ok());
            items.push(Item { block: post.signed, payload });
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
            self.count(chain, from, Tally { accepted, offered: items.len() as u64 });
        }
        self.end(chain, from, Ok(()));
        Ok(())
    }

    fn take_posts(&mut self, from: Peer, chain: &Chain, items: &[Item]) -> Result<u64, Error> {
        let mut accepted = 0u64;
        for item in items {
            let id = item.block.block.id();
            let there = self.view_get(&layout::held(chain.no, &id.hash))?;
            if there || item.block.block.vote.is_some() {
                continue;
            }
            match self.take(chain, item, &mut Waiting::default())? {
                Taken::Held => self.keep_held(from, chain, item)?,
                Taken::New(State::Placed(_)) => self.announce(chain, item)?,
                _ => continue,
            }
            accepted = accepted.saturating_add(1);
        }
        Ok(accepted)
    }

    fn keep_held(&mut self, from: Peer, chain: &Chain, item: &Item) -> Result<(), Error> {
        let id = item.block.block.id();
        match self.room_for_held(chain, Some(from), item.block.block.author) {
            Ok(()) => {}
            // The chain is full of them: this one waits at its author's node.
            Err(Error::TooManyHeld) => return Ok(()),
            Err(other) => return Err(other),
        }
        let held = HeldPost { signed: item.block.clone(), arrived: self.now(), from: Some(from) };
        records::write(self.view(), layout::held(chain.no, &id.hash), &held);
        if let Some(payload) = &item.payload {
            self.put_payload(chain, &id, payload)?;
        }
        Ok(())
    }

    fn view_get(&self, key: &[u8]) -> Result<bool, Fault> {
        Ok(self.store().get(key)?.is_some())
    }
}
