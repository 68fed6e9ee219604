use jsonrpsee::core::client::{ReceivedMessage, TransportReceiverT as _, TransportSenderT as _};
use jsonrpsee_client_transport::ws::{Url, WsTransportClientBuilder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{Lines, World, add, code, request, sum, within};

#[tokio::test]
async fn lines_http_and_websocket_share_one_socket() {
    let world = World::new().await;
    assert_eq!(world.lines().await.ask(&add(1)).await, sum(1));
    assert_eq!(post(&world, &add(2)).await, sum(2));

    let stream = UnixStream::connect(world.socket()).await.unwrap();
    let url = Url::parse("ws://covey").unwrap();
    let (mut to, mut from) =
        WsTransportClientBuilder::default().build_with_stream(url, stream).await.unwrap();
    to.send(add(3).to_string()).await.unwrap();
    assert_eq!(text(within(from.receive()).await.unwrap()), sum(3));
    to.send(json!([add(4), add(5)]).to_string()).await.unwrap();
    assert_eq!(text(within(from.receive()).await.unwrap()), json!([sum(4), sum(5)]));

    to.send(request(6, "test_count", json!([2])).to_string()).await.unwrap();
    let id = text(within(from.receive()).await.unwrap())["result"].clone();
    for item in 0..2 {
        let notice = text(within(from.receive()).await.unwrap());
        assert_eq!(notice["params"], json!({ "subscription": id, "result": item }));
    }
    let last = text(within(from.receive()).await.unwrap());
    assert_eq!(last["params"]["error"]["code"], 1104);

    to.send("{".into()).await.unwrap();
    assert_eq!(text(within(from.receive()).await.unwrap())["error"]["code"], -32700);
}

fn text(message: ReceivedMessage) -> Value {
    match message {
        ReceivedMessage::Text(text) => serde_json::from_str(&text).unwrap(),
        ReceivedMessage::Bytes(bytes) => serde_json::from_slice(&bytes).unwrap(),
        ReceivedMessage::Pong => panic!("nobody pings"),
    }
}

async fn post(world: &World, body: &Value) -> Value {
    let mut stream = UnixStream::connect(world.socket()).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: covey\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    serde_json::from_str(answer.lines().last().unwrap()).unwrap()
}

#[tokio::test]
async fn http_takes_batches_but_no_subscriptions() {
    let world = World::new().await;
    assert_eq!(post(&world, &json!([add(1), add(2)])).await, json!([sum(1), sum(2)]));
    let answer = post(&world, &request(3, "test_count", json!([1]))).await;
    assert_eq!(code(&answer), 1108);
}

#[tokio::test]
async fn a_subscription_in_lines_streams_and_ends() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let id = client.ask(&request(1, "test_count", json!({ "count": 2 }))).await["result"].clone();
    for item in 0..2 {
        let notice = client.next().await.unwrap();
        assert_eq!(
            notice,
            json!({ "jsonrpc": "2.0", "method": "test_counted",
                "params": { "subscription": id, "result": item } })
        );
    }
    assert_eq!(
        client.next().await.unwrap()["params"]["error"]["data"]["name"],
        "subscription_ended"
    );
    let refused = client.ask(&request(2, "test_count", json!([0]))).await;
    assert_eq!(code(&refused), 1002);
    let batch = client.ask(&json!([request(3, "test_count", json!([1]))])).await;
    assert_eq!(code(&batch[0]), 1108);
}

#[tokio::test]
async fn unsubscribing_ends_it() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let id = client.ask(&request(1, "test_listen", json!({}))).await["result"].clone();
    world.state.events.send(5).unwrap();
    assert_eq!(client.next().await.unwrap()["params"]["result"], 5);
    let answer = client.ask(&request(2, "test_unlisten", json!([id]))).await;
    assert_eq!(answer["result"], true);
    let state = world.state.clone();
    super::until("nobody listens", || state.events.receiver_count() == 0).await;
}

#[tokio::test]
async fn requests_that_are_wrong_get_errors_and_the_next_one_an_answer() {
    let world = World::new().await;
    let mut client = world.lines().await;
    for (line, expected) in [
        ("{\"jsonrpc\":\"2.0\",\"id\":1,", -32700),
        ("garbage", -32700),
        ("\"text\"", -32700),
        ("{}", -32600),
        ("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"test_add\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"test_add\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", -32600),
        ("[1,", -32700),
    ] {
        client.send(format!("{line}\n")).await;
        let answer = client.next().await.unwrap();
        assert_eq!(code(&answer), expected, "{line}: {answer}");
        assert_eq!(client.ask(&add(1)).await, sum(1), "{line}");
    }
    let empty = client.ask(&json!([])).await;
    assert_eq!(empty["error"]["code"], -32600);
    let mixed = client.ask(&json!([add(1), 5, add(2)])).await;
    assert_eq!((&mixed[0], &mixed[2]), (&sum(1), &sum(2)));
    assert_eq!(code(&mixed[1]), -32600);
    client.send("\n\r\n   \n").await;
    assert_eq!(client.ask(&add(3)).await, sum(3));
}

#[tokio::test]
async fn a_garbage_first_byte_is_answered_in_lines() {
    let world = World::new().await;
    let mut client = world.lines().await;
    client.send(b"\xff\xfe\n").await;
    assert_eq!(code(&client.next().await.unwrap()), -32700);
    assert_eq!(client.ask(&add(1)).await, sum(1));
}

/// As `nc -U` does: the last line without its line feed, then the end.
#[tokio::test]
async fn a_client_that_stops_sending_still_gets_its_answers() {
    let world = World::new().await;
    let mut client: Lines = world.lines().await;
    client.send(format!("{}\n{}", add(1), add(2))).await;
    let rest = client.rest().await;
    let mut answers: Vec<Value> =
        rest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    answers.sort_by_key(|answer| answer["id"].as_u64());
    assert_eq!(answers, [sum(1), sum(2)]);
}
