//! A machine, a store and an outside for the driver's tests.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use covey_kernel::{
    Address, AskId, Blame, Context, CryptoRng, Effect, Entry, Fault, Frames, GossipId,
    GossipVerdict, Input, Machine, MachineError, Peer, RequestId, Scan, Span, Store, Time, Topic,
    View, Write,
};
use tempfile::TempDir;

use super::{Clock, Config, Outside};
use crate::store::{Db, Family, Journal, Schema};

/// Counts what it is told to add, and owes peers what it is told to send.
#[derive(Debug)]
pub(super) struct Notes {
    total: u64,
}

#[derive(Debug)]
pub(super) enum Command {
    Add(u64),
    Send(Peer, AskId),
    WakeIn(Span),
    Join(Topic),
    Leave(Topic),
    Refuse,
    Panic,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Woken(Time),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("refused")]
    Refused,
    #[error("nonsense")]
    Nonsense,
    #[error(transparent)]
    Store(#[from] Fault),
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Refused => Blame::User,
            Self::Nonsense => Blame::Peer,
            Self::Store(fault) => Blame::Store(fault.clone()),
        }
    }
}

const TOTAL: &[u8] = b"total";
const OWED: &[u8] = b"owed/";

fn owed(ask: AskId) -> Vec<u8> {
    [OWED, &ask.0.to_be_bytes()].concat()
}

impl Machine for Notes {
    const NAME: &'static str = "notes";
    const FRAMES: Frames = Frames { request: 1024, response: 1024 };
    type Command = Command;
    type Reply = u64;
    type Event = Event;
    type Error = Error;
    type Rules = ();
    type Checked = Input<Self>;
    type Delta = u64;

    fn open(
        (): (),
        _now: Time,
        _rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let total =
            view.get(TOTAL)?.map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
        Ok(Self { total })
    }

    fn check(
        (): &(),
        _base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Input<Self>, Error>> {
        inputs.into_iter().map(Ok).collect()
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Input<Self>) -> Result<u64, Error> {
        match input {
            Input::Start => {
                for (key, peer) in cx.view.scan(&Scan::prefix(OWED))? {
                    let ask = u64::from_be_bytes(key[OWED.len()..].try_into().unwrap());
                    let to = Peer::from_bytes(peer.try_into().unwrap()).unwrap();
                    cx.effects.push(Effect::Ask { to, ask: AskId(ask), bytes: vec![] });
                }
            }
            Input::Wake => cx.effects.push(Effect::Tell(Event::Woken(cx.now))),
            Input::Command { id, command } => return command.carry_out(self, cx, id),
            Input::Request { id, bytes, .. } => cx.effects.push(Effect::Answer { to: id, bytes }),
            Input::Answer { ask, .. } => cx.view.delete(owed(ask)),
            Input::Gossip { topic, id: gossip, bytes, .. } => {
                return self.hear(cx, topic, gossip, bytes);
            }
            Input::Connected(_) | Input::Disconnected(_) => {}
        }
        Ok(0)
    }

    fn apply(&mut self, more: u64) {
        self.total += more;
    }

    fn refusal(_error: &Error) -> Vec<u8> {
        vec![]
    }
}

impl Notes {
    /// A number is added and said again; anything else is its sender's fault, and nothing is
    /// nobody's.
    fn hear(
        &self,
        cx: &mut Context<'_, '_, Self>,
        topic: Topic,
        gossip: GossipId,
        bytes: Vec<u8>,
    ) -> Result<u64, Error> {
        if bytes.is_empty() {
            return Err(Error::Refused);
        }
        let Ok(number) = bytes.as_slice().try_into() else { return Err(Error::Nonsense) };
        let more = u64::from_be_bytes(number);
        cx.view.put(TOTAL.to_vec(), (self.total + more).to_be_bytes().to_vec());
        cx.effects.push(Effect::Judge { gossip, verdict: GossipVerdict::Accept });
        cx.effects.push(Effect::Publish { topic, bytes });
        Ok(more)
    }
}

impl Command {
    fn carry_out(
        self,
        machine: &Notes,
        cx: &mut Context<'_, '_, Notes>,
        id: covey_kernel::CommandId,
    ) -> Result<u64, Error> {
        let mut more = 0;
        match self {
            Self::Add(n) => {
                more = n;
                cx.view.put(TOTAL.to_vec(), (machine.total + n).to_be_bytes().to_vec());
            }
            Self::Send(to, ask) => {
                cx.view.put(owed(ask), to.as_bytes().to_vec());
                cx.effects.push(Effect::Ask { to, ask, bytes: vec![] });
            }
            Self::WakeIn(span) => cx.effects.push(Effect::Wake(cx.now.plus(span))),
            Self::Join(topic) => cx.effects.push(Effect::Join(topic)),
            Self::Leave(topic) => cx.effects.push(Effect::Leave(topic)),
            Self::Refuse => return Err(Error::Refused),
            Self::Panic => panic!("asked to"),
        }
        cx.effects.push(Effect::Reply { to: id, reply: Ok(machine.total + more) });
        Ok(more)
    }
}

/// What left the machine, in order.
#[derive(Clone, Default)]
pub(super) struct Record(Arc<(Mutex<Vec<Said>>, Condvar)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Ask(Peer, AskId),
    Answer(RequestId),
    Join(Topic),
    Leave(Topic),
    Publish(Topic, Vec<u8>),
    Judge(GossipId, GossipVerdict),
}

impl Record {
    fn add(&self, said: Said) {
        self.0.0.lock().unwrap().push(said);
        self.0.1.notify_all();
    }

    pub(super) fn all(&self) -> Vec<Said> {
        self.0.0.lock().unwrap().clone()
    }

    /// Waits until this many things are said.
    pub(super) fn at_least(&self, count: usize) -> Vec<Said> {
        let deadline = std::time::Duration::from_secs(30);
        let said = self.0.0.lock().unwrap();
        let (said, late) =
            self.0.1.wait_timeout_while(said, deadline, |said| said.len() < count).unwrap();
        assert!(!late.timed_out(), "only {} of {count} were said", said.len());
        said.clone()
    }
}

impl Outside for Record {
    fn ask(&mut self, to: Peer, ask: AskId, _bytes: Vec<u8>) {
        self.add(Said::Ask(to, ask));
    }

    fn answer(&mut self, to: RequestId, _bytes: Vec<u8>) {
        self.add(Said::Answer(to));
    }

    fn seek(&mut self, _peer: Peer, _addresses: Vec<Address>) {}

    fn release(&mut self, _peer: Peer) {}

    fn strike(&mut self, _peer: Peer) {}

    fn join(&mut self, topic: Topic) {
        self.add(Said::Join(topic));
    }

    fn leave(&mut self, topic: Topic) {
        self.add(Said::Leave(topic));
    }

    fn publish(&mut self, topic: Topic, bytes: Vec<u8>) {
        self.add(Said::Publish(topic, bytes));
    }

    fn judge(&mut self, gossip: GossipId, verdict: GossipVerdict) {
        self.add(Said::Judge(gossip, verdict));
    }
}

/// A real family whose commits wait at a gate, and fail when told to.
#[derive(Clone)]
pub(super) struct Gated {
    // Before the gate, so that the database is closed when the gate is gone.
    family: Family,
    gate: Arc<Door>,
}

/// A gate, and news of it.
type Door = (Mutex<Gate>, Condvar);

#[derive(Default)]
struct Gate {
    shut: bool,
    broken: bool,
    waiting: usize,
}

impl Gated {
    pub(super) fn new(family: Family) -> Self {
        Self { family, gate: Arc::default() }
    }

    fn change(&self, change: impl FnOnce(&mut Gate)) {
        change(&mut self.gate.0.lock().unwrap());
        self.gate.1.notify_all();
    }

    pub(super) fn shut(&self) {
        self.change(|gate| gate.shut = true);
    }

    pub(super) fn open(&self) {
        self.change(|gate| gate.shut = false);
    }

    pub(super) fn break_down(&self) {
        self.change(|gate| gate.broken = true);
    }

    /// Waits until a commit stands at the gate.
    pub(super) fn visited(&self) {
        let gate = self.gate.0.lock().unwrap();
        drop(self.gate.1.wait_while(gate, |gate| gate.waiting == 0).unwrap());
    }
}

impl Store for Gated {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.family.get(key)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        self.family.scan(scan)
    }
}

impl Journal for Gated {
    fn commit(&self, writes: &[Write]) -> Result<(), Fault> {
        let mut gate = self.gate.0.lock().unwrap();
        gate.waiting += 1;
        self.gate.1.notify_all();
        let mut gate = self.gate.1.wait_while(gate, |gate| gate.shut).unwrap();
        gate.waiting -= 1;
        if gate.broken {
            return Err(Fault::Io("no space left".to_owned()));
        }
        drop(gate);
        Ok(self.family.commit(writes)?)
    }
}

/// A clock that stands where it is put.
#[derive(Default)]
pub(super) struct SetClock(AtomicU64);

impl SetClock {
    pub(super) fn set(&self, time: Time) {
        self.0.store(time.millis(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A directory with a database, and what a driver needs besides.
pub(super) struct Place {
    dir: TempDir,
    gates: Mutex<Vec<Weak<Door>>>,
    pub(super) clock: Arc<SetClock>,
    pub(super) said: Record,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir, gates: Mutex::default(), clock: Arc::default(), said: Record::default() }
    }

    pub(super) fn store(&self) -> Gated {
        let schemas = [Schema::first("notes")];
        let network = covey_kernel::NetworkId::open();
        let db = Db::open(&self.dir.path().join("db"), network, &schemas).unwrap();
        let store = Gated::new(db.family("notes").unwrap());
        self.gates.lock().unwrap().push(Arc::downgrade(&store.gate));
        store
    }

    pub(super) fn config(&self) -> Config {
        Config::new(self.clock.clone()).unwrap()
    }
}

/// A driver ends in its own time. Its directory goes after it, or it would be made anew.
impl Drop for Place {
    fn drop(&mut self) {
        let gates = self.gates.get_mut().unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while gates.iter().any(|gate| gate.strong_count() > 0) {
            if Instant::now() >= until {
                assert!(thread::panicking(), "a driver has not ended");
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// How often each peer was answered, by the request's number.
pub(super) fn answers(said: &[Said]) -> BTreeMap<RequestId, usize> {
    let mut answers = BTreeMap::new();
    for said in said {
        if let Said::Answer(id) = said {
            *answers.entry(*id).or_default() += 1;
        }
    }
    answers
}
