//! One node with many conversations.

use std::{path::PathBuf, sync::Arc, time::Instant};

use serde_json::json;

use super::{
    Many, computed, conversation, forum,
    prepare::prepare,
    replay,
    sync::{millis, resident, status},
};
use crate::{
    api::types::Status,
    bench::BenchError,
    local::{Local, Transport},
};

/// Lets the conversation happen in so many chains, each time among other people, and starts a node
/// that has them all.
pub async fn many(data: Option<PathBuf>, chains: usize) -> Result<Many, BenchError> {
    let posts = Arc::new(computed(move || conversation(data.as_deref())).await?);
    let place = tempfile::tempdir().map_err(crate::local::io("cannot make a directory"))?;
    let mut node = Local::start(place.path(), "node", Transport::Tcp).await?;
    node.stop().await?;
    let (mut names, mut blocks) = (Vec::new(), 0);
    for round in 0..chains {
        let posts = posts.clone();
        let others = move || replay::blocks(&forum::among_others(&posts, round));
        let made = Arc::new(computed(others).await?);
        prepare(node.data(), &made, true).await?;
        names.push(made.genesis.name().to_string());
        blocks = made.made.len().saturating_add(blocks);
    }
    let begun = Instant::now();
    node.up().await?;
    let start = begun.elapsed();
    let begun = Instant::now();
    for name in &names {
        status(&node, name).await?;
    }
    let all = begun.elapsed();
    let status: Status = node.call("node_status", &json!({})).await?;
    node.stop().await?;
    let (start, all, memory) = (millis(start), millis(all), resident(&status));
    Ok(Many { chains, blocks, start, all, memory })
}
