use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{
    CommandId, GossipId, Hash, Hasher, Input, Keypair, Machine, Peer, RequestId, Span, Time, Topic,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Call, Checker, Config, Disk, Node, Outcome, Stats, Tamper,
    chaos::Fault,
    gossip::Heard,
    queue::Queue,
    wire::{Asked, Link, Received},
};

/// Somewhere in 2027; node clocks are ahead of it by their skew.
const BEGIN: Time = Time::from_millis(1_800_000_000_000);

/// What is to happen.
pub(super) enum Event<M: Machine> {
    Start(usize),
    Turn(usize, u64),
    Wake(usize, u64),
    Command(usize, CommandId, M::Command),
    /// A request reaches its peer.
    Request {
        serial: u64,
        from: usize,
        to: usize,
        bytes: Vec<u8>,
    },
    /// An answer reaches the asker.
    Answer {
        serial: u64,
        bytes: Vec<u8>,
    },
    /// Gossip reaches a node.
    Gossip {
        from: usize,
        to: usize,
        topic: Topic,
        bytes: Vec<u8>,
    },
    /// An ask fails unless it has been answered.
    Fail {
        serial: u64,
        failure: covey_kernel::AskFailure,
    },
    /// Something reaches a node whatever life it is in.
    Stray(usize, Input<M>),
    Dial(usize, usize),
    /// One side notices that the other is gone.
    Gone(usize, usize),
    /// A link is looked at: idle, or cut for too long.
    Look(usize, usize),
    Fault(Fault),
    /// A partition or a cut heals.
    Heal(u64),
    /// Someone makes space on a full disk.
    Freed(usize),
}

/// Nodes of one machine, their disks, and the network between them.
pub struct World<M: Machine> {
    pub(super) seed: u64,
    pub(super) config: Config,
    pub(super) now: Time,
    pub(super) queue: Queue<Event<M>>,
    pub(super) rng: ChaCha8Rng,
    pub(super) nodes: Vec<Node<M>>,
    pub(super) numbers: BTreeMap<Peer, usize>,
    pub(super) asks: BTreeMap<u64, Asked>,
    pub(super) requests: BTreeMap<RequestId, Received>,
    pub(super) unjudged: BTreeMap<GossipId, Heard>,
    /// Connections, by the lower number first.
    pub(super) links: BTreeMap<(usize, usize), Link>,
    /// Who has not noticed yet that whom is gone; asks before the serial fail with it.
    pub(super) gone: BTreeMap<(usize, usize), u64>,
    pub(super) dialing: BTreeSet<(usize, usize)>,
    /// Directed pairs that nothing passes, by what cut them.
    pub(super) cuts: BTreeMap<u64, BTreeSet<(usize, usize)>>,
    /// By how much messages from one node to another are spread in time at most.
    pub(super) spreads: Vec<Vec<Span>>,
    pub(super) next_serial: u64,
    pub(super) chaos: bool,
    pub(super) calls: BTreeMap<CommandId, Call<M>>,
    pub(super) events: Vec<(Time, usize, M::Event)>,
    pub(super) unexpected: Vec<String>,
    pub(super) stats: Stats,
    pub(super) trace: Hash,
}

impl<M: Machine> World<M> {
    /// A world in which all nodes start at once. `rules` gets a node's keys and everyone's
    /// peers, by number.
    pub fn new(seed: u64, config: Config, rules: impl Fn(&Keypair, &[Peer]) -> M::Rules) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let keys: Vec<_> = (0..config.nodes).map(|_| Keypair::generate(&mut rng)).collect();
        let peers: Vec<_> = keys.iter().map(Keypair::public).collect();
        let nodes = keys.iter().map(|keys| {
            let skew = Span::millis(rng.random_range(0..=config.skew.as_millis()));
            new_node(keys.clone(), rules(keys, &peers), skew)
        });
        let nodes: Vec<_> = nodes.collect();
        let mut world = Self {
            seed,
            spreads: spreads(&config, &mut rng),
            now: BEGIN,
            queue: Queue::default(),
            nodes,
            numbers: peers.iter().copied().zip(0..).collect(),
            rng,
            asks: BTreeMap::new(),
            requests: BTreeMap::new(),
            unjudged: BTreeMap::new(),
            links: BTreeMap::new(),
            gone: BTreeMap::new(),
            dialing: BTreeSet::new(),
            cuts: BTreeMap::new(),
            next_serial: 0,
            chaos: true,
            calls: BTreeMap::new(),
            events: Vec::new(),
            unexpected: Vec::new(),
            stats: Stats::default(),
            trace: Hasher::new("trace").finish(),
            config,
        };
        for number in 0..world.nodes.len() {
            world.start(number);
        }
        world.begin_chaos();
        world
    }

    /// Gives a command now.
    pub fn command(&mut self, node: usize, command: M::Command) -> CommandId {
        self.command_in(Span::ZERO, node, command)
    }

    /// Gives a command later.
    pub fn command_in(&mut self, span: Span, node: usize, command: M::Command) -> CommandId {
        let id = CommandId(self.serial());
        self.calls.insert(id, Call { node, id, outcome: Outcome::Waiting });
        self.after(span, Event::Command(node, id, command));
        id
    }

    /// Makes a node lie from now on.
    pub fn tamper(&mut self, node: usize, tamper: Tamper) {
        self.nodes[node].tamper = Some(tamper);
    }

    /// Makes a node say on a topic what its machine knows nothing of.
    pub fn say(&mut self, node: usize, topic: Topic, bytes: Vec<u8>) {
        self.publish(node, topic, bytes);
    }

    /// By how much a node's clock is ahead.
    #[must_use]
    pub fn skew(&self, node: usize) -> Span {
        self.nodes[node].skew
    }

    /// Sets a node's clock.
    pub fn set_skew(&mut self, node: usize, skew: Span) {
        self.nodes[node].skew = skew;
    }

    /// The next thing happens. False when nothing ever will.
    pub fn step(&mut self) -> bool {
        let Some((at, event)) = self.queue.pop() else { return false };
        self.now = self.now.max(at);
        match event {
            Event::Start(node) => self.start(node),
            Event::Turn(node, life) => self.turn(node, life),
            Event::Wake(node, life) => self.wake(node, life),
            Event::Command(node, id, command) => self.take_command(node, id, command),
            Event::Request { serial, from, to, bytes } => self.arrive(serial, from, to, bytes),
            Event::Answer { serial, bytes } => self.answered(serial, bytes),
            Event::Gossip { from, to, topic, bytes } => self.overhear(from, to, topic, bytes),
            Event::Fail { serial, failure } => self.fail(serial, failure),
            Event::Stray(node, input) => self.feed(node, input),
            Event::Dial(from, to) => self.dial(from, to),
            Event::Gone(node, other) => self.notice(node, other),
            Event::Look(one, two) => self.look(one, two),
            Event::Fault(fault) => self.strike(fault),
            Event::Heal(cut) => {
                self.cuts.remove(&cut);
            }
            Event::Freed(node) => self.nodes[node].disk.fill(false),
        }
        true
    }

    /// Everything within this time happens.
    pub fn run_for(&mut self, span: Span) {
        let end = self.now.plus(span);
        while self.queue.next_time().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Goes on until the condition holds; false if it does not within this time.
    pub fn run_until(&mut self, limit: Span, condition: impl Fn(&Self) -> bool) -> bool {
        let end = self.now.plus(limit);
        while !condition(self) {
            if self.queue.next_time().is_none_or(|at| at > end) {
                return false;
            }
            self.step();
        }
        true
    }

    /// What the checkers, and the world itself, have to complain about.
    #[must_use]
    pub fn check(&self, checkers: &[Checker<M>]) -> Vec<String> {
        let failed = checkers.iter().filter_map(|(name, check)| {
            check(self).err().map(|reason| format!("{name}: {reason}"))
        });
        self.unexpected.iter().cloned().chain(failed).collect()
    }

    /// The nodes, by number.
    #[must_use]
    pub fn nodes(&self) -> &[Node<M>] {
        &self.nodes
    }

    /// All commands so far, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Call<M>> {
        self.calls.values()
    }

    /// What came of a command.
    #[must_use]
    pub fn outcome(&self, id: CommandId) -> Option<&Outcome<M>> {
        self.calls.get(&id).map(|call| &call.outcome)
    }

    /// What machines told, with time and node.
    #[must_use]
    pub fn events(&self) -> &[(Time, usize, M::Event)] {
        &self.events
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Virtual time now, which no node knows exactly.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Virtual time since the beginning.
    #[must_use]
    pub fn elapsed(&self) -> Span {
        self.now.since(BEGIN)
    }

    /// What happened so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// A hash over everything that was delivered or said to the user, in order.
    #[must_use]
    pub fn trace(&self) -> Hash {
        self.trace
    }

    pub(super) fn after(&mut self, span: Span, event: Event<M>) {
        self.queue.push(self.now.plus(span), event);
    }

    pub(super) fn serial(&mut self) -> u64 {
        self.next_serial += 1;
        self.next_serial
    }

    /// A random time up to `most`.
    pub(super) fn up_to(&mut self, most: Span) -> Span {
        Span::millis(self.rng.random_range(0..=most.as_millis()))
    }

    pub(super) fn chance(&mut self, chance: f64) -> bool {
        self.rng.random_bool(chance.min(1.0))
    }

    pub(super) fn record(&mut self, node: usize, what: &str, bytes: &[u8]) {
        if let Some(words) = self.config.story {
            self.narrate(node, what, &words(bytes).unwrap_or_default());
        }
        self.trace = Hasher::new("trace")
            .field(self.trace.as_bytes())
            .field(&self.now.millis().to_be_bytes())
            .field(&(node as u64).to_be_bytes())
            .field(what.as_bytes())
            .field(bytes)
            .finish();
    }
}

impl<M: Machine> World<M> {
    /// A line of the story, with nodes' keys replaced by their numbers.
    fn narrate(&self, node: usize, what: &str, said: &str) {
        let mut line = format!("{:>9} node {node}: {what} {said}", self.elapsed().as_millis());
        for (peer, number) in &self.numbers {
            line = line.replace(&format!("{peer:?}"), &format!("#{number}"));
        }
        eprintln!("{line}");
    }
}

/// A range of latencies for each link, in each direction.
fn spreads(config: &Config, rng: &mut ChaCha8Rng) -> Vec<Vec<Span>> {
    let (least, most) = config.latency;
    let widest = most.as_millis().saturating_sub(least.as_millis());
    let mut row =
        || (0..config.nodes).map(|_| Span::millis(rng.random_range(0..=widest))).collect();
    (0..config.nodes).map(|_| row()).collect()
}

fn new_node<M: Machine>(keys: Keypair, rules: M::Rules, skew: Span) -> Node<M> {
    Node {
        keys,
        rules,
        disk: Disk::default(),
        machine: None,
        life: 0,
        rng: ChaCha8Rng::seed_from_u64(0),
        inbox: Vec::new(),
        turn_due: false,
        wake: None,
        seeking: BTreeSet::new(),
        topics: BTreeSet::new(),
        heard: BTreeMap::new(),
        crash: None,
        held: false,
        skew,
        tamper: None,
    }
}
