//! Taking blocks, whoever made them.

use std::collections::BTreeMap;

use covey_blobs::Blob;
use covey_kernel::{Effect, Fault, Hash, Span, Topic};

use super::{desk::Desk, states::state};
use crate::{
    Block, BlockId, SignedBlock,
    command::{Event, State},
    graph::{self, Ix, Never, Refused, Verdict},
    layout,
    limits::{AHEAD_MILLIS, HELD, PAGE_BLOCKS},
    loaded::Loaded,
    memory::{Chain, Change},
    records::{self, HeldPost, Joined, Stored},
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

/// How many places were sought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sought {
    /// For what was then not taken.
    pub(super) wasted: u64,
    /// For what was then taken after all.
    pub(super) used: u64,
}

/// Blocks that came with others, and are taken only with some of them.
#[derive(Default)]
pub(super) struct Waiting {
    /// Held posts, which wait for their likes, and how many places were sought for each.
    held: BTreeMap<Hash, (Item, u64)>,
    /// Blocks that were refused: they come in only with one that builds on them.
    refused: BTreeMap<Hash, Item>,
    /// What was taken and is to be told.
    taken: Vec<BlockId>,
    /// They were made here: whoever made them hears why they are not taken, and nothing is kept of them.
    own: bool,
    /// What was sought since that was last asked.
    sought: Sought,
}

impl Waiting {
    /// For what is made here.
    pub(super) fn own() -> Self {
        Self { own: true, ..Self::default() }
    }

    /// A block is refused, or not even looked at: only what builds on it brings it.
    pub(super) fn skip(&mut self, item: &Item) {
        self.refused.insert(item.block.block.id().hash, item.clone());
    }

    /// What was sought since that was last asked.
    pub(super) fn sought(&mut self) -> Sought {
        std::mem::take(&mut self.sought)
    }

    /// A held post was taken after all.
    fn give_back(&mut self, id: &BlockId) {
        let sought = self.held.get(&id.hash).map_or(0, |(_, sought)| *sought);
        self.sought.used = self.sought.used.saturating_add(sought);
    }

    /// Collects a block that is not in the graph, after those before it. False if one is nowhere.
    fn collect(&self, loaded: &Loaded, id: &BlockId, found: &mut Vec<Item>) -> bool {
        let is_found = |item: &Item| item.block.block.id() == *id;
        if loaded.find(id).is_some() || found.iter().any(is_found) {
            return true;
        }
        let held = self.held.get(&id.hash).map(|(item, _)| item);
        let item = self.refused.get(&id.hash).or(held);
        let Some(item) = item.filter(|item| is_found(item)) else { return false };
        // Each was examined when all before it were there or found, so this ends.
        let before = item.block.block.backs.iter().all(|back| self.collect(loaded, back, found));
        found.push(item.clone());
        before && found.len() <= PAGE_BLOCKS
    }
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
        if self.was_refused(chain, &id) {
            waiting.skip(item);
            return Ok(Taken::Refused);
        }
        let Some(before) = self.past(chain, &loaded, signed, waiting)? else {
            return Ok(Taken::Unknown);
        };
        let settled = self.settled(chain, &loaded)?;
        let sought = loaded.graph.sought();
        let back = comes_back(&loaded, signed);
        if let Err(why) = add(&mut loaded, &before, (signed, id), settled) {
            // Even what is seen at once costs something.
            let wasted = loaded.graph.sought().saturating_sub(sought).saturating_add(1);
            waiting.sought.wasted = wasted;
            drop(loaded);
            return self.not_added(chain, &before, item, why, waiting);
        }
        drop(loaded);
        if let Some(back) = back {
            waiting.taken.push(self.bring_in(chain, back)?);
        }
        for item in &before {
            let id = item.block.block.id();
            self.store_block(chain, item, id)?;
            self.held_no_longer(chain, &id)?;
            waiting.give_back(&id);
            waiting.taken.push(id);
        }
        self.store_block(chain, item, id)?;
        waiting.taken.push(id);
        Ok(Taken::New)
    }

    /// Tells who listens of the blocks that were taken; what is old enough freezes. The order is
    /// sought once for all of them.
    pub(super) fn tell_taken(&mut self, chain: &Chain, waiting: &mut Waiting) -> Result<(), Fault> {
        if waiting.taken.is_empty() {
            return Ok(());
        }
        self.begin(chain)?;
        for id in std::mem::take(&mut waiting.taken) {
            let state = self.state_of(chain, &id)?;
            self.tell(Event::Block { chain: chain.info(), id, state });
        }
        self.freeze(chain)
    }

    fn not_added(
        &mut self,
        chain: &Chain,
        before: &[Item],
        item: &Item,
        why: NotAdded,
        waiting: &mut Waiting,
    ) -> Result<Taken, Fault> {
        let hash = item.block.block.id().hash;
        Ok(match why {
            NotAdded::Verdict(Verdict::Held) => {
                waiting.held.insert(hash, (item.clone(), waiting.sought.wasted));
                Taken::Held
            }
            NotAdded::Verdict(Verdict::Never(Never::OtherFirst)) => Taken::Refused,
            NotAdded::Verdict(_) => Taken::Invalid("nothing can admit it"),
            NotAdded::Forked { .. } if waiting.own => Taken::Forked,
            NotAdded::Forked { verdicts, place } => {
                let items = before.iter().chain([item]).cloned().zip(verdicts);
                if self.leave_aside(chain, &items.collect::<Vec<_>>(), place)? {
                    return Ok(Taken::Forked);
                }
                self.refuse(chain, hash);
                waiting.skip(item);
                Taken::Refused
            }
            NotAdded::HeldAside => {
                waiting.held.insert(hash, (item.clone(), waiting.sought.wasted));
                Taken::Forked
            }
            NotAdded::TooMany => {
                self.refuse(chain, hash);
                waiting.skip(item);
                Taken::Refused
            }
            NotAdded::NoPast => Taken::Unknown,
            NotAdded::Breaks(why) => Taken::Invalid(why),
        })
    }

    /// What is wrong with a block, as far as it can be seen without its past.
    fn fault(&self, chain: &Chain, item: &Item, id: &BlockId) -> Option<Taken> {
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
    /// on it alone, or blocks that were refused. None if some of the past is nowhere.
    fn past(
        &self,
        chain: &Chain,
        loaded: &Loaded,
        signed: &SignedBlock,
        waiting: &Waiting,
    ) -> Result<Option<Vec<Item>>, Fault> {
        let block = &signed.block;
        let mut before = Vec::new();
        if block.backs.iter().all(|back| waiting.collect(loaded, back, &mut before)) {
            return Ok(Some(before));
        }
        let Some(like) = block.vote.filter(|vote| vote.like && *block.backs == [vote.target])
        else {
            return Ok(None);
        };
        Ok(self.find_held(chain, &like.target, waiting)?.map(|held| vec![held]))
    }

    fn find_held(
        &self,
        chain: &Chain,
        id: &BlockId,
        waiting: &Waiting,
    ) -> Result<Option<Item>, Fault> {
        if let Some((item, _)) = waiting.held.get(&id.hash) {
            return Ok((item.block.block.id() == *id).then(|| item.clone()));
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
        records::write(self.view(), layout::chain(chain.no), &joined);
        self.effect(Effect::Join(Topic(begun.reference().topic())));
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

/// Why a block was not added.
pub(super) enum NotAdded {
    Verdict(Verdict),
    /// It would change this place, which is frozen, or builds on what is left aside. It is admitted, with
    /// what is taken with it.
    Forked {
        verdicts: Vec<Verdict>,
        place: Option<usize>,
    },
    /// It builds on what is left aside, and its author has no reps there.
    HeldAside,
    /// The order leaves out too many of its author's blocks.
    TooMany,
    /// Some of the blocks before it are not there.
    NoPast,
    /// It breaks a rule that its past shows.
    Breaks(&'static str),
}

/// Adds a block and those that are taken with it, or nothing at all.
fn add(
    loaded: &mut Loaded,
    before: &[Item],
    block: (&SignedBlock, BlockId),
    settled: usize,
) -> Result<(), NotAdded> {
    let mut added = Vec::new();
    let outcome = try_add(loaded, before, block, settled, &mut added);
    if outcome.is_err() {
        added.iter().rev().for_each(|hash| loaded.retract_last(hash));
    }
    outcome
}

fn try_add(
    loaded: &mut Loaded,
    before: &[Item],
    (signed, id): (&SignedBlock, BlockId),
    settled: usize,
    added: &mut Vec<Hash>,
) -> Result<(), NotAdded> {
    for item in before {
        let id = item.block.block.id();
        loaded.insert(&item.block, id).ok_or(NotAdded::NoPast)?;
        added.push(id.hash);
    }
    fits(loaded, &signed.block)?;
    let (ix, verdict) = loaded.insert(signed, id).ok_or(NotAdded::NoPast)?;
    added.push(id.hash);
    match (verdict, loaded.graph.is_aside(ix)) {
        (Verdict::Admitted, false) => {}
        (Verdict::Admitted, true) => {
            return Err(NotAdded::Forked { verdicts: verdicts(loaded, added), place: None });
        }
        (Verdict::Held, true) => return Err(NotAdded::HeldAside),
        (verdict, _) => return Err(NotAdded::Verdict(verdict)),
    }
    // One rep must not fill every disk: a few of an author's blocks are left out, no more.
    match loaded.graph.may_stay(settled, signed.block.author.as_ref(), HELD) {
        Ok(()) => Ok(()),
        Err(Refused::TooMany) => Err(NotAdded::TooMany),
        Err(Refused::Frozen(place)) => {
            Err(NotAdded::Forked { verdicts: verdicts(loaded, added), place: Some(place) })
        }
    }
}

fn verdicts(loaded: &Loaded, added: &[Hash]) -> Vec<Verdict> {
    added.iter().filter_map(|hash| loaded.verdict(hash)).collect()
}

/// A held post that is left aside, and comes back with this like of it.
fn comes_back(loaded: &Loaded, like: &SignedBlock) -> Option<Ix> {
    let vote = like.block.vote.filter(|vote| vote.like && *like.block.backs == [vote.target])?;
    let target = loaded.find(&vote.target)?;
    let vote = Some(graph::Vote { like: true, target });
    loaded.graph.would_come_back(vote, &[target])
}

/// Whether a block may stand on its past: not earlier than a block before it, and its vote on an
/// ancestor and no like of its author's own.
pub(super) fn fits(loaded: &Loaded, block: &Block) -> Result<(), NotAdded> {
    let backs: Option<Vec<Ix>> = block.backs.iter().map(|back| loaded.find(back)).collect();
    let backs = backs.ok_or(NotAdded::NoPast)?;
    if backs.iter().any(|back| loaded.graph.time(*back) > Some(block.time)) {
        return Err(NotAdded::Breaks("its time is before that of a block before it"));
    }
    let Some(vote) = &block.vote else { return Ok(()) };
    let may = loaded.find(&vote.target).is_some_and(|target| {
        let own = block.author.is_some_and(|author| loaded.graph.is_by(target, &author));
        loaded.graph.is_in_past(target, &backs) && !(vote.like && own)
    });
    match may {
        true => Ok(()),
        false => Err(NotAdded::Breaks("its vote is on what its author may not vote on")),
    }
}

/// Whether these bytes are a block's payload, and a member of the group has encrypted them.
pub(super) fn is_payload(chain: &Chain, signed: &SignedBlock, payload: &[u8]) -> bool {
    let said = &signed.block.payload;
    let blob = Blob { hash: said.hash, size: said.size };
    blob == Blob::of(payload) && chain.opens(payload)
}
