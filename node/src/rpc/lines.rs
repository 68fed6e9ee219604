//! Newline-delimited JSON: one request or batch a line, one response or notification a line.

mod dispatch;
mod reader;

use std::{pin::pin, sync::Arc};

use jsonrpsee::server::{Methods, StopHandle};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter, WriteHalf},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use tower::Layer as _;

use self::reader::{Line, Reader};
use super::{
    Limits, RpcError,
    calls::Calls,
    limits,
    pulse::Pulse,
    service::{Layer, Service},
};

type Outbox = mpsc::Sender<Box<RawValue>>;

/// What a connection that sends lines needs.
pub(super) struct Session {
    pub(super) id: u32,
    pub(super) methods: Methods,
    pub(super) pulse: Arc<Pulse>,
    pub(super) limits: Limits,
    pub(super) stop: StopHandle,
}

/// Serves one connection until its client leaves, is too slow, or the node stops.
pub(super) async fn serve<T: AsyncRead + AsyncWrite + Send>(stream: T, session: Session) {
    let (read, write) = tokio::io::split(stream);
    let (outbox, queue) = mpsc::channel(limits::MESSAGE_BUFFER);
    let (finish, finished) = oneshot::channel();
    let mut writing = pin!(write_lines(write, queue, finished));
    let limits = session.limits;
    let talking = pin!(talk(Reader::new(read, session.pulse.clone()), outbox, session));
    tokio::select! {
        // The client is gone: nobody waits for what its calls would answer.
        () = &mut writing => {}
        () = talking => {
            drop(finish);
            // What is queued may still be read.
            drop(timeout(limits.stop.min(limits.slow_reader), writing).await);
        }
    }
}

/// Reads requests and runs them, until there are no more.
async fn talk<R: AsyncRead + Unpin>(mut reader: Reader<R>, outbox: Outbox, session: Session) {
    let Session { id, methods, pulse, limits, stop } = session;
    let inner = Calls::new(id, methods.clone(), outbox.clone());
    let service = Layer { methods, pulse: pulse.clone() }.layer(inner);
    let room = Arc::new(Semaphore::new(limits::CALLS_IN_FLIGHT));
    let mut calls = JoinSet::new();
    let mut stopped = pin!(stop.shutdown());
    let patience = loop {
        let (permit, line) = tokio::select! {
            biased;
            reason = pulse.ended() => {
                // The queue may be full of what the client does not read.
                drop(outbox.try_send(error_line(&reason.into())));
                return;
            }
            () = &mut stopped => break limits.stop,
            next = next(&room, &mut reader, &outbox) => next,
        };
        while calls.try_join_next().is_some() {}
        let text = match line {
            Line::Text(text) => text,
            Line::Bad(_) => continue,
            Line::End => break limits.drain,
        };
        calls.spawn(run(text, service.clone(), outbox.clone(), permit, room.clone()));
    };
    drop(timeout(patience, async { while calls.join_next().await.is_some() {} }).await);
}

/// Waits for room for one more call, then for its line; says what is wrong with a bad one. All
/// of it may be cancelled, since a client that does not read makes it wait for ever.
async fn next<R: AsyncRead + Unpin>(
    room: &Arc<Semaphore>,
    reader: &mut Reader<R>,
    outbox: &Outbox,
) -> (Option<OwnedSemaphorePermit>, Line) {
    let permit = room.clone().acquire_owned().await.ok();
    let line = reader.next().await;
    if let Line::Bad(error) = &line
        && outbox.send(error_line(error)).await.is_err()
    {
        return (permit, Line::End);
    }
    (permit, line)
}

async fn run(
    text: String,
    service: Service<Calls>,
    outbox: Outbox,
    permit: Option<OwnedSemaphorePermit>,
    room: Arc<Semaphore>,
) {
    let weight = text.len().checked_div(limits::BYTES_PER_CALL).unwrap_or(0);
    let more = room.acquire_many(u32::try_from(weight).unwrap_or(u32::MAX)).await;
    if let Some(answer) = dispatch::answer(&service, &text).await {
        // If nobody listens any more, the connection ends by itself.
        drop(outbox.send(answer).await);
    }
    drop((permit, more));
}

fn error_line(error: &RpcError) -> Box<RawValue> {
    to_raw_value(&error.to_response()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Writes what is queued; once finished, what is still queued, and ends.
async fn write_lines<W: AsyncWrite>(
    write: WriteHalf<W>,
    mut queue: mpsc::Receiver<Box<RawValue>>,
    mut finished: oneshot::Receiver<()>,
) {
    let mut write = BufWriter::new(write);
    loop {
        let message = tokio::select! {
            biased;
            message = queue.recv() => message,
            _ = &mut finished, if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(message) = message else { break };
        if write_line(&mut write, &message, queue.is_empty()).await.is_err() {
            return;
        }
    }
    drop(write.shutdown().await);
}

async fn write_line<W: AsyncWrite>(
    write: &mut BufWriter<WriteHalf<W>>,
    message: &RawValue,
    flush: bool,
) -> std::io::Result<()> {
    write.write_all(message.get().as_bytes()).await?;
    write.write_all(b"\n").await?;
    if flush { write.flush().await } else { Ok(()) }
}
