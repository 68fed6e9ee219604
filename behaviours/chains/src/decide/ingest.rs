//! Taking blocks, whoever made them.

use covey_blobs::Blob;
use covey_kernel::{Fault, Span};

use super::{
    adding::{NotAdded, add},
    desk::Desk,
    states::state,
    waiting::{Before, Waiting, Way},
};
use crate::{
    BlockId, SignedBlock,
    command::{Event, State},
    graph::{Ix, Never, Verdict},
    layout,
    limits::AHEAD_MILLIS,
    loaded::Loaded,
    memory::{Chain, Change},
    records::{self, HeldPost, Joined, Stored},
    refused::What,
    seal::Seal,
    wire::Item,
};

/// What came of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was there.
    Known,
    /// It is new, and admitted.
    New,
    /// Its author had no reps.
    Held,
    /// Its past is not known here.
    Unknown,
    /// It is ahead of our clock: whoever has it will offer it again.
    Ahead,
    /// It is not taken: admitted, but one of too many that the order leaves out or a hard fork has, or a
    /// second first post.
    Refused,
    /// It would change what is frozen, or builds on what would: it is left aside.
    Forked,
    /// It breaks a rule.
    Invalid(&'static str),
}

impl Desk<'_, '_, '_> {
    /// Takes a block with its payload, if that came too.
    pub(super) fn take(
        &mut self,
        chain: &Chain,
        item: &Item,
        waiting: &mut Waiting,
    ) -> Result<Taken, Fault> {
        let signed = &item.block;
        let id = signed.block.id();
        let mut loaded = chain.load(self.store())?;
        if let Some(ix) = loaded.find(&id) {
            drop(loaded);
            self.take_payload(chain, ix, item)?;
            return Ok(Taken::Known);
        }
        if let Some(why) = self.fault(chain, item, &id) {
            return Ok(why);
        }
        if self.was_refused(chain, &id, waiting.way) {
            waiting.refuse(id, item);
            return Ok(Taken::Refused);
        }
        if self.builds_on_refused(chain, &signed.block) {
            self.refuse(chain, id.hash, What::Fork);
            waiting.refuse(id, item);
            return Ok(Taken::Refused);
        }
        let mut before = Before::default();
        if !self.past(chain, &loaded, signed, waiting, &mut before)? {
            waiting.set_wasted(before.items.len() as u64);
            return Ok(Taken::Unknown);
        }
        let before = before.items;
        let settled = self.settled(chain, &loaded)?;
        let sought = loaded.graph.sought();
        let back = match add(&mut loaded, &before, (signed, id), settled) {
            Ok(back) => back,
            Err(why) => {
                // Even what is seen at once costs something.
                let least = (before.len() as u64).saturating_add(1);
                let cost = |now: u64| now.saturating_sub(sought).saturating_add(least);
                // So much is noted of a post that is held; to leave blocks aside costs more.
                waiting.set_wasted(cost(loaded.graph.sought()));
                drop(loaded);
                let taken = self.not_added(chain, &before, (item, id), why, waiting)?;
                waiting.set_wasted(cost(chain.load(self.store())?.graph.sought()));
                return Ok(taken);
            }
        };
        drop(loaded);
        self.added(chain, &before, (item, id), back, waiting)?;
        Ok(Taken::New)
    }

    /// Blocks were added to the graph: they are stored, with what comes back with them.
    fn added(
        &mut self,
        chain: &Chain,
        before: &[(BlockId, Item)],
        (item, id): (&Item, BlockId),
        back: Vec<Ix>,
        waiting: &mut Waiting,
    ) -> Result<(), Fault> {
        for back in back {
            waiting.taken.push(self.bring_in(chain, back)?);
        }
        for (id, item) in before {
            self.store_block(chain, item, *id)?;
            self.held_no_longer(chain, id)?;
            waiting.give_back(id);
            waiting.taken.push(*id);
        }
        self.store_block(chain, item, id)?;
        waiting.taken.push(id);
        Ok(())
    }

    /// Tells who listens of the blocks that were taken, and of those that they brought back; what is old enough
    /// freezes. The order is sought once for all of them.
    pub(super) fn tell_taken(&mut self, chain: &Chain, waiting: &mut Waiting) -> Result<(), Fault> {
        if waiting.taken.is_empty() {
            return Ok(());
        }
        self.begin(chain)?;
        let taken = std::mem::take(&mut waiting.taken);
        let back = self.come_back(chain, &taken)?;
        for id in taken.into_iter().chain(back) {
            let state = self.state_of(chain, &id)?;
            self.tell(Event::Block { chain: chain.info(), id, state });
        }
        self.freeze(chain)
    }

    /// Other blocks that the order has left out, and that have come back with these: they are new to who reads.
    fn come_back(&mut self, chain: &Chain, taken: &[BlockId]) -> Result<Vec<BlockId>, Fault> {
        let back: Vec<(Ix, BlockId)> = {
            let mut loaded = chain.load(self.store())?;
            let back = loaded.graph.take_back().into_iter();
            let back = back.filter_map(|ix| Some((ix, loaded.graph.id(ix)?)));
            back.filter(|(_, id)| !taken.contains(id)).collect()
        };
        for (ix, _) in &back {
            self.view().put(layout::unread(chain.no, ix.0), Vec::new());
        }
        Ok(back.into_iter().map(|(_, id)| id).collect())
    }

    fn not_added(
        &mut self,
        chain: &Chain,
        before: &[(BlockId, Item)],
        (item, id): (&Item, BlockId),
        why: NotAdded,
        waiting: &mut Waiting,
    ) -> Result<Taken, Fault> {
        Ok(match why {
            NotAdded::Verdict(Verdict::Held) => {
                waiting.hold(id, item);
                Taken::Held
            }
            NotAdded::Verdict(Verdict::Never(Never::OtherFirst)) => Taken::Refused,
            NotAdded::Verdict(_) => Taken::Invalid("nothing can admit it"),
            NotAdded::Forked { .. } if waiting.way == Way::Own => Taken::Forked,
            NotAdded::Forked { verdicts, place } => {
                let items = before.iter().map(|(_, item)| item).chain([item]).cloned();
                let items = items.zip(verdicts);
                if self.leave_aside(chain, &items.collect::<Vec<_>>(), place)? {
                    return Ok(Taken::Forked);
                }
                self.refuse(chain, id.hash, What::Fork);
                waiting.refuse(id, item);
                Taken::Refused
            }
            NotAdded::HeldAside => {
                waiting.hold(id, item);
                Taken::Forked
            }
            NotAdded::TooMany => {
                if waiting.way == Way::Own {
                    return Ok(Taken::Refused);
                }
                // With a like, what it brings need not be judged again either.
                for (held, _) in before {
                    if item.block.block.vouches_for() == Some(*held) {
                        self.refuse(chain, held.hash, What::HeldPost);
                    }
                }
                self.refuse(chain, id.hash, What::Sibling);
                waiting.refuse(id, item);
                Taken::Refused
            }
            NotAdded::NoPast => Taken::Unknown,
            NotAdded::Breaks(why) => Taken::Invalid(why),
        })
    }

    /// What is wrong with a block, as far as it can be seen without its past.
    pub(super) fn fault(&self, chain: &Chain, item: &Item, id: &BlockId) -> Option<Taken> {
        let signed = &item.block;
        if signed.check(&chain.joined.genesis).is_err() {
            return Some(Taken::Invalid("it breaks a rule of its chain"));
        }
        if let Some(seal) = &chain.seal
            && !Seal::is_same(&seal.mark(id), signed.mark.as_ref())
        {
            return Some(Taken::Invalid("it was not made by a member of the group"));
        }
        if let Some(payload) = &item.payload
            && !is_payload(chain, signed, payload)
        {
            return Some(Taken::Invalid("the payload is not the block's"));
        }
        if signed.block.time.since(self.now()) > Span::millis(AHEAD_MILLIS) {
            return Some(Taken::Ahead);
        }
        None
    }

    /// What of a block's past must be taken with it: nothing, or a held post with a like that builds
    /// on it alone, or blocks that were refused. False if some of the past is nowhere.
    fn past(
        &self,
        chain: &Chain,
        loaded: &Loaded,
        signed: &SignedBlock,
        waiting: &Waiting,
        before: &mut Before,
    ) -> Result<bool, Fault> {
        let block = &signed.block;
        if block.backs.iter().all(|back| waiting.collect(loaded, back, before)) {
            return Ok(true);
        }
        let Some(liked) = block.vouches_for() else { return Ok(false) };
        let Some(held) = self.find_held(chain, &liked, waiting)? else { return Ok(false) };
        *before = Before::default();
        before.push(liked, held);
        Ok(true)
    }

    fn find_held(
        &self,
        chain: &Chain,
        id: &BlockId,
        waiting: &Waiting,
    ) -> Result<Option<Item>, Fault> {
        if let Some(item) = waiting.held(id) {
            return Ok(Some(item.clone()));
        }
        let held: Option<HeldPost> =
            records::read(self.store(), &layout::held(chain.no, &id.hash))?;
        let held = held.filter(|held| held.signed.block.id() == *id);
        Ok(held.map(|held| Item { block: held.signed, payload: None }))
    }

    /// A held post that was left aside with a like of it comes back with another.
    fn bring_in(&mut self, chain: &Chain, ix: Ix) -> Result<BlockId, Fault> {
        let stored = Stored { aside: None, ..self.stored(chain, ix)? };
        let id = stored.signed.block.id();
        records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        let begin = chain.load(self.store())?.bring_in(ix);
        for (ix, aside) in begin {
            let stored = Stored { aside: Some(aside), ..self.stored(chain, ix)? };
            records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        }
        self.view().put(layout::unread(chain.no, ix.0), Vec::new());
        self.held_no_longer(chain, &id)?;
        self.expect_payload(chain, ix, &stored.signed)?;
        Ok(id)
    }

    fn store_block(&mut self, chain: &Chain, item: &Item, id: BlockId) -> Result<(), Fault> {
        let (ix, liked) = {
            let loaded = chain.load(self.store())?;
            let Some(ix) = loaded.find(&id) else { return Ok(()) };
            (ix, loaded.graph.verdict(ix) == Some(Verdict::Liked))
        };
        let stored = Stored { signed: item.block.clone(), arrived: self.now(), liked, aside: None };
        records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        match self.put_new_payload(chain, ix, &id, item)? {
            true => Ok(()),
            false => self.expect_payload(chain, ix, &item.block),
        }
    }

    /// A block is new: its payload is there, as that of a held post may be, or is to come.
    pub(super) fn expect_payload(
        &mut self,
        chain: &Chain,
        ix: Ix,
        signed: &SignedBlock,
    ) -> Result<(), Fault> {
        let hash = signed.block.id().hash;
        if self.store().get(&layout::chunk(chain.no, &hash, 0))?.is_none() {
            return self.await_payload(chain, ix, &signed.block);
        }
        match self.read_payload(chain, &signed.block)? {
            Some(payload) => self.note_profile(chain, ix, &signed.block, payload),
            None => Ok(()),
        }
    }

    /// A first post says which chain this is.
    fn begin(&mut self, chain: &Chain) -> Result<(), Fault> {
        if !chain.awaits_first() {
            return Ok(());
        }
        let first = {
            let loaded = chain.load(self.store())?;
            loaded.graph.first_post().and_then(|first| loaded.graph.id(first))
        };
        let Some(first) = first else { return Ok(()) };
        let joined = Joined { first: Some(first.hash), ..chain.joined.clone() };
        let begun = Chain::new(chain.no, joined.clone());
        self.follow(&begun);
        self.change(Change::Follow(chain.no, Box::new(joined)));
        self.tell(Event::Begun(begun.info()));
        Ok(())
    }

    /// Where a block stands now.
    pub(super) fn state_of(&self, chain: &Chain, id: &BlockId) -> Result<State, Fault> {
        let mut loaded = chain.load(self.store())?;
        Ok(loaded.find(id).map_or(State::Held, |ix| state(&mut loaded, ix)))
    }
}

/// Whether these bytes are a block's payload, and a member of the group has encrypted them.
pub(super) fn is_payload(chain: &Chain, signed: &SignedBlock, payload: &[u8]) -> bool {
    let said = &signed.block.payload;
    let blob = Blob { hash: said.hash, size: said.size };
    blob == Blob::of(payload) && chain.opens(payload)
}
