use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{
    AskId, Bounded, CommandId, Context, CryptoRng, Effect, Fault, Frames, Input, Machine, Peer,
    RequestId, Scan, Span, Store, Time, View, cbor,
};

use super::{Added, Bug, Command, Error, Rules};

/// Numbers by author and place.
pub(super) const LOG: &[u8] = b"log/";
/// Places of own numbers that a peer has not confirmed, by peer.
pub(super) const OWED: &[u8] = b"owed/";
/// The sum of all numbers in the log.
pub(super) const SUM: &[u8] = b"sum";

const BATCH: usize = 8;
const REQUEST_BYTES: usize = 1024;
const RETRY: Span = Span::secs(2);

/// One number: its author's place for it, and itself.
type Item = (u64, u64);
type Items = Bounded<Item, BATCH>;

pub(super) fn log_key(author: &Peer, place: u64) -> Vec<u8> {
    [LOG, author.as_bytes(), &place.to_be_bytes()].concat()
}

fn owed_prefix(peer: &Peer) -> Vec<u8> {
    [OWED, peer.as_bytes()].concat()
}

fn owed_key(peer: &Peer, place: u64) -> Vec<u8> {
    [owed_prefix(peer).as_slice(), &place.to_be_bytes()].concat()
}

/// The last eight bytes as a number.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// See the module.
pub struct Tally {
    rules: Rules,
    /// The place of the next own number.
    next: u64,
    /// Requests on their way, at most one to each peer.
    flying: BTreeMap<AskId, (Peer, Vec<u64>)>,
    /// For [`Bug::ForgetsSeen`] only.
    seen: BTreeSet<(Peer, u64)>,
    /// For [`Bug::AnswersFirst`] only.
    unsaved: Vec<(Peer, Items)>,
}

/// A decoded input.
pub enum Checked {
    /// Anything without bytes to decode.
    Plain(Input<Tally>),
    /// A peer's numbers.
    Numbers(Peer, RequestId, Items),
}

/// A change in memory.
pub enum Change {
    /// One more own number.
    Next,
    /// A request has left.
    Fly(AskId, Peer, Vec<u64>),
    /// A request has come to its end.
    Land(AskId),
    /// A number has come.
    Seen(Peer, u64),
    /// Numbers wait in memory.
    Unsaved(Peer, Items),
    /// No numbers wait in memory.
    Saved,
}

type Cx<'a, 'c, 'v> = &'a mut Context<'c, 'v, Tally>;

impl Machine for Tally {
    const NAME: &'static str = "tally";
    const FRAMES: Frames = Frames { request: REQUEST_BYTES, response: 16 };
    type Command = Command;
    type Reply = u64;
    type Event = Added;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Vec<Change>;

    fn open(
        rules: Rules,
        _now: Time,
        _rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let own = Scan::prefix(&[LOG, rules.me.as_bytes()].concat());
        let last = view.scan(&own.backwards().limit(1))?;
        let next = last.first().map_or(0, |(key, _)| number(key) + 1);
        let (flying, seen) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { rules, next, flying, seen, unsaved: Vec::new() })
    }

    fn check(
        _rules: &Rules,
        _base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        let decode = |input| match input {
            Input::Request { from, id, bytes } => {
                Ok(Checked::Numbers(from, id, cbor::decode(&bytes, REQUEST_BYTES)?))
            }
            other => Ok(Checked::Plain(other)),
        };
        inputs.into_iter().map(decode).collect()
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<Vec<Change>, Error> {
        let mut changes = Vec::new();
        match input {
            Checked::Numbers(from, id, items) => self.take(cx, from, id, items, &mut changes)?,
            Checked::Plain(Input::Command { id, command: Command::Add(value) }) => {
                self.add(cx, id, value, &mut changes)?;
            }
            Checked::Plain(Input::Start) => {
                for peer in &self.rules.others {
                    cx.effects.push(Effect::Seek { peer: *peer, addresses: Vec::new() });
                }
                self.offer_all(cx, &mut changes)?;
            }
            Checked::Plain(Input::Wake) => {
                self.save(cx, &mut changes)?;
                if self.rules.bug != Some(Bug::AsksOnce) {
                    self.offer_all(cx, &mut changes)?;
                }
            }
            Checked::Plain(Input::Answer { ask, outcome, .. }) => {
                self.landed(cx, ask, outcome.is_ok(), &mut changes)?;
            }
            Checked::Plain(_) => {}
        }
        Ok(changes)
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Next => self.next += 1,
                Change::Fly(ask, peer, places) => {
                    self.flying.insert(ask, (peer, places));
                }
                Change::Land(ask) => {
                    self.flying.remove(&ask);
                }
                Change::Seen(author, place) => {
                    self.seen.insert((author, place));
                }
                Change::Unsaved(author, items) => self.unsaved.push((author, items)),
                Change::Saved => self.unsaved.clear(),
            }
        }
    }

    fn refusal(_error: &Error) -> Vec<u8> {
        b"no".to_vec()
    }
}

impl Tally {
    fn add(
        &self,
        cx: Cx<'_, '_, '_>,
        id: CommandId,
        value: u64,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let place = self.next;
        changes.push(Change::Next);
        self.keep(cx, self.rules.me, (place, value), changes)?;
        for peer in &self.rules.others {
            if self.rules.bug != Some(Bug::ForgetsOwed) {
                cx.view.put(owed_key(peer, place), Vec::new());
                self.offer(cx, *peer, None, changes)?;
            } else {
                self.fly(cx, *peer, vec![(place, value)], changes);
            }
        }
        cx.effects.push(Effect::Reply { to: id, reply: Ok(place) });
        Ok(())
    }

    fn take(
        &self,
        cx: Cx<'_, '_, '_>,
        from: Peer,
        id: RequestId,
        items: Items,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        if self.rules.bug == Some(Bug::AnswersFirst) {
            changes.push(Change::Unsaved(from, items));
            cx.effects.push(Effect::Wake(cx.now.plus(RETRY)));
        } else {
            for item in items.iter() {
                self.keep(cx, from, *item, changes)?;
            }
        }
        cx.effects.push(Effect::Answer { to: id, bytes: b"ok".to_vec() });
        Ok(())
    }

    fn save(&self, cx: Cx<'_, '_, '_>, changes: &mut Vec<Change>) -> Result<(), Error> {
        for (author, items) in &self.unsaved {
            for item in items.iter() {
                self.keep(cx, *author, *item, changes)?;
            }
        }
        changes.push(Change::Saved);
        Ok(())
    }

    /// Puts a number into the log and the sum, unless it is there.
    fn keep(
        &self,
        cx: Cx<'_, '_, '_>,
        author: Peer,
        (place, value): Item,
        changes: &mut Vec<Change>,
    ) -> Result<(), Fault> {
        let key = log_key(&author, place);
        let known = if self.rules.bug == Some(Bug::ForgetsSeen) {
            self.seen.contains(&(author, place))
        } else {
            cx.view.get(&key)?.is_some()
        };
        if known {
            return Ok(());
        }
        let sum = cx.view.get(SUM)?.map_or(0, |bytes| number(&bytes));
        cx.view.put(SUM.to_vec(), (sum + value).to_be_bytes().to_vec());
        cx.view.put(key, value.to_be_bytes().to_vec());
        cx.effects.push(Effect::Tell(Added { author, place }));
        changes.push(Change::Seen(author, place));
        Ok(())
    }

    fn offer_all(&self, cx: Cx<'_, '_, '_>, changes: &mut Vec<Change>) -> Result<(), Error> {
        for peer in &self.rules.others {
            self.offer(cx, *peer, None, changes)?;
        }
        Ok(())
    }

    /// Sends a peer what it has not confirmed, unless some is on its way; `landed` no longer is.
    fn offer(
        &self,
        cx: Cx<'_, '_, '_>,
        peer: Peer,
        landed: Option<AskId>,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let flies =
            |(ask, (to, _)): (&AskId, &(Peer, Vec<u64>))| *to == peer && Some(*ask) != landed;
        if self.flying.iter().any(flies) {
            return Ok(());
        }
        let mut items = Vec::new();
        for (key, _) in cx.view.scan(&Scan::prefix(&owed_prefix(&peer)).limit(BATCH))? {
            let place = number(&key);
            let value = cx.view.get(&log_key(&self.rules.me, place))?;
            items.push((place, value.map_or(0, |bytes| number(&bytes))));
        }
        if !items.is_empty() {
            self.fly(cx, peer, items, changes);
        }
        Ok(())
    }

    fn fly(&self, cx: Cx<'_, '_, '_>, to: Peer, items: Vec<Item>, changes: &mut Vec<Change>) {
        let ask = AskId(cx.rng.next_u64());
        changes.push(Change::Fly(ask, to, items.iter().map(|(place, _)| *place).collect()));
        let bytes = cbor::encode(&Items::first(items));
        cx.effects.push(Effect::Ask { to, ask, bytes });
    }

    fn landed(
        &self,
        cx: Cx<'_, '_, '_>,
        ask: AskId,
        done: bool,
        changes: &mut Vec<Change>,
    ) -> Result<(), Error> {
        let Some((peer, places)) = self.flying.get(&ask) else { return Ok(()) };
        changes.push(Change::Land(ask));
        if !done {
            cx.effects.push(Effect::Wake(cx.now.plus(RETRY)));
            return Ok(());
        }
        for place in places {
            cx.view.delete(owed_key(peer, *place));
        }
        self.offer(cx, *peer, Some(ask), changes)
    }
}
