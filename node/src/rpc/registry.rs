//! Where each method is registered, once, with its types.

use std::{fmt::Display, panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt as _, Stream, StreamExt as _};
use jsonrpsee::{
    RpcModule,
    core::{SubscriptionError, to_json_raw_value},
    server::{Methods, PendingSubscriptionSink, SubscriptionCloseResponse, SubscriptionSink},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    Code, NoParams, RpcError, codes, limits,
    openrpc::{self, Entry, Events},
    params,
};

/// What is said of a method besides its types.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// `namespace_verb`.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What can go wrong besides what can always go wrong.
    pub errors: &'static [Code],
}

/// What is said of a subscription besides its types.
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    /// The method that subscribes.
    pub name: &'static str,
    /// The method that ends it.
    pub unsubscribe: &'static str,
    /// The method of its notifications.
    pub notification: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// What can go wrong besides what can always go wrong.
    pub errors: &'static [Code],
}

/// A mistake in the registration of methods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the method {name} cannot be registered: {reason}")]
pub struct RegistryError {
    name: &'static str,
    reason: String,
}

/// One line of `rpc_methods`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodSummary {
    /// The method.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// Its parameters in order; optional ones end with a question mark.
    pub params: Vec<String>,
    /// Whether it is a subscription.
    pub subscription: bool,
}

/// The methods of a node, with what is known of them.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) methods: Methods,
    document: Arc<serde_json::Value>,
}

impl Api {
    /// The OpenRPC document, as `rpc_discover` gives it.
    #[must_use]
    pub fn document(&self) -> &serde_json::Value {
        &self.document
    }
}

/// Collects methods. `S` is what their handlers share.
pub struct Registry<S> {
    module: RpcModule<S>,
    entries: Vec<Entry>,
    generator: SchemaGenerator,
    mistake: Option<RegistryError>,
}

impl<S: Send + Sync + 'static> Registry<S> {
    /// No methods yet.
    #[must_use]
    pub fn new(state: Arc<S>) -> Self {
        Self {
            module: RpcModule::from_arc(state),
            entries: Vec::new(),
            generator: openrpc::generator(),
            mistake: None,
        }
    }

    /// Adds a method. Its parameters are the fields of the struct `P`.
    pub fn method<P, R, F, Fut>(&mut self, about: Method, handler: F) -> &mut Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        R: Serialize + JsonSchema + 'static,
        F: Fn(Arc<S>, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, RpcError>> + Send + 'static,
    {
        let names =
            self.add::<P>(about, |generator| ("result", openrpc::schema_of::<R>(generator), None));
        let handler = Arc::new(handler);
        let added = self.module.register_async_method(about.name, move |params, state, _| {
            let (handler, names) = (handler.clone(), names.clone());
            async move {
                let params = params::parse(about.name, &names, params.as_str())?;
                let running = AssertUnwindSafe(async move { handler(state, params).await });
                let result =
                    running.catch_unwind().await.unwrap_or_else(|_| Err(broken(about.name)))?;
                encode(&result)
            }
        });
        let added = added.map(|_| ());
        self.note(about.name, added);
        self
    }

    /// Adds a subscription: what `handler` streams goes to the client. An error is sent as the
    /// last notification; so is [`codes::SUBSCRIPTION_ENDED`] when the stream ends.
    pub fn subscription<P, T, F, Fut, Items>(
        &mut self,
        about: Subscription,
        handler: F,
    ) -> &mut Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        T: Serialize + JsonSchema + Send + 'static,
        F: Fn(Arc<S>, P) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Items, RpcError>> + Send + 'static,
        Items: Stream<Item = Result<T, RpcError>> + Send + 'static,
    {
        let Subscription { name, unsubscribe, notification, summary, errors } = about;
        let names = self.add::<P>(Method { name, summary, errors }, |generator| {
            let item = openrpc::schema_of::<T>(generator);
            let events = Events { notification, unsubscribe, item };
            let id = serde_json::json!({ "type": ["integer", "string"] });
            ("subscription", id, Some(events))
        });
        let handler = Arc::new(handler);
        let added = self.module.register_subscription(
            name,
            notification,
            unsubscribe,
            move |params, pending, state, _| {
                let (handler, names) = (handler.clone(), names.clone());
                async move {
                    let opening = AssertUnwindSafe(async {
                        let params = params::parse(name, &names, params.as_str())?;
                        handler(state, params).await
                    });
                    let opened = opening.catch_unwind().await.unwrap_or_else(|_| Err(broken(name)));
                    run(pending, opened).await
                }
            },
        );
        let added = added.map(|_| ());
        self.note(name, added);
        self
    }

    /// Adds `rpc_methods` and `rpc_discover`, which tell of all the others, and closes the list.
    pub fn finish(mut self) -> Result<Api, RegistryError> {
        let methods = Method {
            name: "rpc_methods",
            summary: "Lists the methods in one line each.",
            errors: &[],
        };
        let discover = Method {
            name: "rpc_discover",
            summary: "Describes all methods, their types and errors as an OpenRPC document.",
            errors: &[],
        };
        for about in [methods, discover] {
            self.add::<NoParams>(about, |generator| match about.name {
                "rpc_methods" => {
                    ("methods", openrpc::schema_of::<Vec<MethodSummary>>(generator), None)
                }
                _ => ("document", serde_json::json!({ "type": "object" }), None),
            });
        }
        self.entries.sort_by_key(|entry| entry.name);
        let document = Arc::new(openrpc::document(&self.entries, &mut self.generator));
        let list: Arc<Vec<_>> = Arc::new(self.entries.iter().map(summarize).collect());
        let text = encode(&*document).map_err(|error| mistake(discover.name, error))?;
        self.fixed(methods.name, encode(&*list).map_err(|error| mistake(methods.name, error))?);
        self.fixed(discover.name, text);
        // The name that OpenRPC itself prescribes.
        let alias = self.module.register_alias("rpc.discover", discover.name);
        self.note(discover.name, alias);
        match self.mistake {
            Some(mistake) => Err(mistake),
            None => Ok(Api { methods: self.module.into(), document }),
        }
    }

    /// A method that always answers the same.
    fn fixed(&mut self, name: &'static str, answer: Box<RawValue>) {
        let added = self.module.register_method(name, move |params, _, _| {
            params::parse::<NoParams>(name, &[], params.as_str()).map(|_| answer.clone())
        });
        let added = added.map(|_| ());
        self.note(name, added);
    }

    /// Notes a method for the document; gives the names of its parameters in order.
    fn add<P: DeserializeOwned + JsonSchema>(
        &mut self,
        about: Method,
        outcome: impl FnOnce(&mut SchemaGenerator) -> (&'static str, serde_json::Value, Option<Events>),
    ) -> Arc<[String]> {
        let Method { name, summary, errors } = about;
        if !is_well_named(name) {
            self.note(name, Err("its name is not of the form namespace_verb"));
        }
        let params = openrpc::params_of::<P>(&mut self.generator);
        let names = params.iter().map(|param| param.name.clone()).collect();
        let (result, schema, events) = outcome(&mut self.generator);
        let result = (result, schema);
        self.entries.push(Entry { name, summary, params, result, errors, events });
        names
    }

    /// Keeps the first mistake, so that registering reads as a list.
    fn note<E: Display>(&mut self, name: &'static str, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            self.mistake.get_or_insert(mistake(name, error));
        }
    }
}

fn mistake(name: &'static str, reason: impl Display) -> RegistryError {
    RegistryError { name, reason: reason.to_string() }
}

fn is_well_named(name: &str) -> bool {
    let plain =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    plain && name.split('_').count() >= 2 && name.split('_').all(|word| !word.is_empty())
}

fn summarize(entry: &Entry) -> MethodSummary {
    let param = |param: &openrpc::Param| param.signature();
    MethodSummary {
        name: entry.name.into(),
        summary: entry.summary.into(),
        params: entry.params.iter().map(param).collect(),
        subscription: entry.events.is_some(),
    }
}

fn broken(method: &str) -> RpcError {
    tracing::error!(method, "a method panicked");
    RpcError::from(codes::INTERNAL).detail("method", method)
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, RpcError> {
    let text = to_json_raw_value(value).map_err(|error| RpcError::new(codes::INTERNAL, error))?;
    if text.get().len() > limits::RESPONSE_BYTES {
        let error = RpcError::from(codes::RESPONSE_TOO_LARGE);
        return Err(error
            .detail("bytes", text.get().len())
            .detail("limit", limits::RESPONSE_BYTES));
    }
    Ok(text)
}

/// Answers a subscription, then sends what it streams until one side has had enough.
async fn run<T: Serialize>(
    pending: PendingSubscriptionSink,
    opened: Result<impl Stream<Item = Result<T, RpcError>>, RpcError>,
) -> SubscriptionCloseResponse {
    let items = match opened {
        Ok(items) => items,
        Err(error) => {
            pending.reject(error).await;
            return SubscriptionCloseResponse::None;
        }
    };
    let Ok(sink) = pending.accept().await else { return SubscriptionCloseResponse::None };
    match pump(&sink, items).await {
        Some(last) => last_words(&last),
        None => SubscriptionCloseResponse::None,
    }
}

/// Returns what there is still to say, if there is still somebody to say it to.
async fn pump<T: Serialize>(
    sink: &SubscriptionSink,
    items: impl Stream<Item = Result<T, RpcError>>,
) -> Option<RpcError> {
    let mut items = std::pin::pin!(items);
    loop {
        let item = tokio::select! {
            () = sink.closed() => return None,
            item = items.next() => item,
        };
        let message = match item.map(|item| item.and_then(|item| encode(&item))) {
            Some(Ok(message)) => message,
            Some(Err(error)) => return Some(error),
            None => return Some(codes::SUBSCRIPTION_ENDED.into()),
        };
        if sink.send_timeout(message, limits::SLOW_READER).await.is_err() {
            return None;
        }
    }
}

fn last_words(error: &RpcError) -> SubscriptionCloseResponse {
    match to_json_raw_value(&error.to_json()) {
        Ok(json) => SubscriptionCloseResponse::NotifErr(SubscriptionError::from_json(json)),
        Err(_) => SubscriptionCloseResponse::None,
    }
}
