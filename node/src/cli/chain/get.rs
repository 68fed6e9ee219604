//! Getting a block or what it carries.

use std::{io::Write as _, path::PathBuf};

use clap::Args;
use data_encoding::BASE64;

use super::super::{Failure, Global, print};
use crate::{
    api::chains::types::{BlockParams, BlockView, PayloadParams, PayloadView},
    client::Client,
};

#[derive(Debug, Args)]
pub(super) struct Get {
    /// block, payload or attachment
    what: String,
    /// The block's id
    id: String,
    /// The attachment's name
    #[arg(long)]
    name: Option<String>,
    /// The private key, or its name, of whom the payload is encrypted for
    #[arg(long, value_name = "KEY")]
    decrypt: Option<String>,
    /// `file PATH`: write it there instead, byte for byte (printed, a text gets the end of its line)
    to: Vec<String>,
}

pub(super) async fn run(
    global: &Global,
    client: &Client,
    chain: String,
    get: Get,
) -> Result<(), Failure> {
    let Get { what, id, name, decrypt, to } = get;
    let path = match to.as_slice() {
        [] => None,
        [file, path] if file == "file" => Some(PathBuf::from(path)),
        _ => return Err(Failure::Usage("after the id stands nothing, or: file PATH".into())),
    };
    let attachment = match (what.as_str(), name) {
        ("block", None) => return block(client, BlockParams { chain, id }, path).await,
        ("payload", None) => None,
        ("attachment", Some(name)) => Some(name),
        _ => {
            let why = "write: get block ID, get payload ID, or get attachment ID --name NAME";
            return Err(Failure::Usage(why.into()));
        }
    };
    let decrypt = decrypt.map(Into::into);
    let params = PayloadParams { chain, id, attachment, decrypt, skip: 0, limit: None };
    let (payload, bytes) = whole(client, params).await?;
    match path {
        Some(path) => write(&path, &bytes),
        None if global.json => print::json(&payload),
        None => show(&bytes),
    }
}

/// A payload with its bytes, part by part.
async fn whole(
    client: &Client,
    mut params: PayloadParams,
) -> Result<(PayloadView, Vec<u8>), Failure> {
    let mut bytes = Vec::new();
    loop {
        let view: PayloadView = client.call("chains_payload", &params).await?;
        let part = BASE64.decode(view.base64.as_bytes());
        let part = part.map_err(|why| Failure::Checked(format!("no Base64: {why}")))?;
        let ended = part.is_empty();
        bytes.extend(part);
        params.skip = bytes.len() as u64;
        if ended || params.skip >= view.size {
            let base64 = BASE64.encode(&bytes);
            let text = view.text.or_else(|| String::from_utf8(bytes.clone()).ok());
            return Ok((PayloadView { text, base64, ..view }, bytes));
        }
    }
}

async fn block(client: &Client, params: BlockParams, path: Option<PathBuf>) -> Result<(), Failure> {
    let block: BlockView = client.call("chains_block", &params).await?;
    let Some(path) = path else { return print::json(&block) };
    let text = serde_json::to_vec(&block);
    let text = text.map_err(|why| Failure::Checked(format!("cannot write JSON: {why}")))?;
    write(&path, &text)
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(Failure::io(format!("cannot write {}", path.display())))
}

/// A text with the end of its line, or the bytes of what is no text as they are. A terminal is shown nothing that
/// could control it.
fn show(bytes: &[u8]) -> Result<(), Failure> {
    if print::to_terminal() {
        return print::line(&print::safe(&String::from_utf8_lossy(bytes)));
    }
    let mut out = std::io::stdout().lock();
    let ends = bytes.ends_with(b"\n") || std::str::from_utf8(bytes).is_err();
    let end: &[u8] = if ends { b"" } else { b"\n" };
    let written = out.write_all(bytes).and_then(|()| out.write_all(end));
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::NobodyReads),
        outcome => outcome.map_err(Failure::io("cannot print")),
    }
}
