//! A conversation as blocks: whoever has no reps is liked by somebody who has, and what followed
//! the post then follows the like.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use covey_blobs::Blob;
use covey_chains::{
    Block, BlockId, Payload, SignedBlock,
    genesis::{Genesis, Owner},
    graph::{Entry, Graph, Ix, Params, Stand, Verdict, Vote},
    wire::Item,
};
use covey_kernel::{Bounded, Bytes, Hash, Hasher, Keypair, NetworkId, PublicKey, Time};

use super::forum::Post;
use crate::bench::BenchError;

/// Who may like: those who have written last.
const RECENT: usize = 60;
/// How many likes at one merge are given by those who write. Each costs its giver reps on the same
/// branches, so that more likes may need ever more likes; the owner's cost nobody a place.
const GIVEN: usize = 16;
/// On how many blocks a block may build.
const BACKS: usize = covey_chains::limits::BACKS;

/// The blocks of a conversation, in the order in which they were made.
pub(super) struct Blocks {
    pub(super) genesis: Genesis,
    pub(super) params: Params,
    pub(super) entries: Vec<Entry>,
    pub(super) graph: Graph,
    known: BTreeMap<Hash, Ix>,
    /// The same with their payloads; unsigned.
    pub(super) made: Vec<(Block, Vec<u8>)>,
    keys: BTreeMap<PublicKey, Keypair>,
    /// How many of them are likes.
    pub(super) likes: usize,
    /// How many of these only the owner could give.
    pub(super) by_owner: usize,
    /// How many posts of the owner only join a branch with likes of its blocks.
    pub(super) joins: usize,
    /// How long each took to be admitted.
    pub(super) took: Vec<Duration>,
}

/// Makes the blocks, by the rules of the paper, in an identity chain of the first author: where a
/// branch joins months later, the order may leave out what nobody but the owner can bring back.
pub(super) fn blocks(posts: &[Post]) -> Result<Blocks, BenchError> {
    let founder = posts.first().map_or("", |post| &post.author);
    let owner = key(founder).public();
    let genesis = Genesis::identity(NetworkId::open(), Owner { key: owner, only: false });
    // Real branches last longer than a week.
    let genesis = Genesis { freeze: None, ..genesis };
    let params = genesis.params(None);
    let mut maker = Maker {
        graph: Graph::new(params.clone(), *genesis.id().hash.as_bytes()),
        genesis: genesis.id(),
        made: Vec::with_capacity(posts.len()),
        owner,
        entries: Vec::with_capacity(posts.len()),
        tips: Vec::with_capacity(posts.len()),
        known: BTreeMap::new(),
        tip_of: BTreeMap::new(),
        keys: BTreeMap::new(),
        recent: VecDeque::new(),
        likes: 0,
        by_owner: 0,
        joins: 0,
        took: Vec::with_capacity(posts.len()),
    };
    for post in posts {
        maker.post(post)?;
    }
    let Maker { graph, known, entries, made, likes, by_owner, joins, took, keys, .. } = maker;
    let keys = keys.into_values().map(|key| (key.public(), key)).collect();
    Ok(Blocks { genesis, params, entries, graph, known, made, keys, likes, by_owner, joins, took })
}

impl Blocks {
    /// The blocks as they travel, signed.
    pub(super) fn items(&self) -> Vec<Item> {
        let network = NetworkId::open();
        let item = |(block, payload): &(Block, Vec<u8>)| {
            let key = block.author.and_then(|author| self.keys.get(&author));
            let block: SignedBlock = block.clone().sign(&network, key);
            Item { block, payload: Bytes::new(payload.clone()).ok() }
        };
        self.made.iter().map(item).collect()
    }

    /// The number of a block.
    pub(super) fn find(&self, id: &BlockId) -> Option<Ix> {
        match id.height {
            0 => Some(Ix::GENESIS),
            _ => self.known.get(&id.hash).copied(),
        }
    }

    /// How many authors there are.
    pub(super) fn authors(&self) -> usize {
        self.keys.len()
    }
}

struct Maker {
    graph: Graph,
    genesis: BlockId,
    made: Vec<(Block, Vec<u8>)>,
    owner: PublicKey,
    /// By number, without the genesis.
    entries: Vec<Entry>,
    /// What stands for each post: its block, or the like that admitted it.
    tips: Vec<Ix>,
    known: BTreeMap<Hash, Ix>,
    /// The same for each post's block.
    tip_of: BTreeMap<Ix, Ix>,
    keys: BTreeMap<String, Keypair>,
    recent: VecDeque<PublicKey>,
    likes: usize,
    by_owner: usize,
    joins: usize,
    took: Vec<Duration>,
}

impl Maker {
    fn post(&mut self, post: &Post) -> Result<(), BenchError> {
        let author = self.key(&post.author);
        let mut backs: Vec<Ix> =
            post.parents.iter().filter_map(|parent| self.tips.get(*parent).copied()).collect();
        if backs.is_empty() {
            backs.push(Ix::GENESIS);
        }
        self.mend(&mut backs)?;
        let (ix, verdict) = self.add(post.time, author, backs, None, &post.text);
        let tip = match verdict {
            Verdict::Admitted => ix,
            Verdict::Held => {
                let liker = self.richest(ix, None)?;
                self.like(ix, liker)?
            }
            Verdict::Liked if self.tip_of.contains_key(&ix) => ix,
            Verdict::Liked | Verdict::Never(_) => {
                let what = "builds on what is not admitted";
                return Err(BenchError::Data(format!("post {} {what}", post.n)));
            }
        };
        let tip = *self.tip_of.entry(ix).or_insert(tip);
        self.tips.push(tip);
        self.recent.retain(|key| *key != author);
        self.recent.push_back(author);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        Ok(())
    }

    /// Where branches meet, some blocks may find their author's reps spent on the other: likes
    /// bring them back.
    fn mend(&mut self, backs: &mut Vec<Ix>) -> Result<(), BenchError> {
        let mut likes = Vec::new();
        let mut given: usize = 0;
        loop {
            let all = [backs.as_slice(), &likes].concat();
            let stand = self.graph.stand(&all);
            let Some(blocked) = stand.blocked().next() else {
                *backs = all;
                return Ok(());
            };
            let liker = if given < GIVEN { self.richest(blocked, Some(&stand))? } else { None };
            given = given.saturating_add(1);
            likes.push(self.like(blocked, liker)?);
            if backs.len().saturating_add(likes.len()) == BACKS {
                self.fold(backs, &mut likes)?;
            }
        }
    }

    /// More likes than one block can build on: the owner joins each branch with those of its blocks.
    fn fold(&mut self, backs: &mut [Ix], likes: &mut Vec<Ix>) -> Result<(), BenchError> {
        for tip in backs {
            let (of_branch, others) = likes.iter().partition(|like| {
                let targets = self.graph.backs_of(**like);
                targets.iter().all(|target| self.graph.is_in_past(*target, &[*tip]))
            });
            *likes = others;
            let mut joined: Vec<Ix> = of_branch;
            if joined.is_empty() {
                continue;
            }
            joined.push(*tip);
            self.mend(&mut joined)?;
            let (join, verdict) = self.add(0, self.owner, joined, None, "");
            if verdict != Verdict::Admitted {
                return Err(nobody(join));
            }
            self.joins = self.joins.saturating_add(1);
            *tip = join;
        }
        Ok(())
    }

    /// The richest of those who have written of late: in the block's own past, and where a merge
    /// left it out.
    fn richest(
        &mut self,
        of: Ix,
        left_out: Option<&Stand>,
    ) -> Result<Option<PublicKey>, BenchError> {
        let entry = self.entry(of)?.clone();
        let alone = self.graph.stand(&entry.backs);
        let reps = |key: &PublicKey| {
            let alone = self.graph.reps_at(&alone, key, entry.time);
            let merged = left_out.map(|stand| self.graph.reps_before(stand, of, key, entry.time));
            merged.map_or(alone, |merged| merged.min(alone))
        };
        let others = self.recent.iter().filter(|key| Some(**key) != entry.author);
        Ok(others.copied().max_by_key(reps).filter(|key| reps(key) > 0))
    }

    /// A like of a block, by the owner if nobody else can give it.
    fn like(&mut self, of: Ix, liker: Option<PublicKey>) -> Result<Ix, BenchError> {
        let time = self.entry(of)?.time;
        if liker.is_none() {
            self.by_owner = self.by_owner.saturating_add(1);
        }
        let liker = liker.unwrap_or(self.owner);
        let vote = Vote { like: true, target: of };
        // The same person may like it twice, which are two blocks.
        let why = format!("welcome {}", self.likes);
        let (like, verdict) = self.add(time.millis(), liker, vec![of], Some(vote), &why);
        if verdict != Verdict::Admitted {
            return Err(nobody(of));
        }
        self.likes = self.likes.saturating_add(1);
        Ok(like)
    }

    fn add(
        &mut self,
        time: u64,
        author: PublicKey,
        backs: Vec<Ix>,
        vote: Option<Vote>,
        text: &str,
    ) -> (Ix, Verdict) {
        let known = backs.iter().filter_map(|back| self.entry(*back).ok());
        let time = known.fold(Time::from_millis(time), |time, back| time.max(back.time));
        let mut ids: Vec<BlockId> = backs.iter().map(|back| self.id(*back)).collect();
        ids.sort_unstable();
        let blob = Blob::of(text.as_bytes());
        let target = vote.map(|vote| (vote.like, self.id(vote.target)));
        let block = Block {
            time,
            payload: Payload { hash: blob.hash, size: blob.size, sealed: false },
            vote: target.map(|(like, target)| covey_chains::Vote { like, target }),
            backs: Bounded::first(ids),
            author: Some(author),
        };
        let BlockId { height, hash } = block.id();
        // Who says the same once more has made the same block.
        if let Some(same) = self.known.get(&hash).copied() {
            let verdict = self.graph.verdict(same).unwrap_or(Verdict::Admitted);
            return (same, verdict);
        }
        let (id, author) = (*hash.as_bytes(), Some(author));
        let entry = Entry { id, height, time, author, backs, vote };
        self.made.push((block, text.as_bytes().to_vec()));
        let begun = Instant::now();
        let inserted = self.graph.insert(&entry);
        self.took.push(begun.elapsed());
        self.entries.push(entry);
        self.known.insert(hash, inserted.0);
        inserted
    }

    fn id(&self, ix: Ix) -> BlockId {
        let entry = self.entry(ix).ok();
        entry.map_or(self.genesis, |e| BlockId { height: e.height, hash: Hash::from_bytes(e.id) })
    }

    fn entry(&self, ix: Ix) -> Result<&Entry, BenchError> {
        let at = (ix.0 as usize).checked_sub(1);
        at.and_then(|at| self.entries.get(at)).ok_or_else(|| nobody(ix))
    }

    fn key(&mut self, name: &str) -> PublicKey {
        self.keys.entry(name.to_owned()).or_insert_with(|| key(name)).public()
    }
}

fn key(name: &str) -> Keypair {
    let secret = Hasher::new("covey/bench/author/v1").field(name.as_bytes()).finish();
    Keypair::from_secret(secret.as_bytes())
}

fn nobody(of: Ix) -> BenchError {
    BenchError::Data(format!("nobody has the reps to like block {}", of.0))
}
