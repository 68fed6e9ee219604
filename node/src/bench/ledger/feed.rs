//! One validator alone: fed over libp2p by a process that made all transactions, and the other
//! validators' votes under their inputs, beforehand.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use covey_ledger::{quorum, wire::FromValidator};
use libp2p::Multiaddr;
use serde::Serialize;

use super::{Feeder, Forge, Limits, VALIDATORS, forge::TURN};
use crate::{
    bench::{BenchError, processor_time, rate},
    local::{Community, Local, Transport},
};

/// Who feeds it: more than one, because of each a validator lets only some requests wait.
const FEEDERS: usize = 4;

/// Requests of each in flight.
const IN_FLIGHT: usize = 256;

/// What one validator did.
#[derive(Debug, Clone, Serialize)]
pub struct Fed {
    /// Transactions, each with one input, two outputs and a certificate of three votes.
    pub transactions: usize,
    /// Transactions a second.
    pub rate: f64,
    /// Transactions a second of the validator's processor time.
    pub per_core: f64,
    /// Processor time for one transaction, in microseconds.
    pub cpu_micros: f64,
    /// How much of that the owner's signature takes at the limit measured in the same run.
    pub owner_micros: f64,
    /// The same for the votes under the input.
    pub votes_micros: f64,
    /// The same for its own signature.
    pub sign_micros: f64,
}

fn wrong(error: impl ToString) -> BenchError {
    BenchError::Wrong(error.to_string())
}

/// Feeds one validator with so many transactions, which it has never seen the parents of.
pub(super) async fn measure(
    place: &Path,
    transactions: usize,
    limits: &Limits,
) -> Result<Fed, BenchError> {
    std::fs::create_dir_all(place).map_err(crate::local::io("cannot make a folder"))?;
    let community = Community::found(place, VALIDATORS, 1_000_000, Vec::new())?;
    let keys = community.voting_keys()?;
    let forge = Forge { network: community.network(), keys: &keys };
    let coins = forge.coins(transactions)?;
    let requests: Vec<Vec<u8>> = coins.iter().map(|coin| forge.request(coin).1).collect();
    let mut validators = community.validators(Transport::Tcp).await?;
    ready(&validators).await?;
    // The others have told it that it is not behind: from now on it is alone.
    for other in validators.split_off(1) {
        drop(other);
    }
    let validator = validators.pop().ok_or_else(|| wrong("no validator"))?;
    let fed = feed(&community, &validator, requests).await?;
    Ok(fed.beside(limits))
}

async fn ready(validators: &[Local]) -> Result<(), BenchError> {
    for validator in validators {
        let votes = |status: &crate::api::validator::types::ValidatorStatus| status.ready;
        let none = serde_json::json!({});
        validator.wait("a validator to vote", "validator_status", &none, votes).await?;
    }
    Ok(())
}

async fn feed(
    community: &Community,
    validator: &Local,
    requests: Vec<Vec<u8>>,
) -> Result<Fed, BenchError> {
    let member = community.network().newest().members.first().cloned();
    let member = member.ok_or_else(|| wrong("no validator"))?;
    let address = member.addresses.last().and_then(|one| Multiaddr::try_from(one.to_vec()).ok());
    let address = address.ok_or_else(|| wrong("a validator without an address"))?;
    let network = community.network().id;
    let feeders = (0..FEEDERS).map(|_| Feeder::new(&network, member.peer, address.clone()));
    let mut feeders = feeders.collect::<Result<Vec<_>, _>>()?;
    let status: crate::api::types::Status =
        validator.call("node_status", &serde_json::json!({})).await?;
    let mut requests = requests.into_iter();
    for feeder in &mut feeders {
        // Once around, so that dialing is not measured.
        votes(feeder, requests.by_ref().take(1)).await?;
    }
    let transactions = requests.len();
    let share = transactions.div_ceil(FEEDERS);
    let shares: Vec<Vec<Vec<u8>>> =
        (0..FEEDERS).map(|_| requests.by_ref().take(share).collect()).collect();
    let (begun, cpu) = (Instant::now(), processor_time(status.pid));
    let feeding = feeders
        .into_iter()
        .zip(shares)
        .map(|(mut feeder, share)| async move { votes(&mut feeder, share.into_iter()).await });
    futures::future::try_join_all(feeding).await?;
    let (elapsed, cpu) = (begun.elapsed(), processor_time(status.pid).saturating_sub(cpu));
    Ok(Fed::of(transactions, elapsed, cpu))
}

/// Asks for a vote on each, and makes sure that it is given.
async fn votes(
    feeder: &mut Feeder,
    requests: impl Iterator<Item = Vec<u8>>,
) -> Result<(), BenchError> {
    let mut requests = (0u64..).zip(requests).fuse();
    let mut open = 0usize;
    loop {
        while open < IN_FLIGHT
            && let Some((number, bytes)) = requests.next()
        {
            feeder.ask(number, bytes).map_err(wrong)?;
            open = open.saturating_add(1);
        }
        if open == 0 {
            return Ok(());
        }
        match feeder.next().await {
            (_, Ok(FromValidator::Vote(_))) => open = open.saturating_sub(1),
            (_, other) => return Err(wrong(format!("no vote but {other:?}"))),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // counts of a benchmark are small
impl Fed {
    fn of(transactions: usize, elapsed: Duration, cpu: Duration) -> Self {
        let each = cpu.as_secs_f64() * 1e6 / transactions.max(1) as f64;
        Self {
            transactions,
            rate: rate(transactions, elapsed),
            per_core: 1e6 / each.max(1e-9),
            cpu_micros: each,
            owner_micros: 0.0,
            votes_micros: 0.0,
            sign_micros: 0.0,
        }
    }

    /// What its signatures alone would have taken.
    fn beside(self, limits: &Limits) -> Self {
        let votes = (quorum(VALIDATORS) as f64) / (TURN as f64);
        Self {
            owner_micros: 1e6 / limits.verify_owners,
            votes_micros: 1e6 / limits.verify_validators * votes,
            // One signature for a whole turn.
            sign_micros: 1e6 / limits.sign / covey_kernel::limits::TURN_INPUTS as f64,
            ..self
        }
    }
}
