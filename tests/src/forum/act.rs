use covey_chains::{
    BlockId,
    command::{Command, Join, Post, Reply, Selector, State, Which},
    envelope::Content,
    genesis::{Genesis, Rules as Reps},
};
use covey_kernel::{NetworkId, Span, Text};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{AUTHORS, Forum, author, check::same};
use crate::{
    messaging::ask,
    sim::{Outcome, World},
};

/// Longest time in which a calm world has to settle.
const SETTLES: Span = Span::secs(30 * 60);

/// How often somebody asks for something before that is a failure.
const INSISTS: usize = 200;

/// How often it is looked whether it has.
const LOOKS: Span = Span::secs(10);

/// The forum that everybody follows.
pub(super) fn genesis() -> Genesis {
    let name = Text::new("chat").unwrap();
    Genesis::forum(NetworkId::open(), name, Reps::Paper(()))
}

/// How a user names it.
pub(super) fn chat() -> Selector {
    Selector { name: genesis().name(), id: None }
}

/// Authors, and the world they write in.
pub(super) struct Authors {
    pub(super) world: World<Forum>,
    pub(super) rng: ChaCha8Rng,
    pub(super) genesis: Genesis,
    count: u32,
    /// What no node made.
    pub(super) by_hand: Vec<BlockId>,
}

impl Authors {
    pub(super) fn new(world: World<Forum>, rng: ChaCha8Rng, genesis: Genesis) -> Self {
        Self { world, rng, genesis, count: 0, by_hand: Vec::new() }
    }

    /// The first post, and then everybody follows it but those who come late.
    pub(super) fn begin(&mut self, late: &[usize]) {
        self.insist(0, self.join(None));
        // It may have been made, and the reply lost with the node: then this is the second post.
        self.insist(0, || post(1, "first", None));
        let first = self.begun();
        for node in (1..self.world.nodes().len()).filter(|node| !late.contains(node)) {
            self.insist(node, self.join(Some(first)));
        }
    }

    /// The first post, once the first node is up and shows it.
    fn begun(&mut self) -> BlockId {
        for _ in 0..INSISTS {
            if let Some(first) = self.order(0).get(1) {
                return *first;
            }
            self.world.run_for(Span::secs(5));
        }
        panic!("the first node never shows what it made")
    }

    /// Somebody follows the forum by its name alone, and adopts the first post that they meet.
    pub(super) fn come_late(&mut self, node: usize) {
        self.insist(node, self.join(None));
        // Who writes before would begin another forum of the same name. The checkers see who met none.
        let begun = |world: &World<Forum>| {
            let order = ask(world, node, Command::Order(chat()));
            matches!(order, Some(Reply::Ids(ids)) if ids.len() > 1)
        };
        self.world.run_until(SETTLES, begun);
    }

    /// Somebody is admitted by the first author, and has reps for so many posts.
    pub(super) fn admit(&mut self, who: u8, reps: usize) {
        let hello = self.insist(0, || post(who, "hello", None));
        let Reply::Posted(held, State::Held) = hello else {
            panic!("author {who} is no newcomer: {hello:?}")
        };
        for _ in 0..reps {
            self.insist(0, || post(1, "welcome", Some((true, held))));
        }
    }

    /// Until something is so, for as long as a calm world takes to settle; then why it is not.
    pub(super) fn until(
        &mut self,
        so: impl Fn(&World<Forum>) -> Result<(), String>,
    ) -> Result<(), String> {
        let end = self.world.now().plus(SETTLES);
        loop {
            let is_so = so(&self.world);
            if is_so.is_ok() || self.world.now() >= end {
                return is_so;
            }
            // Looked at now and then: to ask every node takes longer than most steps do.
            self.world.run_for(LOOKS);
        }
    }

    /// Following the forum.
    fn join(&self, first: Option<BlockId>) -> impl Fn() -> Command + use<> {
        let (genesis, first) = (self.genesis.clone(), first.map(|id| id.hash));
        move || Command::Join(Box::new(Join { genesis: genesis.clone(), first, key: None }))
    }

    /// Asks until it is done.
    pub(super) fn insist(&mut self, node: usize, command: impl Fn() -> Command) -> Reply {
        let mut last = None;
        for _ in 0..INSISTS {
            let id = self.world.command(node, command());
            let answered =
                |world: &World<Forum>| !matches!(world.outcome(id), None | Some(Outcome::Waiting));
            self.world.run_until(Span::secs(60), answered);
            match self.world.outcome(id) {
                Some(Outcome::Done(Ok(reply))) => return reply.clone(),
                Some(Outcome::Done(Err(error))) => last = Some(error.clone()),
                _ => {}
            }
            self.world.run_for(Span::secs(5));
        }
        panic!("node {node} never does it: {last:?}")
    }

    /// Somebody does something somewhere.
    pub(super) fn step(&mut self) {
        let node = self.rng.random_range(0..self.world.nodes().len());
        let who = self.rng.random_range(1..=AUTHORS);
        let command = match self.rng.random_range(0..10) {
            0..5 => post(who, &self.text(), None),
            5..8 => match self.pick(node, Which::Held) {
                Some(held) => post(self.rng.random_range(1..=2), "welcome", Some((true, held))),
                None => post(1, "hello", None),
            },
            8 => match self.pick(node, Which::Blocked) {
                Some(blocked) => post(1, "come back", Some((true, blocked))),
                None => post(2, "hello", None),
            },
            _ => match self.any(node) {
                Some(target) => post(who, "", Some((self.rng.random_bool(0.5), target))),
                None => post(1, "hello", None),
            },
        };
        self.world.command(node, command);
        if self.rng.random_ratio(1, 5) {
            self.equivocate(who);
        }
        if self.rng.random_ratio(1, 5) {
            self.harm();
        }
        let pause = Span::millis(self.rng.random_range(0..20_000));
        self.world.run_for(pause);
    }

    /// The same author writes elsewhere at the same time, with the reps that they spend here.
    fn equivocate(&mut self, who: u8) {
        for _ in 0..self.rng.random_range(1..=3) {
            let node = self.rng.random_range(0..self.world.nodes().len());
            let text = self.text();
            self.world.command(node, post(who, &text, None));
        }
    }

    /// What nobody has said yet.
    pub(super) fn text(&mut self) -> String {
        self.count += 1;
        format!("post {}", self.count)
    }

    pub(super) fn pick(&mut self, node: usize, which: Which) -> Option<BlockId> {
        match ask(&self.world, node, Command::Heads(chat(), which)) {
            Some(Reply::Ids(ids)) if !ids.is_empty() => {
                Some(ids[self.rng.random_range(0..ids.len())])
            }
            _ => None,
        }
    }

    pub(super) fn any(&mut self, node: usize) -> Option<BlockId> {
        let order = self.order(node);
        (order.len() > 1).then(|| order[self.rng.random_range(1..order.len())])
    }

    /// What a node shows.
    pub(super) fn order(&self, node: usize) -> Vec<BlockId> {
        match ask(&self.world, node, Command::Order(chat())) {
            Some(Reply::Ids(ids)) => ids,
            _ => Vec::new(),
        }
    }

    /// No more faults; until all show the same, which the checkers look at again.
    pub(super) fn settle(&mut self) {
        self.world.calm();
        self.until(same).ok();
    }
}

pub(super) fn post(who: u8, text: &str, vote: Option<(bool, BlockId)>) -> Command {
    let content = Content::plain(text.as_bytes().to_vec()).unwrap();
    Command::Post(Box::new(Post {
        chain: chat(),
        content,
        sign: Some(author(who)),
        vote,
        reader: None,
    }))
}
