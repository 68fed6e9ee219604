//! The control socket as clients see it: real sockets, hostile bytes, bounds.

mod bounds;
mod client;
mod documents;
mod framings;
mod http;
mod methods;
mod stale;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures::stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    sync::{Barrier, broadcast},
    time::timeout,
};

use super::{
    Api, Http, Limits, Method, NoParams, Registry, RpcError, Server, Settings, Subscription, codes,
    from_broadcast,
};

const DEADLINE: Duration = Duration::from_secs(20);
const TOGETHER: usize = 64;

/// What the test methods share.
pub(super) struct State {
    barrier: Barrier,
    noted: AtomicUsize,
    events: broadcast::Sender<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Add {
    /// The first number.
    left: u32,
    /// The second number.
    right: u32,
    /// Added as well, if given.
    more: Option<u32>,
}

#[derive(Serialize, Deserialize, JsonSchema, Clone, PartialEq, Debug)]
struct Sum {
    /// The sum.
    sum: u32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Size {
    bytes: usize,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Count {
    count: u32,
}

fn method(name: &'static str) -> Method {
    Method { name, summary: "A method for tests.", errors: &[] }
}

pub(super) fn api(state: &Arc<State>) -> Api {
    let mut registry = Registry::new(state.clone());
    let adds = Method { errors: &[codes::REFUSED], ..method("test_add") };
    registry
        .method(adds, |_, add: Add| async move {
            let sum = [add.right, add.more.unwrap_or(0)]
                .into_iter()
                .try_fold(add.left, u32::checked_add)
                .ok_or_else(|| {
                    RpcError::new(codes::REFUSED, "too much").detail("most", u32::MAX)
                })?;
            Ok(Sum { sum })
        })
        .method(method("test_meet"), |state: Arc<State>, _: NoParams| async move {
            state.barrier.wait().await;
            Ok(true)
        })
        .method(method("test_note"), |state: Arc<State>, _: NoParams| async move {
            Ok(state.noted.fetch_add(1, SeqCst))
        })
        .method(method("test_large"), |_, size: Size| async move { Ok("x".repeat(size.bytes)) })
        .method(method("test_any"), |_, any: Any| async move { Ok(any.value) })
        .method(method("test_never"), |_, _: NoParams| std::future::pending::<Result<(), _>>())
        .method(method("test_panic"), |_, size: Size| async move {
            assert!(size.bytes > usize::MAX - 1, "on purpose");
            Ok(())
        });
    registry
        .subscription(subscription("count"), |_, Count { count }| async move {
            if count == 0 {
                return Err(RpcError::from(codes::REFUSED));
            }
            Ok(stream::iter((0..count).map(Ok)))
        })
        .subscription(
            Subscription {
                name: "test_listen",
                unsubscribe: "test_unlisten",
                notification: "test_heard",
                ..subscription("")
            },
            |state: Arc<State>, _: NoParams| async move {
                Ok(from_broadcast(state.events.subscribe(), Some))
            },
        );
    registry.finish().unwrap()
}

#[derive(Deserialize, JsonSchema)]
struct Any {
    value: Value,
}

fn subscription(_: &str) -> Subscription {
    Subscription {
        name: "test_count",
        unsubscribe: "test_uncount",
        notification: "test_counted",
        summary: "Counts.",
        errors: &[codes::REFUSED],
    }
}

/// A server in a directory of its own.
pub(super) struct World {
    pub(super) directory: tempfile::TempDir,
    pub(super) server: Server,
    pub(super) state: Arc<State>,
}

pub(super) const TOKEN: &str = "the-token";

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        super::limits::raise_open_files().unwrap();
        let state = Arc::new(State {
            barrier: Barrier::new(TOGETHER),
            noted: AtomicUsize::new(0),
            events: broadcast::channel(16).0,
        });
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("covey.sock");
        let http = Some(Http { address: "127.0.0.1:0".parse().unwrap(), token: TOKEN.into() });
        let settings = Settings { socket, file_mode: 0o600, http, limits };
        let server = Server::start(api(&state), settings).await.unwrap();
        Self { directory, server, state }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.server.socket().into()
    }

    pub(super) async fn lines(&self) -> Lines {
        Lines(BufReader::new(UnixStream::connect(self.socket()).await.unwrap()))
    }
}

/// A client that sends bytes and reads lines.
pub(super) struct Lines(BufReader<UnixStream>);

impl Lines {
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.0.get_mut().write_all(bytes.as_ref())).await.unwrap();
    }

    /// The next line; none at the end.
    pub(super) async fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match within(self.0.read_line(&mut line)).await {
            // A server that closes while the client still sends resets the connection.
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    pub(super) async fn ask(&mut self, request: &Value) -> Value {
        self.send(format!("{request}\n")).await;
        self.next().await.unwrap()
    }

    pub(super) async fn rest(mut self) -> String {
        self.0.get_mut().shutdown().await.unwrap();
        let mut text = String::new();
        within(self.0.read_to_string(&mut text)).await.unwrap();
        text
    }
}

pub(super) fn request(id: u32, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

pub(super) fn add(id: u32) -> Value {
    request(id, "test_add", json!({ "left": 1, "right": 2 }))
}

pub(super) fn sum(id: u32) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "sum": 3 } })
}

pub(super) async fn within<F: Future>(future: F) -> F::Output {
    timeout(DEADLINE, future).await.expect("in time")
}

/// Waits for a condition that nothing announces.
pub(super) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The code of an error response, after checking that it is one in full.
pub(super) fn code(response: &Value) -> i64 {
    let error = &response["error"];
    assert!(error["message"].is_string(), "{response}");
    assert!(error["data"]["name"].is_string(), "{response}");
    assert!(error["data"]["help"].is_string(), "{response}");
    error["code"].as_i64().unwrap()
}
