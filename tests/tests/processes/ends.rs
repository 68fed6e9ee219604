//! Ending a node, and what it costs while nothing happens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use covey::{
    api::msg::types::SendResult,
    client::{Client, ClientError},
    datadir::{DataDir, read_cookie, socket_path},
    rpc::codes,
};
use covey_tests::process::{Home, Node, befriend, history, until};
use serde_json::json;

/// Sends as fast as it can until the node stops; the ids of what was taken.
async fn load(client: Client, count: Arc<AtomicUsize>) -> Vec<String> {
    let mut taken = Vec::new();
    loop {
        let params = json!({ "who": "bob", "text": format!("text {}", taken.len()) });
        match client.call::<_, SendResult>("msg_send", &params).await {
            Ok(sent) => taken.push(sent.id),
            Err(ClientError::Closed) => return taken,
            Err(ClientError::Server(error)) if error.code == codes::STOPPING.number => {
                return taken;
            }
            Err(error) => panic!("{error}"),
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn is_released(home: &Home) {
    assert!(!socket_path(home.data()).unwrap().exists(), "the socket is gone");
    assert!(read_cookie(home.data()).unwrap().is_none(), "the token is gone");
    drop(DataDir::open(home.data()).expect("the lock is free"));
}

#[tokio::test]
async fn a_node_under_load_ends_cleanly_on_sigterm() {
    let mut home = Home::new("Ann").await;
    home.set("COVEY_RPC_HTTP", "127.0.0.1:0");
    let ann = home.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    assert!(read_cookie(ann.data()).unwrap().is_some());
    let count = Arc::<AtomicUsize>::default();
    let mut loads = Vec::new();
    for _ in 0..4 {
        let client = Client::connect(ann.data()).await.unwrap();
        loads.push(tokio::spawn(load(client, count.clone())));
    }
    until("messages flow", || async { count.load(Ordering::Relaxed) > 200 }).await;
    let (home, code, took) = ann.terminate().await;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    is_released(&home);
    let mut taken = Vec::new();
    for load in loads {
        taken.extend(load.await.unwrap());
    }

    let ann = home.start().await;
    let sent = history(&ann, "bob").await;
    for id in &taken {
        assert!(sent.iter().any(|message| message.id == *id), "acknowledged, and lost");
    }
    until("all arrive", || async { history(&bob, "ann").await.len() >= sent.len() }).await;
    println!("SIGTERM under load: ended in {took:.1?}, {} messages kept", sent.len());
    let (home, code, _) = bob.terminate().await;
    assert_eq!(code, Some(0));
    is_released(&home);
}

/// A supervisor may change its mind as soon as the node says that it is ready.
#[tokio::test]
async fn a_node_ends_cleanly_the_moment_it_is_ready() {
    let mut home = Home::new("Ann").await;
    for _ in 0..10 {
        home = home.start().await.stop().await;
        is_released(&home);
    }
}

#[tokio::test]
async fn an_idle_node_costs_little() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let (begun, before) = (Instant::now(), ann.processor_time());
    // The figure is of time that passes, so it has to pass.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (took, used) = (begun.elapsed(), ann.processor_time() - before);
    println!(
        "start {:.0?} (an empty directory), idle with one peer: {} MiB, {:.1} % of a processor",
        ann.start_took(),
        ann.memory() >> 20,
        100.0 * used.as_secs_f64() / took.as_secs_f64()
    );
    assert!(ann.memory() < 256 << 20);
    assert!(used < took / 2);
    stop_by_command(ann).await;
}

async fn stop_by_command(node: Node) {
    assert_eq!(node.ok(&["stop"]).await, "stopped");
    let (home, code) = node.ended().await;
    assert_eq!(code, Some(0));
    is_released(&home);
}
