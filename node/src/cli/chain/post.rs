//! Posting.

use std::{fs::File, io::Read as _, path::Path};

use clap::Args;
use covey_chains::limits::{ATTACHMENTS, ENVELOPE_BYTES};
use data_encoding::BASE64;

use super::{
    super::{Failure, Global},
    print_posted,
};
use crate::{
    api::chains::types::{AttachmentParams, PostParams, Posted, UploadParams, Uploaded},
    client::Client,
    datadir::OWNER,
};

#[derive(Debug, Args)]
pub(super) struct Post {
    /// inline, file, or - for standard input
    how: String,
    /// The text, or the file's path
    what: Option<String>,
    /// The author's private key, or its name
    #[arg(long, value_name = "KEY")]
    sign: Option<String>,
    /// Only one person can read it, and not you: whoever has the private key of this public one, or of
    /// a named one; without KEY the owner of an identity's chain
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true,
          default_missing_value = OWNER)]
    encrypt: Option<String>,
    /// What it is about
    #[arg(long)]
    title: Option<String>,
    /// The block that it answers
    #[arg(long, value_name = "ID")]
    reply: Option<String>,
    /// A file that comes with it; may be given several times
    #[arg(long, value_name = "PATH")]
    attach: Vec<String>,
}

pub(super) async fn run(
    global: &Global,
    client: &Client,
    chain: String,
    post: Post,
) -> Result<(), Failure> {
    let Post { how, what, sign, encrypt, title, reply, attach } = post;
    let body = body(&how, what)?;
    let files = attach.iter().map(|path| file(path)).collect::<Result<Vec<_>, _>>()?;
    check(&body, &files)?;
    let (base64, upload) = give(client, &body).await?;
    let mut attachments = Vec::new();
    for (name, bytes) in files {
        let (base64, upload) = give(client, &bytes).await?;
        attachments.push(AttachmentParams { name, base64, upload });
    }
    let (text, sign) = (None, sign.map(Into::into));
    let params =
        PostParams { chain, title, reply, attachments, text, base64, upload, sign, encrypt };
    let posted: Posted = client.call("chains_post", &params).await?;
    print_posted(global, &posted)
}

fn body(how: &str, what: Option<String>) -> Result<Vec<u8>, Failure> {
    match (how, what) {
        ("inline", Some(text)) => Ok(text.into_bytes()),
        ("file", Some(path)) => read(&path),
        ("-", None) => read_from(std::io::stdin().lock(), "standard input"),
        _ => {
            let why = "write: post inline TEXT, post file PATH, or post - for standard input";
            Err(Failure::Usage(why.into()))
        }
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(Failure::io(format!("cannot read {path}")))?;
    read_from(file, path)
}

/// No more than any post may have, whatever else comes.
fn read_from(from: impl std::io::Read, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = from.take((ENVELOPE_BYTES as u64).saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(Failure::io(format!("cannot read {what}")))?;
    match bytes.len() > ENVELOPE_BYTES {
        true => Err(Failure::Checked(format!("{what} has more than {ENVELOPE_BYTES} bytes"))),
        false => Ok(bytes),
    }
}

/// An attachment's name and bytes.
fn file(path: &str) -> Result<(String, Vec<u8>), Failure> {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Failure::Usage(format!("{path} is no file")))?;
    Ok((name, read(path)?))
}

/// What no chain takes is not sent to the node first.
fn check(body: &[u8], files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let all = files.iter().map(|(_, bytes)| bytes.len()).fold(body.len(), usize::saturating_add);
    if files.len() > ATTACHMENTS {
        let why = format!("{} attachments, over the limit of {ATTACHMENTS}", files.len());
        return Err(Failure::Checked(why));
    }
    if all > ENVELOPE_BYTES {
        let why = format!("the post has {all} bytes, over the limit of {ENVELOPE_BYTES}");
        return Err(Failure::Checked(why));
    }
    Ok(())
}

/// Bytes of one part of an upload: in Base64 it fits into a request.
const PART: usize = 512 * 1024;
/// Bytes that go with the post itself: with as many attachments as there may be it fits into a request.
const INLINE: usize = 16 * 1024;

/// In Base64, or if it is large, the id of an upload.
async fn give(client: &Client, bytes: &[u8]) -> Result<(Option<String>, Option<String>), Failure> {
    if bytes.len() <= INLINE {
        return Ok((Some(BASE64.encode(bytes)), None));
    }
    let mut upload = None;
    for part in bytes.chunks(PART) {
        let params = UploadParams { upload, base64: BASE64.encode(part) };
        let uploaded: Uploaded = client.call("chains_upload", &params).await?;
        upload = Some(uploaded.upload);
    }
    Ok((None, upload))
}
