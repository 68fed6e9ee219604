//! Messages at an even pace: how long one takes, and what the machine did meanwhile.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use serde::Serialize;
use serde_json::json;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep_until, timeout},
};

use super::{
    BenchError, Latencies, Latency,
    meanwhile::{Meanwhile, Probes},
    msg::text,
    rate,
};
use crate::{
    api::msg::types::{EventInfo, SendResult},
    client::{ClientError, Subscription},
    local::{Local, LocalError, PATIENCE},
};

/// How long messages are sent.
const PACED: Duration = Duration::from_secs(5);

/// What messages at an even pace took.
#[derive(Debug, Clone, Serialize)]
pub struct Paced {
    /// Messages a second.
    pub paced_rate: f64,
    /// From when a message was due to be sent until the recipient's subscriber has it; the timer is
    /// up to 1 ms late.
    pub latency: Latency,
    /// What the machine did from the first message until the last had arrived.
    pub meanwhile: Meanwhile,
}

/// Sends from one to the other, so many messages a second.
pub(super) async fn measure(
    ann: &Local,
    bob: &Local,
    pace: f64,
    probes: Probes,
) -> Result<Paced, BenchError> {
    let late = |_| LocalError::Waited(format!("{} to answer msg_subscribe", bob.name));
    let (client, all) = (bob.client()?, json!({}));
    let events = timeout(PATIENCE, client.subscribe("msg_subscribe", &all)).await.map_err(late)?;
    let events: Subscription<EventInfo> = events.map_err(|error| bob.failed(error))?;
    let (expected, expecting) = watch::channel(None);
    let receiver = tokio::spawn(receive(events, expecting));
    let begun = Instant::now();
    let due = send(ann, pace, begun).await?;
    let paced_rate = rate(due.len(), begun.elapsed().max(PACED));
    expected.send_replace(Some(due.len()));
    let late =
        |_| LocalError::Waited(format!("{} to get all messages; try a lower --pace", bob.name));
    let arrived = timeout(PATIENCE, receiver).await.map_err(late)?;
    let arrived = arrived.map_err(|error| BenchError::Wrong(error.to_string()))?;
    let arrived = arrived.map_err(|error| bob.failed(error))?;
    let meanwhile = probes.end().await?;
    Ok(Paced { paced_rate, latency: latency(due, arrived)?, meanwhile })
}

/// Sends each message when it is due, whatever became of those before it.
async fn send(
    ann: &Local,
    pace: f64,
    begun: Instant,
) -> Result<HashMap<String, Instant>, BenchError> {
    let mut calls: JoinSet<Result<(String, Instant), ClientError>> = JoinSet::new();
    for number in 0usize.. {
        #[allow(clippy::cast_precision_loss)] // few enough in five seconds
        let after = Duration::from_secs_f64(number as f64 / pace);
        if after >= PACED {
            break;
        }
        let due = begun.checked_add(after).unwrap_or(begun);
        sleep_until(due.into()).await;
        let (client, params) = (ann.client()?.clone(), text(number));
        calls.spawn(async move {
            let sent: SendResult = client.call("msg_send", &params).await?;
            Ok((sent.id, due))
        });
    }
    let answered = async {
        let mut all = HashMap::new();
        while let Some(call) = calls.join_next().await {
            let sent = call.map_err(|error| BenchError::Wrong(error.to_string()))?;
            all.extend([sent.map_err(|error| ann.failed(error))?]);
        }
        Ok(all)
    };
    let late =
        |_| LocalError::Waited(format!("{} to answer all calls; try a lower --pace", ann.name));
    timeout(PATIENCE, answered).await.map_err(late)?
}

/// Takes what comes, until it is as many as expected.
async fn receive(
    mut events: Subscription<EventInfo>,
    mut expecting: watch::Receiver<Option<usize>>,
) -> Result<Vec<(String, Instant)>, ClientError> {
    let mut arrived = Vec::new();
    while expecting.borrow().is_none_or(|all| arrived.len() < all) {
        tokio::select! {
            event = events.next() => {
                if let EventInfo::Message(message) = event.ok_or(ClientError::Closed)?? {
                    arrived.push((message.id, Instant::now()));
                }
            }
            known = expecting.changed() => if known.is_err() {
                break;
            },
        }
    }
    Ok(arrived)
}

fn latency(
    mut due: HashMap<String, Instant>,
    arrived: Vec<(String, Instant)>,
) -> Result<Latency, BenchError> {
    let mut latencies = Latencies::new()?;
    for (id, at) in arrived {
        let strange = || BenchError::Wrong("a message came twice, or was never sent".into());
        latencies.add(at.saturating_duration_since(due.remove(&id).ok_or_else(strange)?));
    }
    Ok(latencies.summary())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_is_found() {
        let now = Instant::now();
        let due = || HashMap::from([("a".to_owned(), now), ("b".to_owned(), now)]);
        let came = |ids: [&str; 2]| ids.map(|id| (id.to_owned(), now)).to_vec();
        assert_eq!(latency(due(), came(["b", "a"])).unwrap().count, 2);
        assert!(matches!(latency(due(), came(["a", "a"])), Err(BenchError::Wrong(_))));
        assert!(matches!(latency(due(), came(["a", "c"])), Err(BenchError::Wrong(_))));
    }
}
