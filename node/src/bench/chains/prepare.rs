//! A data directory with a conversation in it, made by the machine itself.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use covey_chains::{
    Chains,
    command::{Command, Join, Reply, Selector},
    graph::Ix,
    wire::{Item, Page, Pull, Refusal, Request, Response},
};
use covey_kernel::{
    Address, AskId, Bounded, GossipId, GossipVerdict, Hash, Input, Keypair, Machine, NetworkId,
    Peer, RequestId, Topic,
};

use super::replay::Blocks;
use crate::{
    bench::BenchError,
    driver::{self, Inbox, Outside, SystemClock},
    node::SCHEMAS,
    store::Db,
};

/// Blocks of one page of the peer that is not there.
const PAGE: usize = 500;
/// How often it is looked whether all is there, and for how long.
const LOOK: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(600);

/// Puts blocks into a data directory, by the machine itself: it is told by a peer that is not there.
pub(super) async fn prepare(
    data: &Path,
    blocks: &Arc<Blocks>,
    all: bool,
) -> Result<(), BenchError> {
    let wrong = |error: &dyn std::fmt::Display| BenchError::Wrong(error.to_string());
    let db = Db::open(&data.join("db"), NetworkId::open(), SCHEMAS).map_err(|e| wrong(&e))?;
    let family = db.family(Chains::NAME).ok_or_else(|| wrong(&"no family for chains"))?;
    let [own, peer] = [1, 2].map(|seed| Keypair::from_secret(&[seed; 32]).public());
    let rules = covey_chains::Rules { network: NetworkId::open(), peer: own, room: u64::MAX };
    let inbox = Arc::new(Mutex::new(None));
    let (blocks, items) = (blocks.clone(), blocks.items());
    let (genesis, count) = (blocks.genesis.clone(), items.len() as u64);
    let hash = genesis.id().hash;
    let source = Source { peer, inbox: inbox.clone(), blocks, genesis: hash, items };
    let driving = driver::Config::new(Arc::new(SystemClock::default())).map_err(|e| wrong(&e))?;
    let (own_inbox, handle) =
        driver::spawn::<Chains>(rules, family, source, &driving).map_err(|e| wrong(&e))?;
    *inbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(own_inbox.clone());
    let which = Selector { name: genesis.name(), id: None };
    let join = Join { genesis, first: None, key: None };
    own_inbox.call(Command::Join(Box::new(join))).await.map_err(|e| wrong(&e))?;
    if all {
        let begun = Instant::now();
        own_inbox.push(Input::Connected(peer)).map_err(|_| wrong(&"the inbox is full"))?;
        loop {
            let status = Command::Status(which.clone());
            let reply = own_inbox.call(status).await.map_err(|e| wrong(&e))?;
            let Reply::Status(status) = reply else { continue };
            if status.placed.saturating_add(status.blocked) >= count {
                break;
            }
            if begun.elapsed() > LONGEST {
                let came = status.placed.saturating_add(status.blocked);
                return Err(wrong(&format!("{came} of {count} came")));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    handle.join(Duration::from_secs(60)).await.map_err(|e| wrong(&e))
}

/// A peer that has all blocks, without a network.
struct Source {
    peer: Peer,
    inbox: Arc<Mutex<Option<Inbox<Chains>>>>,
    blocks: Arc<Blocks>,
    /// The hash in the id of its chain's.
    genesis: Hash,
    items: Vec<Item>,
}

impl Source {
    /// What somebody lacks who has these. A held post is taken with its like, which is the next.
    fn page(&self, pull: &Pull) -> Page {
        let known: Vec<Ix> = pull.tips.iter().filter_map(|id| self.blocks.find(id)).collect();
        let lacking = self.blocks.graph.missing(&known, None);
        let missing = lacking.all().skip_while(|ix| ix.0 <= pull.after);
        let mut missing = missing
            .filter_map(|ix| Some((ix, self.items.get((ix.0 as usize).checked_sub(1)?)?)))
            .peekable();
        let mut page: Vec<_> = missing.by_ref().take(PAGE).collect();
        page.extend(missing.next_if(|(_, item)| item.block.block.vote.is_some()));
        let last = page.last().map(|(ix, _)| ix.0);
        let items = Bounded::first(page.into_iter().map(|(_, item)| item.clone()));
        Page { items, next: last.filter(|_| missing.peek().is_some()) }
    }
}

impl Outside for Source {
    fn ask(&mut self, _to: Peer, ask: AskId, bytes: Vec<u8>) {
        let response = match Request::decode(&bytes) {
            Ok(Request::Pull(pull)) if pull.asker.chain.genesis == self.genesis => {
                Response::Page(self.page(&pull))
            }
            Ok(Request::Pull(_)) => Response::Refused(Refusal::NotHere(())),
            _ => Response::Held(Bounded::default()),
        };
        let answer = Input::Answer { from: self.peer, ask, outcome: Ok(response.encode()) };
        if let Some(inbox) = &*self.inbox.lock().unwrap_or_else(PoisonError::into_inner) {
            inbox.push(answer).ok();
        }
    }

    fn answer(&mut self, _to: RequestId, _bytes: Vec<u8>) {}
    fn seek(&mut self, _peer: Peer, _addresses: Vec<Address>) {}
    fn release(&mut self, _peer: Peer) {}
    fn strike(&mut self, _peer: Peer) {}
    fn join(&mut self, _topic: Topic) {}
    fn leave(&mut self, _topic: Topic) {}
    fn publish(&mut self, _topic: Topic, _bytes: Vec<u8>) {}
    fn judge(&mut self, _gossip: GossipId, _verdict: GossipVerdict) {}
}
