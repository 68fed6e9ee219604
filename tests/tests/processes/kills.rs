//! Power cuts in the middle of a conversation. What was acknowledged is written down outside the
//! nodes, and all of it has to arrive, once and in order.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use covey::{
    api::msg::types::SendResult,
    client::{Client, ClientError},
};
use covey_tests::process::{Home, Node, befriend, history, texts, until, until_some};
use serde_json::json;

const WRITERS: usize = 4;
const EACH: usize = 250;

/// What the writers know of their messages.
#[derive(Default)]
struct Account {
    /// Identifier and text of each message that the node took.
    acknowledged: Mutex<Vec<(String, String)>>,
    /// Texts of which the node said nothing before it was killed.
    unknown: Mutex<HashSet<String>>,
    count: AtomicUsize,
}

/// Sends numbered texts one after the other, over every restart of the node.
async fn write(data: PathBuf, writer: usize, account: Arc<Account>) {
    let mut client: Option<Client> = None;
    for number in 0..EACH {
        let text = format!("{writer}-{number:04}");
        let connected = match client.take() {
            Some(client) => client,
            None => {
                until_some("the node is back", || async { Client::connect(&data).await.ok() }).await
            }
        };
        let params = json!({ "who": "bob", "text": text });
        match connected.call::<_, SendResult>("msg_send", &params).await {
            Ok(sent) => {
                account.acknowledged.lock().unwrap().push((sent.id, text));
                client = Some(connected);
            }
            // A node that stops says so, and has not taken it; one that dies says nothing.
            Err(ClientError::Closed) => {
                account.unknown.lock().unwrap().insert(text);
            }
            Err(error) => panic!("{text}: {error}"),
        }
        account.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Kills and restarts one node each time so many messages were written.
async fn cut(mut node: Node, moments: &[usize], account: &Account) -> Node {
    for moment in moments {
        until("messages flow", || async { account.count.load(Ordering::Relaxed) >= *moment }).await;
        node = node.kill().await.start().await;
    }
    node
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_by_power_cuts() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let account = Arc::new(Account::default());
    let begun = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(ann.data().to_owned(), writer, account.clone())))
        .collect();
    let (ann, bob) = tokio::join!(
        cut(ann, &[150, 500, 850], &account),
        cut(bob, &[40, 300, 650, 980], &account),
    );
    for writer in writers {
        writer.await.unwrap();
    }
    let written = begun.elapsed();
    let sent = history(&ann, "bob").await;
    let total = sent.len();
    until("all have arrived", || async { history(&bob, "ann").await.len() >= total }).await;
    let got = history(&bob, "ann").await;

    let ids = |list: &[covey::api::msg::types::MessageInfo]| -> Vec<String> {
        list.iter().map(|message| message.id.clone()).collect()
    };
    assert_eq!(ids(&sent), ids(&got), "both sides show the same messages in the same order");
    let mut times: HashMap<&str, usize> = HashMap::new();
    for message in &got {
        *times.entry(&message.text).or_default() += 1;
    }
    let by_id: HashMap<&str, &str> =
        got.iter().map(|message| (message.id.as_str(), message.text.as_str())).collect();
    assert_eq!(by_id.len(), got.len(), "no identifier comes twice");
    let acknowledged = account.acknowledged.lock().unwrap();
    for (id, text) in acknowledged.iter() {
        assert_eq!(by_id.get(id.as_str()), Some(&text.as_str()), "acknowledged, and lost");
        assert_eq!(times[text.as_str()], 1, "{text} came twice");
    }
    let unknown = account.unknown.lock().unwrap();
    // While a process dies, its socket may still take a connection or two.
    assert!(unknown.len() <= 3 * 3 * WRITERS, "{unknown:?}");
    for text in times.keys() {
        let known = unknown.contains(*text) || acknowledged.iter().any(|(_, sent)| sent == text);
        assert!(known && times[text] == 1, "{text} came {} times", times[text]);
    }
    assert_eq!(acknowledged.len() + unknown.len(), WRITERS * EACH);
    in_order(&got.iter().map(|message| message.text.clone()).collect::<Vec<_>>());
    println!(
        "{} messages over 7 power cuts: written in {written:.1?}, all there after {:.1?}, {} of {} \
         unanswered ones arrived",
        got.len(),
        begun.elapsed(),
        got.len() - acknowledged.len(),
        unknown.len()
    );
}

fn in_order(texts: &[String]) {
    for writer in 0..WRITERS {
        let prefix = format!("{writer}-");
        let own: Vec<&String> = texts.iter().filter(|text| text.starts_with(&prefix)).collect();
        assert!(own.is_sorted(), "writer {writer}: {own:?}");
    }
}

/// Kills a node again and again at moments that differ by milliseconds, right after an
/// acknowledgement: the sender, so that only its disk knows, and the receiver, so that the
/// delivery is repeated.
#[tokio::test]
async fn an_acknowledged_message_survives_a_power_cut_at_once() {
    let mut ann = Home::new("Ann").await.start().await;
    let mut bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let mut wanted = Vec::new();
    for round in 0..10_u64 {
        let text = format!("round {round:02}");
        covey_tests::process::send(&ann, "bob", &text).await;
        wanted.push(text);
        // Different steps of sending, delivering and acknowledging, not a wait for anything.
        tokio::time::sleep(Duration::from_millis(round)).await;
        if round % 2 == 0 {
            ann = ann.kill().await.start().await;
        } else {
            bob = bob.kill().await.start().await;
        }
    }
    until("all have arrived", || async { texts(&bob, "ann").await.len() >= wanted.len() }).await;
    assert_eq!(texts(&bob, "ann").await, wanted);
    until("all are acknowledged", || async {
        covey_tests::process::contact(&ann, "bob").await.unwrap().waiting == 0
    })
    .await;
    assert_eq!(texts(&bob, "ann").await, wanted);
}
