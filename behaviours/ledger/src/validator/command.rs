//! What an operator asks of a validator, and hears.

use covey_kernel::{Address, Bounded, Hash, PublicKey, Text};

use crate::{
    configuration::{Configuration, Member},
    limits::{ADDRESSES, NAME_BYTES},
    output::{Outpoint, TxId},
    reconfigure::Proposal,
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
    /// The entry of this node for the next epoch, with a voting key that is made for it. The same
    /// again until that epoch begins.
    Join {
        /// What it is to be called.
        name: Text<NAME_BYTES>,
        /// Where it is to be looked for.
        addresses: Bounded<Address, ADDRESSES>,
    },
    /// Governance has signed a configuration.
    Propose(Box<Proposal>),
    /// The operator agrees to a proposal.
    Approve(Hash),
    /// Which proposals are open?
    Proposals,
    /// The newest configuration, to make the next one of.
    Configuration,
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
    /// The entry of this node.
    Member(Box<Member>),
    /// The proposal's id.
    Proposed(Hash),
    /// The open proposals.
    Proposals(Vec<ProposalView>),
    /// The newest configuration.
    Configuration(Box<Configuration>),
}

/// A proposal for the next configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalView {
    /// Its id.
    pub id: Hash,
    /// What is proposed.
    pub configuration: Configuration,
    /// Governance keys that have signed.
    pub approvals: usize,
    /// Places of the members that have copied what is locked, and accepted.
    pub accepted: Vec<u8>,
    /// Places of the present members whose operators agree.
    pub acknowledged: Vec<u8>,
    /// Places of the present members that have voted for it.
    pub voted: Vec<u8>,
    /// Whether this node's operator has approved of it.
    pub approved: bool,
}

/// How a validator is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// What it is called.
    pub name: Text<NAME_BYTES>,
    /// The epoch that it is in; of a node that is in none, the newest one known.
    pub epoch: u64,
    /// The newest epoch known.
    pub newest: u64,
    /// Its place among the validators, if it is one.
    pub place: Option<usize>,
    /// How many validators there are.
    pub members: usize,
    /// How many votes make a certificate.
    pub quorum: usize,
    /// The key that it votes with, if it is a validator.
    pub vote: Option<PublicKey>,
    /// Why it does not vote; none if it does.
    pub not_ready: Option<NotReady>,
    /// Other validators that have answered since it started.
    pub answered: usize,
    /// Other validators that must have answered before it votes.
    pub needed: usize,
    /// Transactions that it has locked.
    pub locked: u64,
    /// Transactions in its lock set.
    pub set: u64,
    /// How far it has taken over the lock sets of the last epoch, while it does.
    pub import: Option<ImportView>,
    /// The other validators, in the order of their places.
    pub others: Vec<OtherView>,
}

/// How far an import has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportView {
    /// For which epoch.
    pub epoch: u64,
    /// Complete lock sets that are needed.
    pub needed: usize,
    /// The members of the last epoch, in the order of their places.
    pub sources: Vec<SourceView>,
}

/// How far the lock set of one member is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceView {
    /// What it is called.
    pub name: Text<NAME_BYTES>,
    /// Transactions that it has listed.
    pub listed: u64,
    /// Of these, such as nobody has shown yet.
    pub wanted: u64,
    /// How many it has sealed, if it has.
    pub sealed: Option<u64>,
    /// Whether all of it is here.
    pub complete: bool,
    /// Whether it has lied.
    pub lied: bool,
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
