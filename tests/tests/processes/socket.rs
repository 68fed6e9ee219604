//! Programs on this machine that use the control socket badly.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use covey::{
    api::types::Status,
    datadir::socket_path,
    rpc::{Code, codes},
};
use covey_tests::process::{Home, Node, until_some, within};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
};

/// The longest that a status may take in any of these tests. It takes well under a millisecond
/// on an idle machine; other tests have the processors too.
const PROMPT: Duration = Duration::from_secs(2);

/// Memory that clients may cost, all together.
const GROWTH: u64 = 96 << 20;

fn socket(node: &Node) -> PathBuf {
    socket_path(node.data()).unwrap()
}

async fn connect(node: &Node) -> UnixStream {
    UnixStream::connect(socket(node)).await.unwrap()
}

/// The slowest of some statuses.
async fn slowest(node: &Node) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let begun = Instant::now();
        let _: Status = node.status().await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < PROMPT, "a status took {slowest:?}");
    slowest
}

/// Sends bytes, and gives the answer.
async fn ask(node: &Node, bytes: &[u8]) -> Value {
    let mut stream = connect(node).await;
    stream.write_all(bytes).await.unwrap();
    answer(stream).await
}

async fn answer(stream: UnixStream) -> Value {
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    let read = stream.read_line(&mut line);
    within("the node answers", Duration::from_secs(30), read).await.unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

fn is(answer: &Value, code: Code) {
    let error = &answer["error"];
    let found = (&error["code"], &error["data"]["name"], &error["data"]["help"]);
    assert_eq!(found, (&json!(code.number), &json!(code.name), &json!(code.help)), "{answer}");
    assert_eq!(error["message"], code.meaning, "{answer}");
}

#[tokio::test]
async fn bad_requests_are_answered_and_hurt_nobody() {
    let node = Home::new("Ann").await.start().await;
    let before = node.memory();
    for bad in [&b"{ \"jsonrpc\": \n"[..], b"hello\n", b"\xff\xfe\x80\n", b"{\"a\":\"\xc3\x28\"}\n"]
    {
        let answer = ask(&node, bad).await;
        assert_eq!(answer["error"]["code"], codes::PARSE.number, "{answer}");
        assert_eq!(answer["id"], Value::Null);
    }
    is(&ask(&node, b"{}\n").await, codes::INVALID_REQUEST);
    let empty = ask(&node, b"[]\n").await;
    assert_eq!(empty["error"]["code"], codes::INVALID_REQUEST.number, "{empty}");
    let unknown = ask(&node, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"msg_sned\"}\n").await;
    assert_eq!(unknown["error"]["code"], codes::METHOD_NOT_FOUND.number, "{unknown}");
    let wrong = ask(
        &node,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"msg_send\",\"params\":{\"who\":7}}\n",
    )
    .await;
    assert_eq!(wrong["error"]["code"], codes::INVALID_PARAMS.number, "{wrong}");

    for nested in ["[".repeat(500_000), format!("{}\"x\":1", "{\"a\":".repeat(150_000))] {
        let answer = ask(&node, format!("{nested}\n").as_bytes()).await;
        let code = &answer["error"]["code"];
        assert!(*code == codes::PARSE.number || *code == codes::INVALID_REQUEST.number, "{answer}");
    }
    let deep = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"msg_send\",\"params\":{}{}}}\n",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let answer = ask(&node, deep.as_bytes()).await;
    assert!(answer["error"]["code"].is_i64(), "{answer}");
    slowest(&node).await;
    let grown = node.memory().saturating_sub(before);
    assert!(grown < GROWTH, "memory grew by {} MiB", grown >> 20);
}

/// Writes 64 MiB in one line, as far as the node takes it, and reads the answer meanwhile.
async fn pour(node: &Node) {
    let (read, mut write) = connect(node).await.into_split();
    let pouring = async {
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..64 {
            if write.write_all(&chunk).await.is_err() {
                return;
            }
        }
        drop(write.write_all(b"\n").await);
    };
    let mut line = String::new();
    let mut read = BufReader::new(read);
    let answered = within("it is answered", Duration::from_secs(30), read.read_line(&mut line));
    let ((), answered) = tokio::join!(pouring, answered);
    assert!(answered.unwrap() > 0, "the connection was closed without an answer");
    is(&serde_json::from_str(&line).unwrap(), codes::REQUEST_TOO_LARGE);
}

#[tokio::test]
async fn an_oversized_request_is_refused_without_being_kept() {
    let node = Home::new("Ann").await.start().await;
    slowest(&node).await;
    let before = node.memory();
    let (.., slow) =
        tokio::join!(pour(&node), pour(&node), pour(&node), pour(&node), slowest(&node));
    let grown = node.memory().saturating_sub(before);
    println!("4 requests of 64 MiB: memory grew by {} MiB, status {slow:?}", grown >> 20);
    assert!(grown < GROWTH, "memory grew by {} MiB", grown >> 20);
    slowest(&node).await;
}

#[tokio::test]
async fn a_thousand_idle_and_half_sent_connections_do_not_slow_others() {
    let node = Home::new("Ann").await.start().await;
    slowest(&node).await;
    let before = node.memory();
    let mut held = Vec::new();
    for number in 0..1000 {
        let mut stream = connect(&node).await;
        if number % 10 == 0 {
            stream.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,").await.unwrap();
        }
        held.push(stream);
    }
    let slow = slowest(&node).await;
    let grown = node.memory().saturating_sub(before);
    println!("1000 idle connections: memory grew by {} MiB, status {slow:?}", grown >> 20);
    assert!(grown < GROWTH, "memory grew by {} MiB", grown >> 20);
    assert_eq!(node.run(&["status"]).await.code, Some(0), "others can still connect");
    // What was half sent can still be completed.
    let mut first = held.swap_remove(0);
    first.write_all(b"\"method\":\"node_status\",\"params\":{}}\n").await.unwrap();
    assert_eq!(answer(first).await["result"]["network"], "open");
    drop(held);
    until_some("the node lets go of them", || async {
        let files = std::fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap().count();
        (files < 200).then_some(())
    })
    .await;
}
