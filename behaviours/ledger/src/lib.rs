//! Payments without consensus: validators approve transactions one by one, without talking to each
//! other, and more than two thirds of them make one final.
//!
//! Two deterministic machines: a [`Validator`] and a wallet. Their rules, invariants, bounds and the
//! wire format are in this crate's `README.md`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod address;
mod amount;
mod chain;
mod configuration;
mod error;
mod evidence;
mod genesis;
mod height;
mod holdings;
pub mod limits;
mod output;
mod phrase;
mod proof;
mod reason;
mod receipt;
mod reconfigure;
mod seal;
mod spend;
mod token;
mod transaction;
mod uri;
pub mod validator;
mod vote;
pub mod wallet;
pub mod wire;

pub use address::{InvalidAddress, InvalidPrefix, Prefix, address_text, parse_address};
pub use amount::{Amount, Decimals, InvalidAmount};
pub use chain::Network;
pub use configuration::{Configuration, Governance, InvalidConfiguration, Member, faulty, quorum};
pub use error::Error;
pub use evidence::{Conflict, Evidence, NoEvidence};
pub use genesis::{Currency, Genesis, InvalidGenesis};
pub use height::{HEIGHT, Height, SignedHeight};
pub use holdings::{CLAIM, Claim, Holding, Voted};
pub use output::{
    Asset, AssetId, Outpoint, Output, SALT_LENGTH, Salt, Salted, TxId, leaves, new_salt,
};
pub use phrase::{Branch, InvalidPhrase, KeyTree, Phrase};
pub use proof::{Paid, Proof};
pub use reason::Reason;
pub use receipt::{InvalidReceipt, Receipt, Shown};
pub use reconfigure::{
    ACCEPT, ACKNOWLEDGE, APPROVE, Acceptance, Candidacy, InvalidLink, Link, Placed, Proposal,
    SUCCESSOR, Signatures, Successor,
};
pub use seal::{LockSet, LogFrom, LogPage, Refresh, SEAL, Seal};
pub use spend::{Judged, Spend};
pub use token::Manifest;
pub use transaction::{Body, SPEND, Witness, Witnesses};
pub use uri::{InvalidUri, PaymentUri};
pub use validator::Validator;
pub use vote::{Ballot, Certificate, KnownBallots, Signed, VOTE, Vote, leaf};
pub use wallet::Wallet;
