//! Some nodes, their stores and the wires between them, as plain values.

mod asked;
mod disk;
pub(crate) mod users;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use covey_chains::{
    BlockId, Chains, Error, Rules,
    command::{Command, Event, Reply, Selector},
    genesis::Genesis,
    wire::{Asker, ChainRef, Page, Pull, Request, Response},
};
use covey_kernel::{
    AskId, Bounded, CommandId, Effect, GossipId, GossipVerdict, Hash, Input, Keypair, Machine,
    NetworkId, Peer, RequestId, Span, Time, Topic, View, decide_all,
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use disk::Disk;

pub(crate) struct Node {
    pub peer: Peer,
    pub machine: Chains,
    pub disk: Disk,
    pub events: Vec<Event>,
    pub topics: BTreeSet<Topic>,
    heard: BTreeSet<Hash>,
    replies: BTreeMap<CommandId, Result<Reply, Error>>,
}

enum Wire {
    Input(usize, Input<Chains>),
    Gossip { from: usize, to: usize, topic: Topic, bytes: Vec<u8> },
}

pub(crate) struct Net {
    pub nodes: Vec<Node>,
    pub now: Time,
    links: BTreeSet<(usize, usize)>,
    wires: VecDeque<Wire>,
    requests: BTreeMap<RequestId, (usize, AskId)>,
    gossip: BTreeMap<GossipId, (usize, Topic, Vec<u8>)>,
    next: u64,
    rng: ChaCha20Rng,
    /// Bytes of requests and responses, and how many responses.
    pub traffic: (usize, usize),
    /// Gossip is lost.
    pub deaf: bool,
    /// Bad gossip is not a fault of the test.
    pub tolerant: bool,
    /// What the next question is answered with.
    pub(crate) answer_instead: Option<Vec<u8>>,
    /// And all that follow.
    pub(crate) answers_for_ever: bool,
    /// Questions are answered with pages of nothing, each with a next one: how many there were.
    pub(crate) endless_pages: Option<u32>,
    /// Whether the last gossip was rejected.
    rejected: bool,
    /// The blocks of each page that was served.
    pub(crate) pages: Vec<Vec<BlockId>>,
    /// Who was blamed.
    pub(crate) strikes: Vec<Peer>,
    /// Answers that still arrive.
    pub budget: Option<usize>,
    /// The blocks of whose payloads a part was asked for.
    pub(crate) wants: BTreeSet<BlockId>,
    /// What was said to be known.
    pub(crate) pulls: Vec<Pull>,
    /// A bit that is flipped in what travels next.
    pub(crate) flips: Option<usize>,
    /// How many were.
    pub(crate) flipped: usize,
    /// Room for payloads, at nodes that start from now on.
    pub(crate) room: u64,
}

pub(crate) fn network() -> NetworkId {
    NetworkId::named("test")
}

pub(crate) fn key(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

pub(crate) fn which(genesis: &Genesis) -> Selector {
    Selector { name: genesis.name(), id: None }
}

impl Net {
    pub(crate) fn new(count: u8) -> Self {
        let mut net = Self {
            nodes: Vec::new(),
            now: Time::from_millis(1_800_000_000_000),
            links: BTreeSet::new(),
            wires: VecDeque::new(),
            requests: BTreeMap::new(),
            gossip: BTreeMap::new(),
            next: 0,
            rng: ChaCha20Rng::from_seed([7; 32]),
            traffic: (0, 0),
            deaf: false,
            tolerant: false,
            answer_instead: None,
            answers_for_ever: false,
            endless_pages: None,
            rejected: false,
            pages: Vec::new(),
            strikes: Vec::new(),
            budget: None,
            wants: BTreeSet::new(),
            pulls: Vec::new(),
            flips: None,
            flipped: 0,
            room: u64::MAX,
        };
        for number in 0..count {
            let peer = key(100 + number).public();
            let disk = Disk::default();
            let machine = net.open(peer, &disk);
            net.nodes.push(Node {
                peer,
                machine,
                disk,
                events: Vec::new(),
                topics: BTreeSet::new(),
                heard: BTreeSet::new(),
                replies: BTreeMap::new(),
            });
            net.feed(usize::from(number), Input::Start);
        }
        net
    }

    fn open(&mut self, peer: Peer, disk: &Disk) -> Chains {
        let rules = Rules { network: network(), peer, room: self.room };
        let mut view = View::new(disk);
        Chains::open(rules, self.now, &mut self.rng, &mut view).unwrap()
    }

    /// What is in memory is lost.
    pub(crate) fn restart(&mut self, at: usize) {
        let disk = std::mem::take(&mut self.nodes[at].disk);
        self.nodes[at].machine = self.open(self.nodes[at].peer, &disk);
        self.nodes[at].disk = disk;
        self.nodes[at].topics.clear();
        self.feed(at, Input::Start);
        self.run();
        let linked: Vec<usize> = (0..self.nodes.len()).filter(|to| self.linked(at, *to)).collect();
        for to in linked {
            self.link(at, to);
        }
    }

    fn linked(&self, a: usize, b: usize) -> bool {
        self.links.contains(&(a.min(b), a.max(b)))
    }

    pub(crate) fn link(&mut self, a: usize, b: usize) {
        self.links.insert((a.min(b), a.max(b)));
        let (one, other) = (self.nodes[a].peer, self.nodes[b].peer);
        self.feed(a, Input::Connected(other));
        self.feed(b, Input::Connected(one));
        self.run();
    }

    pub(crate) fn cut(&mut self, a: usize, b: usize) {
        self.links.remove(&(a.min(b), a.max(b)));
        let (one, other) = (self.nodes[a].peer, self.nodes[b].peer);
        self.feed(a, Input::Disconnected(other));
        self.feed(b, Input::Disconnected(one));
        self.run();
    }

    pub(crate) fn wait(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    /// A round of reconciliation everywhere.
    pub(crate) fn round(&mut self) {
        self.wait(Span::secs(90));
        for at in 0..self.nodes.len() {
            self.feed(at, Input::Wake);
        }
        self.run();
    }

    pub(crate) fn feed(&mut self, at: usize, input: Input<Chains>) {
        let rules = Rules { network: network(), peer: self.nodes[at].peer, room: self.room };
        let node = &mut self.nodes[at];
        let origin = input.origin();
        let checked = Chains::check(&rules, &node.disk, self.now, vec![input]);
        let checks = checked.into_iter().map(|checked| (origin, checked)).collect();
        let turn =
            decide_all(&mut node.machine, &node.disk, self.now, &mut self.rng, checks).unwrap();
        for write in turn.writes {
            match write.value {
                Some(value) => node.disk.entries.insert(write.key, value),
                None => node.disk.entries.remove(&write.key),
            };
        }
        for effect in turn.effects {
            self.carry_out(at, effect);
        }
    }

    fn carry_out(&mut self, at: usize, effect: Effect<Chains>) {
        match effect {
            Effect::Ask { to, ask, bytes } => self.ask(at, to, ask, bytes),
            Effect::Answer { to, bytes } => self.answer(at, to, bytes),
            Effect::Reply { to, reply } => {
                self.nodes[at].replies.insert(to, reply);
            }
            Effect::Tell(event) => self.nodes[at].events.push(event),
            Effect::Join(topic) => {
                self.nodes[at].topics.insert(topic);
            }
            Effect::Leave(topic) => {
                self.nodes[at].topics.remove(&topic);
            }
            Effect::Publish { topic, bytes } => {
                if self.nodes[at].heard.insert(Hash::of(&bytes)) {
                    self.spread(at, topic, &bytes);
                }
            }
            Effect::Judge { gossip, verdict } => self.judged(gossip, verdict),
            Effect::Wake(when) => {
                if when <= self.now {
                    self.wires.push_back(Wire::Input(at, Input::Wake));
                }
            }
            Effect::Strike(peer) => {
                assert!(self.tolerant, "an honest peer is blamed");
                self.strikes.push(peer);
            }
            Effect::Seek { .. } | Effect::Release(_) => {}
        }
    }

    fn ask(&mut self, at: usize, to: Peer, ask: AskId, bytes: Vec<u8>) {
        let other = (0..self.nodes.len()).find(|other| self.nodes[*other].peer == to);
        let Some(other) = other.filter(|other| self.linked(at, *other)) else { return };
        match Request::decode(&bytes) {
            Ok(Request::Want(want)) => {
                self.wants.insert(want.block);
            }
            Ok(Request::Pull(pull)) => self.pulls.push(pull),
            _ => {}
        }
        if let Some(pages) = &mut self.endless_pages {
            *pages += 1;
            let page = Page { items: Bounded::default(), next: Some(*pages) };
            self.answer_instead = Some(Response::Page(page).encode());
        }
        let prepared = self.answer_instead.take();
        if self.answers_for_ever {
            self.answer_instead = prepared.clone();
        }
        if let Some(bytes) = prepared {
            let answer = Input::Answer { from: to, ask, outcome: Ok(bytes) };
            self.wires.push_back(Wire::Input(at, answer));
            return;
        }
        self.next += 1;
        let id = RequestId(self.next);
        self.requests.insert(id, (at, ask));
        self.traffic.0 += bytes.len();
        let (from, bytes) = (self.nodes[at].peer, self.altered(bytes));
        self.wires.push_back(Wire::Input(other, Input::Request { from, id, bytes }));
    }

    fn answer(&mut self, at: usize, to: RequestId, bytes: Vec<u8>) {
        let (asker, ask) = self.requests.remove(&to).unwrap();
        if asker == usize::MAX {
            return;
        }
        if let Ok(Response::Page(page)) = Response::decode(&bytes) {
            self.pages.push(page.items.iter().map(|item| item.block.block.id()).collect());
        }
        self.traffic.0 += bytes.len();
        self.traffic.1 += 1;
        match &mut self.budget {
            Some(0) => return,
            Some(left) => *left -= 1,
            None => {}
        }
        let (from, bytes) = (self.nodes[at].peer, self.altered(bytes));
        let answer = Input::Answer { from, ask, outcome: Ok(bytes) };
        self.wires.push_back(Wire::Input(asker, answer));
    }

    /// As only a broken or a hostile peer says it: links would notice.
    fn altered(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let Some(bit) = self.flips.take() else { return bytes };
        let bit = bit % (bytes.len() * 8).max(1);
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
            self.flipped += 1;
        }
        bytes
    }

    fn judged(&mut self, gossip: GossipId, verdict: GossipVerdict) {
        let (node, topic, bytes) = self.gossip.remove(&gossip).unwrap();
        assert!(self.tolerant || verdict != GossipVerdict::Reject);
        self.rejected = verdict == GossipVerdict::Reject;
        if verdict == GossipVerdict::Accept {
            self.spread(node, topic, &bytes);
        }
    }

    fn spread(&mut self, from: usize, topic: Topic, bytes: &[u8]) {
        if self.deaf {
            return;
        }
        for to in 0..self.nodes.len() {
            if self.linked(from, to) && self.nodes[to].topics.contains(&topic) {
                let bytes = self.altered(bytes.to_vec());
                self.wires.push_back(Wire::Gossip { from, to, topic, bytes });
            }
        }
    }

    /// Somebody unknown asks, and its answer goes nowhere.
    pub(crate) fn expect_answer(&mut self, id: RequestId) {
        self.requests.insert(id, (usize::MAX, AskId(0)));
    }

    /// A node hears something; whether it rejects that.
    pub(crate) fn gossip(&mut self, to: usize, topic: Topic, bytes: Vec<u8>) -> bool {
        self.next += 1;
        let id = GossipId(self.next);
        self.gossip.insert(id, (to, topic, bytes.clone()));
        self.rejected = false;
        self.feed(to, Input::Gossip { from: key(99).public(), topic, id, bytes });
        self.run();
        self.rejected
    }

    /// A node pulls, gets what was prepared, and whatever it asks after that.
    pub(crate) fn pull_held(&mut self, at: usize, chain: ChainRef) {
        let prepared = self.answer_instead.take();
        let from = self.nodes[1 - at].peer;
        self.next += 1;
        let id = RequestId(1_000_000 + self.next);
        self.expect_answer(id);
        let nudge = Request::Nudge(Asker { chain, proof: None });
        self.feed(at, Input::Request { from, id, bytes: nudge.encode() });
        // The pull finds nothing, and then comes the question for held posts.
        self.answer_instead = Some(Response::Page(Page::default()).encode());
        self.retarget(at);
        self.answer_instead = prepared;
        self.run();
    }

    /// The question that is under way gets what was prepared.
    fn retarget(&mut self, at: usize) {
        let bytes = self.answer_instead.take().unwrap();
        let Some(Wire::Input(_, Input::Request { id, .. })) = self.wires.pop_back() else {
            panic!("no question is under way")
        };
        let (asker, ask) = self.requests.remove(&id).unwrap();
        assert_eq!(asker, at);
        let from = self.nodes[1 - at].peer;
        self.wires.push_back(Wire::Input(at, Input::Answer { from, ask, outcome: Ok(bytes) }));
    }

    /// Until nothing is under way.
    pub(crate) fn run(&mut self) {
        let mut steps = 0;
        while let Some(wire) = self.wires.pop_front() {
            steps += 1;
            assert!(steps < 1_000_000, "it never ends");
            match wire {
                Wire::Input(to, input) => self.feed(to, input),
                Wire::Gossip { from, to, topic, bytes } => {
                    if !self.nodes[to].heard.insert(Hash::of(&bytes)) {
                        continue;
                    }
                    self.next += 1;
                    let id = GossipId(self.next);
                    self.gossip.insert(id, (to, topic, bytes.clone()));
                    let from = self.nodes[from].peer;
                    self.feed(to, Input::Gossip { from, topic, id, bytes });
                }
            }
        }
    }

    pub(crate) fn call(&mut self, at: usize, command: Command) -> Result<Reply, Error> {
        let id = self.start(at, command);
        self.reply(at, id).expect("a reply")
    }

    pub(crate) fn start(&mut self, at: usize, command: Command) -> CommandId {
        self.next += 1;
        let id = CommandId(self.next);
        self.feed(at, Input::Command { id, command });
        self.run();
        id
    }

    pub(crate) fn reply(&mut self, at: usize, id: CommandId) -> Option<Result<Reply, Error>> {
        self.nodes[at].replies.remove(&id)
    }
}
