//! What an operator asks of a validator, and hears.

use covey_kernel::{PublicKey, Text};

use crate::{
    limits::NAME_BYTES,
    output::{Outpoint, TxId},
    wire::NotReady,
};

/// What an operator asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// How is it?
    Status,
    /// Which transactions were locked last?
    Locks {
        /// At most so many.
        limit: usize,
        /// Only those before this sequence number.
        before: Option<u64>,
    },
    /// Who has tried to spend twice?
    Evidence {
        /// At most so many.
        limit: usize,
        /// Only after this one, in the order of outpoints.
        after: Option<Outpoint>,
    },
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// How it is.
    Status(Box<Status>),
    /// What was locked, newest first.
    Locks(Vec<LockView>),
    /// Attempts to spend twice.
    Evidence(Vec<DoubleSpendView>),
}

/// How a validator is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is called.
    pub name: Text<NAME_BYTES>,
    /// The epoch that it votes in.
    pub epoch: u64,
    /// Its place among the validators.
    pub place: usize,
    /// How many validators there are.
    pub members: usize,
    /// How many votes make a certificate.
    pub quorum: usize,
    /// The key that it votes with.
    pub vote: PublicKey,
    /// Why it does not vote; none if it does.
    pub not_ready: Option<NotReady>,
    /// Other validators that have answered since it started.
    pub answered: usize,
    /// Other validators that must have answered before it votes.
    pub needed: usize,
    /// Transactions that it has locked.
    pub locked: u64,
    /// The other validators, in the order of their places.
    pub others: Vec<OtherView>,
}

/// Another validator, as this one knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherView {
    /// What it is called.
    pub name: Text<NAME_BYTES>,
    /// Whether it is connected.
    pub connected: bool,
    /// How many transactions it had locked, as it last said.
    pub height: Option<u64>,
}

/// A transaction that was locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockView {
    /// Its sequence number.
    pub sequence: u64,
    /// The transaction.
    pub tx: TxId,
    /// What it spends.
    pub inputs: Vec<Outpoint>,
}

/// An attempt to spend twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleSpendView {
    /// What.
    pub outpoint: Outpoint,
    /// The transaction that was locked.
    pub first: TxId,
    /// One that was refused.
    pub second: TxId,
}

/// What a validator tells its operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It votes from now on, or no longer.
    Ready(Option<NotReady>),
    /// Somebody has tried to spend an output twice.
    DoubleSpend(DoubleSpendView),
}
