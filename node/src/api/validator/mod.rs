//! `validator_*`: what an operator asks of a validator.

mod reconfigure;
pub mod types;

use std::sync::Arc;

use covey_ledger::{
    validator::{Command, DoubleSpendView, Event, ImportView, Reply},
    wire::NotReady,
};

use super::{
    call_error,
    pay::{convert, errors, ledger},
};
use crate::{
    node::State,
    rpc::{Method, NoParams, Registry, RpcError, Subscription, codes, from_broadcast},
};
use types::{
    DoubleSpendInfo, EvidenceParams, ImportInfo, LockInfo, LocksParams, OtherInfo, SourceInfo,
    ValidatorEvent, ValidatorStatus,
};

/// Lines of a list, unless asked otherwise.
const DEFAULT_PAGE: usize = 50;

pub(super) fn register(registry: &mut Registry<State>) {
    reconfigure::register(registry);
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
        NotReady::NoValidator(()) => "it is no validator",
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
        lock_set: status.set,
        import: status.import.map(import),
        others: others.collect(),
    })
}

fn import(view: ImportView) -> ImportInfo {
    let sources = view.sources.into_iter().map(|source| SourceInfo {
        name: source.name.to_string(),
        listed: source.listed,
        wanted: source.wanted,
        sealed: source.sealed,
        complete: source.complete,
        lied: source.lied,
    });
    ImportInfo { epoch: view.epoch, needed: view.needed, sources: sources.collect() }
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
