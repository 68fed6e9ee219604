//! What the user reads.

use std::collections::BTreeSet;

use covey_kernel::{Fault, Hash, Hasher, Keypair, Time};

use super::{desk::Desk, states::state};
use crate::{
    BlockId,
    command::{BlockInfo, ChainStatus, ForkInfo, Of, Reply, Selector, State, Which},
    envelope::Content,
    error::Error,
    graph::{Ix, Votes},
    layout,
    limits::{FORK_TIPS, FORKS_SHOWN},
    loaded::Loaded,
    memory::Chain,
    records::{self, HeldPost},
};

impl Desk<'_, '_, '_> {
    pub(super) fn heads(&self, which: &Selector, heads: Which) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        if heads == Which::Held {
            let held = records::held(self.store(), chain.no)?;
            let mut ids: Vec<BlockId> =
                held.iter().map(|(_, post)| post.signed.block.id()).collect();
            ids.sort_unstable();
            return Ok(Reply::Ids(ids));
        }
        let mut loaded = chain.load(self.store())?;
        let found = match heads {
            Which::Blocked => loaded.graph.blocked(),
            Which::Forked => loaded.graph.aside_tips().collect(),
            Which::Placed | Which::Held => loaded.graph.heads().to_vec(),
        };
        Ok(Reply::Ids(ids(&loaded, &found)))
    }

    pub(super) fn order(&self, which: &Selector) -> Result<Reply, Error> {
        let mut loaded = self.chain(which)?.load(self.store())?;
        let order = loaded.graph.order().to_vec();
        Ok(Reply::Ids(ids(&loaded, &order)))
    }

    pub(super) fn traverse(&self, which: &Selector, from: &[BlockId]) -> Result<Reply, Error> {
        let mut loaded = self.chain(which)?.load(self.store())?;
        let find = |id: &BlockId| loaded.find(id).ok_or(Error::UnknownBlock(*id));
        let known = from.iter().map(find).collect::<Result<Vec<Ix>, Error>>()?;
        let newer: BTreeSet<Ix> = loaded.graph.missing(&known, None).all().collect();
        let order: Vec<Ix> =
            loaded.graph.order().iter().copied().filter(|ix| newer.contains(ix)).collect();
        Ok(Reply::Ids(ids(&loaded, &order)))
    }

    pub(super) fn block(&self, which: &Selector, id: &BlockId) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let mut loaded = chain.load(self.store())?;
        let Some(ix) = loaded.find(id) else {
            drop(loaded);
            let held = self.held_post(chain, id)?;
            let info = BlockInfo {
                id: *id,
                block: Some(held.signed),
                state: State::Held,
                votes: Votes::default(),
                revoked: false,
            };
            return Ok(Reply::Block(Box::new(info)));
        };
        let votes = loaded.graph.votes(ix);
        let revoked = ix != Ix::GENESIS && loaded.graph.is_revoked(ix);
        let state = state(&mut loaded, ix);
        drop(loaded);
        let block = if ix == Ix::GENESIS { None } else { Some(self.signed(chain, ix)?) };
        Ok(Reply::Block(Box::new(BlockInfo { id: *id, block, state, votes, revoked })))
    }

    /// A payload, decrypted if the chain is a private group's, or with the key of whom it is for.
    pub(super) fn content(
        &self,
        which: &Selector,
        id: &BlockId,
        key: Option<&Keypair>,
    ) -> Result<Content, Error> {
        let chain = self.chain(which)?;
        let block = self.shown_block(chain, id)?;
        if self.is_purged(&block.payload.hash)? {
            return Err(Error::Purged);
        }
        let Some(payload) = self.read_payload(chain, &block)? else {
            return Err(self.why_missing(chain, id)?);
        };
        let payload = chain.open(&block, payload, key)?;
        Ok(Content::decode(payload))
    }

    /// Why a payload is not here that may be shown.
    fn why_missing(&self, chain: &Chain, id: &BlockId) -> Result<Error, Fault> {
        let loaded = chain.load(self.store())?;
        Ok(match loaded.find(id) {
            Some(ix) if loaded.graph.is_aside(ix) => Error::NotFetched(*id),
            None => Error::HeldBack,
            Some(_) => Error::NotArrived,
        })
    }

    /// A block whose payload may be shown.
    fn shown_block(&self, chain: &Chain, id: &BlockId) -> Result<crate::Block, Error> {
        let mut loaded = chain.load(self.store())?;
        let Some(ix) = loaded.find(id) else {
            drop(loaded);
            return Ok(self.held_post(chain, id)?.signed.block);
        };
        if ix == Ix::GENESIS {
            return Err(Error::NoPayload);
        }
        if loaded.graph.is_revoked(ix) {
            let Votes { likes, dislikes, .. } = loaded.graph.votes(ix);
            return Err(Error::Revoked { dislikes, likes });
        }
        drop(loaded);
        Ok(self.signed(chain, ix)?.block)
    }

    fn held_post(&self, chain: &Chain, id: &BlockId) -> Result<HeldPost, Error> {
        let held: Option<HeldPost> =
            records::read(self.store(), &layout::held(chain.no, &id.hash))?;
        let held = held.filter(|held| held.signed.block.id() == *id);
        held.ok_or(Error::UnknownBlock(*id))
    }

    pub(super) fn reps(&self, which: &Selector, of: Of) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let mut loaded = chain.load(self.store())?;
        let reps = match of {
            Of::Author(author) => loaded.graph.reps(&author, self.now()),
            Of::Block(id) => match loaded.find(&id) {
                Some(ix) => {
                    let Votes { likes, dislikes, .. } = loaded.graph.votes(ix);
                    i64::from(likes).saturating_sub(i64::from(dislikes))
                }
                None => {
                    drop(loaded);
                    self.held_post(chain, &id)?;
                    0
                }
            },
        };
        Ok(Reply::Reps(reps))
    }

    /// The latest hard forks, each by the block with which it begins.
    fn forks(&self, chain: &Chain) -> Result<Vec<ForkInfo>, Fault> {
        let mut loaded = chain.load(self.store())?;
        let placed = loaded.graph.order().len() as u64;
        let loaded = &*loaded;
        let root = |ix: Ix| loaded.asides.get(&ix).map(|aside| (aside.since, ix, aside.place));
        let mut roots: Vec<_> = loaded.graph.aside_roots().filter_map(root).collect();
        // What was left last is left since then, though it came long before.
        roots.sort_unstable_by(|one, other| other.cmp(one));
        roots.truncate(FORKS_SHOWN);
        let firsts: Vec<Ix> = roots.iter().map(|(_, ix, _)| *ix).collect();
        let led = loaded.graph.leads_to(&firsts).into_iter();
        let fork = |((since, ix, place), mut tips): ((Time, Ix, Option<u64>), Vec<Ix>)| {
            tips.truncate(FORK_TIPS);
            let (first, tips) = (loaded.graph.id(ix)?, ids(loaded, &tips));
            let back = place.map_or(0, |place| placed.saturating_sub(place));
            Some(ForkInfo { first, back, since, tips })
        };
        let mut forks: Vec<ForkInfo> = roots.into_iter().zip(led).filter_map(fork).collect();
        forks.sort_by_key(|fork| fork.first);
        Ok(forks)
    }

    pub(super) fn status(&self, which: &Selector) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let held = records::held(self.store(), chain.no)?.len();
        let mut missing = 0u64;
        records::each(self.store(), &layout::all_missing(chain.no), |_, _| {
            missing = missing.saturating_add(1);
            Ok(())
        })?;
        let forks = self.forks(chain)?;
        let mut loaded = chain.load(self.store())?;
        let placed = loaded.graph.order().len().saturating_sub(1);
        let frozen = self.settled(chain, &loaded)?;
        Ok(Reply::Status(Box::new(ChainStatus {
            info: chain.info(),
            placed: placed as u64,
            blocked: loaded.followed().saturating_sub(placed) as u64,
            held: held as u64,
            missing,
            kept: loaded.kept,
            room: self.rules().room,
            frozen: frozen as u64,
            forks,
            order: order_hash(&mut loaded),
        })))
    }
}

fn ids(loaded: &Loaded, blocks: &[Ix]) -> Vec<BlockId> {
    blocks.iter().filter_map(|ix| loaded.graph.id(*ix)).collect()
}

/// The same wherever the same order is shown.
fn order_hash(loaded: &mut Loaded) -> Hash {
    let order = loaded.graph.order().to_vec();
    let ids = order.iter().filter_map(|ix| loaded.graph.id(*ix));
    ids.fold(Hasher::new("covey/chains/order/v1"), |hasher, id| hasher.field(id.hash.as_bytes()))
        .finish()
}
