//! What holds for every call, however it came: the calls of a batch run at the same time,
//! errors say what to do, notifications are carried out, and the connection's pulse is kept.

use std::sync::Arc;

use futures::{StreamExt as _, stream::FuturesOrdered};
use jsonrpsee::{
    core::middleware::{Batch, BatchEntry, Notification, Request, RpcServiceT},
    server::{BatchResponseBuilder, MethodCallback, MethodResponse, Methods},
    types::Id,
};

use super::{RpcError, codes, limits, params, pulse::Pulse};

/// Marks requests that came by HTTP POST, where nothing can be sent later.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnlyCalls;

/// Wraps the service that finds and runs methods.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) methods: Methods,
    pub(super) pulse: Arc<Pulse>,
}

impl<S> tower::Layer<S> for Layer {
    type Service = Service<S>;

    fn layer(&self, inner: S) -> Service<S> {
        Service { inner, methods: self.methods.clone(), pulse: self.pulse.clone() }
    }
}

#[derive(Clone)]
pub(super) struct Service<S> {
    inner: S,
    methods: Methods,
    pulse: Arc<Pulse>,
}

/// A service that answers as jsonrpsee's own does.
pub(super) trait Answers:
    RpcServiceT<
        MethodResponse = MethodResponse,
        BatchResponse = MethodResponse,
        NotificationResponse = MethodResponse,
    > + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Answers for S where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static
{
}

impl<S: Answers> Service<S> {
    /// What jsonrpsee would refuse without saying why, or not refuse at all.
    fn refusal(&self, request: &Request<'_>, in_batch: bool) -> Option<RpcError> {
        let name = request.method_name();
        match self.methods.method(name) {
            None => {
                let nearest = params::nearest(name, self.methods.method_names());
                let error = RpcError::new(
                    codes::METHOD_NOT_FOUND,
                    format_args!("there is no method {}", shorten(name)),
                );
                Some(match nearest {
                    Some(nearest) => error
                        .help(format!("did you mean {nearest}? rpc_methods lists all"))
                        .detail("nearest", nearest),
                    None => error,
                })
            }
            Some(MethodCallback::Subscription(_))
                if in_batch || request.extensions().get::<OnlyCalls>().is_some() =>
            {
                Some(codes::NOT_HERE.into())
            }
            Some(_) => None,
        }
    }

    async fn run(&self, request: Request<'_>, in_batch: bool) -> MethodResponse {
        match self.refusal(&request, in_batch) {
            Some(error) => MethodResponse::error(request.id, error),
            None => self.inner.call(request).await,
        }
    }

    /// A notification is a call whose answer nobody wants.
    async fn notify(&self, notification: Notification<'_>) {
        let Notification { method, params, extensions, .. } = notification;
        let callback = self.methods.method(&method);
        if matches!(callback, Some(MethodCallback::Sync(_) | MethodCallback::Async(_))) {
            let mut request = Request::owned(method.into_owned(), None, Id::Null);
            request.params = params;
            request.extensions = extensions;
            self.inner.call(request).await;
        }
    }

    /// None for a notification.
    async fn entry(
        &self,
        entry: Result<BatchEntry<'_>, jsonrpsee::core::middleware::BatchEntryErr<'_>>,
    ) -> Option<MethodResponse> {
        match entry {
            Ok(BatchEntry::Call(request)) => Some(self.run(request, true).await),
            Ok(BatchEntry::Notification(notification)) => {
                self.notify(notification).await;
                None
            }
            Err(error) => {
                let (error, id) = error.into_parts();
                Some(MethodResponse::error(id, error))
            }
        }
    }

    /// All entries at the same time, so that their writes share a commit; answers in order.
    async fn run_batch(&self, batch: Batch<'_>) -> MethodResponse {
        let mut running: FuturesOrdered<_> =
            batch.into_iter().map(|entry| self.entry(entry)).collect();
        let mut answers = BatchResponseBuilder::new_with_limit(limits::RESPONSE_BYTES);
        let (mut notified, mut too_large) = (false, false);
        // What has begun is finished even if its answer has no room.
        while let Some(answer) = running.next().await {
            match answer {
                Some(answer) => too_large = too_large || answers.append(answer).is_err(),
                None => notified = true,
            }
        }
        if too_large {
            MethodResponse::error(Id::Null, RpcError::from(codes::BATCH_RESPONSE_TOO_LARGE))
        } else if answers.is_empty() && notified {
            MethodResponse::notification()
        } else {
            MethodResponse::from_batch(answers.finish())
        }
    }
}

impl<S: Answers> RpcServiceT for Service<S> {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let _call = this.pulse.call();
            this.run(request, false).await
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let _call = this.pulse.call();
            this.run_batch(batch).await
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let _call = this.pulse.call();
            this.notify(notification).await;
            MethodResponse::notification()
        }
    }
}

fn shorten(name: &str) -> String {
    const SHOWN: usize = 64;
    name.chars().take(SHOWN).collect()
}
