//! What the methods of `validator` take and give.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::ConfigurationFile;

/// `validator_status`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ValidatorStatus {
    /// What it is called.
    pub name: String,
    /// The epoch that it votes in.
    pub epoch: u64,
    /// The newest epoch that it knows.
    pub newest_epoch: u64,
    /// Its place among the validators, from 0, if it is one.
    pub place: Option<usize>,
    /// How many validators there are.
    pub members: usize,
    /// How many votes make a payment final.
    pub quorum: usize,
    /// The key that it votes with, if it is a validator.
    pub vote_key: Option<String>,
    /// Whether it votes.
    pub ready: bool,
    /// Why it does not.
    pub why_not: Option<String>,
    /// Other validators that have told it how far it had come, since it started.
    pub answered: usize,
    /// How many of them it needs before it votes.
    pub needed: usize,
    /// Transactions that it has locked.
    pub locked: u64,
    /// Transactions in its lock set: those that it has locked in this epoch, and those that it has taken
    /// over from earlier ones.
    pub lock_set: u64,
    /// How far it has taken over the lock sets of the epoch before, while it does.
    pub import: Option<ImportInfo>,
    /// The other validators.
    pub others: Vec<OtherInfo>,
}

/// How far the lock sets of an epoch are taken over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ImportInfo {
    /// For which epoch.
    pub epoch: u64,
    /// Complete sets that are needed.
    pub needed: usize,
    /// Those who hand theirs over.
    pub sources: Vec<SourceInfo>,
}

/// How far one lock set is taken over.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SourceInfo {
    /// Whose.
    pub name: String,
    /// Transactions that it has listed.
    pub listed: u64,
    /// Of these, such as are not here yet.
    pub wanted: u64,
    /// How many it has sealed, if it has.
    pub sealed: Option<u64>,
    /// Whether all of it is here.
    pub complete: bool,
    /// Whether it has lied, so that its set is left out.
    pub lied: bool,
}

/// `validator_entry`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct EntryParams {
    /// What it is to be called; as now, if not given.
    #[serde(default)]
    pub name: Option<String>,
    /// Where others are to look for it, as multiaddresses; as now, if not given.
    #[serde(default)]
    pub addresses: Option<Vec<String>>,
}

/// `validator_configuration`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConfigurationInfo {
    /// The network's id.
    pub network: String,
    /// The configuration's id: what the next one names as the one before it.
    pub id: String,
    /// Who validates.
    pub configuration: ConfigurationFile,
}

/// `validator_approve`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ApproveParams {
    /// The proposal.
    pub id: String,
}

/// A proposal that this node has taken in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Proposed {
    /// Its id.
    pub id: String,
}

/// A proposal of who is to validate next.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProposalInfo {
    /// Its id.
    pub id: String,
    /// Who is to validate.
    pub configuration: ConfigurationFile,
    /// Keys of governance that have signed.
    pub approvals: usize,
    /// Names of those who are to validate and are ready: they have copied what is locked.
    pub accepted: Vec<String>,
    /// Names of the present validators whose operators agree.
    pub acknowledged: Vec<String>,
    /// Names of the present validators that have voted for it.
    pub voted: Vec<String>,
    /// Votes that it needs, and before them as many agreeing operators.
    pub needed: usize,
    /// Whether this node's operator has agreed.
    pub approved: bool,
}

/// Another validator.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OtherInfo {
    /// What it is called.
    pub name: String,
    /// Whether there is a connection.
    pub connected: bool,
    /// How many transactions it had locked, as it last said.
    pub locked: Option<u64>,
}

/// `validator_locks`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct LocksParams {
    /// At most so many, newest first.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only those before this sequence number.
    #[serde(default)]
    pub before: Option<u64>,
}

/// A transaction that was locked.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LockInfo {
    /// Its sequence number.
    pub sequence: u64,
    /// The transaction.
    pub tx: String,
    /// What it spends.
    pub inputs: Vec<String>,
}

/// `validator_evidence`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceParams {
    /// At most so many.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only after this coin.
    #[serde(default)]
    pub after: Option<String>,
}

/// An attempt to spend a coin twice: its owner has signed both.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DoubleSpendInfo {
    /// The coin.
    pub coin: String,
    /// The transaction that it was locked for.
    pub locked_for: String,
    /// One that was refused.
    pub refused: String,
}

/// What a validator tells: one of these.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ValidatorEvent {
    /// It votes from now on, or no longer.
    Ready {
        /// Whether it votes.
        ready: bool,
        /// Why it does not.
        why_not: Option<String>,
    },
    /// Somebody has tried to spend a coin twice.
    DoubleSpend {
        /// The attempt.
        attempt: DoubleSpendInfo,
    },
}
