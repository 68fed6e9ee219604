//! The product's validator and wallet on one node, as the real node puts them on one protocol; and the
//! same with a mistake, or as a validator that cheats.

use covey_kernel::{
    Blame, Context, CryptoRng, Effect, Fault, Frames, Input, Machine, MachineError, Peer,
    RequestId, Span, Store, Time, View,
};
use covey_ledger::{
    Ballot, Spend, Validator, Vote, Wallet, validator, wallet,
    wire::{FRAMES, FromValidator, Request, ToValidator},
};

use super::{
    flaw::{Flaw, Vice},
    half::{self, Half, Part, within},
    seen::Seen,
};

/// How late a slow validator answers at most: later than anybody waits.
const SLOW: Span = Span::secs(20);

/// Who a node is.
#[derive(Clone)]
pub struct Rules {
    /// The validator's rules, if it is one.
    pub validator: Option<validator::Rules>,
    /// The wallet's rules, if it has one.
    pub wallet: Option<wallet::Rules>,
    /// Nodes that it stays connected with, as with contacts.
    pub friends: Vec<Peer>,
    /// Its number.
    pub number: usize,
    /// How its validator cheats.
    pub vice: Option<Vice>,
    /// The mistake that it makes.
    pub flaw: Option<Flaw>,
    /// Whether its owner uses its phrase on two nodes.
    pub twin: bool,
    /// What the checkers know.
    pub seen: Seen,
}

/// What a local user asks for.
#[derive(Debug)]
pub enum Command {
    /// Of the validator.
    Validator(validator::Command),
    /// Of the wallet.
    Wallet(wallet::Command),
}

/// What a local user gets back.
#[derive(Debug)]
pub enum Reply {
    /// From the validator.
    Validator(validator::Reply),
    /// From the wallet.
    Wallet(wallet::Reply),
}

/// What a local user may subscribe to.
#[derive(Debug, Clone)]
pub enum Event {
    /// Of the validator.
    Validator(validator::Event),
    /// Of the wallet.
    Wallet(wallet::Event),
}

/// What can go wrong, and in which of the two machines: each refuses in its own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// In the validator.
    #[error(transparent)]
    Validator(covey_ledger::Error),
    /// In the wallet.
    #[error(transparent)]
    Wallet(covey_ledger::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Wallet(fault.into())
    }
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        let (Self::Validator(error) | Self::Wallet(error)) = self;
        error.blame()
    }
}

/// An input, checked by whom it is for.
#[derive(Default)]
pub struct Checked {
    validator: Option<validator::Checked>,
    wallet: Option<wallet::Checked>,
    /// A validator that votes for all is asked for a vote.
    bought: Option<(RequestId, Box<Spend>)>,
    started: bool,
    woken: bool,
}

/// What changes in memory.
#[derive(Default)]
pub struct Delta {
    validator: Vec<validator::Delta>,
    wallet: Option<wallet::Delta>,
    /// A slow validator's answers, and when it gives them.
    held: Vec<(Time, RequestId, Vec<u8>)>,
    /// Until when held answers are given now.
    given: Option<Time>,
}

/// A node.
pub struct LedgerNode {
    rules: Rules,
    validator: Option<Validator>,
    wallet: Option<Wallet>,
    held: Vec<(Time, RequestId, Vec<u8>)>,
}

type Cx<'a, 'v> = Context<'a, 'v, LedgerNode>;

impl Machine for LedgerNode {
    const NAME: &'static str = "ledger";
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
        now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Error> {
        let validator = rules.validator.clone();
        let validator = validator.map(|inner| open::<Validator>(inner, rules.flaw, now, rng, view));
        let validator = validator.transpose()?;
        let wallet = rules.wallet.clone();
        let wallet = wallet.map(|inner| open::<Wallet>(inner, rules.flaw, now, rng, view));
        Ok(Self { validator, wallet: wallet.transpose()?, rules, held: Vec::new() })
    }

    fn check(
        rules: &Rules,
        base: &dyn Store,
        now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Checked, Error>> {
        rules.seen.inputs(rules.number, now, &inputs);
        let mut sorted = Sorted::default();
        for input in inputs {
            sorted.take(rules, input);
        }
        let Sorted { mut checked, validator, wallet } = sorted;
        if let Some(inner) = &rules.validator {
            let base = Part::of::<Validator>(base, rules.flaw);
            for (at, one) in run_checks::<Validator>(inner, &base, now, validator) {
                put(&mut checked[at], one, |checked, one| checked.validator = Some(one));
            }
        }
        if let Some(inner) = &rules.wallet {
            let base = Part::of::<Wallet>(base, rules.flaw);
            for (at, one) in run_checks::<Wallet>(inner, &base, now, wallet) {
                put(&mut checked[at], one, |checked, one| checked.wallet = Some(one));
            }
        }
        checked
    }

    fn decide(&self, cx: &mut Cx<'_, '_>, input: Checked) -> Result<Delta, Error> {
        let mut delta = Delta::default();
        if let (Some(validator), Some(checked)) = (&self.validator, input.validator) {
            let (done, effects) = within(cx, self.rules.flaw, |cx| validator.decide(cx, checked))
                .map_err(Error::Validator)?;
            delta.validator.push(done);
            self.carry_out(cx, &mut delta, effects);
        }
        if let (Some(wallet), Some(checked)) = (&self.wallet, input.wallet) {
            let forgetful = self.forgetful(cx, &checked)?;
            let wallet = forgetful.as_ref().unwrap_or(wallet);
            let checked = self.misread(cx, wallet, checked)?;
            let (done, effects) = within(cx, self.rules.flaw, |cx| wallet.decide(cx, checked))
                .map_err(Error::Wallet)?;
            delta.wallet = Some(done);
            self.carry_out(cx, &mut delta, effects);
        }
        if let Some((id, spend)) = input.bought {
            self.sell(cx, id, &spend);
        }
        if input.started {
            for peer in &self.rules.friends {
                cx.effects.push(Effect::Seek { peer: *peer, addresses: Vec::new() });
            }
        }
        if input.woken && !self.held.is_empty() {
            self.give(cx, &mut delta);
        }
        Ok(delta)
    }

    fn apply(&mut self, delta: Delta) {
        if let Some(validator) = &mut self.validator {
            delta.validator.into_iter().for_each(|delta| validator.apply(delta));
        }
        if let (Some(wallet), Some(delta)) = (&mut self.wallet, delta.wallet) {
            wallet.apply(delta);
        }
        if let Some(now) = delta.given {
            self.held.retain(|(at, ..)| *at > now);
        }
        self.held.extend(delta.held);
    }

    fn close(&self, cx: &mut Cx<'_, '_>) -> Result<Option<Delta>, Fault> {
        let Some(validator) = &self.validator else { return Ok(None) };
        let (done, effects) = within(cx, self.rules.flaw, |cx| validator.close(cx))?;
        let mut delta = Delta::default();
        delta.validator.extend(done);
        self.carry_out(cx, &mut delta, effects);
        Ok(Some(delta))
    }

    fn refusal(error: &Error) -> Vec<u8> {
        match error {
            Error::Validator(error) => Validator::refusal(error),
            Error::Wallet(error) => Wallet::refusal(error),
        }
    }
}

fn open<H: Half>(
    rules: H::Rules,
    flaw: Option<Flaw>,
    now: Time,
    rng: &mut dyn CryptoRng,
    view: &mut View<'_>,
) -> Result<H, Error> {
    let (machine, writes) = {
        let part = Part::of::<H>(&*view, flaw);
        let mut inner = View::new(&part);
        (H::open(rules, now, rng, &mut inner).map_err(H::error)?, inner.into_writes())
    };
    half::write::<H>(view, flaw, writes);
    Ok(machine)
}

/// Inputs by the machine that they are for, with their places.
#[derive(Default)]
struct Sorted {
    checked: Vec<Result<Checked, Error>>,
    validator: Vec<(usize, Input<Validator>)>,
    wallet: Vec<(usize, Input<Wallet>)>,
}

impl Sorted {
    fn take(&mut self, rules: &Rules, input: Input<LedgerNode>) {
        let at = self.checked.len();
        let (started, woken) = (matches!(input, Input::Start), matches!(input, Input::Wake));
        let bought = bought(rules, &input);
        let checked = Checked { started, woken, bought, ..Checked::default() };
        let is_bought = checked.bought.is_some();
        self.checked.push(Ok(checked));
        let (for_validator, for_wallet) = match &input {
            _ if is_bought => return,
            Input::Request { bytes, .. } => {
                let validates = Request::is_for_validator(bytes) && rules.validator.is_some();
                (validates, !validates)
            }
            Input::Answer { ask, .. } => {
                let wallets = ask.0 & Wallet::MARK != 0;
                (!wallets, wallets)
            }
            Input::Command { command, .. } => {
                let validators = matches!(command, Command::Validator(_));
                (validators, !validators)
            }
            _ => (true, true),
        };
        let other = if for_validator && for_wallet { again(&input) } else { None };
        let mut input = Some(input);
        if for_validator {
            let one = input.take().and_then(half::input);
            self.validator.extend(one.map(|one| (at, one)));
        }
        if for_wallet {
            let one = other.or(input).and_then(half::input);
            self.wallet.extend(one.map(|one| (at, one)));
        }
    }
}

/// What both machines hear.
fn again(input: &Input<LedgerNode>) -> Option<Input<LedgerNode>> {
    match input {
        Input::Start => Some(Input::Start),
        Input::Wake => Some(Input::Wake),
        Input::Connected(peer) => Some(Input::Connected(*peer)),
        Input::Disconnected(peer) => Some(Input::Disconnected(*peer)),
        _ => None,
    }
}

/// A request for a vote to a validator that votes for all.
fn bought(rules: &Rules, input: &Input<LedgerNode>) -> Option<(RequestId, Box<Spend>)> {
    let Input::Request { id, bytes, .. } = input else { return None };
    match Request::decode(bytes) {
        Ok(Request::Validator(ToValidator::Spend(spend)))
            if rules.vice == Some(Vice::VotesForAll) =>
        {
            Some((*id, spend))
        }
        _ => None,
    }
}

fn run_checks<H: Half>(
    rules: &H::Rules,
    base: &dyn Store,
    now: Time,
    inputs: Vec<(usize, Input<H>)>,
) -> Vec<(usize, Result<H::Checked, Error>)> {
    let (places, inputs): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
    let checked = H::check(rules, base, now, inputs).into_iter();
    places.into_iter().zip(checked.map(|one| one.map_err(H::error))).collect()
}

fn put<T>(
    place: &mut Result<Checked, Error>,
    one: Result<T, Error>,
    set: impl FnOnce(&mut Checked, T),
) {
    match (one, place.as_mut()) {
        (Ok(one), Ok(checked)) => set(checked, one),
        (Err(error), Ok(_)) => *place = Err(error),
        (_, Err(_)) => {}
    }
}

impl LedgerNode {
    /// Passes a machine's effects on, but for those that a mistake or a vice keeps back.
    fn carry_out<H: Half>(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, effects: Vec<Effect<H>>) {
        for effect in effects.into_iter().map(half::effect) {
            let silenced =
                H::TAG == Wallet::TAG && self.rules.flaw.is_some_and(|flaw| flaw.silences(&effect));
            match effect {
                _ if silenced => {}
                // Contacts stay connected, whatever the wallet wants of them.
                Effect::Release(peer) if self.rules.friends.contains(&peer) => {}
                Effect::Answer { to, bytes } if self.rules.vice == Some(Vice::Slow) => {
                    let late = cx.rng.next_u64() % SLOW.as_millis();
                    let at = cx.now.plus(Span::millis(late));
                    cx.effects.push(Effect::Wake(at));
                    delta.held.push((at, to, bytes));
                }
                effect => cx.effects.push(effect),
            }
        }
    }

    /// A slow validator answers at last.
    fn give(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) {
        delta.given = Some(cx.now);
        for (at, to, bytes) in &self.held {
            if *at <= cx.now {
                cx.effects.push(Effect::Answer { to: *to, bytes: bytes.clone() });
            } else {
                cx.effects.push(Effect::Wake(*at));
            }
        }
    }

    /// A vote for whatever is shown.
    fn sell(&self, cx: &mut Cx<'_, '_>, id: RequestId, spend: &Spend) {
        let Some(rules) = &self.rules.validator else { return };
        let network = &rules.network.id;
        let (first, tx) = (cx.rng.next_u64() >> 32, spend.body.id(network));
        let signature = Ballot::over(0, first, &[tx]).sign(rules.key.as_ref().unwrap(), network);
        for vote in Vote::all(first, &[tx], signature) {
            let bytes = FromValidator::Vote(vote).encode();
            cx.effects.push(Effect::Answer { to: id, bytes });
        }
    }

    /// A wallet that spends what is reserved does not know what it has reserved since it was opened: it
    /// chooses from its store, where such coins were never taken out.
    fn forgetful(
        &self,
        cx: &mut Cx<'_, '_>,
        checked: &wallet::Checked,
    ) -> Result<Option<Wallet>, Error> {
        let pays = matches!(checked, wallet::Checked::Command(_, wallet::Command::Send(_)));
        let Some(rules) = self.rules.wallet.clone().filter(|_| pays) else { return Ok(None) };
        if self.rules.flaw != Some(Flaw::SpendsReserved) {
            return Ok(None);
        }
        open::<Wallet>(rules, self.rules.flaw, cx.now, cx.rng, cx.view).map(Some)
    }

    /// A wallet that pays again reads a wish to go on as one to pay again.
    fn misread(
        &self,
        cx: &mut Cx<'_, '_>,
        wallet: &Wallet,
        checked: wallet::Checked,
    ) -> Result<wallet::Checked, Error> {
        let wallet::Checked::Command(id, wallet::Command::Resume) = checked else {
            return Ok(checked);
        };
        let same = Ok(wallet::Checked::Command(id, wallet::Command::Resume));
        if self.rules.flaw != Some(Flaw::PaysAgain) {
            return same;
        }
        let pending = wallet::Checked::Command(id, wallet::Command::Pending);
        let (_, effects) =
            within(cx, self.rules.flaw, |cx| wallet.decide(cx, pending)).map_err(Error::Wallet)?;
        let payment = effects.into_iter().find_map(|effect| match effect {
            Effect::Reply { reply: Ok(wallet::Reply::Payments(views)), .. } => {
                views.into_iter().find(|view| !view.lines.is_empty())
            }
            _ => None,
        });
        let Some(view) = payment else { return same };
        let order = wallet::Order {
            to: view.lines.iter().map(|line| (line.to, line.amount)).collect(),
            asset: view.asset,
            note: view.note,
            payee: None,
            twice: true,
        };
        Ok(wallet::Checked::Command(id, wallet::Command::Send(order)))
    }
}
