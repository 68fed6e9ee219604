//! Whatever users do at some nodes, what they are shown is on the disk; and what is shown makes sense.

use std::collections::BTreeSet;

use covey_chains::{
    BlockId,
    command::{BlockInfo, ChainStatus, Command, Of, Purge, Reply, State, Which},
    genesis::Genesis,
};
use covey_kernel::Span;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    apart::forum,
    net::{Net, key, which},
};

const NODES: usize = 3;
const AUTHORS: u8 = 5;
const STEPS: usize = 80;

/// What a node shows of the forum.
#[derive(Debug, PartialEq)]
struct Shown {
    order: Vec<BlockId>,
    held: Vec<BlockId>,
    blocked: Vec<BlockId>,
    forked: Vec<BlockId>,
    status: ChainStatus,
}

struct Users {
    net: Net,
    forum: Genesis,
    random: ChaCha8Rng,
    made: Vec<BlockId>,
    /// How often a side was chosen that was left aside, and how often a node showed a fork when it was restarted.
    counts: [usize; 2],
}

impl Users {
    fn begin(seed: u64, forum: Genesis) -> Self {
        let mut net = Net::new(NODES as u8);
        for at in 0..NODES {
            net.join(at, &forum);
            if at > 0 {
                net.link(at - 1, at);
            }
        }
        let (first, _) = net.post(0, &forum, "first", 1);
        let random = ChaCha8Rng::seed_from_u64(seed);
        Self { net, forum, random, made: vec![first], counts: [0; 2] }
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.random.next_u64() % limit as u64).unwrap()
    }

    fn any(&mut self, ids: &[BlockId]) -> BlockId {
        ids[self.below(ids.len())]
    }

    fn author(&mut self) -> u8 {
        // Who has begun writes most.
        match self.below(2) {
            0 => 1,
            _ => 1 + self.below(usize::from(AUTHORS)) as u8,
        }
    }

    fn step(&mut self) {
        let at = self.below(NODES);
        match self.below(20) {
            0..5 => self.post(at),
            5..9 => self.vote(at),
            9 => {
                let hours = [1, 5, 13, 25, 30, 60][self.below(6)];
                self.net.wait(Span::hours(hours));
            }
            10 | 11 => self.write_alone(at),
            12 | 13 => self.link_or_cut(at),
            14 => self.net.round(),
            15 | 16 => self.choose(at),
            17 | 18 => self.restart(at),
            _ => self.read_or_purge(at),
        }
        self.makes_sense(at);
    }

    fn post(&mut self, at: usize) {
        let (author, text) = (self.author(), format!("post {}", self.made.len()));
        self.net.wait(Span::secs(1));
        if let Ok((id, _)) = self.net.posted(at, &self.forum, &text, Some(author), None) {
            self.made.push(id);
        }
    }

    /// For long enough that some of it freezes.
    fn write_alone(&mut self, at: usize) {
        self.leave(at);
        for _ in 0..5 {
            self.net.wait(Span::hours(30));
            self.post(at);
        }
    }

    fn leave(&mut self, at: usize) {
        (0..NODES).filter(|other| *other != at).for_each(|other| self.net.cut(at, other));
    }

    fn vote(&mut self, at: usize) {
        let states = [Which::Placed, Which::Held, Which::Blocked];
        let which = states[self.below(3)];
        let heads = self.net.heads(at, &self.forum, which);
        let (one, like) = (self.below(2) == 0, self.below(4) > 0);
        let latest = self.made[self.made.len().saturating_sub(8)..].to_vec();
        let target = self.any(if heads.is_empty() || one { &latest } else { &heads });
        let author = self.author();
        if let Ok((id, _)) = self.net.vote(at, &self.forum, (like, target), author) {
            self.made.push(id);
        }
    }

    fn link_or_cut(&mut self, at: usize) {
        let other = (at + 1 + self.below(NODES - 1)) % NODES;
        match self.below(4) {
            0 => self.net.cut(at, other),
            _ => self.net.link(at, other),
        }
    }

    fn choose(&mut self, at: usize) {
        let forked = self.net.heads(at, &self.forum, Which::Forked);
        let chosen = match forked.is_empty() {
            true => self.any(&self.made.clone()),
            false => self.any(&forked),
        };
        if let Ok((adopted, _)) = self.net.choose(at, &self.forum, chosen) {
            let state = self.block(at, chosen).unwrap().state;
            assert!(matches!(state, State::Placed(_) | State::Blocked), "{state:?}");
            self.counts[0] += usize::from(adopted > 0);
        }
    }

    fn read_or_purge(&mut self, at: usize) {
        match self.below(3) {
            0 => {
                let id = self.any(&self.made.clone());
                // It may not be there.
                self.net.call(at, Command::Purge(Purge::Block(id))).ok();
            }
            _ => {
                self.net.call(at, Command::MarkRead(which(&self.forum))).unwrap();
            }
        }
    }

    fn shown(&mut self, at: usize) -> Shown {
        let (net, forum) = (&mut self.net, &self.forum);
        Shown {
            order: net.order(at, forum),
            held: net.heads(at, forum, Which::Held),
            blocked: net.heads(at, forum, Which::Blocked),
            forked: net.heads(at, forum, Which::Forked),
            status: net.status(at, forum),
        }
    }

    /// All is lost that is not on the disk.
    fn restart(&mut self, at: usize) {
        // Nothing comes meanwhile.
        self.leave(at);
        let before = self.shown(at);
        self.net.restart(at);
        let after = self.shown(at);
        assert_eq!(after, before);
        self.counts[1] += usize::from(!before.forked.is_empty());
    }

    fn block(&mut self, at: usize, id: BlockId) -> Option<BlockInfo> {
        match self.net.call(at, Command::Block(which(&self.forum), id)) {
            Ok(Reply::Block(info)) => Some(*info),
            _ => None,
        }
    }

    fn makes_sense(&mut self, at: usize) {
        let shown = self.shown(at);
        let once: BTreeSet<&BlockId> = shown.order.iter().collect();
        assert_eq!(once.len(), shown.order.len(), "a block twice");
        assert_eq!(shown.status.placed + 1, shown.order.len() as u64);
        let (mut kept, mut revoked) = (0, 0);
        for id in self.made.clone() {
            let Some(info) = self.block(at, id) else { continue };
            match info.state {
                State::Placed(place) => assert_eq!(shown.order[place as usize], id),
                _ => assert!(!once.contains(&id)),
            }
            let size = info.block.unwrap().block.payload.size;
            match self.net.payload(at, &self.forum, id) {
                Ok(_) => kept += size,
                Err(_) if info.revoked => revoked += size,
                Err(_) => {}
            }
        }
        let counted = shown.status.kept;
        assert!((kept..=kept + revoked).contains(&counted), "{counted}, not {kept} + {revoked}");
    }
}

#[test]
fn what_is_shown_is_on_the_disk() {
    let mut sums = [0; 2];
    for seed in 0..30 {
        let mut users = Users::begin(seed, forum());
        (0..STEPS).for_each(|_| users.step());
        for (sum, more) in sums.iter_mut().zip(users.counts) {
            *sum += more;
        }
    }
    // Otherwise there would be little to get wrong.
    assert!(sums[0] > 20 && sums[1] > 20, "{sums:?}");
}

/// All that is shown of a forum, and the reps of all who write.
type Whole = (Vec<BlockId>, Vec<BlockId>, Vec<BlockId>, Vec<i64>);

impl Users {
    fn whole(&mut self, at: usize) -> Whole {
        let Shown { order, blocked, .. } = self.shown(at);
        let heads = self.net.heads(at, &self.forum, Which::Placed);
        let reps = |author: u8| {
            let of = Of::Author(key(author).public());
            match self.net.call(at, Command::Reps(which(&self.forum), of)) {
                Ok(Reply::Reps(reps)) => reps,
                other => panic!("{other:?}"),
            }
        };
        (order, heads, blocked, (1..=AUTHORS).map(reps).collect())
    }

    fn come_together(&mut self) {
        for at in 1..NODES {
            (0..at).for_each(|other| self.net.link(other, at));
        }
        (0..3).for_each(|_| self.net.round());
    }
}

#[test]
fn whatever_came_how_all_show_the_same_in_the_end() {
    let (mut placed, mut blocked) = (0, 0);
    for seed in 100..130 {
        // Nothing freezes, so that everything can come together.
        let mut users = Users::begin(seed, Genesis { freeze: None, ..forum() });
        (0..STEPS).for_each(|_| users.step());
        users.come_together();
        let first = users.whole(0);
        for at in 1..NODES {
            assert_eq!(users.whole(at), first, "seed {seed}, node {at}");
        }
        placed += first.0.len();
        blocked += first.2.len();
    }
    assert!(placed > 1_000 && blocked > 3, "{placed} placed, {blocked} blocked");
}
