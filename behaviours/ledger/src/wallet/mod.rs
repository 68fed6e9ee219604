//! A wallet: keys from a phrase, the coins at their addresses, and the payments that are made of them.

mod addresses;
mod book;
mod check;
mod command;
mod delivering;
mod desk;
mod expected;
mod flights;
mod following;
mod layout;
mod memory;
mod paying;
mod purse;
mod receiving;
mod records;
mod renewing;
mod rivals;
mod searching;
mod select;
mod showing;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{
    Bytes, Context, CryptoRng, Fault, Frames, Input, Machine, Peer, Store, Time, View,
};

use crate::{
    chain::Network,
    error::Error,
    phrase::{KeyTree, Phrase},
    reason::Reason,
    vote::KnownBallots,
    wire::{FRAMES, FromWallet},
};
pub use check::Checked;
pub use command::{AddressView, Command, Event, LineView, Order, PaymentView, Reply, Status};
use desk::Desk;
pub use expected::Expected;
use memory::{Change, Errand, Memory, Renewals};
use purse::Purse;
use records::Me;
pub use records::{
    Asked, Balance, Came, Coin, Failure, Label, Line, Payment, Progress, Restored, Use,
};

/// What never changes while a wallet runs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The network, as at the start: its later configurations are in the store.
    pub network: Network,
    /// The own node.
    pub peer: Peer,
    /// Ballots that are known to be right.
    pub ballots: KnownBallots,
    /// Votes that are waited for; none at first.
    pub expected: Expected,
}

/// A wallet as a machine.
pub struct Wallet {
    rules: Rules,
    memory: Memory,
}

/// What a decision changes in memory.
pub struct Delta(Vec<Change>);

/// What a decision works with.
type Cx<'a, 'v> = Context<'a, 'v, Wallet>;

impl Machine for Wallet {
    const NAME: &'static str = "wallet";
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
        let phrase = match records::read::<Me>(view, layout::ME)? {
            Some(me) => phrase_of(&me)?,
            None => {
                let phrase = Phrase::generate(rng);
                records::write(view, layout::ME.to_vec(), &first(&phrase, Restored::No(())));
                phrase
            }
        };
        rules.expected.clear();
        let memory = Memory {
            network: rules.network.with_stored(view, layout::LINKS)?.into_owned(),
            looked_at: Time::default(),
            turned: false,
            renewals: Renewals { looked: Some(None), ..Renewals::default() },
            tree: KeyTree::new(&phrase),
            purse: Purse::read(view)?,
            flights: BTreeMap::new(),
            tellings: BTreeMap::new(),
            search: None,
            asks: BTreeMap::new(),
            wanted: BTreeMap::new(),
            // Answers to questions of an earlier life must not be taken for ones to this one's.
            next_ask: rng.next_u64() >> 2 & !1,
            online: BTreeSet::new(),
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
        let mut desk = Desk::new(self, cx);
        desk.decide(input)?;
        Ok(desk.into_delta())
    }

    fn apply(&mut self, delta: Delta) {
        for change in delta.0 {
            self.expect(&change);
            self.memory.apply(change);
        }
    }

    fn refusal(error: &Error) -> Vec<u8> {
        let refusal = match error {
            Error::Invalid(reason) => FromWallet::Invalid(*reason),
            Error::NotMine => FromWallet::NotMine(()),
            Error::Configuration(_) => FromWallet::Invalid(Reason::Malformed),
            _ => FromWallet::None(()),
        };
        refusal.encode()
    }
}

impl Wallet {
    /// Tells the check which votes are waited for.
    fn expect(&self, change: &Change) {
        let expected = &self.rules.expected;
        match change {
            Change::Asked(ask, Errand::Vote(tx, epoch, place)) => {
                expected.ask(*ask, (*tx, *epoch, *place));
            }
            Change::Answered(ask) => expected.answered(*ask),
            Change::Landed(tx) => expected.landed(tx),
            _ => {}
        }
    }
}

/// A wallet in which nothing ever was.
fn first(phrase: &Phrase, restored: Restored) -> Me {
    Me {
        entropy: Bytes::new(phrase.entropy().to_vec()).unwrap_or_default(),
        own: Default::default(),
        handed: Default::default(),
        line: 0,
        restored,
    }
}

fn phrase_of(me: &Me) -> Result<Phrase, Fault> {
    Phrase::from_entropy(&me.entropy).map_err(|error| Fault::Corrupt(error.to_string()))
}
