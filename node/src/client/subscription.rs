use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures::Stream;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Client, ClientError, decode, link::Answer};
use crate::rpc::codes;

/// Events that wait to be taken from one subscription.
pub(super) const BUFFER: usize = 1024;

/// What a subscription sends, until the node or the client ends it.
#[derive(Debug)]
pub struct Subscription<T> {
    client: Client,
    id: Value,
    queue: mpsc::Receiver<Answer>,
    ended: bool,
    events: PhantomData<fn() -> T>,
}

impl<T> Subscription<T> {
    pub(super) fn new(client: Client, id: Value, queue: mpsc::Receiver<Answer>) -> Self {
        Self { client, id, queue, ended: false, events: PhantomData }
    }

    /// Tells the node to send no more, by the method that belongs to the subscription.
    pub async fn unsubscribe(self, method: &str) -> Result<bool, ClientError> {
        self.client.unsubscribe(method, &self.id).await
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        self.client.link.forget(&self.id);
    }
}

impl<T: DeserializeOwned> Stream for Subscription<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = match ready!(self.queue.poll_recv(cx)) {
            Some(Ok(event)) => return Poll::Ready(Some(decode("an event", &event))),
            Some(Err(error)) if error.code == codes::SUBSCRIPTION_ENDED.number => None,
            Some(Err(error)) => Some(Err(ClientError::Server(Box::new(error)))),
            // The queue ends without a last word when it overflowed or the connection closed.
            None if self.client.link.is_closed() => Some(Err(ClientError::Closed)),
            None => Some(Err(ClientError::Lagged)),
        };
        self.ended = true;
        Poll::Ready(item)
    }
}
