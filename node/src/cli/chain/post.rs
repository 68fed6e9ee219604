//! Posting.

use std::{io::Read as _, path::Path};

use clap::Args;
use data_encoding::BASE64;

use super::{
    super::{Failure, Global},
    print_posted,
};
use crate::{
    api::chains::types::{AttachmentParams, PostParams, Posted},
    client::Client,
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
    /// Only one person can read it: whoever has the private key of this public one, or of a named
    /// one; without KEY the owner of an identity's chain
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true,
          default_missing_value = "owner")]
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
    let base64 = Some(BASE64.encode(&body(&how, what)?));
    let attachments = attach.iter().map(|path| attachment(path)).collect::<Result<_, _>>()?;
    let params = PostParams { chain, title, reply, attachments, text: None, base64, sign, encrypt };
    let posted: Posted = client.call("chains_post", &params).await?;
    print_posted(global, &posted)
}

fn body(how: &str, what: Option<String>) -> Result<Vec<u8>, Failure> {
    match (how, what) {
        ("inline", Some(text)) => Ok(text.into_bytes()),
        ("file", Some(path)) => read(&path),
        ("-", None) => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map_err(Failure::io("cannot read standard input"))?;
            Ok(bytes)
        }
        _ => {
            let why = "write: post inline TEXT, post file PATH, or post - for standard input";
            Err(Failure::Usage(why.into()))
        }
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(Failure::io(format!("cannot read {path}")))
}

fn attachment(path: &str) -> Result<AttachmentParams, Failure> {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Failure::Usage(format!("{path} is no file")))?;
    Ok(AttachmentParams { name, base64: BASE64.encode(&read(path)?) })
}
