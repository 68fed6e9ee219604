//! How long payments pause when a validator is replaced.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::json;

use super::{
    Payers,
    scenarios::{WAIT, is_final},
};
use crate::{
    api::{
        pay::types::{PaymentInfo, PaymentState},
        validator::types::ValidatorStatus,
    },
    bench::BenchError,
    local::{Local, Transport},
};

/// How long all of it may take.
const LONGEST: Duration = Duration::from_hours(1);

/// How often validators are asked how far they are.
const OFTEN: Duration = Duration::from_millis(200);

/// What replacing one of four validators gave.
#[derive(Debug, Clone, Serialize)]
pub struct Replaced {
    /// Transactions that were locked before.
    pub locks: u64,
    /// From the agreement of the operators until a quorum of the new validators voted, in seconds;
    /// lock sets are copied first.
    pub change_secs: f64,
    /// The same until all voted.
    pub all_secs: f64,
    /// The longest payment of those made one after another meanwhile, in seconds.
    pub pause_secs: f64,
    /// Payments made meanwhile.
    pub payments: usize,
}

/// Replaces the last of the validators while somebody pays.
pub(super) async fn measure(payers: &mut Payers) -> Result<Replaced, BenchError> {
    let fifth = payers.community.candidate("v5", Transport::Tcp).await?;
    let present: Vec<&Local> = payers.validators.iter().collect();
    let locks = status(present.first()).await?.lock_set;
    let stay = present.len().saturating_sub(1);
    let mut next: Vec<&Local> = present.iter().take(stay).copied().collect();
    next.push(&fifth);
    let epoch = payers.community.succeed(&present, &next).await?;
    let (begun, done) = (Instant::now(), Cell::new(false));
    let changing = async {
        let changed = until_voting(epoch, &next, stay, begun).await;
        let all = until_voting(epoch, &next, next.len(), begun).await;
        done.set(true);
        Ok::<_, BenchError>((changed?, all?))
    };
    let ((change, all), (longest, payments)) =
        futures::future::try_join(changing, pay_until(payers, &done)).await?;
    payers.validators.push(fifth);
    Ok(Replaced {
        locks,
        change_secs: change.as_secs_f64(),
        all_secs: all.as_secs_f64(),
        pause_secs: longest.as_secs_f64(),
        payments,
    })
}

async fn status(validator: Option<&&Local>) -> Result<ValidatorStatus, BenchError> {
    let validator = validator.ok_or_else(|| BenchError::Wrong("no validator".into()))?;
    Ok(validator.call("validator_status", &json!({})).await?)
}

/// Waits until so many vote in an epoch.
async fn until_voting(
    epoch: u64,
    validators: &[&Local],
    needed: usize,
    begun: Instant,
) -> Result<Duration, BenchError> {
    while begun.elapsed() < LONGEST {
        let mut voting = 0usize;
        for validator in validators {
            let status = status(Some(validator)).await?;
            voting = voting.saturating_add(usize::from(status.ready && status.epoch == epoch));
        }
        if voting >= needed {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(OFTEN).await;
    }
    Err(BenchError::Wrong(format!("fewer than {needed} validators vote in epoch {epoch}")))
}

/// Pays one after another; how long the longest payment took, and how many there were.
async fn pay_until(payers: &Payers, done: &Cell<bool>) -> Result<(Duration, usize), BenchError> {
    let address = payers.addresses.first().and_then(|four| four.first());
    let address = address.ok_or_else(|| BenchError::Wrong("no such address".into()))?;
    let send = json!({ "to": address, "amount": "0.01", "wait_ms": WAIT });
    let (mut longest, mut payments) = (Duration::ZERO, 0usize);
    // One more, of the new epoch.
    let mut last = false;
    while !last {
        last = done.get();
        let begun = Instant::now();
        let mut paid: PaymentInfo = payers.first.call("pay_send", &send).await?;
        while paid.state == PaymentState::Sending && begun.elapsed() < LONGEST {
            let wait = json!({ "id": paid.id, "wait_ms": WAIT });
            paid = payers.first.call("pay_payment", &wait).await?;
        }
        is_final(&paid)?;
        longest = longest.max(begun.elapsed());
        payments = payments.saturating_add(1);
    }
    Ok((longest, payments))
}
