//! What nodes say to each other about money. A node may be a validator, hold a wallet, or both, under
//! one protocol: a request says which of the two it is for.

use covey_kernel::{
    Bounded, Frames, PublicKey,
    cbor::{self, DecodeError},
    tagged,
};

use crate::{
    evidence::Conflict,
    height::SignedHeight,
    holdings::{Claim, Holding},
    limits::{ENTRIES, HOLDINGS, LINKS, REQUEST_BYTES, RESPONSE_BYTES},
    output::TxId,
    proof::Paid,
    reason::Reason,
    reconfigure::{Candidacy, Link},
    seal::{LogFrom, LogPage, Refresh},
    spend::Spend,
    vote::Vote,
};

/// What the protocol is called.
pub const PROTOCOL: &str = "ledger";

/// How large its frames may be.
pub const FRAMES: Frames = Frames { request: REQUEST_BYTES, response: RESPONSE_BYTES };

tagged! {
    /// A request to a node.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Request {
        /// For the validator.
        0 => Validator(ToValidator),
        /// For the wallet.
        1 => Wallet(ToWallet),
    }
}

tagged! {
    /// A request to a validator.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum ToValidator {
        /// Vote for a transaction.
        0 => Spend(Box<Spend>),
        /// A validator tells how far it has come.
        1 => Height(SignedHeight),
        /// A validator asks how far it had come itself in an epoch.
        2 => MyHeight(u64),
        /// Somebody asks what there is at an address of theirs.
        3 => Claim(Box<Claim>),
        /// Vote anew for what was certified in an earlier epoch.
        4 => Refresh(Box<Refresh>),
        /// Anybody asks for the configurations after an epoch.
        5 => Links(u64),
        /// The next configuration is certified.
        6 => Link(Box<Link>),
        /// Of a proposal for the next configuration, what the asking node knows.
        7 => Candidacy(Box<Candidacy>),
        /// A validator asks for a part of a lock set.
        8 => Log(LogFrom),
        /// A validator asks for entries of a lock set.
        9 => Entries(Bounded<TxId, ENTRIES>),
    }
}

tagged! {
    /// Why a validator does not answer yet, or any more.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum NotReady {
        /// The node is no validator.
        0 => NoValidator(()),
        /// It has just started, and asks the others how far it had come.
        1 => Checking(()),
        /// Its store is older than what the others know of it: it must never vote again.
        2 => Behind(()),
        /// Its epoch is over.
        3 => Sealed(()),
        /// Its epoch has begun, and it does not yet have what the last one handed over.
        4 => Importing(()),
    }
}

tagged! {
    /// A validator's answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FromValidator {
        /// It votes for the transaction.
        0 => Vote(Vote),
        /// It has voted for another transaction that spends the same.
        1 => Conflict(Box<Conflict>),
        /// The transaction is not valid.
        2 => Invalid(Reason),
        /// It cannot say.
        3 => NotReady(NotReady),
        /// How far the asking validator had come, as it told last.
        4 => Height(Option<SignedHeight>),
        /// It has noted what it was told.
        5 => Noted(()),
        /// What there is at an address.
        6 => Holdings(Bounded<Holding, HOLDINGS>),
        /// Configurations, in order; none if there are no more.
        7 => Links(Bounded<Link, LINKS>),
        /// A part of a lock set.
        8 => Log(Box<LogPage>),
        /// The first of the entries that were asked for, in order; at least one.
        9 => Entries(Bounded<Spend, ENTRIES>),
    }
}

tagged! {
    /// A request to a wallet.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum ToWallet {
        /// Where may I pay you?
        0 => Address(()),
        /// You are paid.
        1 => Deliver(Box<Paid>),
        /// Which configurations follow an epoch? Whoever is paid asks whoever pays.
        2 => Links(u64),
    }
}

tagged! {
    /// A wallet's answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum FromWallet {
        /// Pay here.
        0 => Address(PublicKey),
        /// The payment is noted; whether it was already.
        1 => Received(bool),
        /// There is no wallet here, or it gives no address.
        2 => None(()),
        /// The payment is not valid.
        3 => Invalid(Reason),
        /// The payment is to somebody else.
        4 => NotMine(()),
        /// Configurations, in order; none if there are no more.
        5 => Links(Bounded<Link, LINKS>),
    }
}

impl Request {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        cbor::decode(bytes, REQUEST_BYTES)
    }

    /// Whether encoded bytes are for the validator; what is malformed is for nobody, and goes to the
    /// wallet, which refuses it.
    #[must_use]
    pub fn is_for_validator(bytes: &[u8]) -> bool {
        // An array of two, the tag first.
        bytes.starts_with(&[0x82, 0x00])
    }
}

impl FromValidator {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        cbor::decode(bytes, RESPONSE_BYTES)
    }
}

impl FromWallet {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        cbor::encode(self)
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        cbor::decode(bytes, RESPONSE_BYTES)
    }
}
