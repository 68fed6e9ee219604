//! `rpc`: any method of the control socket.

use clap::Args;
use futures::StreamExt as _;
use serde_json::{Value, value::RawValue};

use super::{Failure, Global, print};
use crate::{
    client::{Client, Subscription},
    rpc::MethodSummary,
};

#[derive(Debug, Args)]
pub(super) struct Rpc {
    /// The method
    method: String,
    /// Its parameters, a JSON object or array
    params: Option<String>,
}

pub(super) async fn run(global: &Global, rpc: Rpc) -> Result<(), Failure> {
    let params = rpc.params.as_deref().unwrap_or("{}");
    let params: Box<RawValue> = serde_json::from_str(params)
        .map_err(|error| Failure::Usage(format!("the parameters are not JSON: {error}")))?;
    let client = global.client().await?;
    if is_subscription(&client, &rpc.method).await? {
        return stream(&client, &rpc.method, &params).await;
    }
    let result = client.call_raw(&rpc.method, Some(params)).await?;
    if global.json || !print::to_terminal() {
        return print::line(result.get());
    }
    let value: Value = serde_json::from_str(result.get())
        .map_err(|error| Failure::Checked(format!("the node's answer is not JSON: {error}")))?;
    print::line(&format!("{value:#}"))
}

async fn is_subscription(client: &Client, method: &str) -> Result<bool, Failure> {
    let methods: Vec<MethodSummary> = client.call("rpc_methods", &serde_json::json!({})).await?;
    Ok(methods.iter().any(|known| known.name == method && known.subscription))
}

async fn stream(client: &Client, method: &str, params: &RawValue) -> Result<(), Failure> {
    let mut events: Subscription<Value> = client.subscribe(method, params).await?;
    while let Some(event) = events.next().await {
        print::json(&event?)?;
    }
    Ok(())
}
