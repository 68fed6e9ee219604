//! Whole payments: from the command to a certificate on the payer's disk.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use rand::RngExt as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Payers, available, thesis};
use crate::{
    api::pay::types::{PaymentInfo, PaymentState, PaymentText},
    bench::{BenchError, Latencies, Latency, rate},
    local::Local,
};

/// How long one payment may take, in milliseconds.
pub(super) const WAIT: u64 = 20_000;

/// One of the thesis's scenarios.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    /// As the thesis counts them.
    pub(super) number: usize,
    /// To which addresses one trial pays, one after another; none is a random one. From which the
    /// money comes the wallet decides.
    to: &'static [Option<(usize, usize)>],
}

/// All of them, in the thesis's order.
pub(super) const ALL: [Scenario; 5] = [
    Scenario { number: 1, to: &[Some((0, 1))] },
    Scenario { number: 2, to: &[Some((0, 1)), Some((0, 0))] },
    Scenario { number: 3, to: &[Some((0, 1)), Some((0, 0)), Some((0, 3)), Some((0, 2))] },
    Scenario { number: 4, to: &[None] },
    Scenario { number: 5, to: &[Some((1, 0))] },
];

/// What a scenario gave.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// As the thesis counts them.
    pub scenario: usize,
    /// How often it was done.
    pub trials: usize,
    /// Payments a second.
    pub rate: f64,
    /// The thesis's, where it has one.
    pub thesis: Option<f64>,
    /// Processor time of all six nodes for one payment, in microseconds.
    pub cpu_micros: f64,
    /// How long one payment took.
    pub latency: Latency,
}

/// Pays one after another.
pub(super) async fn run(
    payers: &Payers,
    scenario: Scenario,
    trials: usize,
) -> Result<Run, BenchError> {
    let mut latencies = Latencies::new()?;
    let mut payments = 0usize;
    let cpu = processor_time(payers).await?;
    let begun = Instant::now();
    for _ in 0..trials {
        for to in scenario.to {
            let random = || (0, rand::rng().random_range(0..4));
            let (wallet, number) = to.unwrap_or_else(random);
            let address = payers.addresses.get(wallet).and_then(|four| four.get(number));
            let address = address.ok_or_else(|| BenchError::Wrong("no such address".into()))?;
            let paying = Instant::now();
            let paid = pay(&payers.first, address).await?;
            if wallet == 1 {
                deliver(payers, &paid).await?;
            }
            latencies.add(paying.elapsed());
            payments = payments.saturating_add(1);
        }
    }
    let rate = rate(payments, begun.elapsed());
    let cpu_micros = micros_each(processor_time(payers).await?.saturating_sub(cpu), payments);
    let (scenario, latency) = (scenario.number, latencies.summary());
    Ok(Run { scenario, trials, rate, thesis: thesis(scenario, trials), cpu_micros, latency })
}

async fn pay(wallet: &Local, to: &str) -> Result<PaymentInfo, BenchError> {
    let params = json!({ "to": to, "amount": "0.01", "wait_ms": WAIT });
    let paid: PaymentInfo = wallet.call("pay_send", &params).await?;
    is_final(&paid)?;
    Ok(paid)
}

pub(super) fn is_final(paid: &PaymentInfo) -> Result<(), BenchError> {
    if paid.state == PaymentState::Final {
        return Ok(());
    }
    Err(BenchError::Wrong(format!("the payment {} is {:?}", paid.id, paid.state)))
}

/// The other wallet takes it.
async fn deliver(payers: &Payers, paid: &PaymentInfo) -> Result<(), BenchError> {
    let proof: PaymentText = payers.first.call("pay_proof", &json!({ "id": paid.id })).await?;
    let _: Value = payers.second.call("pay_receive", &proof).await?;
    Ok(())
}

/// What many payments in flight gave.
#[derive(Debug, Clone, Serialize)]
pub struct Flood {
    /// Payments.
    pub payments: usize,
    /// In flight at once.
    pub in_flight: usize,
    /// Payments a second.
    pub rate: f64,
    /// Processor time of all six nodes for one payment, in microseconds.
    pub cpu_micros: f64,
}

/// Calls in flight.
const IN_FLIGHT: usize = 256;

/// Coins that one transaction makes.
const SPLIT: usize = 250;

/// Pays many at once, from as many coins.
pub(super) async fn flood(payers: &Payers, payments: usize) -> Result<Flood, BenchError> {
    split(payers, payments.min(IN_FLIGHT.saturating_mul(4))).await?;
    let before = available(&payers.first).await?;
    let cpu = processor_time(payers).await?;
    let address = payers.addresses.first().and_then(|four| four.first());
    let address = address.ok_or_else(|| BenchError::Wrong("no such address".into()))?;
    let params = json!({ "to": address, "amount": "0.01", "wait_ms": WAIT });
    let begun = Instant::now();
    let calls = std::iter::repeat_n(params, payments);
    let client = payers.first.client()?;
    let paid = client.pipeline::<_, PaymentInfo>("pay_send", calls, IN_FLIGHT);
    let mut paid = std::pin::pin!(paid);
    while let Some(outcome) = paid.next().await {
        is_final(&outcome.map_err(|error| payers.first.failed(error))?)?;
    }
    let elapsed = begun.elapsed();
    let cpu = processor_time(payers).await?.saturating_sub(cpu);
    let after = available(&payers.first).await?;
    if before != after {
        return Err(BenchError::Wrong(format!("{before} became {after} by paying oneself")));
    }
    let cpu_micros = micros_each(cpu, payments);
    Ok(Flood { payments, in_flight: IN_FLIGHT, rate: rate(payments, elapsed), cpu_micros })
}

/// How much of it one payment took, in microseconds.
#[allow(clippy::cast_precision_loss)] // counts of a benchmark are small
fn micros_each(cpu: Duration, payments: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / payments.max(1) as f64
}

/// Makes so many coins of the smallest amount.
async fn split(payers: &Payers, coins: usize) -> Result<(), BenchError> {
    let address = payers.addresses.first().and_then(|four| four.first());
    let payee = json!({ "address": address, "amount": "0.01" });
    for _ in 0..coins.div_ceil(SPLIT) {
        let to = vec![payee.clone(); SPLIT];
        let params = json!({ "to": to, "wait_ms": WAIT });
        let paid: PaymentInfo = payers.first.call("pay_send_many", &params).await?;
        is_final(&paid)?;
    }
    Ok(())
}

async fn processor_time(payers: &Payers) -> Result<Duration, BenchError> {
    let mut all = Duration::ZERO;
    for node in payers.all() {
        let status: crate::api::types::Status = node.call("node_status", &json!({})).await?;
        all = all.saturating_add(crate::bench::processor_time(status.pid));
    }
    Ok(all)
}
