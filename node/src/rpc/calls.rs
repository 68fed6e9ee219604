//! Finds and runs methods for connections that send lines, as jsonrpsee's `RpcService` does for
//! its own; that one cannot be made outside jsonrpsee.

use std::sync::Arc;

use jsonrpsee::{
    core::{
        middleware::{Batch, Notification, Request, RpcServiceT},
        traits::IdProvider,
    },
    server::{
        BoundedSubscriptions, ConnectionId, MethodCallback, MethodResponse, MethodSink, Methods,
        RandomIntegerIdProvider, SubscriptionState,
    },
    types::{ErrorObject, Params},
};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{RpcError, codes, limits};

const IDS: &dyn IdProvider = &RandomIntegerIdProvider;

#[derive(Clone)]
pub(super) struct Calls(Arc<Inner>);

struct Inner {
    connection: ConnectionId,
    methods: Methods,
    subscriptions: BoundedSubscriptions,
    sink: MethodSink,
}

impl Calls {
    pub(super) fn new(
        connection: u32,
        methods: Methods,
        sink: mpsc::Sender<Box<RawValue>>,
    ) -> Self {
        let subscriptions = u32::try_from(limits::SUBSCRIPTIONS).unwrap_or(u32::MAX);
        Self(Arc::new(Inner {
            connection: connection.into(),
            methods,
            subscriptions: BoundedSubscriptions::new(subscriptions),
            sink: MethodSink::new(sink),
        }))
    }
}

impl Inner {
    async fn call(&self, request: Request<'_>) -> MethodResponse {
        let Request { id, method, params, extensions, .. } = request;
        let params = Params::new(params.as_deref().map(RawValue::get));
        let largest = limits::RESPONSE_BYTES;
        match self.methods.method(&method) {
            None => MethodResponse::error(id, RpcError::from(codes::METHOD_NOT_FOUND)),
            Some(MethodCallback::Sync(run)) => run(id, params, largest, extensions),
            Some(MethodCallback::Async(run)) => {
                let (id, params) = (id.into_owned(), params.into_owned());
                run(id, params, self.connection, largest, extensions).await
            }
            Some(MethodCallback::Subscription(run)) => {
                let Some(permit) = self.subscriptions.acquire() else {
                    let error = RpcError::from(codes::TOO_MANY_SUBSCRIPTIONS);
                    return MethodResponse::error(id, ErrorObject::from(error));
                };
                let state = SubscriptionState {
                    conn_id: self.connection,
                    id_provider: IDS,
                    subscription_permit: permit,
                };
                run(id, params, self.sink.clone(), state, extensions).await
            }
            Some(MethodCallback::Unsubscription(run)) => {
                run(id, params, self.connection, largest, extensions)
            }
        }
    }
}

impl RpcServiceT for Calls {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let inner = self.0.clone();
        async move { inner.call(request).await }
    }

    /// [`super::service::Service`] takes batches apart before they come here.
    fn batch<'a>(&self, _: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        std::future::ready(MethodResponse::notification())
    }

    /// As for batches.
    fn notification<'a>(
        &self,
        _: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        std::future::ready(MethodResponse::notification())
    }
}
