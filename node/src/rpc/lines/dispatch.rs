use jsonrpsee::{
    core::middleware::{Batch, BatchEntry, BatchEntryErr, Notification, Request, RpcServiceT as _},
    server::MethodResponse,
    types::{ErrorObjectOwned, Id, InvalidRequest},
};
use serde_json::value::RawValue;

use crate::rpc::{
    Code, RpcError, codes, limits,
    service::{Answers, Service},
};

/// Runs one request or batch; none if it wants no answer, or if the answer has been sent.
pub(super) async fn answer<S: Answers>(service: &Service<S>, text: &str) -> Option<Box<RawValue>> {
    let response = match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => single(service, text).await,
        Some(b'[') => batch(service, text).await,
        _ => refuse(Id::Null, codes::PARSE),
    };
    (response.is_method_call() || response.is_batch()).then(|| response.into_json())
}

async fn single<S: Answers>(service: &Service<S>, text: &str) -> MethodResponse {
    match entry(text) {
        Ok(BatchEntry::Call(request)) => service.call(request).await,
        Ok(BatchEntry::Notification(notification)) => service.notification(notification).await,
        Err(Invalid { id, code, reason }) => {
            MethodResponse::error(id, RpcError::from(code).detail("reason", reason))
        }
    }
}

async fn batch<S: Answers>(service: &Service<S>, text: &str) -> MethodResponse {
    let entries: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(entries) => entries,
        Err(error) => {
            let error = RpcError::from(codes::PARSE).detail("reason", error.to_string());
            return MethodResponse::error(Id::Null, error);
        }
    };
    if entries.len() > limits::BATCH_CALLS {
        return refuse(Id::Null, codes::BATCH_TOO_LONG);
    }
    let entries = entries.into_iter().map(|text| {
        entry(text.get()).map_err(|Invalid { id, reason, .. }| {
            let error = RpcError::from(codes::INVALID_REQUEST).detail("reason", reason);
            BatchEntryErr::new(id, ErrorObjectOwned::from(error))
        })
    });
    service.batch(Batch::from(entries.collect())).await
}

fn refuse(id: Id<'_>, code: Code) -> MethodResponse {
    MethodResponse::error(id, RpcError::from(code))
}

struct Invalid<'a> {
    id: Id<'a>,
    code: Code,
    reason: String,
}

fn entry(text: &str) -> Result<BatchEntry<'_>, Invalid<'_>> {
    let error = match serde_json::from_str::<Request<'_>>(text) {
        Ok(request) => return Ok(BatchEntry::Call(request)),
        Err(error) => error,
    };
    // Only what has no id at all is a notification; one with a wrong id wants an answer.
    match serde_json::from_str::<InvalidRequest<'_>>(text) {
        Ok(InvalidRequest { id }) => {
            Err(Invalid { id, code: codes::INVALID_REQUEST, reason: error.to_string() })
        }
        Err(_) => match serde_json::from_str::<Notification<'_>>(text) {
            Ok(notification) if !has_id(text) => Ok(BatchEntry::Notification(notification)),
            _ => {
                let code = if is_json(text) { codes::INVALID_REQUEST } else { codes::PARSE };
                Err(Invalid { id: Id::Null, code, reason: error.to_string() })
            }
        },
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn has_id(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct WithId {
        #[serde(rename = "id")]
        _id: serde::de::IgnoredAny,
    }
    serde_json::from_str::<WithId>(text).is_ok()
}
