//! Taking blocks, whoever made them.

use std::collections::BTreeMap;

use covey_blobs::Blob;
use covey_kernel::{Effect, Fault, Hash, Span, Topic};

use super::{chains::begins_with_a_post, desk::Desk, states::state};
use crate::{
    BlockId, SignedBlock,
    command::{Event, State},
    graph::{Ix, Never, Verdict},
    layout,
    limits::{AHEAD_MILLIS, HELD},
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
    /// It is new, admitted, and stands here.
    New(State),
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

/// Blocks on their way in: held ones wait here for their likes.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<Hash, Item>);

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
        let held = match self.vouched(chain, &loaded, signed, waiting)? {
            Past::Known => None,
            Past::Held(held) => Some(held),
            Past::Unknown => return Ok(Taken::Unknown),
            Past::NotBefore => return Ok(Taken::Invalid("its vote is on what it may not vote on")),
        };
        if let Some(held) = &held {
            loaded.insert(&held.block);
        }
        let verdict = loaded.insert(signed).map(|(_, verdict)| verdict);
        if verdict != Some(Verdict::Admitted) {
            loaded.retract_last(&id.hash);
            if let Some(held) = &held {
                loaded.retract_last(&held.block.block.id().hash);
            }
            return Ok(self.not_admitted(verdict, item, id.hash, waiting));
        }
        let settled = self.settled(chain, &loaded)?;
        if let Err(place) = loaded.graph.refresh_after(settled) {
            loaded.retract_last(&id.hash);
            if let Some(held) = &held {
                loaded.retract_last(&held.block.block.id().hash);
            }
            drop(loaded);
            return self.fork(chain, held.as_deref(), item, place);
        }
        let place = loaded.find(&id).and_then(|ix| loaded.graph.place(ix));
        if place.is_none() && too_many_blocked(&mut loaded, signed) {
            loaded.retract_last(&id.hash);
            return Ok(Taken::Aside);
        }
        let begun = loaded.graph.first_post();
        if self.store().get(&layout::settled(chain.no))?.is_none() {
            loaded.freeze(&chain.joined.genesis);
        }
        drop(loaded);
        if let Some(held) = held {
            self.store_block(chain, &held)?;
            let id = held.block.block.id();
            self.view().delete(layout::held(chain.no, &id.hash));
            self.tell_of(chain, id)?;
        }
        self.store_block(chain, item)?;
        self.begin(chain, begun)?;
        Ok(Taken::New(self.tell_of(chain, id)?))
    }

    /// Tells who listens of a new block.
    fn tell_of(&mut self, chain: &Chain, id: BlockId) -> Result<State, Fault> {
        let state = {
            let mut loaded = chain.load(self.store())?;
            loaded.find(&id).map_or(State::Held, |ix| state(&mut loaded, ix))
        };
        self.tell(Event::Block { chain: chain.info(), id, state });
        Ok(state)
    }

    fn not_admitted(
        &self,
        verdict: Option<Verdict>,
        item: &Item,
        hash: Hash,
        waiting: &mut Waiting,
    ) -> Taken {
        match verdict {
            Some(Verdict::Held) => {
                waiting.0.insert(hash, item.clone());
                Taken::Held
            }
            Some(Verdict::Never(Never::OtherFirst)) => Taken::Aside,
            // What builds on a held post may come before the like that admits that.
            _ => Taken::Invalid("nothing can admit it"),
        }
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

    /// Whether a block's past is known: or it is a like of a held post, and builds on that alone.
    fn vouched(
        &self,
        chain: &Chain,
        loaded: &Loaded,
        signed: &SignedBlock,
        waiting: &Waiting,
    ) -> Result<Past, Fault> {
        let block = &signed.block;
        let known: Vec<Ix> = block.backs.iter().filter_map(|back| loaded.find(back)).collect();
        if known.len() == block.backs.len() {
            let Some(vote) = &block.vote else { return Ok(Past::Known) };
            let target = loaded.find(&vote.target);
            let fits = target.is_some_and(|target| {
                let own = block.author.is_some_and(|author| loaded.graph.is_by(target, &author));
                loaded.graph.is_in_past(target, &known) && !(vote.like && own)
            });
            return Ok(if fits { Past::Known } else { Past::NotBefore });
        }
        let like = block.vote.filter(|vote| vote.like && *block.backs == [vote.target]);
        let Some(like) = like else { return Ok(Past::Unknown) };
        let Some(held) = self.find_held(chain, &like.target, waiting)? else {
            return Ok(Past::Unknown);
        };
        let of = &held.block.block;
        let fits = of.author != block.author && of.time <= block.time && of.vote.is_none();
        let based = of.backs.iter().all(|back| loaded.find(back).is_some());
        Ok(if fits && based { Past::Held(Box::new(held)) } else { Past::Unknown })
    }

    fn find_held(
        &self,
        chain: &Chain,
        id: &BlockId,
        waiting: &Waiting,
    ) -> Result<Option<Item>, Fault> {
        if let Some(item) = waiting.0.get(&id.hash) {
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
    pub(super) fn state_of(&self, chain: &Chain, ix: Ix) -> Result<State, Fault> {
        let mut loaded = chain.load(self.store())?;
        Ok(state(&mut loaded, ix))
    }
}

enum Past {
    Known,
    /// It admits this post, perhaps.
    Held(Box<Item>),
    Unknown,
    /// It votes on what is none of its ancestors, or likes its author's own.
    NotBefore,
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
    let tips: Vec<Ix> = loaded.graph.tips().collect();
    let blocked = tips.into_iter().filter(|ix| loaded.graph.is_by(*ix, &author));
    let blocked: Vec<Ix> = blocked.collect();
    blocked.into_iter().filter(|ix| loaded.graph.place(*ix).is_none()).count() > HELD
}
