//! A validator: one of those who together make a payment final, and never promise a coin twice.

mod check;
mod command;
mod heights;
mod layout;
mod memory;
mod records;
mod restoring;
mod showing;
mod voting;

use std::collections::BTreeSet;

use covey_kernel::{
    AskId, Bytes, CommandId, Context, CryptoRng, Effect, Fault, Frames, Input, Keypair, Machine,
    Peer, Scan, Store, Time, View,
};

use crate::{
    chain::Network,
    error::Error,
    genesis::Genesis,
    height::SignedHeight,
    vote::KnownBallots,
    wire::{FRAMES, FromValidator, Request, ToValidator},
};
pub use check::Checked;
pub use command::{Command, DoubleSpendView, Event, LockView, OtherView, Reply, Status};
use memory::{Change, Memory, Stage};
use records::Me;

/// What never changes while a validator runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The network.
    pub network: Network,
    /// The own node.
    pub peer: Peer,
    /// The voting key with which it begins.
    pub key: Keypair,
    /// How often the key has seen the validator start. It is kept beside the key, apart from the
    /// store, and raised after each start.
    pub starts: u64,
    /// Ballots that are known to be right.
    pub ballots: KnownBallots,
}

/// A validator as a machine.
pub struct Validator {
    rules: Rules,
    memory: Memory,
}

/// What a decision changes in memory.
#[derive(Debug, Default)]
pub struct Delta(Vec<Change>);

impl From<Change> for Delta {
    fn from(change: Change) -> Self {
        Self(vec![change])
    }
}

/// What a decision works with.
pub(crate) type Cx<'a, 'v> = Context<'a, 'v, Validator>;

impl Machine for Validator {
    const NAME: &'static str = "validator";
    const FRAMES: Frames = FRAMES;

    type Command = Command;
    type Reply = Reply;
    type Event = Event;
    type Error = Error;
    type Rules = Rules;
    type Checked = Checked;
    type Delta = Delta;

    fn open(
        rules: Rules,
        _now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let configuration = rules.network.newest().clone();
        let place = configuration.place(&rules.peer).ok_or(Error::NotThisValidator)?;
        let me = started(&rules, view)?;
        let secret = <[u8; 32]>::try_from(&*me.secret)
            .map_err(|_| Fault::Corrupt("the voting key".into()))?;
        let key = Keypair::from_secret(&secret);
        if configuration.members.get(place).map(|member| member.vote) != Some(key.public()) {
            return Err(Error::NotThisValidator);
        }
        let next = next_sequence(view)?;
        // It was told once that it is behind, by its own word.
        let own = records::read::<SignedHeight>(view, &layout::height(&key.public()))?;
        let behind = own.is_some_and(|own| own.height.next > next);
        let stage = if behind { Stage::Behind } else { Stage::Checking(BTreeSet::new()) };
        let memory = Memory {
            starts: me.starts,
            epoch: me.epoch,
            key,
            place,
            stage,
            next,
            open: Vec::new(),
            waiting: Vec::new(),
            tell_at: None,
            online: BTreeSet::new(),
            asks: Default::default(),
            // Answers to questions of an earlier life must not be taken for ones to this one's.
            next_ask: rng.next_u64() >> 2,
            passed: Default::default(),
        };
        Ok(Self { rules, memory })
    }

    fn check(
        rules: &Rules,
        base: &dyn Store,
        _now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        check::check(rules, base, inputs)
    }

    fn decide(&self, cx: &mut Cx<'_, '_>, input: Checked) -> Result<Delta, Error> {
        match input {
            Checked::Start => Ok(self.start(cx)),
            Checked::Wake => Ok(self.wake(cx)),
            Checked::Command(id, command) => self.obey(cx, id, command),
            Checked::Spend(id, tx, spend) => self.spend(cx, id, tx, *spend),
            Checked::Repeated(id, vote) => {
                answer(cx, id, &FromValidator::Vote(*vote));
                Ok(Delta::default())
            }
            Checked::Conflict(id, both) => self.conflict(cx, id, both.0, both.1),
            Checked::Height(id, place, height) => self.heard_height(cx, id, place, height),
            Checked::MyHeight(id, place) => self.tell_them_theirs(cx, id, place),
            Checked::Claim(id, claim) => self.holdings(cx, id, &claim),
            Checked::Answer(ask, outcome) => self.answered(cx, ask, outcome),
            Checked::Connected(peer) => Ok(self.connected(cx, peer)),
            Checked::Disconnected(peer) => Ok(Change::Offline(peer).into()),
        }
    }

    fn apply(&mut self, delta: Delta) {
        for change in delta.0 {
            self.memory.apply(change);
        }
    }

    fn close(&self, cx: &mut Cx<'_, '_>) -> Result<Option<Delta>, Fault> {
        self.sign(cx)
    }

    fn refusal(error: &Error) -> Vec<u8> {
        let refusal = match error {
            Error::Invalid(reason) => FromValidator::Invalid(*reason),
            Error::NotReady(why) => FromValidator::NotReady(*why),
            _ => FromValidator::NotReady(crate::wire::NotReady::NoValidator(())),
        };
        refusal.encode()
    }
}

/// Counts a start, and refuses one on a store that is not the key's newest.
fn started(rules: &Rules, view: &mut View<'_>) -> Result<Me, Error> {
    let me = match records::read::<Me>(view, layout::ME)? {
        Some(me) if me.starts < rules.starts => {
            return Err(Error::LocksOld { found: me.starts, wanted: rules.starts });
        }
        Some(me) => Me { starts: me.starts.saturating_add(1), ..me },
        None if rules.starts > 0 => return Err(Error::LocksMissing),
        None => {
            let secret = Bytes::new(rules.key.secret().to_vec()).unwrap_or_default();
            own_genesis(rules, view);
            Me { starts: 1, epoch: rules.network.newest().epoch, secret }
        }
    };
    records::write(view, layout::ME.to_vec(), &me);
    Ok(me)
}

/// Notes whose the outputs of the genesis are, as is noted of every transaction.
fn own_genesis(rules: &Rules, view: &mut View<'_>) {
    for (index, output) in (0u16..).zip(rules.network.genesis.outputs.iter()) {
        let outpoint = Genesis::outpoint(&rules.network.id, index);
        view.put(layout::owned(&output.address, &outpoint), Vec::new());
    }
}

/// The sequence number after the last one used.
fn next_sequence(view: &View<'_>) -> Result<u64, Fault> {
    let last = view.scan(&Scan::prefix(layout::BALLOTS).backwards().limit(1))?;
    let Some((key, bytes)) = last.first() else { return Ok(0) };
    let first = layout::sequence(key).ok_or_else(|| Fault::Corrupt("a ballot's key".into()))?;
    let signed: records::Signed = covey_kernel::cbor::decode_stored(bytes)?;
    let count = u64::try_from(signed.transactions.len()).unwrap_or(u64::MAX);
    Ok(first.saturating_add(count))
}

fn answer(cx: &mut Cx<'_, '_>, to: covey_kernel::RequestId, response: &FromValidator) {
    cx.effects.push(Effect::Answer { to, bytes: response.encode() });
}

fn reply(cx: &mut Cx<'_, '_>, to: CommandId, reply: Reply) {
    cx.effects.push(Effect::Reply { to, reply: Ok(reply) });
}

impl Validator {
    /// How often it has been started on this store, the present start included.
    #[must_use]
    pub fn starts(&self) -> u64 {
        self.memory.starts
    }

    /// The other members, with their places.
    fn others(&self) -> impl Iterator<Item = (usize, &crate::configuration::Member)> {
        let me = self.memory.place;
        self.rules
            .network
            .newest()
            .members
            .iter()
            .enumerate()
            .filter(move |(place, _)| *place != me)
    }

    /// Asks a member something.
    fn ask(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        (place, to): (usize, Peer),
        request: ToValidator,
    ) {
        let asked = delta.0.iter().filter(|change| matches!(change, Change::Asked(..))).count();
        let number = u64::try_from(asked).unwrap_or(u64::MAX);
        let ask = AskId(self.memory.next_ask.saturating_add(number));
        cx.effects.push(Effect::Ask { to, ask, bytes: Request::Validator(request).encode() });
        delta.0.push(Change::Asked(ask, place));
    }
}
