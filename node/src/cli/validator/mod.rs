//! `validator`: what an operator asks.

mod reconfigure;

use clap::Subcommand;
use serde_json::json;

use super::{Failure, Global, print};
use crate::api::validator::types::{
    DoubleSpendInfo, EvidenceParams, ImportInfo, LockInfo, LocksParams, ValidatorStatus,
};
use reconfigure::Reconfigure;

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
    /// Replace validators: agree on who validates in the next epoch
    #[command(subcommand, after_help = reconfigure::HELP)]
    Reconfigure(Reconfigure),
}

pub(super) async fn run(global: &Global, validator: Validator) -> Result<(), Failure> {
    if let Validator::Reconfigure(reconfigure) = validator {
        return reconfigure::run(global, reconfigure).await;
    }
    let client = global.client().await?;
    match validator {
        Validator::Reconfigure(_) => Ok(()),
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

/// How far the lock sets of the epoch before are taken over.
fn import_text(import: &ImportInfo) -> String {
    let complete = import.sources.iter().filter(|source| source.complete).count();
    let mut text = format!(
        "\n  import  for epoch {}: {complete} of {} lock sets are complete",
        import.epoch, import.needed
    );
    for source in &import.sources {
        let state = match (source.lied, source.complete, source.sealed) {
            (true, ..) => "left out: it lists what cannot be".to_owned(),
            (_, true, _) => format!("complete, {} transactions", source.listed),
            (_, _, None) => {
                format!("{} so far, {} missing; not sealed", source.listed, source.wanted)
            }
            (_, _, Some(all)) => format!("{} of {all}, {} missing", source.listed, source.wanted),
        };
        text.push_str(&format!("\n    {:<8}{state}", print::one_line(&source.name)));
    }
    text
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
    let name = match status.place {
        Some(_) => print::one_line(&status.name),
        None => "this node".to_owned(),
    };
    let newer = match status.newest_epoch == status.epoch {
        true => String::new(),
        false => format!(" (the newest is {})", status.newest_epoch),
    };
    let mut text = format!(
        "{name} {state}\n  epoch   {}{newer}, {} of {} validators make a payment final\n  \
         locked  {} transactions, {} in the lock set",
        status.epoch, status.quorum, status.members, status.locked, status.lock_set,
    );
    text.push_str(&status.import.as_ref().map(import_text).unwrap_or_default());
    if !status.ready && status.place.is_some() && status.answered < status.needed {
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
