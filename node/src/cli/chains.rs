//! `chains`: which chains are followed.

use clap::Subcommand;
use futures::StreamExt as _;
use serde_json::json;

use super::{Failure, Global, interrupt::interrupts, print};
use crate::{
    api::chains::types::{Chain, ChainView, EventView, JoinParams, Left},
    client::Subscription,
};

#[derive(Debug, Subcommand)]
pub(super) enum Chains {
    /// Follow a chain, and print the id of its genesis
    #[command(after_help = "Examples:
  covey chains join \"#chat\"               a public forum, with the rules of the paper
  covey chains join \"#chat@1_A5EF…\"       the one whose first post is this
  covey chains join \"#chat\" EB172E…       with pioneers, and the rules of version 0.10
  covey chains join \"\\$family\" 8889BB…    a private group, by its shared key
  covey chains join \"@EB172E…\"            somebody's public identity; @!KEY: only they post")]
    Join {
        /// The chain's name
        name: String,
        /// The shared key of a group, or the pioneers of a forum
        keys: Vec<String>,
        /// Which rules give reputation: paper or v10
        #[arg(long)]
        rules: Option<String>,
    },
    /// Follow a chain no longer and forget it; prints whether it was followed
    Leave {
        /// The chain's name
        name: String,
    },
    /// List the names of the chains that are followed
    List,
    /// Print each new block as it comes: the chain's name and the block's id
    Listen,
}

pub(super) async fn run(global: &Global, chains: Chains) -> Result<(), Failure> {
    let client = global.client().await?;
    match chains {
        Chains::Join { name, keys, rules } => {
            let keys = keys.into_iter().map(Into::into).collect();
            let params = JoinParams { chain: name, keys, rules };
            let joined: ChainView = client.call("chains_join", &params).await?;
            print::either(global.json, &joined, |joined| joined.genesis.clone())
        }
        Chains::Leave { name } => {
            let left: Left = client.call("chains_leave", &Chain { chain: name }).await?;
            print::either(global.json, &left.left, bool::to_string)
        }
        Chains::List => {
            let chains: Vec<ChainView> = client.call("chains_list", &json!({})).await?;
            print::either(global.json, &chains, |chains| {
                chains.iter().map(|chain| called(chain, chains)).collect::<Vec<_>>().join(" ")
            })
        }
        Chains::Listen => listen(global, None).await,
    }
}

/// What a chain is called among others: with its first post, if several have its name.
fn called(chain: &ChainView, others: &[ChainView]) -> String {
    let is_alone = others.iter().filter(|other| other.name == chain.name).count() <= 1;
    match &chain.first {
        Some(first) if !is_alone => format!("{}@{first}", chain.name),
        _ => chain.name.clone(),
    }
}

/// Prints blocks as they come: of one chain their ids, of all with the chain's name.
pub(super) async fn listen(global: &Global, only: Option<&ChainView>) -> Result<(), Failure> {
    let client = global.client().await?;
    let mut events: Subscription<EventView> =
        client.subscribe("chains_subscribe", &json!({})).await?;
    let mut interrupts = interrupts()?;
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = interrupts.recv() => return Ok(()),
        };
        let Some(event) = event else { return Ok(()) };
        let event = event?;
        let is_same = |only: &ChainView, chain: &ChainView| {
            only.genesis == chain.genesis && (only.first.is_none() || only.first == chain.first)
        };
        let is_meant = |chain: &ChainView| only.is_none_or(|only| is_same(only, chain));
        if is_meant(event.chain()) {
            heard(global, &event, only.is_none())?;
        }
    }
}

fn heard(global: &Global, event: &EventView, with_name: bool) -> Result<(), Failure> {
    match event {
        EventView::Block { state, .. } if state != "placed" => Ok(()),
        EventView::Joined { .. } | EventView::Left { .. } => Ok(()),
        _ if global.json => print::json(event),
        EventView::Block { chain, id, .. } if with_name => {
            print::line(&format!("{} {id}", chain.name))
        }
        EventView::Block { id, .. } => print::line(id),
        // What is read from a pipe are blocks alone.
        EventView::Begun { chain } => {
            let first = chain.first.as_deref().unwrap_or_default();
            eprintln!("covey: {} begins with {first}", chain.name);
            Ok(())
        }
        EventView::Chosen { .. } => Ok(()),
    }
}
