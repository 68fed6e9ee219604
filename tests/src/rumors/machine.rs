use covey_kernel::{
    AskId, Bounded, Context, CryptoRng, Effect, Frames, GossipVerdict, Hash, Input, Machine, Peer,
    Scan, Span, Store, Time, Topic, View, cbor,
};

use super::{Bug, Command, Error, Learnt, Rules};

/// All words.
pub(super) const WORDS: &[u8] = b"word/";
/// Whether the node has run before.
const BEFORE: &[u8] = b"before";

const MOST: usize = 256;
const BYTES: usize = 16 * MOST;
const RECONCILE: Span = Span::secs(20);

type Words = Bounded<u64, MOST>;

fn key(word: u64) -> Vec<u8> {
    [WORDS, &word.to_be_bytes()].concat()
}

/// The word of a key.
pub(super) fn word(key: &[u8]) -> u64 {
    key.last_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// What everybody talks about.
#[must_use]
pub fn topic() -> Topic {
    Topic(Hash::of(b"rumors"))
}

/// See the module.
pub struct Rumors {
    rules: Rules,
    before: bool,
}

/// A decoded input.
pub enum Checked {
    /// Anything without bytes to decode.
    Plain(Input<Rumors>),
    /// What a neighbour knows, and the input.
    Words(Vec<u64>, Input<Rumors>),
}

type Cx<'a, 'c, 'v> = &'a mut Context<'c, 'v, Rumors>;

fn decode(input: Input<Rumors>) -> Result<Checked, Error> {
    let words = match &input {
        Input::Request { bytes, .. } | Input::Answer { outcome: Ok(bytes), .. } => {
            cbor::decode::<Words>(bytes, BYTES).map_err(|_| Error::Malformed)?.into_vec()
        }
        Input::Gossip { bytes, .. } => {
            let bytes = bytes.as_slice().try_into().map_err(|_| Error::Malformed)?;
            vec![u64::from_be_bytes(bytes)]
        }
        _ => return Ok(Checked::Plain(input)),
    };
    Ok(Checked::Words(words, input))
}

impl Machine for Rumors {
    const NAME: &'static str = "rumors";
    const FRAMES: Frames = Frames { request: BYTES, response: BYTES };
    type Command = Command;
    type Reply = u64;
    type Event = Learnt;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = ();

    fn open(
        rules: Rules,
        _now: Time,
        _rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let before = view.get(BEFORE)?.is_some();
        view.put(BEFORE.to_vec(), Vec::new());
        Ok(Self { rules, before })
    }

    fn check(
        _rules: &Rules,
        _base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        inputs.into_iter().map(decode).collect()
    }

    fn decide(&self, cx: &mut Context<'_, '_, Self>, input: Checked) -> Result<(), Error> {
        match input {
            Checked::Plain(input) => self.plain(cx, input),
            Checked::Words(words, Input::Gossip { id: gossip, .. }) => {
                if !self.learn(cx, &words, true)? {
                    return Err(self.known());
                }
                let verdict = match self.rules.passes_on {
                    true => GossipVerdict::Accept,
                    false => GossipVerdict::Ignore,
                };
                cx.effects.push(Effect::Judge { gossip, verdict });
                Ok(())
            }
            Checked::Words(words, Input::Request { id, .. }) => {
                self.learn(cx, &words, false)?;
                let bytes = all(cx.view)?;
                cx.effects.push(Effect::Answer { to: id, bytes });
                Ok(())
            }
            Checked::Words(words, _) => self.learn(cx, &words, false).map(drop),
        }
    }

    fn apply(&mut self, (): ()) {}

    fn refusal(_error: &Error) -> Vec<u8> {
        Vec::new()
    }
}

/// All words, encoded.
fn all(view: &View<'_>) -> Result<Vec<u8>, Error> {
    let words = view.scan(&Scan::prefix(WORDS).limit(MOST))?;
    Ok(cbor::encode(&Words::first(words.iter().map(|(key, _)| word(key)))))
}

impl Rumors {
    fn plain(&self, cx: Cx<'_, '_, '_>, input: Input<Self>) -> Result<(), Error> {
        match input {
            Input::Start => {
                if !(self.before && self.rules.bug == Some(Bug::JoinsOnce)) {
                    cx.effects.push(Effect::Join(topic()));
                }
                for peer in &self.rules.neighbours {
                    cx.effects.push(Effect::Seek { peer: *peer, addresses: Vec::new() });
                }
                self.wake(cx);
            }
            Input::Wake => {
                for peer in &self.rules.neighbours {
                    self.reconcile(cx, *peer)?;
                }
                self.wake(cx);
            }
            Input::Connected(peer) => self.reconcile(cx, peer)?,
            Input::Command { id, command: Command::Say(word) } => {
                self.learn(cx, &[word], false)?;
                let bytes = word.to_be_bytes().to_vec();
                cx.effects.push(Effect::Publish { topic: topic(), bytes });
                cx.effects.push(Effect::Reply { to: id, reply: Ok(word) });
            }
            Input::Command { id, command: Command::Leave } => {
                cx.effects.push(Effect::Leave(topic()));
                cx.effects.push(Effect::Reply { to: id, reply: Err(Error::Known) });
            }
            _ => {}
        }
        Ok(())
    }

    fn wake(&self, cx: Cx<'_, '_, '_>) {
        if self.rules.reconciles {
            cx.effects.push(Effect::Wake(cx.now.plus(RECONCILE)));
        }
    }

    fn reconcile(&self, cx: Cx<'_, '_, '_>, to: Peer) -> Result<(), Error> {
        if self.rules.reconciles {
            let (ask, bytes) = (AskId(cx.rng.next_u64()), all(cx.view)?);
            cx.effects.push(Effect::Ask { to, ask, bytes });
        }
        Ok(())
    }

    /// Whether any of them is new.
    fn learn(&self, cx: Cx<'_, '_, '_>, words: &[u64], gossip: bool) -> Result<bool, Error> {
        let mut new = false;
        for word in words {
            if cx.view.get(&key(*word))?.is_none() {
                new = true;
                cx.view.put(key(*word), Vec::new());
                cx.effects.push(Effect::Tell(Learnt { word: *word, gossip }));
            }
        }
        Ok(new)
    }

    fn known(&self) -> Error {
        match self.rules.bug {
            Some(Bug::RejectsKnown) => Error::Malformed,
            _ => Error::Known,
        }
    }
}
