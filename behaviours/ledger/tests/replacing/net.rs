//! A network in memory: nodes with validators and wallets, each on a disk that survives crashes, and
//! messages that take a while, get lost or are answered by liars. Everything follows from a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use covey_kernel::{
    AskFailure, AskId, Bounded, Bytes, CommandId, Effect, Entry, Fault, Hash, Input, Keypair,
    Machine, Origin, Peer, RequestId, Scan, Store, Text, Time, View, decide_all,
};
use covey_ledger::{
    Amount, Asset, Ballot, Body, Certificate, Configuration, Currency, Decimals, Error, Genesis,
    Governance, KnownBallots, Link, Member, Network, Outpoint, Output, Paid, Prefix, Proof,
    Proposal, Reason, Refresh, Salted, Spend, TxId, Validator, Vote, Wallet, Witness, leaves,
    validator::{self, Command, Reply},
    wallet,
    wire::{FromValidator, Request, ToValidator},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};

/// What a node has stored.
#[derive(Clone, Default)]
pub(crate) struct Disk(pub(crate) BTreeMap<Vec<u8>, Vec<u8>>);

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        if scan.to.as_ref().is_some_and(|to| *to <= scan.from) {
            return Ok(Vec::new());
        }
        let to = scan.to.clone().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = self.0.range((std::ops::Bound::Included(scan.from.clone()), to));
        let entries = range.map(|(key, value)| (key.clone(), value.clone()));
        Ok(if scan.reverse {
            entries.rev().take(scan.limit).collect()
        } else {
            entries.take(scan.limit).collect()
        })
    }
}

impl Disk {
    fn commit(&mut self, writes: Vec<covey_kernel::Write>) {
        for write in writes {
            match write.value {
                Some(value) => self.0.insert(write.key, value),
                None => self.0.remove(&write.key),
            };
        }
    }
}

/// A machine, what it runs on, and when it is to be woken.
pub(crate) struct Run<M: Machine> {
    pub(crate) rules: M::Rules,
    pub(crate) machine: Option<M>,
    pub(crate) disk: Disk,
    pub(crate) wake: Option<Time>,
    pub(crate) replies: BTreeMap<u64, Result<M::Reply, M::Error>>,
    pub(crate) events: Vec<M::Event>,
    /// Turns so far.
    pub(crate) turns: usize,
    /// Of the turn with the most.
    pub(crate) most_writes: usize,
    /// After this many turns it crashes: what that turn wrote is on the disk, and nothing has left.
    pub(crate) crash_at: Option<usize>,
}

impl<M: Machine> Run<M> {
    pub(crate) fn new(rules: M::Rules) -> Self {
        Self {
            rules,
            machine: None,
            disk: Disk::default(),
            wake: None,
            replies: BTreeMap::new(),
            events: Vec::new(),
            turns: 0,
            most_writes: 0,
            crash_at: None,
        }
    }

    pub(crate) fn open(&mut self, now: Time, rng: &mut ChaCha20Rng) -> Result<(), M::Error> {
        let mut view = View::new(&self.disk);
        let machine = M::open(self.rules.clone(), now, rng, &mut view)?;
        let writes = view.into_writes();
        self.disk.commit(writes);
        self.machine = Some(machine);
        Ok(())
    }

    /// One turn; its effects, unless it crashes in it.
    pub(crate) fn turn(
        &mut self,
        now: Time,
        rng: &mut ChaCha20Rng,
        inputs: Vec<Input<M>>,
    ) -> Vec<Effect<M>> {
        let Some(machine) = &mut self.machine else { return Vec::new() };
        let origins: Vec<Origin> = inputs.iter().map(Input::origin).collect();
        let checked = M::check(&self.rules, &self.disk, now, inputs);
        let checked = origins.into_iter().zip(checked).collect();
        let turn = decide_all(machine, &self.disk, now, rng, checked).expect("a store that works");
        self.most_writes = self.most_writes.max(turn.writes.len());
        self.disk.commit(turn.writes);
        self.turns += 1;
        if self.crash_at == Some(self.turns) {
            self.machine = None;
            self.wake = None;
            return Vec::new();
        }
        turn.effects
    }
}

/// Answers in a validator's place, if it wants to.
pub(crate) type Liar = Box<dyn FnMut(&ToValidator) -> Option<FromValidator>>;

pub(crate) struct Node {
    pub(crate) key: Keypair,
    pub(crate) validator: Option<Run<Validator>>,
    pub(crate) wallet: Option<Run<Wallet>>,
    pub(crate) up: bool,
    pub(crate) liar: Option<Liar>,
}

enum Event {
    Request { from: usize, wallet: bool, ask: AskId, to: usize, bytes: Vec<u8> },
    Answer { to: usize, wallet: bool, ask: AskId, from: Peer, outcome: Result<Vec<u8>, AskFailure> },
}

/// A coin whose owner's key is at hand.
#[derive(Clone)]
pub(crate) struct Coin {
    pub(crate) outpoint: Outpoint,
    pub(crate) output: Output,
    pub(crate) proof: Proof,
    pub(crate) owner: Keypair,
}

pub(crate) struct Net {
    pub(crate) now: Time,
    pub(crate) rng: ChaCha20Rng,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) governance: Vec<Keypair>,
    pub(crate) coins: Vec<Coin>,
    queue: BTreeMap<(u64, u64), Event>,
    sent: u64,
    asked: BTreeMap<RequestId, (usize, bool, AskId, usize)>,
    requests: u64,
    commands: u64,
    /// Of so many messages one is lost.
    pub(crate) loss: Option<u64>,
    /// Pairs of nodes that do not hear each other.
    pub(crate) cut: BTreeSet<(usize, usize)>,
    /// A bit that is flipped in what travels next, as only a broken peer can.
    pub(crate) flip: Option<usize>,
    heard: BTreeMap<RequestId, Vec<u8>>,
    /// What validators were asked and have answered, if that is to be kept.
    pub(crate) said: Option<Vec<Said>>,
}

/// What a node was asked, and what it has answered. For whoever judges a whole run from outside.
#[allow(dead_code)]
pub(crate) struct Said {
    pub(crate) by: usize,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Vec<u8>,
}

pub(crate) fn text<const N: usize>(text: &str) -> Text<N> {
    Text::new(text).unwrap()
}

pub(crate) fn member(index: usize, peer: Peer, vote: Peer) -> Member {
    Member { name: text(&format!("v{index}")), peer, vote, addresses: Bounded::default() }
}

/// The lock set's entry for epoch 0 of each of the first `validators` nodes.
pub(crate) fn genesis(
    rng: &mut ChaCha20Rng,
    nodes: &[Keypair],
    votes: &[Keypair],
    governance: &[Keypair],
    outputs: Vec<Output>,
) -> Genesis {
    let mut nonce = vec![0; 16];
    rng.fill_bytes(&mut nonce);
    let members = nodes.iter().zip(votes).enumerate();
    let members = members.map(|(index, (node, vote))| member(index, node.public(), vote.public()));
    Genesis {
        name: text("village"),
        nonce: Bytes::new(nonce).unwrap(),
        currency: Currency {
            unit: text("leaf"),
            decimals: Decimals::new(2).unwrap(),
            prefix: Prefix::new("leaf").unwrap(),
            minimum: Amount::new(1),
            fee: Amount::ZERO,
        },
        members: Bounded::first(members),
        governance: Governance {
            threshold: 2,
            keys: Bounded::first(governance.iter().map(Keypair::public)),
        },
        outputs: Bounded::new(outputs).unwrap(),
    }
}

/// Coins of the genesis, of 100 each.
const COINS: usize = 40;

impl Net {
    /// Nodes of which the first are the validators of epoch 0. None is started.
    pub(crate) fn new(seed: u64, validators: usize, nodes: usize) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let keys: Vec<Keypair> = (0..nodes).map(|_| Keypair::generate(&mut rng)).collect();
        let votes: Vec<Keypair> = (0..validators).map(|_| Keypair::generate(&mut rng)).collect();
        let governance: Vec<Keypair> = (0..3).map(|_| Keypair::generate(&mut rng)).collect();
        let owners: Vec<Keypair> = (0..COINS).map(|_| Keypair::generate(&mut rng)).collect();
        let outputs: Vec<Output> = owners
            .iter()
            .map(|owner| Output {
                address: owner.public(),
                amount: Amount::new(100),
                asset: Asset::COIN,
                commitment: None,
            })
            .collect();
        let genesis = genesis(&mut rng, &keys[..validators], &votes, &governance, outputs.clone());
        let network = Network::new(Arc::new(genesis));
        let coins = owners.into_iter().zip(outputs).enumerate();
        let coins = coins.map(|(index, (owner, output))| Coin {
            outpoint: Genesis::outpoint(&network.id, index as u16),
            output,
            proof: Proof::Genesis(()),
            owner,
        });
        let coins = coins.collect();
        let nodes = keys.into_iter().enumerate().map(|(index, key)| {
            let rules = validator::Rules {
                network: network.clone(),
                node: key.clone(),
                key: votes.get(index).cloned(),
                starts: 0,
                ballots: KnownBallots::default(),
            };
            let validator = Some(Run::new(rules));
            Node { key, validator, wallet: None, up: false, liar: None }
        });
        let nodes = nodes.collect();
        Self {
            now: Time::from_millis(1_800_000_000_000),
            rng,
            network,
            nodes,
            governance,
            coins,
            queue: BTreeMap::new(),
            sent: 0,
            asked: BTreeMap::new(),
            requests: 0,
            commands: 0,
            loss: None,
            cut: BTreeSet::new(),
            flip: None,
            heard: BTreeMap::new(),
            said: None,
        }
    }

    /// The same, started, and left to itself for a moment.
    pub(crate) fn started(seed: u64, validators: usize, nodes: usize) -> Self {
        let mut net = Self::new(seed, validators, nodes);
        for node in 0..nodes {
            net.start(node);
        }
        net.run(2_000);
        net
    }

    /// Adds a node with a wallet, and starts it.
    pub(crate) fn add_wallet(&mut self) -> usize {
        let key = Keypair::generate(&mut self.rng);
        let rules = wallet::Rules {
            network: self.network.clone(),
            peer: key.public(),
            ballots: KnownBallots::default(),
            expected: wallet::Expected::default(),
        };
        let wallet = Some(Run::new(rules));
        self.nodes.push(Node { key, validator: None, wallet, up: false, liar: None });
        let index = self.nodes.len() - 1;
        self.start(index);
        index
    }

    pub(crate) fn peer(&self, node: usize) -> Peer {
        self.nodes[node].key.public()
    }

    fn index(&self, peer: &Peer) -> Option<usize> {
        self.nodes.iter().position(|node| node.key.public() == *peer)
    }

    pub(crate) fn start(&mut self, node: usize) {
        self.try_start(node).unwrap();
    }

    pub(crate) fn try_start(&mut self, node: usize) -> Result<(), Error> {
        let now = self.now;
        let one = &mut self.nodes[node];
        if let Some(run) = &mut one.validator {
            run.open(now, &mut self.rng)?;
        }
        if let Some(run) = &mut one.wallet {
            run.open(now, &mut self.rng)?;
        }
        one.up = true;
        self.feed(node, Input::Start, Input::Start);
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].up {
                let (a, b) = (self.peer(node), self.peer(other));
                self.feed(node, Input::Connected(b), Input::Connected(b));
                self.feed(other, Input::Connected(a), Input::Connected(a));
            }
        }
        Ok(())
    }

    pub(crate) fn stop(&mut self, node: usize) {
        let one = &mut self.nodes[node];
        one.up = false;
        if let Some(run) = &mut one.validator {
            (run.machine, run.wake) = (None, None);
        }
        if let Some(run) = &mut one.wallet {
            (run.machine, run.wake) = (None, None);
        }
        let peer = self.peer(node);
        for other in 0..self.nodes.len() {
            if other != node && self.nodes[other].up {
                self.feed(other, Input::Disconnected(peer), Input::Disconnected(peer));
            }
        }
    }

    fn feed(&mut self, node: usize, one: Input<Validator>, two: Input<Wallet>) {
        self.give_validator(node, one);
        self.give_wallet(node, two);
    }

    fn give_validator(&mut self, node: usize, input: Input<Validator>) {
        let now = self.now;
        let Some(run) = &mut self.nodes[node].validator else { return };
        let effects = run.turn(now, &mut self.rng, vec![input]);
        let crashed = run.machine.is_none();
        for effect in effects {
            self.carry(node, effect);
        }
        if crashed && self.nodes[node].up {
            self.stop(node);
        }
    }

    fn give_wallet(&mut self, node: usize, input: Input<Wallet>) {
        let now = self.now;
        let Some(run) = &mut self.nodes[node].wallet else { return };
        let effects = run.turn(now, &mut self.rng, vec![input]);
        let crashed = run.machine.is_none();
        for effect in effects {
            self.carry_wallet(node, effect);
        }
        if crashed && self.nodes[node].up {
            self.stop(node);
        }
    }

    fn post(&mut self, event: Event) {
        let delay = 1 + self.rng.next_u64() % 40;
        self.sent += 1;
        self.queue.insert((self.now.millis() + delay, self.sent), event);
    }

    fn on_the_way(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some(bit) = self.flip.take() {
            let at = (bit / 8) % bytes.len().max(1);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (bit % 8));
        }
        bytes
    }

    fn note(&mut self, by: usize, request: &[u8], answer: &[u8]) {
        if let Some(said) = &mut self.said {
            said.push(Said { by, request: request.to_vec(), answer: answer.to_vec() });
        }
    }

    fn send(&mut self, from: usize, wallet: bool, to: Peer, ask: AskId, bytes: Vec<u8>) {
        let Some(index) = self.index(&to) else { return };
        let lost = self.loss.is_some_and(|one| self.rng.next_u64().is_multiple_of(one));
        let cut = self.cut.contains(&(from, index)) || self.cut.contains(&(index, from));
        if lost || cut || !self.nodes[index].up {
            let outcome = Err(AskFailure::Timeout);
            return self.post(Event::Answer { to: from, wallet, ask, from: to, outcome });
        }
        let bytes = self.on_the_way(bytes);
        self.post(Event::Request { from, wallet, ask, to: index, bytes });
    }

    fn answer(&mut self, request: RequestId, bytes: Vec<u8>) {
        let Some((to, wallet, ask, from)) = self.asked.remove(&request) else { return };
        if let Some(heard) = self.heard.remove(&request) {
            self.note(from, &heard, &bytes);
        }
        let lost = self.loss.is_some_and(|one| self.rng.next_u64().is_multiple_of(one));
        let outcome = if lost { Err(AskFailure::Timeout) } else { Ok(self.on_the_way(bytes)) };
        let from = self.peer(from);
        self.post(Event::Answer { to, wallet, ask, from, outcome });
    }

    fn carry(&mut self, node: usize, effect: Effect<Validator>) {
        match effect {
            Effect::Ask { to, ask, bytes } => self.send(node, false, to, ask, bytes),
            Effect::Answer { to, bytes } => self.answer(to, bytes),
            Effect::Wake(at) => {
                let run = self.nodes[node].validator.as_mut().unwrap();
                run.wake = Some(run.wake.map_or(at, |before| before.min(at)));
            }
            Effect::Reply { to, reply } => {
                self.nodes[node].validator.as_mut().unwrap().replies.insert(to.0, reply);
            }
            Effect::Tell(event) => {
                self.nodes[node].validator.as_mut().unwrap().events.push(event);
            }
            _ => {}
        }
    }

    fn carry_wallet(&mut self, node: usize, effect: Effect<Wallet>) {
        match effect {
            Effect::Ask { to, ask, bytes } => self.send(node, true, to, ask, bytes),
            Effect::Answer { to, bytes } => self.answer(to, bytes),
            Effect::Wake(at) => {
                let run = self.nodes[node].wallet.as_mut().unwrap();
                run.wake = Some(run.wake.map_or(at, |before| before.min(at)));
            }
            Effect::Reply { to, reply } => {
                self.nodes[node].wallet.as_mut().unwrap().replies.insert(to.0, reply);
            }
            Effect::Tell(event) => self.nodes[node].wallet.as_mut().unwrap().events.push(event),
            _ => {}
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Request { from, wallet, ask, to, bytes } => {
                let peer = self.peer(from);
                if !self.nodes[to].up {
                    let outcome = Err(AskFailure::Closed);
                    let at = self.peer(to);
                    return self.post(Event::Answer { to: from, wallet, ask, from: at, outcome });
                }
                self.requests += 1;
                let id = RequestId(self.requests);
                self.asked.insert(id, (from, wallet, ask, to));
                if self.said.is_some() {
                    self.heard.insert(id, bytes.clone());
                }
                let for_validator = Request::is_for_validator(&bytes);
                if for_validator
                    && let Some(liar) = &mut self.nodes[to].liar
                    && let Ok(Request::Validator(request)) = Request::decode(&bytes)
                    && let Some(lie) = liar(&request)
                {
                    return self.answer(id, lie.encode());
                }
                if for_validator && self.nodes[to].validator.is_some() {
                    self.give_validator(to, Input::Request { from: peer, id, bytes });
                } else {
                    self.give_wallet(to, Input::Request { from: peer, id, bytes });
                }
            }
            Event::Answer { to, wallet, ask, from, outcome } => {
                if !self.nodes[to].up {
                } else if wallet {
                    self.give_wallet(to, Input::Answer { from, ask, outcome });
                } else {
                    self.give_validator(to, Input::Answer { from, ask, outcome });
                }
            }
        }
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn run(&mut self, millis: u64) {
        let end = self.now.millis() + millis;
        loop {
            let message = self.queue.keys().next().map(|(at, _)| *at);
            let wakes = self.nodes.iter().enumerate().flat_map(|(index, node)| {
                let validator = node.validator.as_ref().and_then(|run| run.wake);
                let wallet = node.wallet.as_ref().and_then(|run| run.wake);
                [(validator, index, false), (wallet, index, true)]
            });
            let wakes = wakes.filter_map(|(at, node, wallet)| Some((at?.millis(), node, wallet)));
            let wake = wakes.min();
            let at = [message, wake.map(|(at, ..)| at)].into_iter().flatten().min();
            let Some(at) = at.filter(|at| *at <= end) else { break };
            self.now = Time::from_millis(at.max(self.now.millis()));
            if message.is_some_and(|message| message <= at) {
                let (_, event) = self.queue.pop_first().unwrap();
                self.happen(event);
            } else if let Some((_, node, wallet)) = wake {
                // A wake-up takes a moment, so that time goes on.
                self.now = self.now.plus(covey_kernel::Span::millis(1));
                if wallet {
                    self.nodes[node].wallet.as_mut().unwrap().wake = None;
                    self.give_wallet(node, Input::Wake);
                } else {
                    self.nodes[node].validator.as_mut().unwrap().wake = None;
                    self.give_validator(node, Input::Wake);
                }
            }
        }
        self.now = Time::from_millis(end.max(self.now.millis()));
    }

    /// What a validator answers at once.
    pub(crate) fn ask(&mut self, node: usize, request: ToValidator) -> FromValidator {
        let from = Keypair::from_secret(&[9; 32]).public();
        self.ask_as(from, node, request)
    }

    pub(crate) fn ask_as(
        &mut self,
        from: Peer,
        node: usize,
        request: ToValidator,
    ) -> FromValidator {
        let id = RequestId(u64::MAX);
        let bytes = Request::Validator(request).encode();
        let (now, request) = (self.now, bytes.clone());
        let run = self.nodes[node].validator.as_mut().unwrap();
        let effects = run.turn(now, &mut self.rng, vec![Input::Request { from, id, bytes }]);
        let mut answered = None;
        for effect in effects {
            match effect {
                Effect::Answer { to, bytes } if to == id => {
                    self.note(node, &request, &bytes);
                    answered = Some(FromValidator::decode(&bytes).unwrap());
                }
                other => self.carry(node, other),
            }
        }
        answered.expect("an answer at once")
    }

    pub(crate) fn command(&mut self, node: usize, command: Command) -> Result<Reply, Error> {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.give_validator(node, Input::Command { id, command });
        let run = self.nodes[node].validator.as_mut().unwrap();
        run.replies.remove(&id.0).expect("a reply at once")
    }

    pub(crate) fn order(
        &mut self,
        node: usize,
        command: wallet::Command,
    ) -> Result<wallet::Reply, Error> {
        self.try_order(node, command).expect("a reply at once")
    }

    /// The same; nothing if the node is down, crashes over it or has to ask first.
    pub(crate) fn try_order(
        &mut self,
        node: usize,
        command: wallet::Command,
    ) -> Option<Result<wallet::Reply, Error>> {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.give_wallet(node, Input::Command { id, command });
        self.nodes[node].wallet.as_mut().unwrap().replies.remove(&id.0)
    }

    /// A request of which the answer is not looked at: the node may crash over it.
    pub(crate) fn tell(&mut self, node: usize, request: ToValidator) {
        let from = Keypair::from_secret(&[9; 32]).public();
        let bytes = Request::Validator(request).encode();
        self.give_validator(node, Input::Request { from, id: RequestId(u64::MAX), bytes });
    }

    /// A command; nothing if the node is down, or crashes over it.
    pub(crate) fn order_validator(
        &mut self,
        node: usize,
        command: Command,
    ) -> Option<Result<Reply, Error>> {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.give_validator(node, Input::Command { id, command });
        self.nodes[node].validator.as_mut().unwrap().replies.remove(&id.0)
    }

    pub(crate) fn status(&mut self, node: usize) -> validator::Status {
        match self.command(node, Command::Status).unwrap() {
            Reply::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }

    /// The newest configuration that a node knows.
    pub(crate) fn configuration(&mut self, node: usize) -> Configuration {
        match self.command(node, Command::Configuration).unwrap() {
            Reply::Configuration(configuration) => *configuration,
            other => panic!("{other:?}"),
        }
    }

    /// A proposal that governance has signed, for these nodes. They must be up.
    pub(crate) fn proposal(&mut self, members: &[usize]) -> Proposal {
        self.try_proposal(members).expect("all are up")
    }

    /// The same; none if one of them crashes over it.
    pub(crate) fn try_proposal(&mut self, members: &[usize]) -> Option<Proposal> {
        let mut entries = Vec::new();
        for node in members {
            let name = text(&format!("v{node}"));
            let join = Command::Join { name, addresses: Bounded::default() };
            match self.order_validator(*node, join)?.unwrap() {
                Reply::Member(member) => entries.push(*member),
                other => panic!("{other:?}"),
            }
        }
        let newest = match self.order_validator(members[0], Command::Configuration)?.unwrap() {
            Reply::Configuration(configuration) => *configuration,
            other => panic!("{other:?}"),
        };
        let network = self.network.id;
        let mut proposal = Proposal::new(Configuration {
            epoch: newest.epoch + 1,
            members: Bounded::new(entries).unwrap(),
            governance: newest.governance.clone(),
            previous: newest.id(&network),
        });
        for key in self.governance.iter().take(2) {
            assert!(proposal.approve(&network, &newest, key));
        }
        Some(proposal)
    }

    /// Proposes these nodes for the next epoch, and lets the operators of some approve.
    pub(crate) fn replace(&mut self, members: &[usize], operators: &[usize]) -> Hash {
        let proposal = self.proposal(members);
        let id = proposal.id(&self.network.id);
        self.command(operators[0], Command::Propose(Box::new(proposal))).unwrap();
        self.run(500);
        for node in operators {
            self.command(*node, Command::Approve(id)).unwrap();
        }
        self.run(500);
        id
    }

    /// The same, up to where all new ones have copied what there is, and are ready; the present ones hear
    /// of it only in what follows.
    pub(crate) fn prepare(&mut self, members: &[usize], operators: &[usize]) -> Hash {
        let id = self.replace(members, &operators[..1]);
        let present = self.configuration(operators[0]).members;
        let is_present = |node: &usize| present.iter().any(|one| one.peer == self.peer(*node));
        let deaf: Vec<usize> = (0..self.nodes.len()).filter(is_present).collect();
        for node in &deaf {
            assert!(self.nodes[*node].liar.is_none(), "it would not lie any more");
            self.nodes[*node].liar = Some(Box::new(|request| match request {
                ToValidator::Candidacy(_) => Some(FromValidator::Noted(())),
                _ => None,
            }));
        }
        for node in &operators[1..] {
            self.command(*node, Command::Approve(id)).unwrap();
        }
        self.run(4_000);
        deaf.into_iter().for_each(|node| self.nodes[node].liar = None);
        id
    }

    /// The chain as a node's disk has it.
    pub(crate) fn chain(&mut self, node: usize) -> Network {
        let mut network = self.network.clone();
        loop {
            let after = network.newest().epoch;
            match self.ask(node, ToValidator::Links(after)) {
                FromValidator::Links(links) if links.is_empty() => return network,
                FromValidator::Links(links) => {
                    links.iter().for_each(|link: &Link| network.follow(link).unwrap());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// The voting key of a validator in epoch 0.
    pub(crate) fn first_key(&self, node: usize) -> Keypair {
        self.nodes[node].validator.as_ref().unwrap().rules.key.clone().unwrap()
    }

    /// Two groups of nodes hear nothing of each other from now on.
    pub(crate) fn part(&mut self, some: &[usize], others: &[usize]) {
        let pairs = some.iter().flat_map(|a| others.iter().map(|b| (*a, *b)));
        self.cut.extend(pairs);
    }

    /// Whether all of these vote, in this epoch.
    pub(crate) fn all_vote(&mut self, nodes: &[usize], epoch: u64) -> bool {
        nodes.iter().all(|node| {
            let status = self.status(*node);
            (status.epoch, status.not_ready) == (epoch, None)
        })
    }

    /// Pays all of a coin to a new owner.
    pub(crate) fn pay(&mut self, coin: &Coin) -> (Spend, Coin) {
        let owner = Keypair::generate(&mut self.rng);
        let (spend, output) = self.pay_to(coin, owner.public());
        let outpoint = Outpoint { tx: spend.body.id(&self.network.id), index: 0 };
        (spend, Coin { outpoint, output, proof: Proof::Genesis(()), owner })
    }

    pub(crate) fn pay_to(&mut self, coin: &Coin, address: Peer) -> (Spend, Output) {
        let spend = self.split_to(coin, address, 1);
        let output = spend.outputs[0].output.clone();
        (spend, output)
    }

    /// Pays all of a coin to one owner, in so many outputs.
    pub(crate) fn split_to(&mut self, coin: &Coin, address: Peer, count: u16) -> Spend {
        let one = Output { address, amount: Amount::new(1), ..coin.output.clone() };
        let mut outputs = vec![one; usize::from(count)];
        let rest = coin.output.amount.units() - u64::from(count - 1);
        outputs[0].amount = Amount::new(rest);
        let salted = outputs.into_iter().map(|output| {
            let mut salt = vec![0; 16];
            self.rng.fill_bytes(&mut salt);
            Salted { salt: Bytes::new(salt).unwrap(), output }
        });
        let salted: Vec<Salted> = salted.collect();
        let root = covey_kernel::merkle::root(&leaves(&salted));
        let inputs = Bounded::new(vec![coin.outpoint]).unwrap();
        let body = Body { inputs, count, root };
        let network = self.network.id;
        let witness = Witness::sign(&coin.owner, &network, &body);
        Spend {
            body,
            outputs: Bounded::new(salted).unwrap(),
            witnesses: Bounded::new(vec![witness]).unwrap(),
            proofs: Bounded::new(vec![coin.proof.clone()]).unwrap(),
        }
    }

    /// Asks some nodes for their votes; what each answers.
    pub(crate) fn votes(&mut self, spend: &Spend, nodes: &[usize]) -> Vec<FromValidator> {
        let ask = |node: &usize| self.ask(*node, ToValidator::Spend(Box::new(spend.clone())));
        nodes.iter().map(ask).collect()
    }

    /// The certificate that the votes of some nodes make, in the epoch that the first of them is in.
    pub(crate) fn certify(&mut self, spend: &Spend, nodes: &[usize]) -> Certificate {
        let votes = self.votes(spend, nodes);
        self.certificate(nodes, votes)
    }

    pub(crate) fn certificate(
        &mut self,
        nodes: &[usize],
        votes: Vec<FromValidator>,
    ) -> Certificate {
        let epoch = self.status(nodes[0]).epoch;
        let chain = self.chain(nodes[0]);
        let configuration = chain.configuration(epoch).unwrap();
        let mut placed: Vec<(u8, Vote)> = Vec::new();
        for (node, vote) in nodes.iter().zip(votes) {
            let place = configuration.place(&self.peer(*node)).unwrap();
            match vote {
                FromValidator::Vote(vote) => placed.push((place as u8, vote)),
                other => panic!("node {node} answers {other:?}"),
            }
        }
        Certificate::of(epoch, configuration.quorum(), &placed).expect("too few votes")
    }

    /// Pays a coin, and gives the new one with its proof.
    pub(crate) fn paid(&mut self, coin: &Coin, nodes: &[usize]) -> (Spend, Coin) {
        let (spend, mut new) = self.pay(coin);
        let certificate = self.certify(&spend, nodes);
        new.proof = proof(&spend, certificate);
        (spend, new)
    }

    /// Pays a coin to a wallet, which is shown the payment.
    pub(crate) fn fund(&mut self, wallet: usize, coin: &Coin, nodes: &[usize]) {
        let address = match self.order(wallet, wallet::Command::Address(text(""))) {
            Ok(wallet::Reply::Address(address)) => address,
            other => panic!("{other:?}"),
        };
        let (spend, _) = self.pay_to(coin, address);
        let certificate = self.certify(&spend, nodes);
        let Proof::Paid(paid) = proof(&spend, certificate) else { panic!() };
        let links = Bounded::first(self.chain(nodes[0]).links_after(0).cloned());
        let receipt = covey_ledger::Receipt { network: self.network.id, links, paid: *paid };
        let receive = wallet::Command::Receive(Box::new(receipt));
        assert!(matches!(self.order(wallet, receive), Ok(wallet::Reply::Received { .. })));
    }

    pub(crate) fn refreshed(
        &mut self,
        tx: TxId,
        old: &Certificate,
        nodes: &[usize],
    ) -> Certificate {
        let refresh = Refresh { tx, certificate: old.clone() };
        let votes = nodes
            .iter()
            .map(|node| self.ask(*node, ToValidator::Refresh(Box::new(refresh.clone()))))
            .collect();
        self.certificate(nodes, votes)
    }
}

/// That the only output of a transaction exists.
pub(crate) fn proof(spend: &Spend, certificate: Certificate) -> Proof {
    Proof::Paid(Box::new(Paid {
        body: spend.body.clone(),
        index: 0,
        salted: spend.outputs[0].clone(),
        path: Bounded::default(),
        certificate,
    }))
}

pub(crate) fn certificate(proof: &Proof) -> Certificate {
    match proof {
        Proof::Paid(paid) => paid.certificate.clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn is_vote(answer: &FromValidator) -> bool {
    matches!(answer, FromValidator::Vote(_))
}

pub(crate) fn refused(answer: &FromValidator) -> Option<Reason> {
    match answer {
        FromValidator::Invalid(reason) => Some(*reason),
        _ => None,
    }
}

/// A certificate made with keys that others came to hold.
pub(crate) fn forged(
    network: &Network,
    epoch: u64,
    tx: TxId,
    keys: &[(u8, Keypair)],
) -> Certificate {
    let votes = keys.iter().map(|(place, key)| {
        let signature = Ballot::over(epoch, 7_000, &[tx]).sign(key, &network.id);
        (*place, Vote::all(7_000, &[tx], signature).remove(0))
    });
    let votes: Vec<(u8, Vote)> = votes.collect();
    Certificate::of(epoch, votes.len(), &votes).unwrap()
}
