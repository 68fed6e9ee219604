//! A conversation as blocks: whoever has no reps is liked by somebody who has, and what followed
//! the post then follows the like.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use covey_chains::graph::{Accepts, Entry, Graph, Ix, Params, Rules, Stand, Verdict, Vote};
use covey_kernel::{Hasher, Keypair, PublicKey, Time};

use super::forum::Post;
use crate::bench::BenchError;

/// Who may like: those who have written last.
const RECENT: usize = 60;

/// The blocks of a conversation, in the order in which they were made.
pub(super) struct Blocks {
    pub(super) params: Params,
    pub(super) genesis: [u8; 32],
    pub(super) entries: Vec<Entry>,
    /// How many of them are likes.
    pub(super) likes: usize,
    /// How many of these only the owner could give.
    pub(super) by_owner: usize,
    /// How long each took to be admitted.
    pub(super) took: Vec<Duration>,
}

/// Makes the blocks, by the rules of the paper, in an identity chain of the first author: where a
/// branch joins months later, the order may leave out what nobody but the owner can bring back.
pub(super) fn blocks(posts: &[Post]) -> Result<Blocks, BenchError> {
    let founder = posts.first().map_or("", |post| &post.author);
    let owner = key(founder);
    let params = Params { accepts: Accepts::Owner(owner), rules: Rules::Paper, first: None };
    let genesis = id("genesis", 0);
    let mut maker = Maker {
        graph: Graph::new(params.clone(), genesis),
        owner,
        entries: Vec::with_capacity(posts.len()),
        tips: Vec::with_capacity(posts.len()),
        keys: BTreeMap::new(),
        recent: VecDeque::new(),
        likes: 0,
        by_owner: 0,
        took: Vec::with_capacity(posts.len()),
    };
    for post in posts {
        maker.post(post)?;
    }
    let Maker { entries, likes, by_owner, took, .. } = maker;
    Ok(Blocks { params, genesis, entries, likes, by_owner, took })
}

struct Maker {
    graph: Graph,
    owner: PublicKey,
    /// By number, without the genesis.
    entries: Vec<Entry>,
    /// What stands for each post: its block, or the like that admitted it.
    tips: Vec<Ix>,
    keys: BTreeMap<String, PublicKey>,
    recent: VecDeque<PublicKey>,
    likes: usize,
    by_owner: usize,
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
        let (ix, verdict) = self.add(post.time, author, backs, None);
        let tip = match verdict {
            Verdict::Admitted => ix,
            Verdict::Held => self.like(ix, None)?,
            Verdict::Liked | Verdict::Never(_) => {
                let what = "builds on what is not admitted";
                return Err(BenchError::Data(format!("post {} {what}", post.n)));
            }
        };
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
        loop {
            let stand = self.graph.stand(backs);
            let Some(blocked) = stand.blocked().next() else { return Ok(()) };
            backs.push(self.like(blocked, Some(&stand))?);
        }
    }

    /// A like of a block by the richest of those who have written of late: in the block's own
    /// past, and where a merge left it out.
    fn like(&mut self, of: Ix, left_out: Option<&Stand>) -> Result<Ix, BenchError> {
        let entry = self.entry(of)?.clone();
        let alone = self.graph.stand(&entry.backs);
        let reps = |key: &PublicKey| {
            let alone = self.graph.reps_at(&alone, key, entry.time);
            let merged = left_out.map(|stand| self.graph.reps_before(stand, of, key, entry.time));
            merged.map_or(alone, |merged| merged.min(alone))
        };
        let others = self.recent.iter().filter(|key| Some(**key) != entry.author);
        let richest = others.copied().max_by_key(reps).filter(|key| reps(key) > 0);
        if richest.is_none() {
            self.by_owner = self.by_owner.saturating_add(1);
        }
        let liker = richest.unwrap_or(self.owner);
        let vote = Vote { like: true, target: of };
        let (like, verdict) = self.add(entry.time.millis(), liker, vec![of], Some(vote));
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
    ) -> (Ix, Verdict) {
        let known = backs.iter().filter_map(|back| self.entry(*back).ok());
        let (time, height) = known.fold((Time::from_millis(time), 0), |(time, height), back| {
            (time.max(back.time), height.max(back.height))
        });
        let entry = Entry {
            id: id("block", self.entries.len()),
            height: height.saturating_add(1),
            time,
            author: Some(author),
            backs,
            vote,
        };
        let begun = Instant::now();
        let inserted = self.graph.insert(&entry);
        self.took.push(begun.elapsed());
        self.entries.push(entry);
        inserted
    }

    fn entry(&self, ix: Ix) -> Result<&Entry, BenchError> {
        let at = (ix.0 as usize).checked_sub(1);
        at.and_then(|at| self.entries.get(at)).ok_or_else(|| nobody(ix))
    }

    fn key(&mut self, name: &str) -> PublicKey {
        *self.keys.entry(name.to_owned()).or_insert_with(|| key(name))
    }
}

fn key(name: &str) -> PublicKey {
    let secret = Hasher::new("covey/bench/author/v1").field(name.as_bytes()).finish();
    Keypair::from_secret(secret.as_bytes()).public()
}

fn id(what: &str, number: usize) -> [u8; 32] {
    *Hasher::new(what).field(&number.to_be_bytes()).finish().as_bytes()
}

fn nobody(of: Ix) -> BenchError {
    BenchError::Data(format!("nobody has the reps to like block {}", of.0))
}
