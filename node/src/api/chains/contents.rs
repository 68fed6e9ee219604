//! Payloads and their envelopes.

use covey_chains::envelope::{Attachment, Content, Message};
use covey_kernel::{Bounded, Bytes, Text, TooLong};
use data_encoding::BASE64;

use super::{
    convert,
    types::{AttachmentParams, PayloadView, PostParams},
};
use crate::rpc::{RpcError, codes};

fn too_large(what: &str) -> impl Fn(TooLong) -> RpcError {
    move |long| RpcError::new(codes::PAYLOAD_TOO_LARGE, format!("{what}: {long}"))
}

fn decode(base64: &str) -> Result<Vec<u8>, RpcError> {
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
pub(super) fn message(params: &PostParams) -> Result<Content, RpcError> {
    let body = match (&params.text, &params.base64) {
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(base64)) => decode(base64)?,
        _ => {
            let why = "give either text or base64";
            return Err(RpcError::new(codes::INVALID_PARAMS, why));
        }
    };
    let title = params.title.clone().map(Text::new).transpose();
    let attachments = params.attachments.iter().map(attachment).collect::<Result<_, _>>()?;
    Ok(Content::Message(Message {
        title: title.map_err(too_large("the title"))?,
        reply: params.reply.as_deref().map(convert::block_id).transpose()?,
        body: Bytes::new(body).map_err(too_large("the payload"))?,
        attachments: Bounded::new(attachments).map_err(too_large("the attachments"))?,
    }))
}

fn attachment(params: &AttachmentParams) -> Result<Attachment, RpcError> {
    Ok(Attachment {
        name: Text::new(params.name.clone()).map_err(too_large("the file's name"))?,
        bytes: Bytes::new(decode(&params.base64)?).map_err(too_large("the file"))?,
    })
}

/// A payload, or a file that came with it.
pub(super) fn view(content: Content, attachment: Option<&str>) -> Result<PayloadView, RpcError> {
    let Content::Message(message) = content else {
        return Ok(body(content.body(), None, None, Vec::new()));
    };
    let Message { title, reply, body: said, attachments } = message;
    let names = attachments.iter().map(|file| file.name.to_string()).collect();
    let said = match attachment {
        None => said.into_vec(),
        Some(name) => {
            let file = attachments.iter().find(|file| *file.name == *name);
            let none = || RpcError::new(codes::NO_PAYLOAD, format!("no attachment {name:?}"));
            file.ok_or_else(none)?.bytes.to_vec()
        }
    };
    let reply = reply.map(|id| id.to_string());
    Ok(body(said, title.map(Text::into_string), reply, names))
}

fn body(
    bytes: Vec<u8>,
    title: Option<String>,
    reply: Option<String>,
    attachments: Vec<String>,
) -> PayloadView {
    let base64 = BASE64.encode(&bytes);
    PayloadView { text: String::from_utf8(bytes).ok(), base64, title, reply, attachments }
}
