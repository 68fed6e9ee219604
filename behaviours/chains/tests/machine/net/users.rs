//! Users who do whatever comes at some nodes, as a source of numbers says.

use std::collections::{BTreeSet, VecDeque};

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

use super::{Net, key, which};

pub(crate) const NODES: usize = 3;
const AUTHORS: u8 = 5;

/// What decides on what is done.
pub(crate) enum Choices {
    /// A generator.
    Random(Box<ChaCha8Rng>),
    /// These bytes, and then the first of what there is. For whoever has bytes to try.
    #[allow(dead_code)]
    Given(VecDeque<u8>),
}

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Random(Box::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// A number below the limit.
    fn below(&mut self, limit: usize) -> usize {
        match self {
            Self::Random(random) => usize::try_from(random.next_u64() % limit as u64).unwrap(),
            Self::Given(bytes) => usize::from(bytes.pop_front().unwrap_or_default()) % limit,
        }
    }
}

/// What a node shows of the forum.
#[derive(Debug, PartialEq)]
struct Shown {
    order: Vec<BlockId>,
    held: Vec<BlockId>,
    blocked: Vec<BlockId>,
    forked: Vec<BlockId>,
    status: ChainStatus,
}

pub(crate) struct Users {
    net: Net,
    forum: Genesis,
    pub choices: Choices,
    made: Vec<BlockId>,
    /// How often a side was chosen that was left aside, and how often a node showed a fork when it was restarted.
    pub counts: [usize; 2],
}

impl Users {
    /// In a row, with a first post that all have.
    pub(crate) fn begin(choices: Choices, forum: Genesis) -> Self {
        let mut net = Net::new(NODES as u8);
        for at in 0..NODES {
            net.join(at, &forum);
            if at > 0 {
                net.link(at - 1, at);
            }
        }
        let (first, _) = net.post(0, &forum, "first", 1);
        Self { net, forum, choices, made: vec![first], counts: [0; 2] }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.choices.below(limit)
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

    /// Somebody does something that users and networks do.
    pub(crate) fn step(&mut self) {
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
        if self.net.flips.is_none() {
            self.net.tolerant = false;
        }
    }

    /// How many bits were flipped, and how often somebody was blamed for one.
    pub(crate) fn flipped(&self) -> [usize; 2] {
        [self.net.flipped, self.net.strikes.len()]
    }

    /// A bit of what travels next is flipped, for which whoever seems to have said it is blamed; or gossip is
    /// lost until further notice.
    pub(crate) fn harm(&mut self) {
        match self.below(4) {
            0..3 => {
                self.net.tolerant = true;
                self.net.flips = Some(self.below(256) * 37 + self.below(256));
            }
            _ => self.net.deaf = !self.net.deaf,
        }
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

/// All that is shown of a forum, and the reps of all who write.
pub(crate) type Whole = (Vec<BlockId>, Vec<BlockId>, Vec<BlockId>, Vec<i64>);

impl Users {
    pub(crate) fn whole(&mut self, at: usize) -> Whole {
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

    /// Whatever was wrong is over: nothing is lost or changed on the way, all are restarted, and so much time passes
    /// that nobody waits because of what came before.
    pub(crate) fn recover(&mut self) {
        (self.net.flips, self.net.deaf, self.net.tolerant) = (None, false, false);
        (0..NODES).for_each(|at| self.restart(at));
        self.net.wait(Span::hours(2));
    }

    /// All meet all.
    pub(crate) fn come_together(&mut self) {
        for at in 1..NODES {
            (0..at).for_each(|other| self.net.link(other, at));
        }
        (0..3).for_each(|_| self.net.round());
    }
}
