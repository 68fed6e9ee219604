//! Several messaging machines in one test, with a clock, stores and a network that the test
//! controls, in the manner of quinn-proto's `Pair`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use covey_kernel::{
    AskFailure, AskId, CommandId, CryptoRng, Effect, Entry, Fault, GossipVerdict, Input, Keypair,
    Machine, NetworkId, Origin, Peer, PublicKey, RequestId, Scan, Span, Store, Text, Time, Turn,
    View, decide_all,
};
use covey_messaging::{
    Command, ContactView, Error, Event, InviteView, MessageId, Messaging, Progress, Reply, Rules,
    SafetyView, SignedKeySet, Target,
    ratchet::Olm,
    wire::{Envelope, Refusal, Request, Response},
};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

pub(crate) type M = Messaging<Olm>;

/// The entries, and where scans of them began since the test last cleared that list.
#[derive(Clone, Default)]
pub(crate) struct Disk(pub BTreeMap<Vec<u8>, Vec<u8>>, pub Arc<Mutex<Vec<Vec<u8>>>>);

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        self.1.lock().unwrap().push(scan.from.clone());
        let all = self.0.iter().filter(|(key, _)| scan.contains(key));
        let all = all.map(|(key, value)| (key.clone(), value.clone()));
        Ok(if scan.reverse {
            all.rev().take(scan.limit).collect()
        } else {
            all.take(scan.limit).collect()
        })
    }
}

pub(crate) struct Node {
    pub(crate) machine: M,
    pub(crate) disk: Disk,
    /// What became of gossip.
    pub(crate) judged: Vec<GossipVerdict>,
    pub(crate) rules: Rules,
    pub(crate) peer: Peer,
    pub(crate) events: Vec<Event>,
    pub(crate) up: bool,
    /// How far its clock is ahead, or behind, in milliseconds.
    pub(crate) skew: i64,
    /// The one wake-up that a driver remembers.
    pub(crate) wake: Option<Time>,
}

/// When a crash comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// Decided, but nothing is on disk.
    BeforeCommit,
    /// On disk, but nothing was said.
    BeforeSpeaking,
}

/// A request or an answer between two nodes.
#[derive(Clone)]
pub(crate) enum Parcel {
    Request { from: usize, to: usize, ask: AskId, bytes: Vec<u8> },
    Answer { from: usize, to: usize, ask: AskId, outcome: Result<Vec<u8>, AskFailure> },
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Time,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) parcels: VecDeque<Parcel>,
    /// Everything that was ever sent, as a capture.
    pub(crate) wire: Vec<Vec<u8>>,
    /// Inputs so far.
    pub(crate) steps: usize,
    /// At which input, from one, and how a node crashes.
    pub(crate) crash: Option<(usize, Crash)>,
    requests: BTreeMap<u64, (usize, AskId)>,
    next: u64,
}

fn open(rules: &Rules, disk: &mut Disk, now: Time, rng: &mut ChaCha12Rng) -> M {
    let base = disk.clone();
    let mut view = View::new(&base);
    let machine = M::open(rules.clone(), now, rng, &mut view).unwrap();
    commit(disk, view.into_writes());
    machine
}

fn commit(disk: &mut Disk, writes: Vec<covey_kernel::Write>) {
    for write in writes {
        match write.value {
            Some(value) => disk.0.insert(write.key, value),
            None => disk.0.remove(&write.key),
        };
    }
}

impl World {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::on(&names.iter().map(|name| (*name, NetworkId::open())).collect::<Vec<_>>())
    }

    pub(crate) fn on(names: &[(&str, NetworkId)]) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(7);
        let now = Time::from_millis(1_800_000_000_000);
        let mut nodes = Vec::new();
        for (name, network) in names {
            let peer = Keypair::generate(&mut rng).public();
            let name = Text::new(*name).unwrap();
            let rules = Rules { network: *network, peer, name, read_receipts: true };
            let mut disk = Disk::default();
            let machine = open(&rules, &mut disk, now, &mut rng);
            let (events, up, skew, wake) = (vec![], true, 0, None);
            let judged = Vec::new();
            nodes.push(Node { machine, disk, judged, rules, peer, events, up, skew, wake });
        }
        let mut world = Self {
            nodes,
            now,
            rng,
            parcels: VecDeque::new(),
            wire: vec![],
            steps: 0,
            crash: None,
            requests: BTreeMap::new(),
            next: 0,
        };
        for node in 0..names.len() {
            world.input(node, Input::Start);
        }
        world
    }

    /// Runs one input through a node: check, decide, commit, and only then speak.
    pub(crate) fn input(&mut self, at: usize, input: Input<M>) -> Option<Result<Reply, Error>> {
        self.steps += 1;
        let turn = self.turn(at, input);
        let crash = self.crash.filter(|(step, _)| *step == self.steps).map(|(_, crash)| crash);
        if crash == Some(Crash::BeforeCommit) {
            self.restart(at);
            return None;
        }
        commit(&mut self.nodes[at].disk, turn.writes);
        if crash == Some(Crash::BeforeSpeaking) {
            self.restart(at);
            return None;
        }
        self.speak(at, turn.effects)
    }

    /// The time as a node's clock shows it.
    pub(crate) fn clock(&self, at: usize) -> Time {
        Time::from_millis(self.now.millis().saturating_add_signed(self.nodes[at].skew))
    }

    /// Decides an input without committing it, as a crash just before the commit would.
    pub(crate) fn turn(&mut self, at: usize, input: Input<M>) -> Turn<M> {
        let now = self.clock(at);
        let node = &mut self.nodes[at];
        let origin = input.origin();
        let checked = M::check(&node.rules, &node.disk, now, vec![input]).remove(0);
        let inputs: Vec<(Origin, _)> = vec![(origin, checked)];
        decide_all(&mut node.machine, &node.disk, now, &mut self.rng, inputs).unwrap()
    }

    fn speak(&mut self, at: usize, effects: Vec<Effect<M>>) -> Option<Result<Reply, Error>> {
        let mut result = None;
        for effect in effects {
            match effect {
                Effect::Ask { to, ask, bytes } => {
                    self.wire.push(bytes.clone());
                    let target = self.nodes.iter().position(|node| node.peer == to && node.up);
                    self.parcels.push_back(match target {
                        Some(to) => Parcel::Request { from: at, to, ask, bytes },
                        None => {
                            let to_index = self.nodes.iter().position(|node| node.peer == to);
                            let from = to_index.unwrap_or(at);
                            let outcome = Err(AskFailure::Unreachable);
                            Parcel::Answer { from, to: at, ask, outcome }
                        }
                    });
                }
                Effect::Answer { to, bytes } => {
                    self.wire.push(bytes.clone());
                    if let Some((asker, ask)) = self.requests.remove(&to.0) {
                        let outcome = Ok(bytes);
                        self.parcels.push_back(Parcel::Answer {
                            from: at,
                            to: asker,
                            ask,
                            outcome,
                        });
                    }
                }
                Effect::Reply { reply, .. } => result = Some(reply),
                Effect::Tell(event) => self.nodes[at].events.push(event),
                Effect::Wake(time) => {
                    let earliest = self.nodes[at].wake.map_or(time, |other| other.min(time));
                    self.nodes[at].wake = Some(earliest);
                }
                Effect::Seek { .. } | Effect::Release(_) | Effect::Strike(_) => {}
                Effect::Judge { verdict, .. } => self.nodes[at].judged.push(verdict),
                Effect::Join(_) | Effect::Leave(_) | Effect::Publish { .. } => {
                    panic!("messaging does not gossip")
                }
            }
        }
        result
    }

    pub(crate) fn command(&mut self, at: usize, command: Command) -> Result<Reply, Error> {
        self.input(at, Input::Command { id: CommandId(0), command }).expect("a reply")
    }

    /// Hands one parcel over.
    pub(crate) fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Request { from, to, ask, bytes } => {
                self.next += 1;
                self.requests.insert(self.next, (from, ask));
                let input =
                    Input::Request { from: self.nodes[from].peer, id: RequestId(self.next), bytes };
                if self.nodes[to].up {
                    self.input(to, input);
                }
            }
            Parcel::Answer { from, to, ask, outcome } => {
                let input = Input::Answer { from: self.nodes[from].peer, ask, outcome };
                if self.nodes[to].up {
                    self.input(to, input);
                }
            }
        }
    }

    /// Delivers everything that is under way, and what comes of it.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            match self.parcels.pop_front() {
                Some(parcel) => self.deliver(parcel),
                None => return,
            }
        }
        panic!("the network never falls silent");
    }

    /// Settles, lets time pass, then wakes everybody and settles again.
    pub(crate) fn pass(&mut self, span: Span) {
        self.settle();
        self.now = self.now.plus(span);
        for at in 0..self.nodes.len() {
            if self.nodes[at].up {
                self.input(at, Input::Wake);
            }
        }
        self.settle();
    }

    /// Lets time pass in which nodes are woken only when they asked for it.
    pub(crate) fn pass_asleep(&mut self, span: Span) {
        let end = self.now.plus(span);
        self.settle();
        loop {
            let due = (0..self.nodes.len()).filter(|at| self.nodes[*at].up);
            let due = due.filter_map(|at| Some((self.nodes[at].wake?, at))).min();
            let Some((time, at)) = due.filter(|(time, _)| *time <= end) else { break };
            self.now = self.now.max(time);
            self.nodes[at].wake = None;
            self.input(at, Input::Wake);
            self.settle();
        }
        self.now = end;
    }

    /// Ends a node and starts it again from its disk.
    pub(crate) fn restart(&mut self, at: usize) {
        let now = self.clock(at);
        let node = &mut self.nodes[at];
        node.machine = open(&node.rules, &mut node.disk, now, &mut self.rng);
        node.up = true;
        self.input(at, Input::Start);
    }

    /// Makes two nodes contacts: `b` invites `a` by the code that `a` shows.
    pub(crate) fn befriend(&mut self, a: usize, b: usize) {
        let code = self.code(a);
        let target = covey_messaging::Target::Code(Box::new(code));
        self.command(b, Command::Invite { target, name: None, text: "hello".into() }).unwrap();
        self.settle();
        let who = self.nodes[b].rules.name.to_string();
        self.command(a, Command::Accept { who, name: None }).unwrap();
        self.settle();
    }

    pub(crate) fn code(&mut self, at: usize) -> covey_messaging::ContactCode {
        let command = Command::Code { addresses: vec![], once: false, reset: false };
        match self.command(at, command).unwrap() {
            Reply::Code(code) => *code,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn send(&mut self, at: usize, who: &str, text: &str) -> covey_messaging::MessageId {
        let command = Command::Send { who: who.into(), text: text.into(), reply: None };
        match self.command(at, command).unwrap() {
            Reply::Queued(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn history(&mut self, at: usize, who: &str) -> Vec<covey_messaging::MessageView> {
        let query =
            covey_messaging::HistoryQuery { who: who.into(), limit: 1000, ..Default::default() };
        match self.command(at, Command::History(query)).unwrap() {
            Reply::History(page) => page.messages,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn texts(&mut self, at: usize, who: &str) -> Vec<String> {
        self.history(at, who).into_iter().map(|message| message.text).collect()
    }

    /// A command that must be refused: the error, and nothing on disk has changed.
    pub(crate) fn refused(&mut self, at: usize, command: Command) -> Error {
        let before = self.nodes[at].disk.0.clone();
        let error = self.command(at, command).unwrap_err();
        assert!(before == self.nodes[at].disk.0, "a refusal changed the store");
        error
    }

    /// A request by any peer, and the answer to it.
    pub(crate) fn request(&mut self, from: Peer, to: usize, request: &Request) -> Response {
        self.raw_request(from, to, covey_kernel::cbor::encode(request))
    }

    pub(crate) fn raw_request(&mut self, from: Peer, to: usize, bytes: Vec<u8>) -> Response {
        let turn = self.turn(to, Input::Request { from, id: RequestId(0), bytes });
        commit(&mut self.nodes[to].disk, turn.writes);
        let mut answer = None;
        let mut others = Vec::new();
        for effect in turn.effects {
            match effect {
                Effect::Answer { bytes, .. } => answer = Some(bytes),
                other => others.push(other),
            }
        }
        self.speak(to, others);
        covey_messaging::decode_response(&answer.expect("an answer")).unwrap()
    }

    /// A request that must be refused: why, and nothing on disk has changed.
    pub(crate) fn turned_away(&mut self, from: Peer, to: usize, request: &Request) -> Refusal {
        let before = self.nodes[to].disk.0.clone();
        match self.request(from, to, request) {
            Response::Refused(refusal) => {
                assert!(before == self.nodes[to].disk.0, "a refusal changed the store");
                refusal
            }
            other => panic!("{other:?}"),
        }
    }

    /// Answers the only request under way from a node, as its recipient or as anybody else.
    pub(crate) fn answer(&mut self, parcel: &Parcel, from: Peer, response: &Response) {
        let Parcel::Request { from: asker, ask, .. } = parcel else { panic!("not a request") };
        let outcome = Ok(covey_kernel::cbor::encode(response));
        self.input(*asker, Input::Answer { from, ask: *ask, outcome });
    }

    pub(crate) fn invite(&mut self, at: usize, target: Target, name: Option<&str>) {
        let name = name.map(str::to_owned);
        self.command(at, Command::Invite { target, name, text: "hello".into() }).unwrap();
    }

    pub(crate) fn by_code(&mut self, of: usize) -> Target {
        Target::Code(Box::new(self.code(of)))
    }

    pub(crate) fn accept(&mut self, at: usize, who: &str) {
        self.command(at, Command::Accept { who: who.into(), name: None }).unwrap();
    }

    pub(crate) fn contacts(&mut self, at: usize) -> Vec<ContactView> {
        match self.command(at, Command::Contacts).unwrap() {
            Reply::Contacts(contacts) => contacts,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn invites(&mut self, at: usize) -> Vec<InviteView> {
        match self.command(at, Command::Invites).unwrap() {
            Reply::Invites(invites) => invites,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn verify(&mut self, at: usize, who: &str, confirm: bool) -> SafetyView {
        match self.command(at, Command::Verify { who: who.into(), confirm }).unwrap() {
            Reply::Safety(view) => view,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn rotate(&mut self, at: usize, identity: bool) {
        self.command(at, Command::Rotate { identity }).unwrap();
    }

    pub(crate) fn whoami(&mut self, at: usize) -> SignedKeySet {
        match self.command(at, Command::Whoami).unwrap() {
            Reply::Identity(set) => *set,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn progress(&mut self, at: usize, id: MessageId) -> Progress {
        match self.command(at, Command::Status(id)).unwrap() {
            Reply::Status(progress) => progress,
            other => panic!("{other:?}"),
        }
    }

    /// Everything that was delivered or knocked with so far: the sender and its envelopes.
    pub(crate) fn envelopes(&self) -> Vec<(PublicKey, Envelope)> {
        let requests = self.wire.iter().filter_map(|b| covey_messaging::decode_request(b).ok());
        requests
            .flat_map(|request| match request {
                Request::Knock(knock) => vec![(knock.set.identity, knock.envelope)],
                Request::Deliver(delivery) => {
                    let from = delivery.from;
                    delivery.envelopes.iter().map(|e| (from, e.clone())).collect()
                }
                _ => vec![],
            })
            .collect()
    }

    pub(crate) fn rng(&mut self) -> &mut dyn CryptoRng {
        &mut self.rng
    }
}
