//! What chains keep in memory. Which chains are followed changes only with a decision that stands;
//! graphs, questions under way and who is there are caches, or are lost with the process anyway.

use std::{
    cell::{RefCell, RefMut},
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use covey_kernel::{AskId, CommandId, Fault, Hash, Keypair, Peer, PublicKey, Span, Store, Time};

use crate::{
    Block, BlockId,
    command::ChainInfo,
    error::Error,
    flight::{Flight, FlightNo},
    genesis::{Genesis, Kind, Rules},
    layout::ChainNo,
    limits::LOADED_BLOCKS,
    loaded::Loaded,
    records::Joined,
    refused::RefusedBlocks,
    seal::Seal,
    sealed_box::{self, Context},
    wire::{ChainRef, Page},
};

/// A chain that is followed.
pub(crate) struct Chain {
    pub(crate) no: ChainNo,
    pub(crate) joined: Joined,
    pub(crate) genesis: BlockId,
    /// A private group's keys.
    pub(crate) seal: Option<Seal>,
    loaded: RefCell<Option<Loaded>>,
}

impl Chain {
    pub(crate) fn new(no: ChainNo, joined: Joined) -> Self {
        let genesis = joined.genesis.id();
        let seal = joined.group_key().map(|key| Seal::new(&key, &genesis));
        Self { no, joined, genesis, seal, loaded: RefCell::new(None) }
    }

    pub(crate) fn reference(&self) -> ChainRef {
        ChainRef { genesis: self.genesis.hash, first: self.joined.first }
    }

    /// Whether it is a forum that has not begun: its first post will say which chain this is.
    pub(crate) fn awaits_first(&self) -> bool {
        self.joined.first.is_none() && begins_with_a_post(&self.joined.genesis)
    }

    /// The graph, read from the store if it is not in memory.
    pub(crate) fn load(&self, store: &dyn Store) -> Result<RefMut<'_, Loaded>, Fault> {
        let mut loaded = self.loaded.borrow_mut();
        if loaded.is_none() {
            *loaded = Some(Loaded::read(&self.joined, self.no, store)?);
        }
        RefMut::filter_map(loaded, Option::as_mut)
            .map_err(|_| Fault::Corrupt("a chain that cannot be loaded".into()))
    }

    /// A payload as its author made it, with the key of whom it is for if it is for one person.
    pub(crate) fn open(
        &self,
        block: &Block,
        payload: Vec<u8>,
        key: Option<&Keypair>,
    ) -> Result<Vec<u8>, Error> {
        match &self.seal {
            Some(seal) => seal.open(&payload).map_err(|_| Error::Sealed),
            None if !block.payload.sealed => Ok(payload),
            None => {
                let key = key.ok_or(Error::Sealed)?;
                let opened =
                    sealed_box::open(key, &self.context(block.author, &block.backs), &payload);
                opened.map_err(|_| Error::NotForThisKey)
            }
        }
    }

    /// What a payload for one person is bound to.
    pub(crate) fn context(&self, author: Option<PublicKey>, backs: &[BlockId]) -> Context {
        Context { genesis: self.genesis, author, backs: backs.to_vec() }
    }

    /// Whether a payload is encrypted as the chain asks for.
    pub(crate) fn opens(&self, payload: &[u8]) -> bool {
        self.seal.as_ref().is_none_or(|seal| seal.open(payload).is_ok())
    }

    fn blocks_in_memory(&self) -> usize {
        self.loaded.borrow().as_ref().map_or(0, |loaded| loaded.blocks().saturating_add(1))
    }

    /// The graph is read again when it is needed.
    pub(crate) fn unload(&self) {
        *self.loaded.borrow_mut() = None;
    }

    pub(crate) fn info(&self) -> ChainInfo {
        ChainInfo {
            name: self.joined.genesis.name(),
            genesis: self.genesis,
            first: self.joined.first.map(|hash| BlockId { height: 1, hash }),
            since: self.joined.since,
        }
    }
}

/// Whether the first post says which chain it is.
pub(crate) fn begins_with_a_post(genesis: &Genesis) -> bool {
    matches!((&genesis.kind, &genesis.rules), (Kind::Forum(_), Rules::Paper(())))
}

/// What is followed.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) chains: BTreeMap<ChainNo, Chain>,
    by_genesis: BTreeMap<Hash, BTreeSet<ChainNo>>,
    pub(crate) live: RefCell<Live>,
}

/// Whether a chain is followed.
pub(crate) enum Change {
    /// It is, or its first post is now known.
    Follow(ChainNo, Box<Joined>),
    /// It no longer is.
    Leave(ChainNo),
}

impl Memory {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Follow(no, joined) => self.follow(no, *joined),
            Change::Leave(no) => {
                if let Some(chain) = self.chains.remove(&no)
                    && let Some(same) = self.by_genesis.get_mut(&chain.genesis.hash)
                {
                    same.remove(&no);
                    if same.is_empty() {
                        self.by_genesis.remove(&chain.genesis.hash);
                    }
                }
            }
        }
    }

    fn follow(&mut self, no: ChainNo, joined: Joined) {
        if let Some(chain) = self.chains.get_mut(&no) {
            if chain.joined.first != joined.first {
                // The graph knows which first post to follow.
                chain.unload();
            }
            chain.joined = joined;
            return;
        }
        let chain = Chain::new(no, joined);
        self.by_genesis.entry(chain.genesis.hash).or_default().insert(no);
        self.chains.insert(no, chain);
    }

    /// The chains with this genesis: several, if they have different first posts.
    pub(crate) fn with_genesis(&self, genesis: &Hash) -> impl Iterator<Item = &Chain> {
        let numbers = self.by_genesis.get(genesis).into_iter().flatten();
        numbers.filter_map(|no| self.chains.get(no))
    }

    /// Drops graphs that were not used for longest, while there are too many blocks in memory.
    pub(crate) fn tidy(&self, used: ChainNo) {
        let mut live = self.live.borrow_mut();
        live.used.retain(|no| *no != used && self.chains.contains_key(no));
        live.used.push(used);
        let mut blocks: usize = self.chains.values().map(Chain::blocks_in_memory).sum();
        for no in &live.used {
            let Some(chain) = self.chains.get(no).filter(|_| *no != used) else { continue };
            if blocks <= LOADED_BLOCKS {
                return;
            }
            blocks = blocks.saturating_sub(chain.blocks_in_memory());
            chain.unload();
        }
    }
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// Blocks that we lack.
    Pull { chain: ChainNo, flight: FlightNo },
    /// A part of a payload.
    Want { chain: ChainNo, block: BlockId, first: u32 },
    /// Posts that are held there.
    Held { chain: ChainNo, flight: FlightNo },
    /// That there is something to get here.
    Tell,
    /// That the peer gets what it lacks.
    Nudge { waiter: CommandId },
    /// Names of its chains.
    Names { waiter: CommandId },
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) to: Peer,
    pub(crate) errand: Errand,
    pub(crate) until: Time,
}

/// A page that is taken with the next decision.
#[derive(Debug)]
pub(crate) struct Laid {
    pub(crate) chain: ChainNo,
    pub(crate) from: Peer,
    pub(crate) flight: FlightNo,
    pub(crate) page: Page,
}

/// Getting payloads from a peer, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fetch {
    /// One is asked for.
    pub(crate) under_way: bool,
    /// The block whose payload was asked for last.
    pub(crate) after: Option<u32>,
    /// How many in a row the peer did not have.
    pub(crate) misses: u32,
}

/// A peer is not asked for a chain again for some time, the longer the more often it was in vain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) until: Time,
    pub(crate) span: Span,
}

/// How many places were sought for what was not taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wasted {
    /// For everything.
    pub(crate) all: u64,
    /// Of these, for held posts that nobody was to pass on.
    pub(crate) held: u64,
    /// For what was counted before, and then taken after all.
    back: u64,
}

impl Wasted {
    pub(crate) fn new(all: u64, held: u64) -> Self {
        Self { all, held, back: 0 }
    }

    pub(crate) fn plus(self, more: Self) -> Self {
        let sum = |one: u64, other: u64| one.saturating_add(other).saturating_sub(more.back);
        Self { all: sum(self.all, more.all), held: sum(self.held, more.held), back: self.back }
    }

    /// So many places were not sought in vain: those of this first, then such as were counted before.
    pub(crate) fn less(self, used: u64) -> Self {
        let (all, held) = (self.all.saturating_sub(used), self.held.saturating_sub(used));
        Self { all, held, back: used.saturating_sub(self.all) }
    }
}

/// What is lost with the process.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) online: BTreeSet<Peer>,
    /// Peers that are known not to follow a chain.
    pub(crate) without: BTreeSet<(ChainNo, Peer)>,
    pub(crate) asks: BTreeMap<AskId, Ask>,
    pub(crate) flights: BTreeMap<(ChainNo, Peer), Flight>,
    /// Pages that came in the last turn.
    pub(crate) laid: VecDeque<Laid>,
    /// How many exchanges there have been.
    flown: u64,
    pub(crate) fetches: BTreeMap<(ChainNo, Peer), Fetch>,
    /// What peers said that they know when they were last asked because of that, since the last round.
    pub(crate) named: BTreeMap<(ChainNo, Peer), Hash>,
    /// Places that were sought for what peers sent and was then not taken, since the last round.
    pub(crate) wasted: BTreeMap<(ChainNo, Peer), Wasted>,
    /// What was refused of each chain.
    pub(crate) refused: BTreeMap<ChainNo, RefusedBlocks>,
    /// Peers who last brought nothing but what is refused.
    pub(crate) pauses: BTreeMap<(ChainNo, Peer), Pause>,
    /// Peers who last had something that could not be taken.
    pub(crate) parted: BTreeSet<(ChainNo, Peer)>,
    /// Peers that are to be asked for a chain.
    pub(crate) due: BTreeSet<(ChainNo, Peer)>,
    /// When the neighbours are asked again.
    pub(crate) round: Option<Time>,
    /// Chains by their last use, the latest last.
    used: Vec<ChainNo>,
}

impl Live {
    /// A number for one more exchange.
    pub(crate) fn next_flight(&mut self) -> FlightNo {
        self.flown = self.flown.wrapping_add(1);
        FlightNo(self.flown)
    }

    /// A chain is no longer followed. What was asked about it finds no chain.
    pub(crate) fn leave(&mut self, no: ChainNo) {
        self.flights.retain(|(of, _), _| *of != no);
        self.fetches.retain(|(of, _), _| *of != no);
        self.without.retain(|(of, _)| *of != no);
        self.due.retain(|(of, _)| *of != no);
        self.parted.retain(|(of, _)| *of != no);
        self.named.retain(|(of, _), _| *of != no);
        self.wasted.retain(|(of, _), _| *of != no);
        self.try_again(no);
    }

    /// What was refused of a chain may be taken now.
    pub(crate) fn try_again(&mut self, no: ChainNo) {
        self.refused.remove(&no);
        self.pauses.retain(|(of, _), _| *of != no);
    }

    /// The peer is gone, and what was asked of it.
    pub(crate) fn forget(&mut self, peer: &Peer) {
        self.online.remove(peer);
        self.without.retain(|(_, other)| other != peer);
        self.fetches.retain(|(_, other), _| other != peer);
        self.due.retain(|(_, other)| other != peer);
        self.parted.retain(|(_, other)| other != peer);
        self.named.retain(|(_, other), _| other != peer);
        self.pauses.retain(|(_, other), _| other != peer);
    }
}
