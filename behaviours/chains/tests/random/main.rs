//! Random conversations. An order that is sought after each block, from what is known of how the last one was found, is
//! that which is found from nothing; also after all was read again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod sides;

use std::collections::BTreeSet;

use covey_chains::graph::{Accepts, Entry, Graph, Ix, Params, Refused, Rules, Verdict, Vote};
use covey_kernel::{Hash, Keypair, PublicKey, Span, Time};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

const GENESIS: [u8; 32] = [0; 32];
const AUTHORS: u8 = 7;

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % limit as u64).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn author(number: usize) -> PublicKey {
    Keypair::from_secret(&[u8::try_from(number).unwrap() + 1; 32]).public()
}

fn params(kind: u64) -> Params {
    let accepts = match kind % 4 {
        2 => Accepts::Owner(author(0)),
        3 => Accepts::Everybody,
        _ => Accepts::Nobody,
    };
    let rules = match kind % 4 {
        1 => Rules::V10([author(0), author(1), author(2)].into()),
        _ => Rules::Paper,
    };
    Params { accepts, rules, first: None }
}

/// A conversation with many branches, some of them old, and votes.
struct Forum {
    random: Random,
    graph: Graph,
    /// The same, but the order is only sought now and then, and blocks are taken back and come again.
    lazy: Graph,
    entries: Vec<Entry>,
    /// On these one may build: admitted.
    good: Vec<Ix>,
    /// These wait for a like.
    held: Vec<Ix>,
    /// These were left out, and liked.
    back: BTreeSet<Ix>,
    /// How many were asked about that may not stay, and that may.
    asked: [usize; 2],
}

impl Forum {
    fn backs(&mut self) -> Vec<Ix> {
        let tips: Vec<Ix> = self.graph.tips().collect();
        let mut backs = match self.random.below(10) {
            0 => vec![self.random.of(&self.good)],
            1..=3 => vec![self.random.of(&self.good[self.good.len().saturating_sub(12)..])],
            4 => self.graph.heads().to_vec(),
            5 | 6 => vec![self.random.of(&tips), self.random.of(&tips)],
            _ => vec![self.random.of(&tips)],
        };
        backs.sort_unstable();
        backs.dedup();
        backs.truncate(8);
        backs
    }

    fn ancestor(&mut self, backs: &[Ix]) -> Option<Ix> {
        let mut at = self.random.of(backs);
        for _ in 0..self.random.below(6) {
            let further = self.graph.backs_of(at).to_vec();
            if further.is_empty() || further == [Ix::GENESIS] {
                break;
            }
            at = self.random.of(&further);
        }
        (at != Ix::GENESIS).then_some(at)
    }

    /// A held post now and then, or a block that the order leaves out, or one that is back in it.
    fn waits_for_a_like(&mut self) -> Option<Ix> {
        if self.random.one_in(3) {
            return self.held.pop();
        }
        let late = self.good.len().saturating_sub(40);
        let late: Vec<Ix> = self.good[late..].to_vec();
        let out = late.into_iter().filter(|ix| {
            let backs = self.graph.backs_of(*ix).to_vec();
            let ready = backs.into_iter().all(|back| self.graph.place(back).is_some());
            ready && (self.graph.place(*ix).is_none() || self.back.contains(ix))
        });
        let out: Vec<Ix> = out.collect();
        if out.is_empty() || !self.random.one_in(2) {
            return None;
        }
        let out = self.random.of(&out);
        self.back.insert(out);
        Some(out)
    }

    fn add(&mut self) {
        let waits = self.waits_for_a_like();
        let who = match waits.is_some() || self.random.one_in(3) {
            // Who has begun has most reps.
            true => self.random.below(2),
            false => self.random.below(usize::from(AUTHORS)),
        };
        let key = author(who);
        let (backs, vote) = match waits {
            Some(target) => (vec![target], Some(Vote { like: true, target })),
            None => {
                let backs = self.backs();
                let target = self.ancestor(&backs).filter(|_| self.random.one_in(3));
                let like = !self.random.one_in(3);
                (backs, target.map(|target| Vote { like, target }))
            }
        };
        let own = vote.is_some_and(|vote| vote.like && self.graph.is_by(vote.target, &key));
        if own {
            return;
        }
        let before = backs.iter().map(|back| self.graph.time(*back).unwrap()).max().unwrap();
        let hours = self.random.of(&[0, 0, 1, 5, 12, 24, 30, 24 * 20]);
        let heights = backs.iter().map(|back| self.graph.id(*back).unwrap().height);
        let entry = Entry {
            id: *Hash::of(&[self.random.0.next_u32().to_be_bytes(), [who as u8; 4]].concat())
                .as_bytes(),
            height: 1 + heights.max().unwrap(),
            time: before.plus(Span::hours(hours)),
            author: Some(key),
            backs,
            vote,
        };
        let (before, tips) = (self.graph.order().to_vec(), self.graph.tips().collect());
        let (ix, verdict) = self.graph.insert(&entry);
        self.add_lazily(&entry, &before, tips);
        self.entries.push(entry);
        match verdict {
            Verdict::Admitted => self.good.push(ix),
            Verdict::Held => self.held.push(ix),
            Verdict::Liked | Verdict::Never(_) => {}
        }
    }

    /// Whether a block may stay is told as the orders without and with it say; one that may not is
    /// taken back, and nothing is left of it.
    fn ask(&mut self, entry: &Entry, before: &[Ix]) {
        self.lazy.order();
        let (ix, verdict) = self.lazy.insert(entry);
        let places = self.random.below(before.len() + 2);
        let limit = self.random.below(3);
        let stays = self.lazy.may_stay(places, entry.author.as_ref(), limit, 1);
        let after = self.graph.order().to_vec();
        let changed = (0..places.min(before.len())).find(|at| after.get(*at) != before.get(*at));
        let author = entry.author.unwrap();
        let mut tips: Vec<Ix> = self.graph.tips().collect();
        tips.retain(|tip| self.graph.is_by(*tip, &author));
        let out = |order: &[Ix]| tips.iter().filter(|tip| !order.contains(tip)).count();
        let too_many = out(before) > limit && out(&after) > limit;
        let expected = match changed {
            _ if verdict != Verdict::Admitted => Ok(()),
            Some(place) => Err(Refused::Frozen(place)),
            None if too_many => Err(Refused::TooMany),
            None => Ok(()),
        };
        assert_eq!(stays, expected, "{ix:?}");
        self.asked[usize::from(stays.is_ok())] += 1;
        self.lazy.retract_last();
        // A held post comes with its like.
        let target = entry.vote.filter(|vote| vote.like).map(|vote| vote.target);
        let of = |ix: Ix| Some((self.lazy.author(ix)?, self.lazy.time(ix)?));
        let all: Vec<_> = target.and_then(of).into_iter().chain([(author, entry.time)]).collect();
        let place = stays.err().and_then(|refused| match refused {
            Refused::Frozen(place) => Some(place),
            Refused::TooMany => None,
        });
        // From what is remembered of the order that was sought.
        let standing = place.map(|place| self.lazy.standing_after(place, all.iter().copied()));
        assert_eq!(self.lazy.order(), before);
        if let (Some(place), Some(standing)) = (place, standing) {
            assert!(!standing.is_empty(), "no place changes by who has no reps there");
            let anew = self.lazy.standing_after(place, all.iter().copied());
            assert_eq!(standing, anew);
        }
    }

    fn add_lazily(&mut self, entry: &Entry, before: &[Ix], tips: Vec<Ix>) {
        if self.random.one_in(4) {
            self.ask(entry, before);
        }
        self.lazy.insert(entry);
        if self.random.one_in(8) {
            if self.random.one_in(2) {
                self.lazy.order();
            }
            self.lazy.retract_last();
            assert!(self.lazy.tips().eq(tips));
            if self.random.one_in(2) {
                assert_eq!(self.lazy.order(), before);
            }
            self.lazy.insert(entry);
        }
        if self.random.one_in(6) {
            assert_eq!(self.lazy.order(), self.graph.order());
            assert_eq!(self.lazy.effective(), self.graph.effective());
            assert_eq!(self.lazy.heads(), self.graph.heads());
        }
    }

    /// The blocks are read again, with what was known of each.
    fn restart(&mut self, kind: u64) {
        let mut again = Graph::new(params(kind), GENESIS);
        for (entry, ix) in self.entries.iter().zip((1..).map(Ix)) {
            assert_eq!(again.insert_again(entry, self.graph.verdict(ix).unwrap()), ix);
        }
        self.graph = again;
    }

    /// What the same blocks show to whoever asks for the first time.
    fn assert_same(&mut self, kind: u64) {
        let mut anew = Graph::new(params(kind), GENESIS);
        for (entry, ix) in self.entries.iter().zip((1..).map(Ix)) {
            anew.insert(entry);
            assert_eq!(self.graph.id(ix), anew.id(ix));
        }
        for ix in (1..=self.entries.len()).map(|ix| Ix(u32::try_from(ix).unwrap())) {
            assert_eq!(self.graph.verdict(ix), anew.verdict(ix));
        }
        assert_eq!(self.graph.order(), anew.order());
        assert_eq!(self.graph.effective(), anew.effective());
        assert_eq!(self.graph.heads(), anew.heads());
        for number in 0..usize::from(AUTHORS) {
            let key = author(number);
            assert_eq!(self.graph.reps(&key, Time::default()), anew.reps(&key, Time::default()));
        }
    }
}

impl Forum {
    /// With a first post.
    fn begin(seed: u64) -> Self {
        let mut forum = Self {
            random: Random(ChaCha8Rng::seed_from_u64(seed)),
            graph: Graph::new(params(seed), GENESIS),
            lazy: Graph::new(params(seed), GENESIS),
            entries: Vec::new(),
            good: Vec::new(),
            held: Vec::new(),
            back: BTreeSet::new(),
            asked: [0; 2],
        };
        let first = Entry {
            id: [1; 32],
            height: 1,
            time: Time::from_millis(1_800_000_000_000),
            author: Some(author(0)),
            backs: vec![Ix::GENESIS],
            vote: None,
        };
        forum.good.push(forum.graph.insert(&first).0);
        forum.lazy.insert(&first);
        forum.entries.push(first);
        forum
    }
}

/// How many blocks were placed, and left out; and how many could not stay.
fn grow(seed: u64, blocks: usize) -> [usize; 3] {
    let mut forum = Forum::begin(seed);
    for number in 0..blocks {
        forum.add();
        forum.graph.order();
        if number % 8 == 7 {
            forum.assert_same(seed);
        }
        if number % 29 == 28 {
            forum.restart(seed);
        }
    }
    let placed = forum.graph.order().len() - 1;
    [placed, forum.good.len() - placed.min(forum.good.len()), forum.asked[0]]
}

#[test]
fn an_order_sought_after_each_block_is_that_of_all_of_them() {
    let mut sums = [0; 3];
    for seed in 0..160 {
        for (sum, more) in sums.iter_mut().zip(grow(seed, 120)) {
            *sum += more;
        }
    }
    let [placed, out, refused] = sums;
    // Otherwise there would be little to get wrong.
    assert!(placed > 10_000 && out > 200 && refused > 500, "{sums:?}");
}
