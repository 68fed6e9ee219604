//! Chains: order and reputation of a conversation.

mod forum;
mod made_up;
mod many;
mod prepare;
mod replay;
mod sync;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use covey_chains::graph::{Graph, Ix, Verdict};
use serde::Serialize;

pub use many::many;

use self::replay::Blocks;
use super::{BenchError, Latencies, Latency, rate};

/// What came of it.
#[derive(Debug, Serialize)]
pub struct ChainsResult {
    /// Whether the conversation was made up, and not read from a file.
    pub made_up: bool,
    /// Posts of the conversation.
    pub posts: usize,
    /// Likes that were needed to admit them.
    pub likes: usize,
    /// How many of these only the owner of the chain could give.
    pub by_owner: usize,
    /// Posts of the owner that only join a branch with likes of its blocks.
    pub joins: usize,
    /// Admission of all of them from nothing, with their order and the reputations, in milliseconds.
    pub admission_and_order: f64,
    /// The order and the reputations of what was admitted before, from nothing, in milliseconds.
    pub order_from_nothing: f64,
    /// One more block, with the order after it.
    pub one_more: Latency,
    /// Authors.
    pub authors: usize,
    /// An empty peer gets it all.
    pub sync: Synced,
}

/// What it takes an empty peer to get a conversation from another, between two real processes.
#[derive(Debug, Serialize)]
pub struct Synced {
    /// Until all is checked, stored and placed, in milliseconds.
    pub took: f64,
    /// Until a node that has it all answers on its socket after a start, in milliseconds.
    pub start: f64,
    /// Until the first question about the chain is answered then, in milliseconds.
    pub first: f64,
    /// Resident memory of the node that got it, in MiB.
    pub memory: f64,
}

/// What it takes to start with many conversations.
#[derive(Debug, Serialize)]
pub struct Many {
    /// Chains that the node follows.
    pub chains: usize,
    /// Blocks of all of them.
    pub blocks: usize,
    /// Until the node answers on its socket after a start, in milliseconds.
    pub start: f64,
    /// Until it has then answered a question about each of the chains, in milliseconds.
    pub all: f64,
    /// Its resident memory then, in MiB.
    pub memory: f64,
}

/// Posts of a conversation that is made up.
const POSTS: usize = 10_000;

/// The conversation in a file; none: one that is made up.
fn conversation(data: Option<&Path>) -> Result<Vec<forum::Post>, BenchError> {
    data.map_or_else(|| Ok(made_up::made_up(POSTS)), forum::read)
}

/// Over how many blocks the cost of one more is taken: about as many as the conversation has, as
/// some parts of it branch more than others.
const WINDOW: usize = 10_000;

/// The cost of one more block at a size.
#[derive(Debug, Serialize)]
pub struct Grown {
    /// Blocks of the chain.
    pub blocks: usize,
    /// One more block, over the last 10,000 of these, in microseconds.
    pub mean: f64,
}

/// Computes without holding up whoever waits for a signal meanwhile.
async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BenchError> + Send + 'static,
) -> Result<T, BenchError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| BenchError::Wrong(error.to_string()))?
}

/// Lets a conversation go on to so many posts, and measures what one more block costs at each
/// power of ten.
pub async fn grow(data: Option<PathBuf>, posts: usize) -> Result<Vec<Grown>, BenchError> {
    computed(move || {
        let posts = forum::continued(&conversation(data.as_deref())?, posts);
        let took = replay::blocks(&posts)?.took;
        let sizes = (3..).map(|exponent| 10usize.saturating_pow(exponent));
        let sizes = sizes.take_while(|size| *size <= took.len());
        Ok(sizes
            .map(|blocks| {
                let last = took.get(blocks.saturating_sub(WINDOW)..blocks).unwrap_or_default();
                Grown { blocks, mean: 1e6 / rate(last.len(), last.iter().sum()) }
            })
            .collect())
    })
    .await
}

/// The posts of a conversation, and the blocks that they become.
async fn replayed(data: Option<PathBuf>) -> Result<(usize, Arc<Blocks>), BenchError> {
    computed(move || {
        let posts = conversation(data.as_deref())?;
        Ok((posts.len(), Arc::new(replay::blocks(&posts)?)))
    })
    .await
}

/// Measures a conversation, from a file or made up.
pub async fn measure(data: Option<PathBuf>) -> Result<ChainsResult, BenchError> {
    let made_up = data.is_none();
    let (posts, blocks) = replayed(data).await?;
    let here = blocks.clone();
    let all =
        move || Ok((admission_and_order(&here)?, order_from_nothing(&here)?, one_more(&here)?));
    let (both, order, one_more) = computed(all).await?;
    Ok(ChainsResult {
        sync: sync::measure(&blocks).await?,
        authors: blocks.authors(),
        made_up,
        posts,
        likes: blocks.likes,
        by_owner: blocks.by_owner,
        joins: blocks.joins,
        admission_and_order: both.as_secs_f64() * 1000.0,
        order_from_nothing: order.as_secs_f64() * 1000.0,
        one_more,
    })
}

fn empty(blocks: &Blocks) -> Graph {
    Graph::new(blocks.params.clone(), *blocks.genesis.id().hash.as_bytes())
}

fn admission_and_order(blocks: &Blocks) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let mut graph = empty(blocks);
    for entry in &blocks.entries {
        graph.insert(entry);
    }
    all_placed(blocks, &mut graph)?;
    Ok(begun.elapsed())
}

/// What a node does at its start: the verdicts are stored.
fn order_from_nothing(blocks: &Blocks) -> Result<Duration, BenchError> {
    let begun = Instant::now();
    let mut graph = empty(blocks);
    for (number, entry) in (1..).zip(&blocks.entries) {
        let verdict = blocks.graph.verdict(Ix(number)).unwrap_or(Verdict::Held);
        graph.insert_again(entry, verdict);
    }
    all_placed(blocks, &mut graph)?;
    Ok(begun.elapsed())
}

fn all_placed(blocks: &Blocks, graph: &mut Graph) -> Result<(), BenchError> {
    let (placed, expected) = (graph.order().len(), blocks.entries.len().saturating_add(1));
    if placed != expected {
        return Err(BenchError::Wrong(format!("{placed} of {expected} blocks are placed")));
    }
    Ok(())
}

fn one_more(blocks: &Blocks) -> Result<Latency, BenchError> {
    let mut latencies = Latencies::new()?;
    let mut graph = empty(blocks);
    for entry in &blocks.entries {
        let begun = Instant::now();
        graph.insert(entry);
        graph.order();
        latencies.add(begun.elapsed());
    }
    Ok(latencies.summary())
}
