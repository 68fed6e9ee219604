//! What the owner of a wallet asks for, and hears.

use covey_kernel::{Peer, PublicKey, Text, Time};
use zeroize::Zeroizing;

use super::records::{Asked, Balance, Came, Coin, Label, Line, Progress, Restored};
use crate::{
    amount::{Amount, Decimals},
    limits::NAME_BYTES,
    output::{Asset, AssetId, Outpoint, TxId},
    phrase::Phrase,
    receipt::Receipt,
    token::Manifest,
};

/// What the owner asks for.
#[derive(Debug)]
pub enum Command {
    /// How is it?
    Status,
    /// A new address.
    Address(Label),
    /// Which addresses were made?
    Addresses,
    /// Call an address something else.
    Label(PublicKey, Label),
    /// How much is there?
    Balance,
    /// Which coins are there?
    Coins {
        /// Of what.
        asset: Asset,
        /// At most so many.
        limit: usize,
        /// Only after this one, in the order of outpoints.
        after: Option<Outpoint>,
    },
    /// Pay.
    Send(Order),
    /// Pay the wallet of a node, which is asked for an address.
    SendTo(Peer, Order),
    /// Put small coins together.
    Consolidate(Asset),
    /// Make a token.
    Issue {
        /// What it is called.
        name: Text<NAME_BYTES>,
        /// How many units.
        amount: Amount,
        /// How many digits stand behind the point.
        decimals: Decimals,
    },
    /// Which tokens are known?
    Tokens,
    /// How far is a payment?
    Payment(TxId),
    /// Which payments are not final?
    Pending,
    /// Try all payments that are not final again at once.
    Resume,
    /// What came and went, newest first.
    History {
        /// At most so many.
        limit: usize,
        /// Only before this number.
        before: Option<u64>,
    },
    /// What shows that somebody was paid.
    Proof(TxId, u16),
    /// Somebody shows that we were paid.
    Receive(Box<Receipt>),
    /// Ask for a payment at a new address.
    Ask {
        /// How much, if that is fixed.
        amount: Option<Amount>,
        /// Of what.
        asset: Asset,
        /// What for.
        label: Label,
    },
    /// What was asked for.
    Requests,
    /// The phrase.
    Phrase,
    /// Be the wallet of another phrase; only one in which nothing ever was can.
    Restore(Box<Phrase>),
    /// No other device uses the phrase: what it found may be spent.
    Alone,
}

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// To whom, and how much. For [`Command::SendTo`] the address is not looked at.
    pub to: Vec<(PublicKey, Amount)>,
    /// Of what.
    pub asset: Asset,
    /// For the owner alone.
    pub note: Label,
    /// The node that is told.
    pub payee: Option<Peer>,
    /// Also if a blocked payment of the same may still arrive.
    pub twice: bool,
}

/// What comes of it.
#[derive(Debug)]
pub enum Reply {
    /// How it is.
    Status(Box<Status>),
    /// An address.
    Address(PublicKey),
    /// Own addresses.
    Addresses(Vec<AddressView>),
    /// How much there is, the network's coin first.
    Balances(Vec<(Asset, Balance)>),
    /// Coins.
    Coins(Vec<(Outpoint, Coin)>),
    /// A payment.
    Payment(Box<PaymentView>),
    /// Payments.
    Payments(Vec<PaymentView>),
    /// So many are tried again.
    Resumed(usize),
    /// Lines, newest first.
    History(Vec<(u64, LineView)>),
    /// What shows that somebody was paid.
    Proof(Box<Receipt>),
    /// We were paid; whether that was known.
    Received {
        /// The coin.
        came: Came,
        /// Whether it was here before.
        known: bool,
    },
    /// What was asked for.
    Requests(Vec<(PublicKey, Asked)>),
    /// The phrase's words.
    Phrase(Zeroizing<String>),
    /// Tokens.
    Tokens(Vec<(AssetId, Manifest)>),
    /// It is done.
    Done,
}

/// How a wallet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether another device may have the phrase.
    pub restored: Restored,
    /// The newest epoch that is known.
    pub epoch: u64,
    /// Validators: whether each is connected.
    pub validators: Vec<(Text<NAME_BYTES>, bool)>,
    /// How many votes make a payment final.
    pub quorum: usize,
    /// Payments that are not final.
    pub pending: usize,
}

/// An own address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressView {
    /// The address.
    pub address: PublicKey,
    /// What the owner calls it.
    pub label: Label,
    /// Whether it was ever paid to.
    pub paid: bool,
    /// Whether it is for change.
    pub change: bool,
}

/// An own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentView {
    /// Its id.
    pub tx: TxId,
    /// Of what.
    pub asset: Asset,
    /// Who is paid.
    pub lines: Vec<Line>,
    /// What was written beside it.
    pub note: Label,
    /// When it was made.
    pub made: Time,
    /// How far it has come.
    pub progress: Progress,
    /// Votes so far.
    pub votes: usize,
    /// Votes that make it final.
    pub needed: usize,
}

/// A line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineView {
    /// We paid.
    Paid(Box<PaymentView>),
    /// We were paid.
    Came(Box<Came>),
}

/// What a wallet tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A payment has come further.
    Payment(Box<PaymentView>),
    /// We were paid.
    Came(Box<Came>),
    /// A payee's node has noted a payment.
    Delivered(Outpoint),
    /// So many addresses were searched.
    Searched(u32),
    /// The search is over: so many coins were found.
    Found(u64),
}
