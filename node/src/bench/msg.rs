//! Messages between two nodes: how many a second are on both disks, and how long one takes.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use serde::Serialize;
use serde_json::json;

use super::{
    BenchError, Latencies, Latency, echo,
    meanwhile::{Meanwhile, Watch},
    rate,
};
use crate::{
    api::msg::types::{
        CodeResult, ContactInfo, EventInfo, HistoryResult, InviteInfo, MessageInfo, RelationInfo,
        SendResult,
    },
    client::Subscription,
    local::{Local, LocalError, Transport},
};

/// Calls in flight while the throughput is measured.
const IN_FLIGHT: usize = 256;
/// How long messages are sent at half the load.
const PACED: Duration = Duration::from_secs(5);
/// How often the paced sender sends what is due.
const TICK: Duration = Duration::from_millis(2);
/// How long the last message may take.
const LAST: Duration = Duration::from_secs(30);

/// What one transport gave.
#[derive(Debug, Clone, Serialize)]
pub struct MsgResult {
    /// `tcp` or `quic`.
    pub transport: &'static str,
    /// Messages sent.
    pub messages: usize,
    /// Messages a second, from the first call until all are on the recipient's disk.
    pub rate: f64,
    /// Requests of 64 bytes a second that a bare libp2p echo answered, 64 in flight.
    pub echo: f64,
    /// The messages' rate divided by the echo's.
    pub ratio: f64,
    /// What it is at an even pace.
    #[serde(flatten)]
    pub paced: Paced,
}

/// Messages at an even pace.
#[derive(Debug, Clone, Serialize)]
pub struct Paced {
    /// Messages a second.
    pub paced_rate: f64,
    /// From the call to send until the recipient's subscriber has the message.
    pub latency: Latency,
    /// What the machine did meanwhile.
    pub meanwhile: Meanwhile,
}

/// Measures one transport with so many messages; latencies at this many messages a second, or at
/// half of what was measured.
pub async fn measure(
    transport: Transport,
    messages: usize,
    pace: Option<f64>,
) -> Result<MsgResult, BenchError> {
    let echo = echo::measure(transport).await?;
    let place = tempfile::tempdir().map_err(crate::local::io("cannot make a temporary folder"))?;
    let (mut ann, mut bob) = pair(place.path(), transport).await?;
    let rate = throughput(&ann, &bob, messages).await?;
    let watch = Watch::begin(place.path(), &[ann.client()?.socket(), bob.client()?.socket()])?;
    let paced = latency(&ann, &bob, pace.unwrap_or(rate / 2.0), watch).await?;
    same_history(&ann, &bob).await?;
    ann.stop().await?;
    bob.stop().await?;
    let name = if transport == Transport::Quic { "quic" } else { "tcp" };
    let ratio = rate / echo;
    Ok(MsgResult { transport: name, messages, rate, echo, ratio, paced })
}

/// Two nodes whose people are contacts.
async fn pair(place: &Path, transport: Transport) -> Result<(Local, Local), BenchError> {
    let start = |name| Local::start(place, name, transport);
    let (ann, bob) = tokio::try_join!(start("Ann"), start("Bob"))?;
    let code: CodeResult = ann.call("msg_code", &json!({})).await?;
    let _: serde_json::Value = bob.call("msg_invite", &json!({ "target": code.code })).await?;
    let invited = |invites: &Vec<InviteInfo>| invites.iter().any(|invite| invite.incoming);
    ann.wait("an invite", "msg_invites", &json!({}), invited).await?;
    let _: serde_json::Value = ann.call("msg_accept", &json!({ "who": "Bob" })).await?;
    let accepted = |contacts: &Vec<ContactInfo>| {
        contacts.iter().any(|contact| contact.relation == RelationInfo::Accepted)
    };
    bob.wait("a contact", "msg_contacts", &json!({}), accepted).await?;
    Ok((ann, bob))
}

fn text(number: usize) -> serde_json::Value {
    json!({ "who": "bob", "text": format!("message {number}: the quick brown fox jumps over it") })
}

/// Messages a second, until all are on the recipient's disk.
async fn throughput(ann: &Local, bob: &Local, messages: usize) -> Result<f64, BenchError> {
    let begun = Instant::now();
    let texts = (0..messages).map(text);
    let sent = ann.client()?.pipeline::<_, SendResult>("msg_send", texts, IN_FLIGHT);
    let sent: Vec<_> = sent.collect().await;
    for outcome in sent {
        outcome.map_err(LocalError::from)?;
    }
    let all = |contacts: &Vec<ContactInfo>| {
        contacts.iter().any(|contact| contact.unread == messages as u64)
    };
    bob.wait("the last message", "msg_contacts", &json!({}), all).await?;
    Ok(rate(messages, begun.elapsed()))
}

/// Sends at an even pace and takes the time of each message.
async fn latency(ann: &Local, bob: &Local, pace: f64, watch: Watch) -> Result<Paced, BenchError> {
    let none = json!({});
    let events: Subscription<EventInfo> =
        bob.client()?.subscribe("msg_subscribe", &none).await.map_err(LocalError::from)?;
    let receiver = tokio::spawn(receive(events));
    let begun = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    let mut number = 0usize;
    while begun.elapsed() < PACED {
        // the fraction is not due yet, and neither factor is negative
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let due = (begun.elapsed().as_secs_f64() * pace) as usize;
        while number < due {
            let (client, params) = (ann.client()?.clone(), text(number));
            calls.spawn(async move {
                let at = Instant::now();
                client.call::<_, SendResult>("msg_send", &params).await.map(|sent| (sent.id, at))
            });
            number = number.saturating_add(1);
        }
        tokio::time::sleep(TICK).await;
    }
    let mut begun_at = HashMap::new();
    while let Some(outcome) = calls.join_next().await {
        let (id, at) = outcome
            .map_err(|error| BenchError::Wrong(error.to_string()))?
            .map_err(LocalError::from)?;
        begun_at.insert(id, at);
    }
    let sent_in = begun.elapsed();
    let paced_rate = rate(number, sent_in.max(PACED));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let meanwhile = watch.end().await?;
    let latency = collect(bob, receiver, &begun_at).await?;
    Ok(Paced { paced_rate, latency, meanwhile })
}

/// Ids with the time of their arrival, until nothing has come for a while.
async fn receive(
    mut events: Subscription<EventInfo>,
) -> Result<Vec<(String, Instant)>, BenchError> {
    let mut arrived = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_secs(2), events.next()).await {
            Ok(Some(Ok(EventInfo::Message(message)))) => arrived.push((message.id, Instant::now())),
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(LocalError::from(error).into()),
            Ok(None) => return Ok(arrived),
            Err(_) if arrived.is_empty() => {}
            Err(_) => return Ok(arrived),
        }
    }
}

async fn collect(
    bob: &Local,
    receiver: tokio::task::JoinHandle<Result<Vec<(String, Instant)>, BenchError>>,
    begun_at: &HashMap<String, Instant>,
) -> Result<Latency, BenchError> {
    let arrived = tokio::time::timeout(LAST, receiver)
        .await
        .map_err(|_| BenchError::Wrong(format!("{} did not get all messages", bob.name)))?
        .map_err(|error| BenchError::Wrong(error.to_string()))??;
    if arrived.len() != begun_at.len() {
        let (came, sent) = (arrived.len(), begun_at.len());
        return Err(BenchError::Wrong(format!("{came} of {sent} messages came")));
    }
    let mut latencies = Latencies::new()?;
    for (id, at) in arrived {
        let begun = begun_at.get(&id);
        let begun = begun.ok_or_else(|| BenchError::Wrong("an unknown message came".into()))?;
        latencies.add(at.saturating_duration_since(*begun));
    }
    Ok(latencies.summary())
}

/// Nothing lost, nothing twice, the same order on both sides.
async fn same_history(ann: &Local, bob: &Local) -> Result<(), BenchError> {
    let (ours, theirs) = (ids(ann, "bob").await?, ids(bob, "ann").await?);
    if ours == theirs {
        return Ok(());
    }
    let (ours, theirs) = (ours.len(), theirs.len());
    Err(BenchError::Wrong(format!("histories differ: {ours} and {theirs} messages")))
}

async fn ids(node: &Local, who: &str) -> Result<Vec<String>, BenchError> {
    let mut all: Vec<MessageInfo> = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let params = json!({ "who": who, "limit": 1000, "before": before });
        let page: HistoryResult = node.call("msg_history", &params).await?;
        all.extend(page.messages.into_iter().rev());
        before = page.before;
        if before.is_none() {
            return Ok(all.into_iter().map(|message| message.id).collect());
        }
    }
}
