//! Messages between two nodes: how many a second are on both disks, and how long one takes.

use std::{path::Path, time::Instant};

use futures::StreamExt as _;
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::{
    BenchError, Latency, echo, in_memory,
    meanwhile::Probes,
    paced::{self, Paced},
    rate,
};
use crate::{
    api::msg::types::{
        CodeResult, ContactInfo, HistoryResult, InviteInfo, MessageInfo, RelationInfo, SendResult,
    },
    local::{Local, LocalError, PATIENCE, Transport},
};

/// Calls in flight while the throughput is measured.
const IN_FLIGHT: usize = 256;

/// What one transport gave.
#[derive(Debug, Clone, Serialize)]
pub struct MsgResult {
    /// `tcp` or `quic`.
    pub transport: &'static str,
    /// Messages sent.
    pub messages: usize,
    /// Whether the nodes' data is in memory, so that nothing of this measures a disk.
    pub in_memory: bool,
    /// Messages a second, from the first call until the recipient has committed all.
    pub rate: f64,
    /// Requests of 64 bytes a second that a bare libp2p echo answered, 64 in flight.
    pub echo: f64,
    /// The messages' rate divided by the echo's.
    pub ratio: f64,
    /// `node_status` of the slower node while as many messages again were sent at the full rate.
    pub status_at_full_rate: Latency,
    /// Latencies at an even pace.
    #[serde(flatten)]
    pub paced: Paced,
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
    let probes = || -> Result<Probes, BenchError> {
        let sockets = [("Ann", ann.client()?.socket()), ("Bob", bob.client()?.socket())];
        Probes::begin(place.path(), &sockets)
    };
    let rate = throughput(&ann, &bob, messages, messages).await?;
    let beside = probes()?;
    throughput(&ann, &bob, messages, messages.saturating_mul(2)).await?;
    let status_at_full_rate = beside.end().await?.status;
    let paced = paced::measure(&ann, &bob, pace.unwrap_or(rate / 2.0), probes()?).await?;
    same_history(&ann, &bob).await?;
    ann.stop().await?;
    bob.stop().await?;
    let name = if transport == Transport::Quic { "quic" } else { "tcp" };
    let ratio = rate / echo;
    let in_memory = in_memory(place.path());
    Ok(MsgResult {
        transport: name,
        messages,
        in_memory,
        rate,
        echo,
        ratio,
        status_at_full_rate,
        paced,
    })
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

pub(super) fn text(number: usize) -> serde_json::Value {
    json!({ "who": "bob", "text": format!("message {number}: the quick brown fox jumps over it") })
}

/// Messages a second, until all are on the recipient's disk, who then has so many unread.
async fn throughput(
    ann: &Local,
    bob: &Local,
    messages: usize,
    unread: usize,
) -> Result<f64, BenchError> {
    let begun = Instant::now();
    let texts = (0..messages).map(text);
    let sent = ann.client()?.pipeline::<_, SendResult>("msg_send", texts, IN_FLIGHT);
    let mut sent = std::pin::pin!(sent);
    let late = |_| LocalError::Waited(format!("{} to answer msg_send", ann.name));
    while let Some(outcome) = timeout(PATIENCE, sent.next()).await.map_err(late)? {
        outcome.map_err(|error| ann.failed(error))?;
    }
    let all = |contacts: &Vec<ContactInfo>| {
        contacts.iter().any(|contact| contact.unread == unread as u64)
    };
    bob.wait("the last message", "msg_contacts", &json!({}), all).await?;
    Ok(rate(messages, begun.elapsed()))
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
