use std::time::{Duration, Instant};

use jsonrpsee::core::client::TransportSenderT as _;
use jsonrpsee_client_transport::ws::{Url, WsTransportClientBuilder};
use serde_json::json;
use tokio::net::UnixStream;

use super::{
    super::{Limits, limits},
    World, add, code, request, sum, until, within,
};

fn short() -> Limits {
    let short = Duration::from_millis(100);
    Limits { half_sent: short, slow_reader: short, stop: short, ..Limits::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_64_mib_is_refused_and_the_next_one_answered() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let chunk = vec![b'x'; 1 << 20];
    client.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"").await;
    for _ in 0..64 {
        client.send(&chunk).await;
    }
    client.send("\n").await;
    assert_eq!(code(&client.next().await.unwrap()), -32007);
    assert_eq!(client.ask(&add(2)).await, sum(2));
}

#[tokio::test]
async fn a_line_may_have_as_much_as_a_request_and_no_more() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let pad = |length: usize| {
        let text = add(1).to_string();
        let spaces = " ".repeat(length.checked_sub(text.len()).unwrap());
        format!("{text}{spaces}\n")
    };
    client.send(pad(limits::REQUEST_BYTES)).await;
    assert_eq!(client.next().await.unwrap(), sum(1));
    client.send(pad(limits::REQUEST_BYTES + 1)).await;
    assert_eq!(code(&client.next().await.unwrap()), -32007);
    assert_eq!(client.ask(&add(2)).await, sum(2));
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let depth = 100_000;
    let (open, close) = ("[".repeat(depth), "]".repeat(depth));
    client.send(format!("{open}{close}\n")).await;
    let answer = client.next().await.unwrap();
    assert!([-32700, -32600].contains(&code(answer.get(0).unwrap_or(&answer))), "{answer}");
    let value = format!("{{\"value\":{open}{close}}}");
    client
        .send(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test_any\",\"params\":{value}}}\n"
        ))
        .await;
    assert_eq!(code(&client.next().await.unwrap()), -32602);
    client.send(format!("{}\n", "{\"a\":".repeat(depth))).await;
    assert_eq!(code(&client.next().await.unwrap()), -32700);
    assert_eq!(client.ask(&add(2)).await, sum(2));
}

#[tokio::test]
async fn invalid_utf8_is_refused() {
    let world = World::new().await;
    let mut client = world.lines().await;
    client.send(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}\n").await;
    let answer = client.next().await.unwrap();
    assert_eq!(code(&answer), -32700);
    assert_eq!(answer["error"]["data"]["position"], 34);
    assert_eq!(client.ask(&add(1)).await, sum(1));
}

#[tokio::test]
async fn a_half_sent_line_ends_the_connection() {
    let world = World::with(short()).await;
    let mut client = world.lines().await;
    client.send("{\"jsonrpc\":").await;
    assert_eq!(code(&client.next().await.unwrap()), 1101);
    assert_eq!(client.next().await, None);
    let server = &world.server;
    until("its place is free", || server.connections() == 0).await;
}

#[tokio::test]
async fn half_sent_http_ends_the_connection() {
    let world = World::with(short()).await;
    let mut client = world.lines().await;
    client.send("POST / HTTP/1.1\r\nhost: covey\r\ncontent-le").await;
    let server = &world.server;
    until("its place is free", || server.connections() == 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let world = World::with(short()).await;
    let mut client = world.lines().await;
    let large = request(1, "test_large", json!([3 << 20]));
    for _ in 0..4 {
        client.send(format!("{large}\n")).await;
    }
    let server = &world.server;
    until("its place is free", || server.connections() == 0).await;
    assert_eq!(world.lines().await.ask(&add(1)).await, sum(1));
}

#[tokio::test]
async fn a_client_that_does_not_read_errors_is_disconnected() {
    let world = World::with(short()).await;
    let mut client = world.lines().await;
    client.send("x\n".repeat(20_000)).await;
    let server = &world.server;
    until("its place is free", || server.connections() == 0).await;
}

#[tokio::test]
async fn a_websocket_that_does_not_read_is_disconnected() {
    let world = World::with(short()).await;
    let stream = UnixStream::connect(world.socket()).await.unwrap();
    let url = Url::parse("ws://covey").unwrap();
    let (mut to, _from) =
        WsTransportClientBuilder::default().build_with_stream(url, stream).await.unwrap();
    for id in 0..4 {
        to.send(request(id, "test_large", json!([3 << 20])).to_string()).await.unwrap();
    }
    let server = &world.server;
    until("its place is free", || server.connections() == 0).await;
}

/// With every call waiting, the node stops reading instead of taking more.
#[tokio::test]
async fn a_websocket_has_a_bound_on_calls_in_flight() {
    let world = World::new().await;
    let stream = UnixStream::connect(world.socket()).await.unwrap();
    let url = Url::parse("ws://covey").unwrap();
    let (mut to, _from) =
        WsTransportClientBuilder::default().build_with_stream(url, stream).await.unwrap();
    let padding = "x".repeat(16 << 10);
    let never = request(1, "test_never", json!({})).to_string() + &" ".repeat(padding.len());
    let sending = async {
        for _ in 0..4000 {
            to.send(never.clone()).await.unwrap();
        }
    };
    let blocked = tokio::time::timeout(Duration::from_millis(500), sending).await;
    assert!(blocked.is_err(), "64 MiB were taken");
    assert_eq!(world.lines().await.ask(&add(1)).await, sum(1));
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let batch: Vec<_> = (0..limits::BATCH_CALLS).map(|id| add(id as u32)).collect();
    assert_eq!(client.ask(&json!(batch)).await.as_array().unwrap().len(), limits::BATCH_CALLS);
    let batch: Vec<_> = (0..=limits::BATCH_CALLS).map(|id| add(id as u32)).collect();
    assert_eq!(code(&client.ask(&json!(batch)).await), -32010);
    let large: Vec<_> = (0..2).map(|id| request(id, "test_large", json!([3 << 20]))).collect();
    assert_eq!(code(&client.ask(&json!(large)).await), -32011);
}

#[tokio::test]
async fn subscriptions_have_a_bound() {
    let world = World::new().await;
    let mut client = world.lines().await;
    for id in 0..limits::SUBSCRIPTIONS {
        let answer = client.ask(&request(id as u32, "test_listen", json!({}))).await;
        assert!(answer["result"].is_u64(), "{answer}");
    }
    assert_eq!(code(&client.ask(&request(99, "test_listen", json!({}))).await), -32006);
    assert_eq!(client.ask(&add(1)).await, sum(1));
}

#[tokio::test]
async fn a_connection_too_many_is_told_so() {
    let world = World::with(Limits { connections: 2, ..Limits::default() }).await;
    let _first = world.lines().await;
    let mut second = world.lines().await;
    assert_eq!(second.ask(&add(1)).await, sum(1));
    let mut third = world.lines().await;
    assert_eq!(code(&third.next().await.unwrap()), 1100);
    assert_eq!(third.next().await, None);
    assert_eq!(second.ask(&add(2)).await, sum(2));
}

#[tokio::test]
async fn the_connection_idle_for_longest_makes_room() {
    let grace = Duration::ZERO;
    let world =
        World::with(Limits { connections: 2, idle_grace: grace, ..Limits::default() }).await;
    let mut busy = world.lines().await;
    busy.send(format!("{}\n", request(1, "test_never", json!({})))).await;
    let mut idle = world.lines().await;
    assert_eq!(idle.ask(&add(1)).await, sum(1));
    let mut new = world.lines().await;
    assert_eq!(new.ask(&add(2)).await, sum(2));
    assert_eq!(code(&idle.next().await.unwrap()), 1103);
    assert_eq!(idle.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_idle_connections_leave_the_node_serving() {
    let world = World::new().await;
    let mut idle = Vec::new();
    for number in 0..1000 {
        let mut client = world.lines().await;
        // Some have been used, some are silent, some speak HTTP.
        match number % 3 {
            0 => assert_eq!(client.ask(&add(1)).await, sum(1)),
            1 => client.send("POST").await,
            _ => {}
        }
        idle.push(client);
    }
    let server = &world.server;
    until("all are connected", || server.connections() == 1000).await;
    let mut slowest = Duration::ZERO;
    let mut client = world.lines().await;
    for id in 0..100 {
        let start = Instant::now();
        assert_eq!(client.ask(&add(id)).await, sum(id));
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    drop(idle);
    until("all are gone", || server.connections() == 1).await;
}

#[tokio::test]
async fn stopping_answers_what_runs_and_ends_what_does_not() {
    let world = World::with(short()).await;
    let mut stuck = world.lines().await;
    stuck.send(format!("{}\n{}\n", request(1, "test_never", json!({})), add(2))).await;
    assert_eq!(stuck.next().await.unwrap(), sum(2));
    let socket = world.socket();
    within(world.server.stop()).await;
    assert!(!socket.exists());
    assert_eq!(stuck.next().await, None);
}
