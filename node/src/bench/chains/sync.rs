//! An empty peer gets a conversation from another, between two real processes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Synced, prepare::prepare, replay::Blocks};
use crate::{
    api::{
        chains::types::{Chain, StatusView},
        types::{AddressesView, Dial, Dialed, Status},
    },
    bench::BenchError,
    local::{Local, Transport},
};

/// How often it is looked whether all is there.
const LOOK: Duration = Duration::from_millis(50);

pub(super) async fn measure(blocks: &Arc<Blocks>) -> Result<Synced, BenchError> {
    let place = tempfile::tempdir().map_err(crate::local::io("cannot make a directory"))?;
    let mut from = Local::start(place.path(), "from", Transport::Tcp).await?;
    let mut to = Local::start(place.path(), "to", Transport::Tcp).await?;
    from.stop().await?;
    to.stop().await?;
    prepare(from.data(), blocks, true).await?;
    prepare(to.data(), blocks, false).await?;
    let chain = blocks.genesis.name().to_string();
    let begun = Instant::now();
    from.up().await?;
    let start = begun.elapsed();
    let begun = Instant::now();
    let all = status(&from, &chain).await?.placed;
    let first = begun.elapsed();
    if all != blocks.made.len() as u64 {
        return Err(BenchError::Wrong(format!("{all} of {} are placed", blocks.made.len())));
    }
    to.up().await?;
    let addresses: AddressesView = from.call("net_addresses", &json!({})).await?;
    let address = addresses.listen.into_iter().next().unwrap_or_default();
    let begun = Instant::now();
    let _: Dialed = to.call("net_dial", &Dial { address }).await?;
    loop {
        let status = status(&to, &chain).await?;
        if status.placed == all && status.missing == 0 {
            break;
        }
        if begun.elapsed() > Duration::from_secs(600) {
            return Err(BenchError::Wrong(format!("{} of {all} came", status.placed)));
        }
        tokio::time::sleep(LOOK).await;
    }
    let took = begun.elapsed();
    let status: Status = to.call("node_status", &json!({})).await?;
    from.stop().await?;
    to.stop().await?;
    Ok(Synced {
        took: millis(took),
        start: millis(start),
        first: millis(first),
        memory: resident(&status),
    })
}

pub(super) async fn status(node: &Local, chain: &str) -> Result<StatusView, BenchError> {
    Ok(node.call("chains_status", &Chain { chain: chain.to_owned() }).await?)
}

pub(super) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// In MiB.
#[allow(clippy::cast_precision_loss)] // memory is far below 2^52 bytes
pub(super) fn resident(status: &Status) -> f64 {
    status.memory_bytes.unwrap_or_default() as f64 / f64::from(1 << 20)
}
