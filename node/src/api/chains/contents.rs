//! Payloads and their envelopes.

use covey_chains::envelope::{Attachment, Content, Message};
use covey_kernel::{Bounded, Bytes, Text, TooLong};
use data_encoding::BASE64;

use super::{
    Uploads, convert,
    types::{AttachmentParams, PayloadParams, PayloadView, PostParams},
};
use crate::rpc::{RpcError, codes};

fn too_large(what: &str) -> impl Fn(TooLong) -> RpcError {
    move |long| RpcError::new(codes::PAYLOAD_TOO_LARGE, format!("{what}: {long}"))
}

pub(super) fn decode(base64: &str) -> Result<Vec<u8>, RpcError> {
    BASE64
        .decode(base64.as_bytes())
        .map_err(|why| RpcError::new(codes::INVALID_PARAMS, format!("this is not Base64: {why}")))
}

/// A post of nothing but these bytes.
pub(super) fn plain(body: Vec<u8>) -> Result<Content, RpcError> {
    let body = Bytes::new(body).map_err(too_large("the payload"))?;
    Ok(Content::Message(Message { body, ..Message::default() }))
}

/// What is to be posted.
pub(super) fn message(uploads: &Uploads, params: &PostParams) -> Result<Content, RpcError> {
    let title = params.title.clone().map(Text::new).transpose();
    let title = title.map_err(too_large("the title"))?;
    let reply = params.reply.as_deref().map(convert::block_id).transpose()?;
    let body = match (&params.text, &params.base64, &params.upload) {
        (Some(text), None, None) => text.clone().into_bytes(),
        (None, Some(base64), None) => decode(base64)?,
        (None, None, Some(upload)) => uploads.take(upload)?,
        _ => {
            let why = "give one of text, base64 and upload";
            return Err(RpcError::new(codes::INVALID_PARAMS, why));
        }
    };
    let attachments = params.attachments.iter().map(|file| attachment(uploads, file));
    let attachments = attachments.collect::<Result<_, _>>()?;
    Ok(Content::Message(Message {
        title,
        reply,
        body: Bytes::new(body).map_err(too_large("the payload"))?,
        attachments: Bounded::new(attachments).map_err(too_large("the attachments"))?,
    }))
}

fn attachment(uploads: &Uploads, params: &AttachmentParams) -> Result<Attachment, RpcError> {
    let bytes = match (&params.base64, &params.upload) {
        (Some(base64), None) => decode(base64)?,
        (None, Some(upload)) => uploads.take(upload)?,
        _ => {
            let why = "give either base64 or upload for an attachment";
            return Err(RpcError::new(codes::INVALID_PARAMS, why));
        }
    };
    Ok(Attachment {
        name: Text::new(params.name.clone()).map_err(too_large("the file's name"))?,
        bytes: Bytes::new(bytes).map_err(too_large("the file"))?,
    })
}

/// Bytes of one part: in Base64 it fits into a response. For each part the whole payload is read and
/// opened anew: what is large takes its number of parts times as long.
const PART: u64 = 2_500_000;
/// Bytes of what is given as a text too, which has up to six times as many characters in JSON.
const TEXT: usize = 256 * 1024;

/// A payload or a file that came with it, whole or in part.
pub(super) fn view(content: Content, params: &PayloadParams) -> Result<PayloadView, RpcError> {
    let Content::Message(message) = content else {
        return Ok(part(content.body(), PayloadView::default(), params));
    };
    let Message { title, reply, body, attachments } = message;
    let view = PayloadView {
        title: title.map(Text::into_string),
        reply: reply.map(|id| id.to_string()),
        attachments: attachments.iter().map(|file| file.name.to_string()).collect(),
        ..PayloadView::default()
    };
    let Some(name) = &params.attachment else { return Ok(part(body.into_vec(), view, params)) };
    let none = || RpcError::new(codes::NO_PAYLOAD, format!("no attachment {name:?}"));
    let file = attachments.iter().find(|file| *file.name == *name).ok_or_else(none)?;
    Ok(part(file.bytes.to_vec(), view, params))
}

fn part(bytes: Vec<u8>, view: PayloadView, params: &PayloadParams) -> PayloadView {
    let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
    let limit = params.limit.unwrap_or(PART).min(PART);
    let asked = place(params.skip)..place(params.skip.saturating_add(limit));
    let base64 = BASE64.encode(bytes.get(asked).unwrap_or_default());
    let size = bytes.len() as u64;
    let text = if bytes.len() <= TEXT { String::from_utf8(bytes).ok() } else { None };
    PayloadView { text, base64, size, ..view }
}
