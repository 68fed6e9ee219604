//! A chain's graph in memory, rebuilt from the store when it is first needed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use covey_kernel::{Fault, Hash, Peer, PublicKey, Store, Time, cbor};

use crate::{
    BlockId, SignedBlock,
    genesis::{Freeze, Genesis},
    graph::{self, Entry, Graph, Ix, Verdict},
    layout::{self, ChainNo},
    records::{self, Aside, HeldPost, Joined, Stored},
};

/// A chain's graph, and where in it each block is.
pub(crate) struct Loaded {
    pub(crate) graph: Graph,
    numbers: HashMap<Hash, Ix>,
    /// How many places were frozen when the last exchange had ended.
    pub(crate) frozen: usize,
    /// The held posts.
    pub(crate) held: BTreeMap<Hash, Holding>,
    /// Bytes of payloads that are here.
    pub(crate) kept: u64,
    /// The blocks that are left aside.
    pub(crate) asides: BTreeMap<Ix, Aside>,
    /// Those of them that were never followed.
    pub(crate) offered: BTreeSet<Ix>,
}

/// A held post, as far as its quota is concerned.
#[derive(Clone, Copy)]
pub(crate) struct Holding {
    pub(crate) arrived: Time,
    pub(crate) from: Option<Peer>,
    pub(crate) author: Option<PublicKey>,
}

impl Holding {
    pub(crate) fn of(post: &HeldPost) -> Self {
        let author = post.signed.block.author;
        Self { arrived: post.arrived, from: post.from, author }
    }
}

impl Loaded {
    /// A chain that has only begun.
    pub(crate) fn new(joined: &Joined) -> Self {
        let genesis = joined.genesis.id().hash;
        let graph = Graph::new(joined.genesis.params(joined.first), *genesis.as_bytes());
        Self {
            graph,
            numbers: HashMap::from([(genesis, Ix::GENESIS)]),
            frozen: 0,
            held: BTreeMap::new(),
            kept: 0,
            asides: BTreeMap::new(),
            offered: BTreeSet::new(),
        }
    }

    /// Reads a chain's blocks, in the order in which they came.
    pub(crate) fn read(joined: &Joined, no: ChainNo, store: &dyn Store) -> Result<Self, Fault> {
        let mut loaded = Self::new(joined);
        records::each(store, &layout::blocks(no), |_, value| {
            let stored: Stored = cbor::decode_stored(value)?;
            let ix = loaded.insert_again(&stored);
            ix.map(|_| ()).ok_or_else(|| Fault::Corrupt("a block without its past".into()))
        })?;
        for (hash, post) in records::held(store, no)? {
            loaded.held.insert(hash, Holding::of(&post));
        }
        loaded.kept = records::read(store, &layout::kept(no))?.unwrap_or(0);
        loaded.freeze(&joined.genesis);
        Ok(loaded)
    }

    /// What is old enough freezes.
    pub(crate) fn freeze(&mut self, genesis: &Genesis) {
        self.frozen = match genesis.freeze {
            Some(Freeze { places, span }) => self.graph.frozen(places, span),
            None => 0,
        };
    }

    /// Adds a block; none if a block that it names is not there.
    pub(crate) fn insert(&mut self, signed: &SignedBlock, id: BlockId) -> Option<(Ix, Verdict)> {
        let entry = self.entry(signed, id)?;
        let (ix, verdict) = self.graph.insert(&entry);
        self.numbers.insert(id.hash, ix);
        Some((ix, verdict))
    }

    /// Adds a block that was stored, and so was judged.
    pub(crate) fn insert_again(&mut self, stored: &Stored) -> Option<Ix> {
        let id = stored.signed.block.id();
        let entry = self.entry(&stored.signed, id)?;
        let verdict = if stored.liked { Verdict::Liked } else { Verdict::Admitted };
        let ix = match stored.aside {
            Some(_) => self.graph.insert_aside(&entry, verdict),
            None => self.graph.insert_again(&entry, verdict),
        };
        self.numbers.insert(id.hash, ix);
        if let Some(aside) = stored.aside {
            self.note_aside(ix, aside);
        }
        Some(ix)
    }

    fn note_aside(&mut self, ix: Ix, aside: Aside) {
        if aside.offered {
            self.offered.insert(ix);
        }
        self.asides.insert(ix, aside);
    }

    /// A held post that was left aside is followed. What builds on it and is still aside begins a fork now,
    /// at the same place if it had none.
    pub(crate) fn bring_in(&mut self, ix: Ix) -> Vec<(Ix, Aside)> {
        self.offered.remove(&ix);
        let place = self.asides.remove(&ix).and_then(|aside| aside.place);
        let mut begin = Vec::new();
        for child in self.graph.children(ix) {
            if let Some(aside) = self.asides.get_mut(child) {
                aside.place = aside.place.or(place);
                begin.push((*child, *aside));
            }
        }
        begin
    }

    /// Takes back the block that was added last.
    pub(crate) fn retract_last(&mut self, hash: &Hash) {
        self.graph.retract_last();
        self.numbers.remove(hash);
    }

    fn entry(&self, signed: &SignedBlock, id: BlockId) -> Option<Entry> {
        let block = &signed.block;
        let backs = block.backs.iter().map(|back| self.find(back)).collect::<Option<_>>()?;
        let vote = match &block.vote {
            Some(vote) => Some(graph::Vote { like: vote.like, target: self.find(&vote.target)? }),
            None => None,
        };
        let (time, author) = (block.time, block.author);
        Some(Entry { id: *id.hash.as_bytes(), height: id.height, time, author, backs, vote })
    }

    /// A block's number. An id with the right hash and another height names nothing.
    pub(crate) fn find(&self, id: &BlockId) -> Option<Ix> {
        let ix = self.numbers.get(&id.hash).copied()?;
        (self.graph.id(ix) == Some(*id)).then_some(ix)
    }

    /// What is known of a block.
    pub(crate) fn verdict(&self, hash: &Hash) -> Option<Verdict> {
        self.graph.verdict(*self.numbers.get(hash)?)
    }

    /// How many blocks there are, without the genesis.
    pub(crate) fn blocks(&self) -> usize {
        self.graph.len().saturating_sub(1)
    }

    /// How many of them are not left aside.
    pub(crate) fn followed(&self) -> usize {
        self.blocks().saturating_sub(self.graph.asides().len())
    }
}
