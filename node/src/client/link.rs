//! The connection itself: who waits for which answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, BufWriter},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{ClientError, ServerError};
use crate::rpc::limits;

pub(super) type Answer = Result<Box<RawValue>, ServerError>;
pub(super) type Events = mpsc::Sender<Answer>;

/// Lines that wait to be written.
const OUTBOX: usize = 64;

/// A request without its id.
#[derive(Debug, Serialize)]
pub(super) struct Request {
    jsonrpc: &'static str,
    id: u64,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<Box<RawValue>>,
}

impl Request {
    pub(super) fn new(method: &str, params: Option<Box<RawValue>>) -> Self {
        Self { jsonrpc: "2.0", id: 0, method: method.into(), params }
    }
}

/// Who waits for an answer.
#[derive(Debug)]
pub(super) enum Waiting {
    Call(oneshot::Sender<Answer>),
    Subscription { answer: oneshot::Sender<Answer>, events: Events },
}

/// What the node sends: an answer, or a notification.
#[derive(Deserialize)]
struct Message {
    id: Option<u64>,
    result: Option<Box<RawValue>>,
    error: Option<ServerError>,
    params: Option<Notice>,
}

#[derive(Deserialize)]
struct Notice {
    subscription: Value,
    result: Option<Box<RawValue>>,
    error: Option<ServerError>,
}

#[derive(Debug, Clone)]
pub(super) struct Link(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    outbox: mpsc::Sender<String>,
    table: Arc<Mutex<Table>>,
    reading: JoinHandle<()>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    waiting: HashMap<u64, Waiting>,
    subscriptions: HashMap<String, Events>,
    closed: bool,
}

impl Link {
    pub(super) fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        let table = Arc::<Mutex<Table>>::default();
        let reading = tokio::spawn(read_all(read, table.clone()));
        let (outbox, queue) = mpsc::channel(OUTBOX);
        // Writing has a task of its own, so that a call that is given up leaves no half line.
        drop(tokio::spawn(write_all(write, queue)));
        Self(Arc::new(Shared { outbox, table, reading }))
    }

    /// Sends requests in one line.
    pub(super) async fn send(
        &self,
        requests: Vec<(Request, Waiting)>,
        batch: bool,
    ) -> Result<(), ClientError> {
        let requests = self.expect(requests)?;
        let text = match requests.first() {
            Some(request) if !batch => serde_json::to_string(request),
            _ => serde_json::to_string(&requests),
        };
        let mut line =
            text.map_err(|source| ClientError::Params { method: "a call".into(), source })?;
        if line.len() > limits::REQUEST_BYTES {
            self.give_up(&requests);
            return Err(ClientError::TooLarge { bytes: line.len() });
        }
        line.push('\n');
        self.0.outbox.send(line).await.map_err(|_| ClientError::Closed)
    }

    /// Gives the requests their ids, and remembers who waits.
    fn expect(&self, requests: Vec<(Request, Waiting)>) -> Result<Vec<Request>, ClientError> {
        let mut table = lock(&self.0.table);
        if table.closed {
            return Err(ClientError::Closed);
        }
        let number = |(mut request, waiting): (Request, Waiting)| {
            table.next = table.next.wrapping_add(1);
            request.id = table.next;
            table.waiting.insert(request.id, waiting);
            request
        };
        Ok(requests.into_iter().map(number).collect())
    }

    fn give_up(&self, requests: &[Request]) {
        let mut table = lock(&self.0.table);
        for request in requests {
            table.waiting.remove(&request.id);
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.0.table).closed
    }

    /// Nobody listens to this subscription any more.
    pub(super) fn forget(&self, subscription: &Value) {
        lock(&self.0.table).subscriptions.remove(&subscription.to_string());
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes lines together as long as there are any.
async fn write_all(write: OwnedWriteHalf, mut queue: mpsc::Receiver<String>) {
    let mut write = BufWriter::new(write);
    while let Some(line) = queue.recv().await {
        let written = write.write_all(line.as_bytes()).await;
        let flushed = if queue.is_empty() { write.flush().await } else { Ok(()) };
        if written.and(flushed).is_err() {
            return;
        }
    }
}

/// Ends when the node closes the connection, and with it all who wait.
async fn read_all(read: OwnedReadHalf, table: Arc<Mutex<Table>>) {
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        lock(&table).take(&line);
    }
    let mut table = lock(&table);
    table.closed = true;
    table.waiting.clear();
    table.subscriptions.clear();
}

impl Table {
    fn take(&mut self, line: &str) {
        if line.starts_with('[') {
            let messages: Vec<Message> = serde_json::from_str(line).unwrap_or_default();
            messages.into_iter().for_each(|message| self.message(message));
        } else if let Ok(message) = serde_json::from_str(line) {
            self.message(message);
        }
    }

    fn message(&mut self, message: Message) {
        let Message { id, result, error, params } = message;
        if let Some(notice) = params {
            return self.notice(notice);
        }
        let answer = match error {
            Some(error) => Err(error),
            None => Ok(result.unwrap_or_else(|| RawValue::NULL.to_owned())),
        };
        match (id, answer) {
            (Some(id), answer) => {
                if let Some(waiting) = self.waiting.remove(&id) {
                    self.answer(waiting, answer);
                }
            }
            // An error without an id concerns whatever was sent: a batch as a whole, or the
            // connection. Nobody can tell who else would get an answer.
            (None, Err(error)) => self.fail_all(&error),
            (None, Ok(_)) => {}
        }
    }

    /// A send that fails means that nobody waits any more.
    fn answer(&mut self, waiting: Waiting, answer: Answer) {
        let (to, events) = match waiting {
            Waiting::Call(to) => (to, None),
            Waiting::Subscription { answer, events } => (answer, Some(events)),
        };
        // Registered before the next line is read, so that no event is lost.
        if let (Some(events), Ok(id)) = (events, &answer)
            && let Ok(id) = serde_json::from_str::<Value>(id.get())
        {
            self.subscriptions.insert(id.to_string(), events);
        }
        drop(to.send(answer));
    }

    /// One that cannot keep up, or has ended, is dropped: its stream ends.
    fn notice(&mut self, notice: Notice) {
        let Notice { subscription, result, error } = notice;
        let key = subscription.to_string();
        let Some(events) = self.subscriptions.get(&key) else { return };
        let last = error.is_some();
        let event = match error {
            Some(error) => Err(error),
            None => Ok(result.unwrap_or_else(|| RawValue::NULL.to_owned())),
        };
        if events.try_send(event).is_err() || last {
            self.subscriptions.remove(&key);
        }
    }

    fn fail_all(&mut self, error: &ServerError) {
        for (_, waiting) in std::mem::take(&mut self.waiting) {
            self.answer(waiting, Err(error.clone()));
        }
    }
}
