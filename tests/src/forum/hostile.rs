//! Authors who do what their node would not do for them, and who flood their neighbours.

use covey_chains::{
    Block, BlockId, Payload,
    command::{Command, Reply, Which},
    limits::HELD,
    wire::{ChainRef, Item, News},
};
use covey_kernel::{Bounded, Bytes, NetworkId, PublicKey, Span, Time, Topic};
use rand::RngExt;

use super::{
    FAR_APART, Forum,
    act::{Authors, chat, post},
    author,
};
use crate::{messaging::ask, sim::World};

/// Whose node harm comes from.
const HOSTILE: usize = 1;

/// Authors of whom the first has reps, and the others have some now and then.
const KNOWN: u8 = 2;

/// Newcomers of whom nobody likes more than a post or two: one floods through their node, one by gossip.
const FLOODS: [u8; 2] = [90, 91];

/// Posts of one flood, more than a neighbour keeps of an author; and of as many authors.
const FLOOD: u8 = 24;

/// The first of those who write one post each.
const MANY: u8 = 100;

/// Posts of one author on the same block.
const SIBLINGS: usize = 4;

impl Authors {
    /// Somebody does harm.
    pub(super) fn harm(&mut self) {
        match self.rng.random_range(0..8) {
            0..3 => self.backdate(),
            3..5 => self.say_siblings(),
            5..7 => self.post_ahead(),
            _ => self.flood(),
        }
    }

    /// How many of the blocks that were made by hand are in the order of the first node.
    pub(super) fn taken(&self) -> usize {
        let order = self.order(0);
        self.by_hand.iter().filter(|id| order.contains(id)).count()
    }

    /// How many posts of a flood the neighbour holds that has most of them.
    pub(super) fn most_held(&self) -> usize {
        let flood = author(FLOODS[0]).public();
        let nodes = (0..self.world.nodes().len()).filter(|node| *node != HOSTILE);
        let of_flood = |node| held(&self.world, node).into_iter().filter(|by| *by == flood).count();
        nodes.map(of_flood).max().unwrap_or_default()
    }

    /// A post on an old block that claims to be as old.
    fn backdate(&mut self) {
        let who = self.rng.random_range(1..=KNOWN);
        let Some(back) = self.any(HOSTILE).filter(|back| !self.is_vouched_for(back)) else {
            return;
        };
        let later = Span::millis(self.rng.random_range(0..1000));
        self.say(HOSTILE, who, back, later);
    }

    /// Several posts by one author on the same block, each told elsewhere.
    fn say_siblings(&mut self) {
        let who = self.rng.random_range(1..=KNOWN);
        let Some(back) = self.pick(HOSTILE, Which::Placed) else { return };
        for _ in 0..SIBLINGS {
            let node = self.rng.random_range(0..self.world.nodes().len());
            self.say(node, who, back, Span::millis(1));
        }
    }

    /// A post from a time that others wait for.
    fn post_ahead(&mut self) {
        let (text, right) = (self.text(), self.world.skew(HOSTILE));
        self.world.set_skew(HOSTILE, FAR_APART);
        self.world.command(HOSTILE, post(1, &text, None));
        self.world.run_for(Span::secs(1));
        self.world.set_skew(HOSTILE, right);
    }

    /// Posts of newcomers, of some more than anybody keeps of one author.
    fn flood(&mut self) {
        let tip = self.pick(HOSTILE, Which::Placed);
        for number in 0..FLOOD {
            for who in [FLOODS[0], MANY + number] {
                let text = self.text();
                self.world.command(HOSTILE, post(who, &text, None));
            }
            if let Some(tip) = tip {
                self.say(HOSTILE, FLOODS[1], tip, Span::millis(number.into()));
            }
        }
    }

    /// A node tells of a block that it has not made, so much later than the one it builds on.
    fn say(&mut self, node: usize, who: u8, back: BlockId, later: Span) {
        let Some(first) = self.order(0).get(1).copied() else { return };
        let Some(time) = self.time(&back) else { return };
        let (text, author) = (self.text().into_bytes(), author(who));
        let (hash, size) = (covey_blobs::hash(&text), text.len() as u64);
        let block = Block {
            time: time.plus(later),
            payload: Payload { hash, size, sealed: false },
            vote: None,
            backs: Bounded::first([back]),
            author: Some(author.public()),
        };
        self.by_hand.push(block.id());
        let block = block.sign(&NetworkId::open(), Some(&author));
        let item = Item { block, payload: Bytes::new(text).ok() };
        let chain = ChainRef { genesis: self.genesis.id().hash, first: Some(first.hash) };
        self.world.say(node, Topic(chain.topic()), News { chain, item }.encode());
    }

    /// Whether it may be a held post that a like admits: who builds on that alone breaks a rule.
    fn is_vouched_for(&self, id: &BlockId) -> bool {
        let vouches =
            |like: &BlockId| match ask(&self.world, HOSTILE, Command::Block(chat(), *like)) {
                Some(Reply::Block(info)) => {
                    info.block.is_some_and(|signed| signed.block.vouches_for() == Some(*id))
                }
                _ => false,
            };
        self.order(HOSTILE).iter().any(vouches)
    }

    fn time(&self, id: &BlockId) -> Option<Time> {
        let nodes = 0..self.world.nodes().len();
        let block = |node| match ask(&self.world, node, Command::Block(chat(), *id)) {
            Some(Reply::Block(info)) => Some(info.block?.block.time),
            _ => None,
        };
        nodes.filter_map(block).next()
    }
}

/// A flood goes no further than to neighbours, who keep no more of an author than they may.
pub(super) fn floods_are_kept_small(world: &World<Forum>) -> Result<(), String> {
    let from = world.nodes()[HOSTILE].peer();
    for node in (0..world.nodes().len()).filter(|node| *node != HOSTILE) {
        let held = held(world, node);
        let is_near = world.nodes()[node].rules().neighbours.contains(&from);
        // What is gossiped and has to be held is kept by nobody.
        for (flood, limit) in [(FLOODS[0], if is_near { HELD } else { 0 }), (FLOODS[1], 0)] {
            let of_one = held.iter().filter(|by| **by == author(flood).public()).count();
            if of_one > limit {
                return Err(format!("node {node} holds {of_one} posts of a flood"));
            }
        }
    }
    Ok(())
}

/// The authors of all that a node holds.
fn held(world: &World<Forum>, node: usize) -> Vec<PublicKey> {
    let Some(Reply::Ids(ids)) = ask(world, node, Command::Heads(chat(), Which::Held)) else {
        return Vec::new();
    };
    let by = |id| match ask(world, node, Command::Block(chat(), id)) {
        Some(Reply::Block(info)) => info.block?.block.author,
        _ => None,
    };
    ids.into_iter().filter_map(by).collect()
}
