//! Some validators, their disks and the wires between them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use covey_kernel::{
    AskFailure, AskId, Bounded, Bytes, Checks, CommandId, Effect, Entry, Fault, Input, Keypair,
    Machine, Peer, RequestId, Scan, Span, Store, Text, Time, Turn, View, Write, decide_all,
};
use covey_ledger::{
    Amount, Currency, Decimals, Error, Genesis, Governance, KnownBallots, Member, Network, Output,
    Prefix, Reason, Spend, Validator,
    validator::{Command, Event, Reply, Rules},
    wire::{FromValidator, NotReady, Request, ToValidator},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// What a validator has stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// It cannot be read.
    pub(crate) broken: bool,
}

impl Disk {
    fn commit(&mut self, writes: Vec<Write>) {
        for Write { key, value } in writes {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
    }

    fn works(&self) -> Result<(), Fault> {
        if self.broken { Err(Fault::Io("the test broke it".into())) } else { Ok(()) }
    }
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.works()?;
        Ok(self.entries.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        self.works()?;
        let from = self.entries.range(scan.from.clone()..);
        let within = from.take_while(|(key, _)| scan.to.as_ref().is_none_or(|to| *key < to));
        let entries = within.map(|(key, value)| (key.clone(), value.clone()));
        Ok(if scan.reverse {
            entries.collect::<Vec<_>>().into_iter().rev().take(scan.limit).collect()
        } else {
            entries.take(scan.limit).collect()
        })
    }
}

/// One validator. Its count of starts, kept beside its key, is in the rules.
pub(crate) struct Node {
    pub(crate) rules: Rules,
    pub(crate) disk: Disk,
    /// None while it does not run.
    pub(crate) machine: Option<Validator>,
}

/// What came of a turn that was committed.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) answers: BTreeMap<RequestId, FromValidator>,
    pub(crate) asks: Vec<(Peer, AskId, ToValidator)>,
    pub(crate) replies: Vec<Reply>,
    pub(crate) events: Vec<Event>,
    pub(crate) wakes: Vec<Time>,
}

pub(crate) struct Net {
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) now: Time,
    rng: ChaCha20Rng,
    next: u64,
}

fn key(kind: u8, at: usize) -> Keypair {
    let mut secret = [kind; 32];
    secret[0] = u8::try_from(at).unwrap();
    Keypair::from_secret(&secret)
}

/// The key that a validator votes with.
pub(crate) fn vote_key(at: usize) -> Keypair {
    key(0xb0, at)
}

/// The node of a validator.
pub(crate) fn peer(at: usize) -> Peer {
    key(0xa0, at).public()
}

/// The key of a validator's node.
pub(crate) fn node_key(at: usize) -> Keypair {
    key(0xa0, at)
}

/// Somebody who is no validator.
pub(crate) fn stranger() -> Peer {
    key(0xc0, 0).public()
}

/// A genesis of so many validators.
pub(crate) fn genesis(members: usize, outputs: Vec<Output>) -> Genesis {
    let members = (0..members).map(|at| Member {
        name: Text::new(format!("validator {at}")).unwrap(),
        peer: peer(at),
        vote: vote_key(at).public(),
        addresses: Bounded::default(),
    });
    Genesis {
        name: Text::new("test").unwrap(),
        nonce: Bytes::new(vec![7; 16]).unwrap(),
        currency: Currency {
            unit: Text::new("leaf").unwrap(),
            decimals: Decimals::NONE,
            prefix: Prefix::new("leaf").unwrap(),
            minimum: Amount::ZERO,
            fee: Amount::ZERO,
        },
        members: Bounded::new(members.collect()).unwrap(),
        governance: Governance {
            threshold: 1,
            keys: Bounded::new(vec![key(0xd0, 0).public()]).unwrap(),
        },
        outputs: Bounded::new(outputs).unwrap(),
    }
}

impl Net {
    /// Validators that have just been made, and none of them runs.
    pub(crate) fn stopped(genesis: Genesis) -> Self {
        genesis.check().unwrap();
        let network = Network::new(Arc::new(genesis));
        let nodes = (0..network.newest().members.len()).map(|at| Node {
            rules: Rules {
                network: network.clone(),
                node: node_key(at),
                key: Some(vote_key(at)),
                starts: 0,
                ballots: KnownBallots::default(),
            },
            disk: Disk::default(),
            machine: None,
        });
        Self {
            nodes: nodes.collect(),
            network,
            now: Time::from_millis(1_800_000_000_000),
            rng: ChaCha20Rng::from_seed([7; 32]),
            next: 0,
        }
    }

    /// Validators that all run and vote.
    pub(crate) fn of(genesis: Genesis) -> Self {
        let mut net = Self::stopped(genesis);
        (0..net.nodes.len()).for_each(|at| net.open(at).unwrap());
        (0..net.nodes.len()).for_each(|at| net.feed(at, Input::Start));
        net
    }

    pub(crate) fn wait(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    /// Begins to run on what is on the disk.
    pub(crate) fn open(&mut self, at: usize) -> Result<(), Error> {
        let Node { rules, disk, machine } = &mut self.nodes[at];
        rules.ballots = KnownBallots::default();
        let mut view = View::new(&*disk);
        let opened = Validator::open(rules.clone(), self.now, &mut self.rng, &mut view)?;
        let writes = view.into_writes();
        disk.commit(writes);
        rules.starts = opened.starts();
        *machine = Some(opened);
        Ok(())
    }

    /// What is in memory is lost; then it runs again, and votes if the others answer.
    pub(crate) fn crash(&mut self, at: usize) {
        self.nodes[at].machine = None;
        self.open(at).unwrap();
        self.feed(at, Input::Start);
    }

    /// The inputs of one turn are checked, as far as the disk shows by now.
    pub(crate) fn check(&self, at: usize, inputs: Vec<Input<Validator>>) -> Checks<Validator> {
        let Node { rules, disk, .. } = &self.nodes[at];
        let origins: Vec<_> = inputs.iter().map(Input::origin).collect();
        let checked = Validator::check(rules, disk, self.now, inputs);
        assert_eq!(checked.len(), origins.len());
        origins.into_iter().zip(checked).collect()
    }

    /// Decided, but neither committed nor said.
    pub(crate) fn decide(
        &mut self,
        at: usize,
        checks: Checks<Validator>,
    ) -> Result<Turn<Validator>, Fault> {
        let Node { machine, disk, .. } = &mut self.nodes[at];
        decide_all(machine.as_mut().unwrap(), disk, self.now, &mut self.rng, checks)
    }

    /// Decided, committed, and what is to be said then.
    pub(crate) fn finish(&mut self, at: usize, checks: Checks<Validator>) -> Outcome {
        let turn = self.decide(at, checks).unwrap();
        self.nodes[at].disk.commit(turn.writes);
        let mut outcome = Outcome::default();
        for effect in turn.effects {
            match effect {
                Effect::Answer { to, bytes } => {
                    let answer = FromValidator::decode(&bytes).unwrap();
                    assert!(outcome.answers.insert(to, answer).is_none(), "answered twice");
                }
                Effect::Ask { to, ask, bytes } => {
                    let Ok(Request::Validator(request)) = Request::decode(&bytes) else {
                        panic!("no request to a validator")
                    };
                    outcome.asks.push((to, ask, request));
                }
                Effect::Reply { reply, .. } => outcome.replies.push(reply.unwrap()),
                Effect::Tell(event) => outcome.events.push(event),
                Effect::Wake(at) => outcome.wakes.push(at),
                Effect::Seek { .. } => {}
                _ => panic!("an effect that a validator has no use for"),
            }
        }
        outcome
    }

    pub(crate) fn turn(&mut self, at: usize, inputs: Vec<Input<Validator>>) -> Outcome {
        let checks = self.check(at, inputs);
        self.finish(at, checks)
    }

    /// A turn whose commit fails: the machine is dropped with it, and nothing is said.
    pub(crate) fn turn_that_fails(&mut self, at: usize, inputs: Vec<Input<Validator>>) {
        let checks = self.check(at, inputs);
        self.decide(at, checks).unwrap();
        self.crash(at);
    }

    /// One input, and all that follows from it between the validators that run.
    pub(crate) fn feed(&mut self, at: usize, input: Input<Validator>) {
        let asks = self.turn(at, vec![input]).asks;
        self.carry(at, asks);
    }

    pub(crate) fn carry(&mut self, at: usize, asks: Vec<(Peer, AskId, ToValidator)>) {
        let mut wires: VecDeque<_> = asks.into_iter().map(|ask| (at, ask)).collect();
        while let Some((at, (to, ask, request))) = wires.pop_front() {
            let other = (0..self.nodes.len())
                .find(|other| self.nodes[*other].rules.node.public() == to)
                .unwrap();
            let outcome = if self.nodes[other].machine.is_some() {
                Ok(self.ask_as(self.nodes[at].rules.node.public(), other, request).encode())
            } else {
                Err(AskFailure::Unreachable)
            };
            let more = self.turn(at, vec![Input::Answer { from: to, ask, outcome }]).asks;
            wires.extend(more.into_iter().map(|ask| (at, ask)));
        }
    }

    pub(crate) fn request(&mut self, from: Peer, bytes: Vec<u8>) -> (RequestId, Input<Validator>) {
        self.next += 1;
        let id = RequestId(self.next);
        (id, Input::Request { from, id, bytes })
    }

    /// What a validator answers to these bytes.
    pub(crate) fn ask_bytes(&mut self, from: Peer, at: usize, bytes: Vec<u8>) -> FromValidator {
        let (id, input) = self.request(from, bytes);
        self.turn(at, vec![input]).answers.remove(&id).unwrap()
    }

    pub(crate) fn ask_as(&mut self, from: Peer, at: usize, request: ToValidator) -> FromValidator {
        self.ask_bytes(from, at, Request::Validator(request).encode())
    }

    /// What it answers to a stranger.
    pub(crate) fn ask(&mut self, at: usize, request: ToValidator) -> FromValidator {
        self.ask_as(stranger(), at, request)
    }

    pub(crate) fn pay(&mut self, at: usize, spend: &Spend) -> FromValidator {
        self.ask(at, ToValidator::Spend(Box::new(spend.clone())))
    }

    pub(crate) fn requests(
        &mut self,
        spends: &[&Spend],
    ) -> (Vec<RequestId>, Vec<Input<Validator>>) {
        let spend = |one: &&Spend| {
            let request = ToValidator::Spend(Box::new((*one).clone()));
            self.request(stranger(), Request::Validator(request).encode())
        };
        spends.iter().map(spend).unzip()
    }

    /// What it answers to these requests in one turn, in order.
    pub(crate) fn pay_all(&mut self, at: usize, spends: &[&Spend]) -> Vec<FromValidator> {
        let (ids, inputs) = self.requests(spends);
        let mut answers = self.turn(at, inputs).answers;
        ids.iter().map(|id| answers.remove(id).expect("each is answered")).collect()
    }

    pub(crate) fn command(&mut self, at: usize, command: Command) -> Reply {
        let input = Input::Command { id: CommandId(0), command };
        self.turn(at, vec![input]).replies.remove(0)
    }

    /// Why it does not vote.
    pub(crate) fn not_ready(&mut self, at: usize) -> Option<NotReady> {
        let Reply::Status(status) = self.command(at, Command::Status) else { panic!("no status") };
        status.not_ready
    }

    /// It answers these bytes with a reason, and its disk stays as it was to the last byte.
    #[track_caller]
    pub(crate) fn refuses_bytes(&mut self, at: usize, bytes: Vec<u8>, reason: Reason) {
        let before = self.nodes[at].disk.clone();
        assert_eq!(self.ask_bytes(stranger(), at, bytes), FromValidator::Invalid(reason));
        assert!(self.nodes[at].disk == before, "{reason} has changed the disk");
    }

    #[track_caller]
    pub(crate) fn refuses(&mut self, at: usize, spend: &Spend, reason: Reason) {
        let request = ToValidator::Spend(Box::new(spend.clone()));
        self.refuses_bytes(at, Request::Validator(request).encode(), reason);
    }
}
