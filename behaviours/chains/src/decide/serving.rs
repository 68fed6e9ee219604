//! Giving others what they lack of a chain.

use covey_kernel::{Bounded, Bytes, Effect, Fault, Hash, Peer, RequestId, Text, cbor};

use super::desk::Desk;
use crate::{
    Name,
    error::Error,
    flight::Waiter,
    genesis::Kind,
    graph::{Ix, Verdict},
    limits::{INLINE_BYTES, PAGE_BLOCKS, PAGE_BYTES},
    loaded::Loaded,
    memory::Chain,
    seal::Seal,
    wire::{Asker, Item, Page, Part, Pull, Refusal, Response, Tips},
};

/// Bytes that a block takes in a page beside its payload, at least.
const BLOCK_OVERHEAD: usize = 256;

impl<'d> Desk<'d, '_, '_> {
    /// The chain that a peer asks for, if it may have it.
    pub(super) fn entitled(&self, from: &Peer, asker: &Asker) -> Result<&'d Chain, Error> {
        let mut other = None;
        for chain in self.memory().with_genesis(&asker.chain.genesis) {
            if let Some(seal) = &chain.seal
                && !Seal::is_same(&seal.proof(from, &self.rules().peer), asker.proof.as_ref())
            {
                continue;
            }
            match (asker.chain.first, chain.joined.first) {
                (Some(theirs), Some(ours)) if theirs != ours => other = Some(ours),
                _ => return Ok(chain),
            }
        }
        Err(Error::Refused(other.map_or(Refusal::NotHere(()), Refusal::OtherFirst)))
    }

    /// A peer wants what it lacks.
    pub(super) fn pulled(&mut self, from: Peer, id: RequestId, pull: &Pull) -> Result<(), Error> {
        let chain = self.entitled(&from, &pull.asker)?;
        let (found, all) = {
            let loaded = chain.load(self.store())?;
            common(&loaded, pull)
        };
        let answer = match found {
            Some(known) => Response::Page(self.page(chain, pull, &known)?),
            None => Response::Cuts(()),
        };
        self.effect(Effect::Answer { to: id, bytes: answer.encode() });
        if !all && self.is_news(chain, from, &pull.tips) {
            self.pull(chain, from, None)?;
        }
        self.memory().live.borrow_mut().without.remove(&(chain.no, from));
        self.memory().tidy(chain.no);
        Ok(())
    }

    /// Whether a peer names other blocks than when it was last asked because of them, since the last
    /// round. What will never be taken here, as of a hard fork, would have both ask each other for ever.
    fn is_news(&self, chain: &Chain, from: Peer, tips: &Tips) -> bool {
        let named = Hash::of(&cbor::encode(tips));
        let mut live = self.memory().live.borrow_mut();
        live.named.insert((chain.no, from), named) != Some(named)
    }

    /// What somebody lacks who knows these, as far as one page holds it.
    fn page(&self, chain: &Chain, pull: &Pull, known: &[Ix]) -> Result<Page, Fault> {
        // A held post is taken with its like, so it goes right before that.
        let missing: Vec<(Option<Ix>, Ix)> = {
            let mut loaded = chain.load(self.store())?;
            let wanted = match &pull.part {
                Part::All(()) => None,
                // All that is placed comes before these.
                Part::Placed(()) => Some(loaded.graph.heads().to_vec()),
                Part::Named(ids) => Some(ids.iter().filter_map(|id| loaded.find(id)).collect()),
            };
            let graph = &loaded.graph;
            let missing = graph.missing(known, wanted.as_deref());
            let alone = missing.all().filter(|ix| graph.verdict(*ix) != Some(Verdict::Liked));
            let rest = alone.skip_while(|ix| ix.0 <= pull.after);
            let with_held = rest.map(|ix| (graph.comes_with(ix, |like| missing.has(like)), ix));
            with_held.take(PAGE_BLOCKS.saturating_add(1)).collect()
        };
        let (mut items, mut bytes, mut next) = (Vec::new(), 0usize, None);
        let mut missing = missing.into_iter().peekable();
        while let Some((held, ix)) = missing.next() {
            for ix in held.into_iter().chain([ix]) {
                let mut item = self.item(chain, ix)?;
                if matches!(pull.part, Part::Named(_)) {
                    // As many as can be: one may be taken only with another.
                    item.payload = None;
                }
                bytes = bytes.saturating_add(size(&item));
                items.push(item);
            }
            let is_full = items.len().saturating_add(2) > PAGE_BLOCKS || bytes >= PAGE_BYTES;
            if is_full {
                next = missing.peek().map(|_| ix.0);
                break;
            }
        }
        Ok(Page { items: Bounded::first(items), next })
    }

    /// A block with its payload, if that is small, there, and to be read.
    pub(super) fn item(&self, chain: &Chain, ix: Ix) -> Result<Item, Fault> {
        let block = self.signed(chain, ix)?;
        let is_read = chain.load(self.store())?.graph.is_read(ix);
        let small = block.block.payload.size <= INLINE_BYTES as u64;
        let payload = match small && is_read {
            true => self.read_payload(chain, &block.block)?,
            false => None,
        };
        let payload = payload.and_then(|payload| Bytes::new(payload).ok());
        Ok(Item { block, payload })
    }

    /// A peer wants to be pulled from.
    pub(super) fn nudged(&mut self, from: Peer, id: RequestId, asker: &Asker) -> Result<(), Error> {
        let chain = self.entitled(&from, asker)?;
        Ok(self.pull(chain, from, Some(Waiter::Request(id)))?)
    }

    /// A peer wants to know which public chains there are.
    pub(super) fn names_wanted(&mut self, id: RequestId) -> Result<(), Error> {
        let public = self.memory().chains.values().map(|chain| &chain.joined.genesis);
        let public = public.filter(|genesis| !matches!(genesis.kind, Kind::Group(_)));
        let names = public.filter_map(|genesis| {
            let name: Name = genesis.name();
            Text::new(name.to_string()).ok()
        });
        let answer = Response::Names(Bounded::first(names)).encode();
        self.effect(Effect::Answer { to: id, bytes: answer });
        Ok(())
    }
}

/// About as many bytes as a block takes in a page.
pub(super) fn size(item: &Item) -> usize {
    let payload = item.payload.as_ref().map_or(0, |payload| payload.len());
    let backs = item.block.block.backs.len().saturating_mul(40);
    payload.saturating_add(backs).saturating_add(BLOCK_OVERHEAD)
}

/// What both know for sure; none if that is not known without cuts. And whether everything that the
/// asker knows is known here.
fn common(loaded: &Loaded, pull: &Pull) -> (Option<Vec<Ix>>, bool) {
    let said =
        || pull.tips.iter().chain(&*pull.aside).chain(pull.cuts.iter().flat_map(|cut| &**cut));
    let known: Vec<Ix> = said().filter_map(|id| loaded.find(id)).collect();
    let all = pull.tips.iter().all(|id| loaded.find(id).is_some());
    // Of what the asker knows, without its tips or cuts only the beginning is common for sure. A short
    // chain is sent as it is.
    let enough = all || !pull.cuts.is_empty() || loaded.followed() <= PAGE_BLOCKS;
    (enough.then_some(known), all)
}
