//! The thin client that every other command is: one connection to the node's Unix socket,
//! with any number of calls in flight up to a bound.

mod error;
mod link;
mod subscription;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use futures::{Stream, StreamExt as _, stream};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use tokio::{
    net::UnixStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
};

pub use error::{ClientError, ServerError};
pub use subscription::Subscription;

use crate::{datadir::socket_path, rpc::limits};
use link::{Answer, Link, Request, Waiting};

/// Calls that one client has in flight at most, which is what the node takes from one.
const IN_FLIGHT: usize = limits::CALLS_IN_FLIGHT;

/// A connection to a node. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    link: Link,
    room: Arc<Semaphore>,
    socket: Arc<Path>,
}

impl Client {
    /// Connects to the node that runs on a data directory.
    pub async fn connect(data: &Path) -> Result<Self, ClientError> {
        let no_node = || ClientError::NoNode { data: data.into() };
        let socket = socket_path(data).map_err(|_| no_node())?;
        match Self::connect_socket(&socket).await {
            Err(ClientError::Connect { source, .. }) if nobody_there(&source) => Err(no_node()),
            outcome => outcome,
        }
    }

    /// Connects to a socket.
    pub async fn connect_socket(socket: &Path) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(socket)
            .await
            .map_err(|source| ClientError::Connect { socket: socket.into(), source })?;
        let room = Arc::new(Semaphore::new(IN_FLIGHT));
        Ok(Self { link: Link::new(stream), room, socket: socket.into() })
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.socket.to_path_buf()
    }

    /// Calls a method and waits for its result.
    pub async fn call<P, R>(&self, method: &str, params: &P) -> Result<R, ClientError>
    where
        P: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let raw = self.call_raw(method, Some(encode(method, params)?)).await?;
        decode(method, &raw)
    }

    /// Calls a method with parameters in JSON, for `covey rpc`.
    pub async fn call_raw(
        &self,
        method: &str,
        params: Option<Box<RawValue>>,
    ) -> Result<Box<RawValue>, ClientError> {
        let _permit = self.permit().await?;
        let (to, answer) = oneshot::channel();
        let request = Request::new(method, params);
        self.link.send(vec![(request, Waiting::Call(to))], false).await?;
        unpack(answer.await.map_err(|_| ClientError::Closed)?)
    }

    /// Several calls in one message, or in as many as the node's bound makes them; the node
    /// runs those of one message at the same time. One outcome each, in order.
    pub async fn batch(
        &self,
        calls: Vec<(String, Value)>,
    ) -> Result<Vec<Result<Box<RawValue>, ClientError>>, ClientError> {
        let mut outcomes = Vec::with_capacity(calls.len());
        for calls in calls.chunks(limits::BATCH_CALLS) {
            let _permit = self.permit().await?;
            let mut requests = Vec::with_capacity(calls.len());
            let mut answers = Vec::with_capacity(calls.len());
            for (method, params) in calls {
                let (to, answer) = oneshot::channel();
                let params = encode(method, params)?;
                requests.push((Request::new(method, Some(params)), Waiting::Call(to)));
                answers.push(answer);
            }
            self.link.send(requests, true).await?;
            for answer in answers {
                outcomes.push(unpack(answer.await.map_err(|_| ClientError::Closed)?));
            }
        }
        Ok(outcomes)
    }

    /// Many calls of one method, this many in flight; outcomes as they come.
    pub fn pipeline<P, R>(
        &self,
        method: &str,
        params: impl IntoIterator<Item = P>,
        in_flight: usize,
    ) -> impl Stream<Item = Result<R, ClientError>>
    where
        P: Serialize,
        R: DeserializeOwned,
    {
        stream::iter(params)
            .map(move |params| {
                let (client, method) = (self.clone(), method.to_owned());
                async move { client.call(&method, &params).await }
            })
            .buffer_unordered(in_flight.clamp(1, IN_FLIGHT))
    }

    /// Subscribes; the stream yields what the node sends. Dropping it unsubscribes when the
    /// connection closes, or at once with [`Subscription::unsubscribe`].
    pub async fn subscribe<P, T>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<Subscription<T>, ClientError>
    where
        P: Serialize + ?Sized,
        T: DeserializeOwned,
    {
        let _permit = self.permit().await?;
        let (events, queue) = mpsc::channel(subscription::BUFFER);
        let (to, answer) = oneshot::channel();
        let request = Request::new(method, Some(encode(method, params)?));
        let waiting = Waiting::Subscription { answer: to, events };
        self.link.send(vec![(request, waiting)], false).await?;
        let id = unpack(answer.await.map_err(|_| ClientError::Closed)?)?;
        Ok(Subscription::new(self.clone(), decode(method, &id)?, queue))
    }

    async fn unsubscribe(&self, method: &str, id: &Value) -> Result<bool, ClientError> {
        self.link.forget(id);
        self.call(method, &json!([id])).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ClientError> {
        self.room.clone().acquire_owned().await.map_err(|_| ClientError::Closed)
    }
}

/// What a socket without a node says.
fn nobody_there(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error.kind(), NotFound | ConnectionRefused)
}

fn encode<P: Serialize + ?Sized>(method: &str, params: &P) -> Result<Box<RawValue>, ClientError> {
    to_raw_value(params).map_err(|source| ClientError::Params { method: method.into(), source })
}

pub(crate) fn decode<R: DeserializeOwned>(method: &str, raw: &RawValue) -> Result<R, ClientError> {
    serde_json::from_str(raw.get())
        .map_err(|source| ClientError::Result { method: method.into(), source })
}

fn unpack(answer: Answer) -> Result<Box<RawValue>, ClientError> {
    answer.map_err(|error| ClientError::Server(Box::new(error)))
}
