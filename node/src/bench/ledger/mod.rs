//! Payments: the thesis's five scenarios, many in flight, one validator replaced, and one alone, beside
//! what signatures cost in the same run.

mod feed;
mod feeder;
mod forge;
mod limits;
mod replaced;
mod scenarios;
mod thesis;

use std::path::Path;

use serde::Serialize;
use serde_json::json;

use super::{BenchError, Latency};
use crate::{
    api::{
        pay::types::{BalanceInfo, WalletStatus},
        validator::types::ValidatorStatus,
    },
    local::{Community, Local, Transport},
};
pub use feed::Fed;
pub use feeder::Feeder;
pub use forge::{Coin, Forge};
pub use limits::Limits;
pub use replaced::Replaced;
pub use scenarios::{Flood, Run};
pub use thesis::thesis;

/// Validators, as in the thesis.
const VALIDATORS: usize = 4;

/// All the money, as in the thesis.
const SUPPLY: u64 = 1_000_000;

/// What one run of the benchmark gave.
#[derive(Debug, Clone, Serialize)]
pub struct LedgerResult {
    /// Whether the nodes' data is in memory, so that nothing of this measures a disk.
    pub in_memory: bool,
    /// What one core can sign and verify a second.
    pub limits: Limits,
    /// The thesis's scenarios, one payment after another.
    pub runs: Vec<Run>,
    /// Many payments in flight.
    pub flood: Flood,
    /// One validator replaced.
    pub replaced: Replaced,
    /// One validator alone.
    pub fed: Fed,
    /// Memory of the fullest node at the end, in MiB.
    pub memory_mib: u64,
}

/// Measures everything: each scenario with so many trials, so many payments in flight, so many
/// transactions for one validator alone.
pub async fn measure(
    trials: &[usize],
    flood: usize,
    fed: usize,
    mut say: impl FnMut(&str),
) -> Result<LedgerResult, BenchError> {
    let place = tempfile::tempdir().map_err(crate::local::io("cannot make a temporary folder"))?;
    let in_memory = super::in_memory(place.path());
    say("signatures alone");
    let limits = limits::measure();
    say("one validator alone");
    let fed = feed::measure(&place.path().join("alone"), fed, &limits).await?;
    let mut payers = Payers::start(&place.path().join("four")).await?;
    let mut runs = Vec::new();
    for trials in trials {
        for scenario in scenarios::ALL {
            say(&format!("scenario {} with {trials} trials", scenario.number));
            runs.push(scenarios::run(&payers, scenario, *trials).await?);
        }
    }
    say("many payments in flight");
    let flood = scenarios::flood(&payers, flood).await?;
    say("a validator replaced");
    let replaced = replaced::measure(&mut payers).await?;
    let memory_mib = payers.memory().await?;
    payers.stop().await?;
    Ok(LedgerResult { in_memory, limits, runs, flood, replaced, fed, memory_mib })
}

/// Two wallets and four validators, each a process; at the end also the one that has replaced another.
struct Payers {
    community: Community,
    validators: Vec<Local>,
    first: Local,
    second: Local,
    /// Four addresses of each wallet.
    addresses: [Vec<String>; 2],
}

impl Payers {
    async fn start(place: &Path) -> Result<Self, BenchError> {
        std::fs::create_dir_all(place).map_err(crate::local::io("cannot make a folder"))?;
        let community =
            Community::found(place, VALIDATORS, SUPPLY.saturating_mul(100), Vec::new())?;
        let validators = community.validators(Transport::Tcp).await?;
        let first = community.person("c0", Transport::Tcp, false).await?;
        let second = community.person("c1", Transport::Tcp, false).await?;
        for validator in &validators {
            let votes = |status: &ValidatorStatus| status.ready;
            validator.wait("a validator to vote", "validator_status", &json!({}), votes).await?;
        }
        for wallet in [&first, &second] {
            let all = |status: &WalletStatus| status.validators.iter().all(|one| one.connected);
            wallet.wait("the validators", "pay_status", &json!({}), all).await?;
        }
        let restore = json!({ "phrase": community.treasury()? });
        let _: serde_json::Value = first.call("pay_restore", &restore).await?;
        let found = |status: &WalletStatus| status.phrase == "held";
        first.wait("the money", "pay_status", &json!({}), found).await?;
        let _: serde_json::Value = first.call("pay_alone", &json!({})).await?;
        let addresses = [four(&first).await?, four(&second).await?];
        Ok(Self { community, validators, first, second, addresses })
    }

    fn all(&self) -> impl Iterator<Item = &Local> {
        self.validators.iter().chain([&self.first, &self.second])
    }

    /// The most that a node has in memory, in MiB.
    async fn memory(&self) -> Result<u64, BenchError> {
        let mut most = 0;
        for node in self.all() {
            let status: crate::api::types::Status = node.call("node_status", &json!({})).await?;
            most = most.max(status.memory_bytes.unwrap_or_default() >> 20);
        }
        Ok(most)
    }

    async fn stop(self) -> Result<(), BenchError> {
        let Self { validators, first, second, .. } = self;
        for mut node in validators.into_iter().chain([first, second]) {
            node.stop().await?;
        }
        Ok(())
    }
}

async fn four(wallet: &Local) -> Result<Vec<String>, BenchError> {
    let mut addresses = Vec::new();
    for _ in 0..4 {
        let made: crate::api::pay::types::Address = wallet.call("pay_address", &json!({})).await?;
        addresses.push(made.address);
    }
    Ok(addresses)
}

/// What may be spent, in hundredths.
async fn available(wallet: &Local) -> Result<String, BenchError> {
    let all: Vec<BalanceInfo> = wallet.call("pay_balance", &json!({})).await?;
    let coin = all.into_iter().next();
    Ok(coin.map(|coin| coin.available).unwrap_or_default())
}

/// Latencies, for people.
#[must_use]
pub fn latency_text(latency: &Latency) -> String {
    format!("p50 {:.1} ms, p99 {:.1} ms", latency.p50, latency.p99)
}
