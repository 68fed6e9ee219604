//! A chain's blocks as a graph, and the two questions of *Admission and order*: is a block
//! admitted, which depends on its own past alone; and in which order do all admitted blocks stand,
//! which is a pure function of their set.

mod aside;
mod judge;
mod known;
mod left_out;
mod missing;
mod node;
mod order;
mod parts;
mod past;
mod region;
mod replay;
mod retract;
mod side;
mod stand;
mod states;
mod trace;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use covey_kernel::{PublicKey, Span, Time};

use crate::rules::{Paper, Reputation, V10, Who};

pub use crate::rules::Votes;
pub use missing::Missing;
use node::Node;
pub use node::{Entry, Ix, Never, Verdict, Vote};
use order::Order;
pub use order::Refused;
pub use side::Side;
pub use stand::Stand;
use states::States;

/// Who may post without reps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Nobody: a public forum.
    Nobody,
    /// The owner of an identity chain.
    Owner(PublicKey),
    /// Everybody who can write at all: a private group.
    Everybody,
}

/// Which rules give reputation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those of the paper.
    Paper,
    /// Those of version 0.10, with the keys that share the first reps.
    V10(BTreeSet<PublicKey>),
}

/// What of a chain's genesis decides about admission and order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Who may post without reps.
    pub accepts: Accepts,
    /// Which rules give reputation.
    pub rules: Rules,
    /// The first post that is followed, in a forum under the rules of the paper; none: the first
    /// one that comes.
    pub first: Option<[u8; 32]>,
}

impl Params {
    /// Whether the chain is what its genesis and its first post say.
    fn begins_with_a_post(&self) -> bool {
        self.accepts == Accepts::Nobody && self.rules == Rules::Paper
    }
}

/// The blocks of one chain whose past is complete.
pub struct Graph {
    params: Params,
    /// In the order of their arrival: backs first. The genesis is the first.
    nodes: Vec<Node>,
    authors: BTreeMap<PublicKey, Who>,
    /// By their numbers.
    keys: Vec<PublicKey>,
    /// The first post, in a forum under the rules of the paper.
    first: Option<Ix>,
    /// The admitted blocks on which no admitted one builds; none that is left aside.
    heads: BTreeSet<Ix>,
    /// The blocks that are left aside.
    aside: BTreeSet<Ix>,
    /// Those of them on which none builds.
    aside_tips: BTreeSet<Ix>,
    states: States,
    order: Order,
    /// How many places were sought until now: what was asked of the graph has cost so much.
    sought: AtomicU64,
}

impl Graph {
    /// A chain with nothing but its genesis.
    #[must_use]
    pub fn new(params: Params, genesis: [u8; 32]) -> Self {
        let mut authors = BTreeMap::new();
        let start = start(&params, &mut authors);
        Self {
            params,
            nodes: vec![Node::genesis(genesis)],
            keys: keys(&authors),
            authors,
            first: None,
            heads: BTreeSet::from([Ix::GENESIS]),
            aside: BTreeSet::new(),
            aside_tips: BTreeSet::new(),
            order: Order::new(start.clone()),
            states: States::new(start),
            sought: AtomicU64::new(0),
        }
    }

    /// Adds a block that is correct by itself and whose backs are there, and tells whether it is
    /// admitted. It is left aside if it builds on what is.
    pub fn insert(&mut self, entry: &Entry) -> (Ix, Verdict) {
        let aside = self.builds_aside(entry);
        let ix = self.push(entry);
        self.set_aside(ix, aside);
        let verdict = self.judge(ix);
        self.judged(ix, verdict);
        (ix, verdict)
    }

    /// Adds a block that was judged before.
    pub fn insert_again(&mut self, entry: &Entry, verdict: Verdict) -> Ix {
        let ix = self.push(entry);
        if entry.backs == [Ix::GENESIS] && self.params.begins_with_a_post() {
            self.begin(ix);
        }
        self.judged(ix, verdict);
        ix
    }

    fn push(&mut self, entry: &Entry) -> Ix {
        let known = self.keys.len();
        let author = entry.author.map(|key| self.who(key));
        let ix = Ix(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        let is_new = self.keys.len() > known;
        self.nodes.push(Node { brings_author: is_new, ..Node::new(entry, author) });
        for back in &entry.backs {
            if let Some(node) = self.nodes.get_mut(back.at()) {
                node.children.push(ix);
            }
        }
        ix
    }

    fn judged(&mut self, ix: Ix, verdict: Verdict) {
        if let Some(node) = self.nodes.get_mut(ix.at()) {
            node.verdict = verdict;
        }
        if verdict == Verdict::Admitted && !self.is_aside(ix) {
            self.admit(ix);
        }
    }

    /// What is known of a block.
    #[must_use]
    pub fn verdict(&self, ix: Ix) -> Option<Verdict> {
        self.nodes.get(ix.at()).map(|node| node.verdict)
    }

    /// The order of all admitted blocks, the genesis first.
    pub fn order(&mut self) -> &[Ix] {
        self.refresh();
        self.order.placed()
    }

    /// The effective time of each placed block, in order.
    pub fn effective(&mut self) -> &[Time] {
        self.refresh();
        self.order.effective()
    }

    /// An author's reps at a time, or at the effective time of the last placed block if that is
    /// later.
    pub fn reps(&mut self, author: &PublicKey, at: Time) -> i64 {
        self.refresh();
        self.authors.get(author).map_or(0, |who| self.order.reputation().reps(*who, at))
    }

    /// Where in the order a block stands; the genesis at 0.
    pub fn place(&mut self, ix: Ix) -> Option<usize> {
        self.refresh();
        self.place_of(ix)
    }

    /// The placed blocks on which no placed one builds, in the order of their ids: what a new block
    /// builds on.
    pub fn heads(&mut self) -> &[Ix] {
        self.refresh();
        self.order.heads()
    }

    /// The placed votes on a block.
    pub fn votes(&mut self, ix: Ix) -> Votes {
        self.refresh();
        self.node(ix).map_or_else(Votes::default, |node| node.votes)
    }

    /// Whether a block's payload is neither shown nor passed on. Votes, the owner's posts and those
    /// of private groups never are.
    pub fn is_revoked(&mut self, ix: Ix) -> bool {
        self.refresh();
        let Some(node) = self.node(ix) else { return false };
        if node.vote.is_some() || self.is_accepted(ix) {
            return false;
        }
        match self.params.rules {
            Rules::Paper => node.votes.revoke_by_paper(),
            Rules::V10(_) => node.votes.revoke_by_v10(),
        }
    }

    /// How many places at the beginning of the order are frozen: those that are more than `places`
    /// from the end, and more than `span` before the last effective time.
    pub fn frozen(&mut self, places: u64, span: Span) -> usize {
        self.refresh();
        self.order.frozen(places, span)
    }

    /// How many places were sought until now, in answer to all questions: a measure of what they cost.
    #[must_use]
    pub fn sought(&self) -> u64 {
        self.sought.load(Ordering::Relaxed)
    }

    fn admit(&mut self, ix: Ix) {
        // A like of a block that needed none brings only itself.
        let held = self.node(ix).and_then(Node::vouches_for);
        let held = held.filter(|held| self.verdict(*held) == Some(Verdict::Liked));
        if let Some(held) = held {
            self.set_aside(held, false);
        }
        for ix in held.into_iter().chain([ix]) {
            for back in self.backs(ix) {
                self.heads.remove(&back);
            }
        }
        self.heads.insert(ix);
        self.order.add(held.into_iter().chain([ix]));
        held.into_iter().chain([ix]).for_each(|ix| self.expect(ix));
    }

    fn backs(&self, ix: Ix) -> Vec<Ix> {
        self.node(ix).map_or_else(Vec::new, |node| node.backs.to_vec())
    }

    fn place_of(&self, ix: Ix) -> Option<usize> {
        self.node(ix)?.place
    }

    fn who(&mut self, key: PublicKey) -> Who {
        let next = Who(u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        let who = *self.authors.entry(key).or_insert(next);
        if who == next {
            self.keys.push(key);
        }
        who
    }

    /// Forgets the author who came last, whose only block is taken back.
    fn forget_author(&mut self, who: Who) {
        let is_last = (who.0 as usize).checked_add(1) == Some(self.keys.len());
        if let Some(key) = self.keys.pop_if(|_| is_last) {
            self.authors.remove(&key);
        }
    }

    fn node(&self, ix: Ix) -> Option<&Node> {
        self.nodes.get(ix.at())
    }
}

fn keys(authors: &BTreeMap<PublicKey, Who>) -> Vec<PublicKey> {
    let mut keys: Vec<(Who, PublicKey)> = authors.iter().map(|(key, who)| (*who, *key)).collect();
    keys.sort_unstable_by_key(|(who, _)| *who);
    keys.into_iter().map(|(_, key)| key).collect()
}

/// The reputations before the first block. The authors that it names are the first.
fn start(params: &Params, authors: &mut BTreeMap<PublicKey, Who>) -> Reputation {
    let mut number = |key: &PublicKey| {
        let next = Who(u32::try_from(authors.len()).unwrap_or(u32::MAX));
        *authors.entry(*key).or_insert(next)
    };
    match (&params.rules, &params.accepts) {
        (Rules::Paper, Accepts::Owner(owner)) => Reputation::Paper(Paper::new(Some(number(owner)))),
        (Rules::Paper, _) => Reputation::Paper(Paper::new(None)),
        (Rules::V10(pioneers), _) => {
            Reputation::V10(V10::new(&pioneers.iter().map(number).collect()))
        }
    }
}
