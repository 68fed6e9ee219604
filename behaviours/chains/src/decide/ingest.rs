//! Taking blocks, whoever made them.

use std::collections::BTreeMap;

use covey_blobs::Blob;
use covey_kernel::{Effect, Fault, Hash, Span, Topic};

use super::{chains::begins_with_a_post, desk::Desk, states::state};
use crate::{
    Block, BlockId, SignedBlock,
    command::{Event, State},
    graph::{Ix, Never, Verdict},
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
    /// It is left aside: admitted, but one of too many that the order leaves out, or a second first
    /// post.
    Aside,
    /// It would change what is frozen, or builds on what would.
    Forked,
    /// It breaks a rule.
    Invalid(&'static str),
}

/// Blocks that came with others, and are taken only with some of them.
#[derive(Default)]
pub(super) struct Waiting {
    /// Held posts, which wait for their likes.
    held: BTreeMap<Hash, Item>,
    /// Blocks of which there are too many: another that builds on them passes them.
    aside: BTreeMap<Hash, Item>,
    /// What was taken and is to be told.
    taken: Vec<BlockId>,
}

impl Waiting {
    /// Collects a block that is not in the graph, after those before it. False if one is nowhere.
    fn collect(&self, loaded: &Loaded, id: &BlockId, found: &mut Vec<Item>) -> bool {
        let is_found = |item: &Item| item.block.block.id() == *id;
        if loaded.find(id).is_some() || found.iter().any(is_found) {
            return true;
        }
        let Some(item) = self.aside.get(&id.hash).filter(|item| is_found(item)) else {
            return false;
        };
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
        if let Some(why) = self.fault(chain, &loaded, item) {
            return Ok(why);
        }
        let is_forked = |back: &BlockId| loaded.forked.contains(&back.hash);
        if is_forked(&id) || signed.block.backs.iter().any(is_forked) {
            drop(loaded);
            return self.keep_forked(chain, item, None);
        }
        let before = match self.past(chain, &loaded, signed, waiting)? {
            Past::Known(before) => before,
            Past::Unknown => return Ok(Taken::Unknown),
            Past::NotBefore => return Ok(Taken::Invalid("its vote is on what it may not vote on")),
        };
        let settled = self.settled(chain, &loaded)?;
        if let Err(why) = add(&mut loaded, &before, signed, settled) {
            drop(loaded);
            return self.not_added(chain, &before, item, why, waiting);
        }
        let begun = loaded.graph.first_post();
        drop(loaded);
        for item in &before {
            let id = item.block.block.id();
            self.store_block(chain, item)?;
            self.held_no_longer(chain, &id)?;
            waiting.taken.push(id);
        }
        self.store_block(chain, item)?;
        waiting.taken.push(id);
        self.begin(chain, begun)?;
        Ok(Taken::New)
    }

    /// Tells who listens of the blocks that were taken; what is old enough freezes. The order is
    /// sought once for all of them.
    pub(super) fn tell_taken(&mut self, chain: &Chain, waiting: &mut Waiting) -> Result<(), Fault> {
        if waiting.taken.is_empty() {
            return Ok(());
        }
        for id in std::mem::take(&mut waiting.taken) {
            let state = self.state_of(chain, &id)?;
            self.tell(Event::Block { chain: chain.info(), id, state });
        }
        if self.store().get(&layout::settled(chain.no))?.is_none() {
            chain.load(self.store())?.freeze(&chain.joined.genesis);
        }
        Ok(())
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
                waiting.held.insert(hash, item.clone());
                Taken::Held
            }
            NotAdded::Verdict(Verdict::Never(Never::OtherFirst)) => Taken::Aside,
            NotAdded::Verdict(_) => Taken::Invalid("nothing can admit it"),
            NotAdded::Frozen(place) => return self.fork(chain, before, item, place),
            NotAdded::TooMany => {
                waiting.aside.insert(hash, item.clone());
                Taken::Aside
            }
            NotAdded::NoPast => Taken::Unknown,
        })
    }

    /// What is wrong with a block, as far as it can be seen before its verdict.
    fn fault(&self, chain: &Chain, loaded: &Loaded, item: &Item) -> Option<Taken> {
        let signed = &item.block;
        if signed.check(&chain.joined.genesis).is_err() {
            return Some(Taken::Invalid("it breaks a rule of its chain"));
        }
        let id = signed.block.id();
        if let Some(seal) = &chain.seal
            && !Seal::is_same(&seal.mark(&id), signed.mark.as_ref())
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
        let backs = signed.block.backs.iter().filter_map(|back| loaded.find(back));
        let early = |back: Ix| loaded.graph.time(back) > Some(signed.block.time);
        if backs.into_iter().any(early) {
            return Some(Taken::Invalid("its time is before that of a block before it"));
        }
        None
    }

    /// Whether a block's past is known, perhaps with some blocks that are taken only with it: a held
    /// post with a like that builds on it alone, or blocks that were left aside.
    fn past(
        &self,
        chain: &Chain,
        loaded: &Loaded,
        signed: &SignedBlock,
        waiting: &Waiting,
    ) -> Result<Past, Fault> {
        let block = &signed.block;
        let known: Vec<Ix> = block.backs.iter().filter_map(|back| loaded.find(back)).collect();
        if known.len() == block.backs.len() {
            let may = may_vote(loaded, block, &known);
            return Ok(if may { Past::Known(Vec::new()) } else { Past::NotBefore });
        }
        let vouched = block.vote.filter(|vote| vote.like && *block.backs == [vote.target]);
        if let Some(like) = vouched
            && let Some(held) = self.find_held(chain, &like.target, waiting)?
        {
            let of = &held.block.block;
            let fits = of.author != block.author && of.time <= block.time && of.vote.is_none();
            let based = of.backs.iter().all(|back| loaded.find(back).is_some());
            return Ok(if fits && based { Past::Known(vec![held]) } else { Past::Unknown });
        }
        let mut before = Vec::new();
        let there = block.backs.iter().all(|back| waiting.collect(loaded, back, &mut before));
        // Votes come when their past has.
        Ok(match there && block.vote.is_none() {
            true => Past::Known(before),
            false => Past::Unknown,
        })
    }

    fn find_held(
        &self,
        chain: &Chain,
        id: &BlockId,
        waiting: &Waiting,
    ) -> Result<Option<Item>, Fault> {
        if let Some(item) = waiting.held.get(&id.hash) {
            return Ok((item.block.block.id() == *id).then(|| item.clone()));
        }
        let held: Option<HeldPost> =
            records::read(self.store(), &layout::held(chain.no, &id.hash))?;
        let held = held.filter(|held| held.signed.block.id() == *id);
        Ok(held.map(|held| Item { block: held.signed, payload: None }))
    }

    fn store_block(&mut self, chain: &Chain, item: &Item) -> Result<(), Fault> {
        let id = item.block.block.id();
        let ix = chain.load(self.store())?.find(&id);
        let Some(ix) = ix else { return Ok(()) };
        let stored = Stored { signed: item.block.clone(), arrived: self.now() };
        records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        let there = self.store().get(&layout::chunk(chain.no, &id.hash, 0))?.is_some();
        if there {
            return self.note_profile(chain, ix, &item.block.block);
        }
        self.await_payload(chain, ix, &item.block.block)?;
        self.take_payload(chain, ix, item)
    }

    /// A first post says which chain this is.
    fn begin(&mut self, chain: &Chain, first: Option<Ix>) -> Result<(), Fault> {
        let Some(first) = first.filter(|_| chain.joined.first.is_none()) else { return Ok(()) };
        if !begins_with_a_post(&chain.joined.genesis) {
            return Ok(());
        }
        let hash = chain.load(self.store())?.graph.id(first).map(|id| id.hash);
        let joined = Joined { first: hash, ..chain.joined.clone() };
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

enum Past {
    /// It is, with these blocks before it that are not in the graph.
    Known(Vec<Item>),
    Unknown,
    /// It votes on what is none of its ancestors, or likes its author's own.
    NotBefore,
}

/// Why a block was not added.
enum NotAdded {
    Verdict(Verdict),
    /// It would change this place, which is frozen.
    Frozen(usize),
    /// The order leaves out too many of its author's blocks.
    TooMany,
    /// Some of the blocks before it are not there.
    NoPast,
}

/// Adds a block and those that are taken with it, or nothing at all.
fn add(
    loaded: &mut Loaded,
    before: &[Item],
    signed: &SignedBlock,
    settled: usize,
) -> Result<(), NotAdded> {
    let mut added = Vec::new();
    let outcome = try_add(loaded, before, signed, settled, &mut added);
    if outcome.is_err() {
        added.iter().rev().for_each(|hash| loaded.retract_last(hash));
    }
    outcome
}

fn try_add(
    loaded: &mut Loaded,
    before: &[Item],
    signed: &SignedBlock,
    settled: usize,
    added: &mut Vec<Hash>,
) -> Result<(), NotAdded> {
    for item in before {
        loaded.insert(&item.block).ok_or(NotAdded::NoPast)?;
        added.push(item.block.block.id().hash);
    }
    let (_, verdict) = loaded.insert(signed).ok_or(NotAdded::NoPast)?;
    added.push(signed.block.id().hash);
    if verdict != Verdict::Admitted {
        return Err(NotAdded::Verdict(verdict));
    }
    loaded.graph.keeps_first(settled).map_err(NotAdded::Frozen)?;
    // Also of a block that is placed: it may be placed in the stead of another.
    match too_many_blocked(loaded, signed) {
        true => Err(NotAdded::TooMany),
        false => Ok(()),
    }
}

/// Whether a block is no vote, or one that its author may cast: on an ancestor, no like of their own.
fn may_vote(loaded: &Loaded, block: &Block, known: &[Ix]) -> bool {
    let Some(vote) = &block.vote else { return true };
    loaded.find(&vote.target).is_some_and(|target| {
        let own = block.author.is_some_and(|author| loaded.graph.is_by(target, &author));
        loaded.graph.is_in_past(target, known) && !(vote.like && own)
    })
}

/// Whether these bytes are a block's payload, and a member of the group has encrypted them.
pub(super) fn is_payload(chain: &Chain, signed: &SignedBlock, payload: &[u8]) -> bool {
    let said = &signed.block.payload;
    let blob = Blob { hash: said.hash, size: said.size };
    blob == Blob::of(payload) && chain.opens(payload)
}

/// Whether the order leaves out more blocks of an author than one rep should be able to make.
fn too_many_blocked(loaded: &mut Loaded, signed: &SignedBlock) -> bool {
    let Some(author) = signed.block.author else { return false };
    let tips = loaded.graph.tips().filter(|ix| loaded.graph.is_by(*ix, &author));
    let tips: Vec<Ix> = tips.collect();
    // Where they stand is only sought if there are so many.
    tips.len() > HELD
        && tips.into_iter().filter(|ix| loaded.graph.place(*ix).is_none()).count() > HELD
}
