//! `validator`: what an operator asks.

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, print};
use crate::api::validator::{
    DoubleSpendInfo, EvidenceParams, LockInfo, LocksParams, ValidatorStatus,
};

#[derive(Debug, Subcommand)]
pub(super) enum Validator {
    /// Tell whether it votes, how far it has come, and how far the others have
    Status,
    /// List the transactions that it locked last
    Locks {
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// List attempts to spend a coin twice
    Evidence {
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
}

pub(super) async fn run(global: &Global, validator: Validator) -> Result<(), Failure> {
    let client = global.client().await?;
    match validator {
        Validator::Status => {
            let status: ValidatorStatus = client.call("validator_status", &json!({})).await?;
            print::either(global.json, &status, status_text)
        }
        Validator::Locks { limit } => {
            let params = LocksParams { limit: Some(limit), before: None };
            let locks: Vec<LockInfo> = client.call("validator_locks", &params).await?;
            print::either(global.json, &locks, |locks| {
                let line = |lock: &LockInfo| format!("{:>8}  {}", lock.sequence, lock.tx);
                locks.iter().map(line).collect::<Vec<_>>().join("\n")
            })
        }
        Validator::Evidence { limit } => {
            let params = EvidenceParams { limit: Some(limit), after: None };
            let attempts: Vec<DoubleSpendInfo> = client.call("validator_evidence", &params).await?;
            print::either(global.json, &attempts, |attempts| {
                attempts.iter().map(attempt_text).collect::<Vec<_>>().join("\n")
            })
        }
    }
}

fn attempt_text(attempt: &DoubleSpendInfo) -> String {
    format!(
        "{}\n  locked for {}\n  refused    {}",
        attempt.coin, attempt.locked_for, attempt.refused
    )
}

fn status_text(status: &ValidatorStatus) -> String {
    let state = match &status.why_not {
        None => "votes".to_owned(),
        Some(why) => format!("does not vote: {why}"),
    };
    let mut text = format!(
        "{} {state}\n  epoch   {}, {} of {} validators make a payment final\n  locked  {} transactions",
        print::one_line(&status.name),
        status.epoch,
        status.quorum,
        status.members,
        status.locked,
    );
    if !status.ready {
        text.push_str(&format!(
            "\n  asked   {} of {} have answered",
            status.answered, status.needed
        ));
    }
    for other in &status.others {
        let connected = if other.connected { "connected" } else { "not connected" };
        let locked =
            other.locked.map_or("nothing heard".into(), |locked| format!("{locked} locked"));
        text.push_str(&format!("\n  {:<8}{connected}, {locked}", print::one_line(&other.name)));
    }
    text
}
