//! Making blocks.

use covey_blobs::Blob;
use covey_kernel::{Bounded, Fault, Keypair, PublicKey, Time};

use super::{
    desk::Desk,
    ingest::Taken,
    waiting::{Waiting, Way},
};
use crate::{
    Block, BlockId, Invalid, Payload, SignedBlock, Vote,
    command::{Post, Reader, Reply, State},
    error::Error,
    genesis::Kind,
    graph::Ix,
    layout,
    limits::{BACKS, INLINE_BYTES},
    loaded::Loaded,
    memory::{Chain, begins_with_a_post},
    records::{self, HeldPost},
    sealed_box,
    wire::Item,
};

impl Desk<'_, '_, '_> {
    /// Posts or votes.
    pub(super) fn post(&mut self, post: Post) -> Result<Reply, Error> {
        let chain = self.chain(&post.chain)?;
        let author = post.sign.as_ref().map(Keypair::public);
        let payload = post.content.encode();
        let (backs, time) = self.stand(chain, author, post.vote)?;
        let reader = post.reader.map(|reader| reader_of(chain, reader)).transpose()?;
        let payload = match (&chain.seal, reader) {
            (Some(seal), _) => seal.seal(self.rng(), &payload),
            (None, Some(key)) => {
                let sealed =
                    sealed_box::seal(self.rng(), &key, &chain.context(author, &backs), &payload);
                sealed.map_err(|_| Error::BadReader)?
            }
            (None, None) => payload,
        };
        let sealed = chain.seal.is_some() || reader.is_some();
        let blob = Blob::of(&payload);
        let payload_of = Payload { hash: blob.hash, size: blob.size, sealed };
        let block = Block {
            time,
            payload: payload_of,
            vote: post.vote.map(|(like, target)| Vote { like, target }),
            backs: Bounded::new(backs).map_err(|_| Error::NoHeads)?,
            author,
        };
        let mut signed = block.sign(&self.rules().network, post.sign.as_ref());
        signed.mark = chain.seal.as_ref().map(|seal| seal.mark(&signed.block.id()));
        self.checked(chain, &signed)?;
        self.put_in(chain, signed, &payload)
    }

    /// What the chain says of a block that is made here, in words for whoever makes it.
    fn checked(&self, chain: &Chain, signed: &SignedBlock) -> Result<(), Error> {
        signed.check(&chain.joined.genesis)?;
        let only = match &chain.joined.genesis.kind {
            Kind::Identity(owner) => owner.only && signed.block.author != Some(owner.key),
            _ => false,
        };
        if only { Err(Invalid::NotOwner.into()) } else { Ok(()) }
    }

    /// Adds a block that was made here, and tells others of it.
    fn put_in(
        &mut self,
        chain: &Chain,
        signed: SignedBlock,
        payload: &[u8],
    ) -> Result<Reply, Error> {
        let id = signed.block.id();
        let inline = covey_kernel::Bytes::new(payload.to_vec()).ok();
        let inline = inline.filter(|_| payload.len() <= INLINE_BYTES);
        let item = Item { block: signed, payload: inline };
        let mut waiting = Waiting::on(Way::Own);
        match self.take(chain, &item, &mut waiting)? {
            Taken::New => {
                self.put_payload(chain, &id, payload)?;
                self.note_own(chain, &id)?;
                self.tell_taken(chain, &mut waiting)?;
                let state = self.state_of(chain, &id)?;
                // Before the first post nobody knows which chain this is, so nobody listens.
                match chain.awaits_first() {
                    true => self.tell_neighbours(chain, None),
                    false => self.announce(chain, &item)?,
                }
                Ok(Reply::Posted(id, state))
            }
            Taken::Held if !self.can_hold_own(chain)? => Err(Error::TooManyHeld),
            Taken::Held => {
                let arrived = self.now();
                self.hold(chain, &id, &HeldPost { signed: item.block, arrived, from: None })?;
                self.put_payload(chain, &id, payload)?;
                self.tell_neighbours(chain, None);
                Ok(Reply::Posted(id, State::Held))
            }
            Taken::Refused if chain.awaits_first() => Err(Error::FirstUnsigned),
            Taken::Refused if self.lacks_first(chain)? => Err(Error::NoFirst),
            Taken::Known => Ok(Reply::Posted(id, self.state_of(chain, &id)?)),
            Taken::Forked => Err(Error::Frozen),
            Taken::Refused => Err(Error::TooManyLeftOut),
            Taken::Ahead => Err(Error::ClockBehind),
            Taken::Unknown | Taken::Invalid(_) => Err(Error::NoHeads),
        }
    }

    /// Whether a forum is followed by its first post, and that is not here.
    fn lacks_first(&self, chain: &Chain) -> Result<bool, Fault> {
        let has_begun = chain.load(self.store())?.graph.first_post().is_some();
        Ok(begins_with_a_post(&chain.joined.genesis) && !has_begun)
    }

    /// What a new block builds on, and its time.
    fn stand(
        &self,
        chain: &Chain,
        author: Option<PublicKey>,
        vote: Option<(bool, BlockId)>,
    ) -> Result<(Vec<BlockId>, Time), Error> {
        let mut loaded = chain.load(self.store())?;
        let Some((like, target)) = vote else {
            let backs = heads(&mut loaded)?;
            return Ok(self.on(&loaded, &backs));
        };
        let author = author.ok_or(Error::Unsigned)?;
        if target.height == 0 {
            return Err(Error::Invalid(Invalid::VoteTarget));
        }
        let found = loaded.find(&target);
        let followed = found.filter(|ix| !loaded.graph.is_aside(*ix));
        let Some(ix) = followed else {
            let is_held = loaded.held.contains_key(&target.hash);
            drop(loaded);
            return match found.is_some() && !is_held {
                true => Err(Error::Forked(target)),
                false => self.stand_on_held(chain, author, like, target),
            };
        };
        if like && loaded.graph.is_by(ix, &author) {
            return Err(Error::OwnPost(target));
        }
        if loaded.graph.place(ix).is_some() {
            let backs = heads(&mut loaded)?;
            self.afford(chain, &mut loaded, &backs, author)?;
            return Ok(self.on(&loaded, &backs));
        }
        if !like {
            return Err(Error::NotPlaced(target));
        }
        self.bring_back(chain, &mut loaded, ix, author)?;
        Ok(self.on(&loaded, &[ix]))
    }

    /// A like of a post that is held builds on that alone.
    fn stand_on_held(
        &self,
        chain: &Chain,
        author: PublicKey,
        like: bool,
        target: BlockId,
    ) -> Result<(Vec<BlockId>, Time), Error> {
        let held: Option<HeldPost> =
            records::read(self.store(), &layout::held(chain.no, &target.hash))?;
        let held = held.filter(|held| held.signed.block.id() == target);
        let held = held.ok_or(Error::UnknownBlock(target))?;
        if !like {
            return Err(Error::NotPlaced(target));
        }
        let block = &held.signed.block;
        if block.author == Some(author) {
            return Err(Error::OwnPost(target));
        }
        let mut loaded = chain.load(self.store())?;
        let backs: Option<Vec<Ix>> = block.backs.iter().map(|back| loaded.find(back)).collect();
        let backs = backs.ok_or(Error::Hopeless(target))?;
        if backs.iter().any(|back| loaded.graph.is_aside(*back)) {
            return Err(Error::Forked(target));
        }
        self.afford(chain, &mut loaded, &backs, author)?;
        Ok((vec![target], self.now().max(block.time)))
    }

    /// Whether a vote's author has reps after some blocks and their past.
    fn afford(
        &self,
        chain: &Chain,
        loaded: &mut Loaded,
        backs: &[Ix],
        author: PublicKey,
    ) -> Result<(), Error> {
        let stand = loaded.graph.stand(backs);
        let reps = loaded.graph.reps_at(&stand, &author, self.now());
        match reps > 0 || always(chain, &author) {
            true => Ok(()),
            false => Err(Error::NoReps { author, reps }),
        }
    }

    /// Whether a like brings a block back that the order leaves out.
    fn bring_back(
        &self,
        chain: &Chain,
        loaded: &mut Loaded,
        out: Ix,
        author: PublicKey,
    ) -> Result<(), Error> {
        self.afford(chain, loaded, &[out], author)?;
        let tips: Vec<Ix> = loaded.graph.tips().collect();
        let stand = loaded.graph.stand(&tips);
        let id = |ix| loaded.graph.id(ix).unwrap_or(chain.genesis);
        if !stand.blocked().any(|ix| ix == out) {
            let begins = stand.blocked().find(|ix| loaded.graph.is_in_past(*ix, &[out]));
            let with = begins.map(|begins| Error::LeftOutWith(id(out), id(begins)));
            return Err(with.unwrap_or(Error::Hopeless(id(out))));
        }
        let reps = loaded.graph.reps_before(&stand, out, &author, self.now());
        match reps > 0 || always(chain, &author) {
            true => Ok(()),
            false => Err(Error::NoReps { author, reps }),
        }
    }

    /// The ids of some blocks, and a time that is not before theirs.
    fn on(&self, loaded: &Loaded, backs: &[Ix]) -> (Vec<BlockId>, Time) {
        let times = backs.iter().filter_map(|ix| loaded.graph.time(*ix));
        let time = times.fold(self.now(), Time::max);
        let mut ids: Vec<BlockId> = backs.iter().filter_map(|ix| loaded.graph.id(*ix)).collect();
        ids.sort_unstable();
        (ids, time)
    }
}

/// The key of whom a post is for.
fn reader_of(chain: &Chain, reader: Reader) -> Result<PublicKey, Error> {
    match (&chain.joined.genesis.kind, reader) {
        (Kind::Group(_), _) => Err(Error::AllSealed),
        (_, Reader::Key(key)) => Ok(key),
        (Kind::Identity(owner), Reader::Owner) => Ok(owner.key),
        (Kind::Forum(_), Reader::Owner) => Err(Error::NoOwner),
    }
}

/// Who may post whatever their reps are.
fn always(chain: &Chain, author: &PublicKey) -> bool {
    match &chain.joined.genesis.kind {
        Kind::Forum(_) => false,
        Kind::Group(_) => true,
        Kind::Identity(owner) => owner.key == *author,
    }
}

/// The placed heads that one block can build on: their own order leaves none of their past out.
fn heads(loaded: &mut Loaded) -> Result<Vec<Ix>, Error> {
    let mut all = loaded.graph.heads().to_vec();
    all.truncate(BACKS);
    if loaded.graph.stand(&all).blocked().next().is_none() {
        return Ok(all);
    }
    // What each of them says of the past cannot be said together: as many as can, the best first.
    all.sort_by_key(|ix| std::cmp::Reverse(loaded.graph.place(*ix)));
    let mut chosen: Vec<Ix> = Vec::new();
    for head in all {
        chosen.push(head);
        if loaded.graph.stand(&chosen).blocked().next().is_some() {
            chosen.pop();
        }
    }
    if chosen.is_empty() { Err(Error::NoHeads) } else { Ok(chosen) }
}
