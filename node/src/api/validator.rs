//! `validator_*`: what an operator asks of a validator.

use std::sync::Arc;

use covey_ledger::{
    validator::{Command, DoubleSpendView, Event, Reply},
    wire::NotReady,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    call_error,
    pay::{convert, errors, ledger},
};
use crate::{
    node::State,
    rpc::{Method, NoParams, Registry, RpcError, Subscription, codes, from_broadcast},
};

/// Lines of a list, unless asked otherwise.
const DEFAULT_PAGE: usize = 50;

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
    /// The other validators.
    pub others: Vec<OtherInfo>,
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

pub(super) fn register(registry: &mut Registry<State>) {
    registry
        .method(about("validator_status", "Tells how the validator is doing."), status)
        .method(about("validator_locks", "Lists what was locked, newest first."), locks)
        .method(about("validator_evidence", "Lists attempts to spend a coin twice."), evidence);
    registry.subscription(
        Subscription {
            name: "validator_subscribe",
            unsubscribe: "validator_unsubscribe",
            notification: "validator_event",
            summary: "Streams whether the validator votes, and attempts to spend twice.",
            errors: errors::CODES,
        },
        |state: Arc<State>, _: NoParams| async move {
            let validator = ledger(&state)?.validator.as_ref();
            let validator = validator.ok_or_else(|| RpcError::from(codes::NO_VALIDATOR))?;
            Ok(from_broadcast(validator.subscribe(), |event| Some(event_info(&event))))
        },
    );
}

fn about(name: &'static str, summary: &'static str) -> Method {
    Method { name, summary, errors: errors::CODES }
}

async fn call(state: &State, command: Command) -> Result<Reply, RpcError> {
    let validator = ledger(state)?.validator.as_ref();
    let validator = validator.ok_or_else(|| RpcError::from(codes::NO_VALIDATOR))?;
    validator.call(command).await.map_err(|error| call_error(error, errors::code))
}

fn unexpected() -> RpcError {
    codes::INTERNAL.into()
}

fn why_not(why: NotReady) -> String {
    match why {
        NotReady::NoValidator(()) => "this node is no validator",
        NotReady::Checking(()) => {
            "it has just started, and waits for other validators to say how far it had come"
        }
        NotReady::Behind(()) => {
            "its store is older than what it has signed: it must never vote again; have it replaced by \
             a validator with a new key"
        }
        NotReady::Sealed(()) => "its epoch is over",
        NotReady::Importing(()) => "it waits for what the last epoch hands over",
    }
    .to_owned()
}

async fn status(state: Arc<State>, _: NoParams) -> Result<ValidatorStatus, RpcError> {
    let Reply::Status(status) = call(&state, Command::Status).await? else {
        return Err(unexpected());
    };
    let others = status.others.iter().map(|other| OtherInfo {
        name: other.name.to_string(),
        connected: other.connected,
        locked: other.height,
    });
    Ok(ValidatorStatus {
        name: status.name.to_string(),
        epoch: status.epoch,
        newest_epoch: status.newest,
        place: status.place,
        members: status.members,
        quorum: status.quorum,
        vote_key: status.vote.map(|key| key.to_string()),
        ready: status.not_ready.is_none(),
        why_not: status.not_ready.map(why_not),
        answered: status.answered,
        needed: status.needed,
        locked: status.locked,
        others: others.collect(),
    })
}

async fn locks(state: Arc<State>, params: LocksParams) -> Result<Vec<LockInfo>, RpcError> {
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    match call(&state, Command::Locks { limit, before: params.before }).await? {
        Reply::Locks(locks) => {
            let info = locks.into_iter().map(|lock| LockInfo {
                sequence: lock.sequence,
                tx: lock.tx.to_string(),
                inputs: lock.inputs.iter().map(ToString::to_string).collect(),
            });
            Ok(info.collect())
        }
        _ => Err(unexpected()),
    }
}

async fn evidence(
    state: Arc<State>,
    params: EvidenceParams,
) -> Result<Vec<DoubleSpendInfo>, RpcError> {
    let after = params.after.as_deref().map(convert::outpoint).transpose()?;
    let limit = params.limit.unwrap_or(DEFAULT_PAGE);
    match call(&state, Command::Evidence { limit, after }).await? {
        Reply::Evidence(attempts) => Ok(attempts.iter().map(attempt).collect()),
        _ => Err(unexpected()),
    }
}

fn attempt(view: &DoubleSpendView) -> DoubleSpendInfo {
    DoubleSpendInfo {
        coin: view.outpoint.to_string(),
        locked_for: view.first.to_string(),
        refused: view.second.to_string(),
    }
}

fn event_info(event: &Event) -> ValidatorEvent {
    match event {
        Event::Ready(why) => {
            ValidatorEvent::Ready { ready: why.is_none(), why_not: why.map(why_not) }
        }
        Event::DoubleSpend(view) => ValidatorEvent::DoubleSpend { attempt: attempt(view) },
    }
}
