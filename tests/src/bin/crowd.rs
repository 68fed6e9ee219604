//! Fills the data directory of a node that is set up and does not run with conversations, to
//! measure what they cost: `cargo run --bin crowd -- --data DIR --contacts 1000 --messages 100`.
//!
//! Everything goes through the machine itself: each contact is a machine of its own, in memory,
//! that invites, is accepted, and writes over Olm, both ways. The network is `open`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{collections::VecDeque, path::PathBuf, time::SystemTime};

use clap::Parser;
use covey::{
    datadir::DataDir,
    store::{Db, Family, Journal, Schema},
};
use covey_kernel::{
    CommandId, Effect, Input, Keypair, Machine, NetworkId, Peer, RequestId, Store, Text, Time,
    View, Write, decide_all,
};
use covey_messaging::{Command, Messaging, Rules, Target, ratchet::Olm};
use covey_tests::sim::Disk;

type M = Messaging<Olm>;

/// Fills a data directory with conversations.
#[derive(Parser)]
struct Args {
    /// The data directory, set up by `covey init`; its node must not run.
    #[arg(long)]
    data: PathBuf,
    /// How many contacts.
    #[arg(long, default_value_t = 1000)]
    contacts: usize,
    /// How many messages with each; every fourth is the node's own.
    #[arg(long, default_value_t = 100)]
    messages: usize,
}

/// Where somebody's data lie.
enum Place {
    Real(Family),
    Memory(Disk),
}

impl Place {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Real(family) => family,
            Self::Memory(disk) => disk,
        }
    }

    fn commit(&mut self, writes: Vec<Write>) {
        match self {
            Self::Real(family) => Journal::commit(family, &writes).unwrap(),
            Self::Memory(disk) => disk.commit(writes).unwrap(),
        }
    }
}

struct Person {
    peer: Peer,
    rules: Rules,
    machine: M,
    place: Place,
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Time::from_millis(u64::try_from(since.as_millis()).unwrap())
}

impl Person {
    fn new(key: &Keypair, name: &str, mut place: Place) -> Self {
        let (network, peer) = (NetworkId::open(), key.public());
        let rules = Rules { network, peer, name: Text::new(name).unwrap(), read_receipts: true };
        let mut view = View::new(place.store());
        let machine = M::open(rules.clone(), now(), &mut rand::rng(), &mut view).unwrap();
        let writes = view.into_writes();
        place.commit(writes);
        Self { peer, rules, machine, place }
    }

    fn turn(&mut self, input: Input<M>) -> Vec<Effect<M>> {
        let origin = input.origin();
        let checked = M::check(&self.rules, self.place.store(), now(), vec![input]).remove(0);
        let inputs = vec![(origin, checked)];
        let store = self.place.store();
        let turn = decide_all(&mut self.machine, store, now(), &mut rand::rng(), inputs).unwrap();
        self.place.commit(turn.writes);
        turn.effects
    }
}

/// Two people, and what is on its way between them.
struct Pair<'a> {
    people: [&'a mut Person; 2],
    waiting: VecDeque<(usize, Input<M>)>,
    asked: u64,
}

impl Pair<'_> {
    fn command(&mut self, at: usize, command: Command) {
        self.waiting.push_back((at, Input::Command { id: CommandId(0), command }));
        // One count for both, so that an answer finds its question.
        let mut asks = std::collections::HashMap::new();
        while let Some((at, input)) = self.waiting.pop_front() {
            let from = self.people[at].peer;
            for effect in self.people[at].turn(input) {
                match effect {
                    Effect::Ask { to, ask, bytes } if to == self.people[1 - at].peer => {
                        self.asked += 1;
                        let id = RequestId(self.asked);
                        asks.insert(id, ask);
                        self.waiting.push_back((1 - at, Input::Request { from, id, bytes }));
                    }
                    Effect::Answer { to, bytes } => {
                        let (ask, outcome) = (asks[&to], Ok(bytes));
                        self.waiting.push_back((1 - at, Input::Answer { from, ask, outcome }));
                    }
                    Effect::Reply { reply, .. } => drop(reply.unwrap()),
                    _ => {}
                }
            }
        }
    }
}

fn say(who: &str, number: usize) -> Command {
    let text = format!("{number}: the quick brown fox jumps over the lazy dog");
    Command::Send { who: who.into(), text, reply: None }
}

fn main() {
    let args = Args::parse();
    let data = DataDir::open(&args.data).expect("a data directory that no node holds");
    assert!(data.path().join("node.key").exists(), "set it up first: covey init --data DIR");
    let key = data.key(&mut rand::rng()).unwrap();
    let schema = Schema { family: M::NAME, migrations: &[], appends: false };
    let db = Db::open(&data.path().join("db"), NetworkId::open(), &[schema]).unwrap();
    let mut node = Person::new(&key, "node", Place::Real(db.family(M::NAME).unwrap()));
    for number in 0..args.contacts {
        let name = format!("friend {number:05}");
        let place = Place::Memory(Disk::default());
        let mut friend = Person::new(&Keypair::generate(&mut rand::rng()), &name, place);
        let people = [&mut node, &mut friend];
        let mut pair = Pair { people, waiting: VecDeque::new(), asked: 0 };
        let target = Target::Peer(key.public(), vec![]);
        let invite = Command::Invite { target, name: Some("node".into()), text: "hello".into() };
        pair.command(1, invite);
        pair.command(0, Command::Accept { who: name.clone(), name: None });
        for message in 0..args.messages {
            if message % 4 == 0 {
                pair.command(0, say(&name, message));
            } else {
                pair.command(1, say("node", message));
            }
        }
    }
    println!("{} contacts with {} messages each", args.contacts, args.messages);
}
