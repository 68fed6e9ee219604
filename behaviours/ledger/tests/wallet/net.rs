//! One wallet on its disk, and validators that say what a test makes them say.

use std::{collections::BTreeMap, sync::Arc};

use covey_kernel::{
    AskFailure, AskId, Bounded, Bytes, Checks, CommandId, Effect, Entry, Fault, Input, Keypair,
    Machine, Peer, RequestId, Scan, Span, Store, Text, Time, Turn, View, Write, decide_all,
    verify_all,
};
use covey_ledger::{
    Amount, Asset, Currency, Decimals, Error, Genesis, Governance, KnownBallots, Member, Network,
    Output, Prefix, Spend, TxId, Wallet,
    limits::REQUEST_BYTES,
    wallet::{Command, Event, Expected, Reply, Rules},
    wire::{FromValidator, FromWallet, Request, ToValidator, ToWallet},
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

/// What the wallet has stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk(pub(crate) BTreeMap<Vec<u8>, Vec<u8>>);

impl Disk {
    fn commit(&mut self, writes: Vec<Write>) {
        for Write { key, value } in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        let from = self.0.range(scan.from.clone()..);
        let within = from.take_while(|(key, _)| scan.to.as_ref().is_none_or(|to| *key < to));
        let entries = within.map(|(key, value)| (key.clone(), value.clone()));
        Ok(if scan.reverse {
            entries.collect::<Vec<_>>().into_iter().rev().take(scan.limit).collect()
        } else {
            entries.take(scan.limit).collect()
        })
    }
}

/// What the wallet has asked somebody, and was not answered yet.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) to: Peer,
    pub(crate) id: AskId,
    pub(crate) at: Time,
    pub(crate) request: Request,
    pub(crate) bytes: Vec<u8>,
}

impl Ask {
    /// What the validators are asked to vote for.
    pub(crate) fn spend(&self) -> Option<&Spend> {
        match &self.request {
            Request::Validator(ToValidator::Spend(spend)) => Some(spend),
            _ => None,
        }
    }

    pub(crate) fn wallet(&self) -> Option<&ToWallet> {
        match &self.request {
            Request::Wallet(request) => Some(request),
            Request::Validator(_) => None,
        }
    }

    pub(crate) fn validator(&self) -> Option<&ToValidator> {
        match &self.request {
            Request::Validator(request) => Some(request),
            Request::Wallet(_) => None,
        }
    }
}

pub(crate) struct Net {
    /// With all configurations up to the present one.
    pub(crate) network: Network,
    /// What nobody has answered, in order.
    pub(crate) asks: Vec<Ask>,
    pub(crate) events: Vec<Event>,
    pub(crate) answers: BTreeMap<RequestId, FromWallet>,
    pub(crate) disk: Disk,
    pub(crate) now: Time,
    pub(crate) rng: ChaCha20Rng,
    rules: Rules,
    machine: Option<Wallet>,
    wake: Option<Time>,
    replies: BTreeMap<CommandId, Result<Reply, Error>>,
    next: u64,
}

/// A key of the tests.
pub(crate) fn key(kind: u8, at: usize) -> Keypair {
    let mut secret = [kind; 32];
    secret[..8].copy_from_slice(&u64::try_from(at).unwrap().to_be_bytes());
    Keypair::from_secret(&secret)
}

/// The key of a validator's node.
pub(crate) fn node_key(at: usize) -> Keypair {
    key(0xa0, at)
}

/// The node of a validator.
pub(crate) fn validator(at: usize) -> Peer {
    node_key(at).public()
}

/// The key that a validator votes with in an epoch.
pub(crate) fn vote_key(epoch: u64, at: usize) -> Keypair {
    key(0xb0 + u8::try_from(epoch).unwrap(), at)
}

/// The key that decides who validates.
pub(crate) fn governor() -> Keypair {
    key(0xd0, 0)
}

/// Somebody else's address, or node.
pub(crate) fn somebody(at: usize) -> Peer {
    key(0xe0, at).public()
}

/// The members of an epoch: always the same nodes, each time with new voting keys.
pub(crate) fn members(epoch: u64, count: usize) -> Vec<Member> {
    let member = |at| Member {
        name: Text::new(format!("validator {at}")).unwrap(),
        peer: validator(at),
        vote: vote_key(epoch, at).public(),
        addresses: Bounded::default(),
    };
    (0..count).map(member).collect()
}

/// A genesis of so many validators, with a smallest output and a fee.
pub(crate) fn genesis(count: usize, minimum: u64, fee: u64) -> Genesis {
    let output = Output {
        address: somebody(0),
        amount: Amount::new(1_000_000),
        asset: Asset::COIN,
        commitment: None,
    };
    Genesis {
        name: Text::new("test").unwrap(),
        nonce: Bytes::new(vec![7; 16]).unwrap(),
        currency: Currency {
            unit: Text::new("leaf").unwrap(),
            decimals: Decimals::NONE,
            prefix: Prefix::new("leaf").unwrap(),
            minimum: Amount::new(minimum),
            fee: Amount::new(fee),
        },
        members: Bounded::new(members(0, count)).unwrap(),
        governance: Governance {
            threshold: 1,
            keys: Bounded::new(vec![governor().public()]).unwrap(),
        },
        outputs: Bounded::new(vec![output]).unwrap(),
    }
}

impl Net {
    /// A wallet that runs and is connected with four validators: q is 3, f is 1.
    pub(crate) fn new() -> Self {
        Self::of(genesis(4, 1, 0))
    }

    pub(crate) fn of(genesis: Genesis) -> Self {
        let mut net = Self::alone(genesis, 7);
        net.connect_all();
        net
    }

    /// One that hears of nobody yet.
    pub(crate) fn alone(genesis: Genesis, seed: u8) -> Self {
        genesis.check().unwrap();
        let network = Network::new(Arc::new(genesis));
        let rules = Rules {
            network: network.clone(),
            peer: key(0xc0, 0).public(),
            ballots: KnownBallots::default(),
            expected: Expected::default(),
        };
        let mut net = Self {
            network,
            asks: Vec::new(),
            events: Vec::new(),
            answers: BTreeMap::new(),
            disk: Disk::default(),
            now: Time::from_millis(1_800_000_000_000),
            rng: ChaCha20Rng::from_seed([seed; 32]),
            rules,
            machine: None,
            wake: None,
            replies: BTreeMap::new(),
            next: 0,
        };
        net.open();
        net
    }

    /// What is in memory, and on the wires, is lost; then it runs again, and hears of nobody yet.
    pub(crate) fn crash(&mut self) {
        (self.machine, self.wake) = (None, None);
        self.asks.clear();
        self.events.clear();
        self.open();
    }

    /// The same, and all validators are there.
    pub(crate) fn restart(&mut self) {
        self.crash();
        self.connect_all();
    }

    fn open(&mut self) {
        self.rules.ballots = KnownBallots::default();
        let mut view = View::new(&self.disk);
        let opened = Wallet::open(self.rules.clone(), self.now, &mut self.rng, &mut view).unwrap();
        let writes = view.into_writes();
        self.disk.commit(writes);
        self.machine = Some(opened);
        self.feed(Input::Start);
    }

    pub(crate) fn connect(&mut self, at: usize) {
        self.feed(Input::Connected(validator(at)));
    }

    pub(crate) fn disconnect(&mut self, at: usize) {
        self.feed(Input::Disconnected(validator(at)));
    }

    fn connect_all(&mut self) {
        (0..self.network.newest().members.len()).for_each(|at| self.connect(at));
    }

    /// One turn up to its commit, which does not happen.
    pub(crate) fn decide(&mut self, inputs: Vec<Input<Wallet>>) -> Turn<Wallet> {
        let origins: Vec<_> = inputs.iter().map(Input::origin).collect();
        let checked = Wallet::check(&self.rules, &self.disk, self.now, inputs);
        let checks: Checks<Wallet> = origins.into_iter().zip(checked).collect();
        let machine = self.machine.as_mut().unwrap();
        decide_all(machine, &self.disk, self.now, &mut self.rng, checks).unwrap()
    }

    /// What a turn has written is on the disk, and what it wants to say is lost with its memory.
    pub(crate) fn commit(&mut self, turn: Turn<Wallet>) -> Vec<Effect<Wallet>> {
        self.disk.commit(turn.writes);
        turn.effects
    }

    pub(crate) fn turn(&mut self, inputs: Vec<Input<Wallet>>) {
        let turn = self.decide(inputs);
        for effect in self.commit(turn) {
            self.carry(effect);
        }
    }

    pub(crate) fn feed(&mut self, input: Input<Wallet>) {
        self.turn(vec![input]);
    }

    fn carry(&mut self, effect: Effect<Wallet>) {
        match effect {
            Effect::Ask { to, ask, bytes } => self.asked(to, ask, bytes),
            Effect::Answer { to, bytes } => {
                let answer = FromWallet::decode(&bytes).unwrap();
                assert!(self.answers.insert(to, answer).is_none(), "answered twice");
            }
            Effect::Reply { to, reply } => {
                assert!(self.replies.insert(to, reply).is_none(), "replied twice");
            }
            Effect::Tell(event) => self.events.push(event),
            Effect::Wake(at) => self.wake = Some(self.wake.map_or(at, |before| before.min(at))),
            Effect::Seek { .. } | Effect::Release(_) => {}
            _ => panic!("an effect that a wallet has no use for"),
        }
    }

    /// Whatever it sends to validators is in order.
    fn asked(&mut self, to: Peer, id: AskId, bytes: Vec<u8>) {
        assert!(bytes.len() <= REQUEST_BYTES, "no frame takes it");
        let request = Request::decode(&bytes).unwrap();
        let ask = Ask { to, id, at: self.now, request, bytes };
        if let Some(spend) = ask.spend() {
            let judged = spend.judge(&self.network).unwrap();
            assert!(verify_all(&judged.owners).iter().all(Result::is_ok));
        }
        self.asks.push(ask);
    }

    /// Lets time pass, with all wake-ups that were asked for.
    pub(crate) fn wait(&mut self, span: Span) {
        let end = self.now.plus(span);
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            // A wake-up takes a moment, so that time goes on.
            self.now = self.now.max(at).plus(Span::millis(1));
            self.wake = None;
            self.feed(Input::Wake);
        }
        self.now = self.now.max(end);
    }

    pub(crate) fn order(&mut self, command: Command) -> Result<Reply, Error> {
        self.command(command).expect("a reply at once")
    }

    /// The same; nothing if the reply comes later, under the number given.
    pub(crate) fn command(&mut self, command: Command) -> Option<Result<Reply, Error>> {
        self.next += 1;
        let id = CommandId(self.next);
        self.feed(Input::Command { id, command });
        self.replies.remove(&id)
    }

    /// The reply to a command that had to wait for it.
    pub(crate) fn late_reply(&mut self) -> Result<Reply, Error> {
        self.replies.pop_first().expect("a reply").1
    }

    /// What it answers to a peer.
    pub(crate) fn request(&mut self, from: Peer, request: ToWallet) -> FromWallet {
        self.request_bytes(from, Request::Wallet(request).encode())
    }

    pub(crate) fn request_bytes(&mut self, from: Peer, bytes: Vec<u8>) -> FromWallet {
        self.next += 1;
        let id = RequestId(self.next);
        self.feed(Input::Request { from, id, bytes });
        self.answers.remove(&id).expect("an answer at once")
    }

    pub(crate) fn answer_bytes(&mut self, ask: &Ask, outcome: Result<Vec<u8>, AskFailure>) {
        self.feed(Input::Answer { from: ask.to, ask: ask.id, outcome });
    }

    /// Takes the first question for which this is true.
    pub(crate) fn take(&mut self, is: impl Fn(&Ask) -> bool) -> Option<Ask> {
        let at = self.asks.iter().position(is)?;
        Some(self.asks.remove(at))
    }

    /// Takes the question to a validator about a transaction.
    #[track_caller]
    pub(crate) fn take_spend(&mut self, at: usize, tx: &TxId) -> Ask {
        let network = self.network.id;
        let is = |ask: &Ask| {
            ask.to == validator(at) && ask.spend().is_some_and(|one| one.body.id(&network) == *tx)
        };
        self.take(is).expect("it is asked")
    }

    /// A validator answers what it was asked about a transaction.
    #[track_caller]
    pub(crate) fn says(&mut self, at: usize, tx: &TxId, answer: &FromValidator) {
        let ask = self.take_spend(at, tx);
        self.answer_bytes(&ask, Ok(answer.encode()));
    }

    /// The places of validators that are asked about a transaction and have not answered.
    pub(crate) fn waiting(&self, tx: &TxId) -> Vec<usize> {
        let asked = self
            .asks
            .iter()
            .filter(|ask| ask.spend().is_some_and(|spend| spend.body.id(&self.network.id) == *tx));
        let mut places: Vec<usize> =
            asked.map(|ask| self.network.newest().place(&ask.to).unwrap()).collect();
        places.sort_unstable();
        places
    }
}
