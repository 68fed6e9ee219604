//! Telling everybody of new blocks.

use covey_kernel::{Effect, Fault, GossipId, GossipVerdict, Peer, Topic, limits::GOSSIP_BYTES};

use super::{desk::Desk, ingest::Taken, waiting::Waiting};
use crate::{
    command::State,
    error::Error,
    limits::NEIGHBOURS_TOLD,
    memory::{Chain, Errand, Wasted},
    wire::{Item, News, Request},
};

impl Desk<'_, '_, '_> {
    /// Tells everybody who follows the chain of a placed block.
    pub(super) fn announce(&mut self, chain: &Chain, item: &Item) -> Result<(), Fault> {
        let reference = chain.reference();
        let mut news = News { chain: reference, item: item.clone() };
        // What was purged is not served again, whoever sends it once more.
        if self.is_purged(&item.block.block.payload.hash)? {
            news.item.payload = None;
        }
        let mut bytes = news.encode();
        if bytes.len() > GOSSIP_BYTES {
            news.item.payload = None;
            bytes = news.encode();
        }
        self.effect(Effect::Publish { topic: Topic(reference.topic()), bytes });
        Ok(())
    }

    /// Tells the neighbours that there is something to get: what is not gossiped, or not yet.
    pub(super) fn tell_neighbours(&mut self, chain: &Chain, except: Option<Peer>) {
        let peers: Vec<Peer> = {
            let live = self.memory().live.borrow();
            let others = live.online.iter().filter(|peer| Some(**peer) != except);
            others.filter(|peer| !live.without.contains(&(chain.no, **peer))).copied().collect()
        };
        for peer in peers.into_iter().take(NEIGHBOURS_TOLD) {
            let asker = self.asker(chain, &peer);
            self.ask(peer, Errand::Tell, &Request::Nudge(asker));
        }
    }

    /// Whether a block is in the order: only such are passed on.
    pub(super) fn is_placed(&self, chain: &Chain, item: &Item) -> Result<bool, Fault> {
        let state = self.state_of(chain, &item.block.block.id())?;
        Ok(matches!(state, State::Placed(_)))
    }

    /// Somebody tells of a block. Only what is placed here is passed on.
    pub(super) fn heard(&mut self, from: Peer, id: GossipId, news: News) -> Result<(), Error> {
        let mut verdict = GossipVerdict::Ignore;
        for chain in self.memory().with_genesis(&news.chain.genesis) {
            if chain.joined.first == news.chain.first {
                verdict = self.judge(chain, from, &news.item)?;
            }
        }
        self.effect(Effect::Judge { gossip: id, verdict });
        Ok(())
    }

    /// What is placed is passed on as it came; but not a payload that was purged here: then the block goes alone.
    fn pass_on(&mut self, chain: &Chain, item: &Item) -> Result<GossipVerdict, Fault> {
        if item.payload.is_none() || !self.is_purged(&item.block.block.payload.hash)? {
            return Ok(GossipVerdict::Accept);
        }
        self.announce(chain, item)?;
        Ok(GossipVerdict::Ignore)
    }

    fn judge(&mut self, chain: &Chain, from: Peer, item: &Item) -> Result<GossipVerdict, Error> {
        if self.wastes(chain, from)? {
            return Ok(GossipVerdict::Ignore);
        }
        let mut waiting = Waiting::default();
        let taken = self.take(chain, item, &mut waiting)?;
        let all = waiting.sought().wasted;
        let held = if taken == Taken::Held { all } else { 0 };
        self.waste(chain, from, Wasted::new(all, held))?;
        self.tell_taken(chain, &mut waiting)?;
        self.memory().tidy(chain.no);
        let placed = self.is_placed(chain, item)?;
        Ok(match taken {
            Taken::New if placed => {
                if item.payload.is_none() && !self.is_fetching(chain, &from) {
                    self.fetch(chain, from)?;
                }
                self.pass_on(chain, item)?
            }
            Taken::Unknown => {
                self.pull(chain, from, None)?;
                GossipVerdict::Ignore
            }
            Taken::Invalid(_) => GossipVerdict::Reject,
            Taken::New
            | Taken::Known
            | Taken::Held
            | Taken::Ahead
            | Taken::Refused
            | Taken::Forked => GossipVerdict::Ignore,
        })
    }
}
