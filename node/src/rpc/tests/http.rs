use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{
    super::{BindError, Http, Limits, Server, Settings},
    TOKEN, World, add, api, sum, until, within,
};

/// Status and body of a POST with these headers.
async fn post(world: &World, path: &str, headers: &str) -> (u16, Value) {
    let address = world.server.http_address().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = add(1).to_string();
    let text = format!(
        "POST {path} HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(answer.lines().last().unwrap()).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_token_lets_in() {
    let world = World::new().await;
    let bearer = format!("host: localhost\r\nauthorization: Bearer {TOKEN}\r\n");
    assert_eq!(post(&world, "/", &bearer).await, (200, sum(1)));
    let query = format!("/?a=b&token={TOKEN}");
    assert_eq!(post(&world, &query, "host: 127.0.0.1:1\r\n").await, (200, sum(1)));
}

#[tokio::test]
async fn half_of_the_connections_are_left_to_the_socket() {
    let world = World::with(Limits { connections: 4, ..Limits::default() }).await;
    let address = world.server.http_address().unwrap();
    let _first = TcpStream::connect(address).await.unwrap();
    let _second = TcpStream::connect(address).await.unwrap();
    until("both are in", || world.server.connections() == 2).await;
    let mut third = TcpStream::connect(address).await.unwrap();
    let mut refused = String::new();
    within(third.read_to_string(&mut refused)).await.unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let (mut ann, mut bob) = (world.lines().await, world.lines().await);
    assert_eq!(ann.ask(&add(1)).await, sum(1));
    assert_eq!(bob.ask(&add(1)).await, sum(1));
}

#[tokio::test]
async fn without_the_token_nobody_gets_in() {
    let world = World::new().await;
    for headers in [
        "host: localhost\r\n",
        "host: localhost\r\nauthorization: Bearer wrong\r\n",
        "host: localhost\r\nauthorization: Bearer \r\n",
        "host: localhost\r\nauthorization: Basic the-token\r\n",
        "host: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n",
    ] {
        let (status, body) = post(&world, "/", headers).await;
        assert_eq!((status, &body["error"]["code"]), (401, &1106.into()), "{headers}");
        assert!(body["error"]["data"]["help"].as_str().unwrap().contains("rpc.cookie"));
    }
}

#[tokio::test]
async fn web_pages_do_not_get_in_even_with_the_token() {
    let world = World::new().await;
    let bearer = format!("authorization: Bearer {TOKEN}\r\n");
    for headers in [
        "host: localhost\r\norigin: https://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
        "host: localhost\r\norigin: http://localhost:8080\r\n",
        "host: localhost\r\norigin: http://localhost\r\norigin: http://evil.example\r\n",
        "host: evil.example\r\n",
        "host: localhost.evil.example\r\n",
        "host: evil.example\r\norigin: http://evil.example\r\n",
        "",
    ] {
        let (status, body) = post(&world, "/", &format!("{headers}{bearer}")).await;
        assert_eq!((status, &body["error"]["code"]), (403, &1107.into()), "{headers}");
    }
    let own = format!("host: localhost:4180\r\norigin: http://localhost:4180\r\n{bearer}");
    assert_eq!(post(&world, "/", &own).await.0, 200);
}

#[tokio::test]
async fn no_answer_invites_other_origins() {
    let world = World::new().await;
    let address = world.server.http_address().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = "OPTIONS / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
        origin: https://evil.example\r\naccess-control-request-method: POST\r\n\r\n";
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(!answer.to_lowercase().contains("access-control-allow"), "{answer}");
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let world = World::new().await;
    let settings = Settings {
        socket: world.directory.path().join("other.sock"),
        file_mode: 0o600,
        http: Some(Http { address: "0.0.0.0:0".parse().unwrap(), token: TOKEN.into() }),
        limits: Limits::default(),
    };
    let socket = settings.socket.clone();
    let error = Server::start(api(&world.state), settings).await.unwrap_err();
    assert!(matches!(error, BindError::NotLoopback { .. }), "{error}");
    assert!(!socket.exists());
}
