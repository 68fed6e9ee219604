use std::{mem, sync::Arc};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::rpc::{RpcError, codes, limits, pulse::Pulse};

/// What the client sent.
#[derive(Debug)]
pub(super) enum Line {
    /// A line that is not blank.
    Text(String),
    /// Something that is not a line of text within bounds. The next line may be.
    Bad(RpcError),
    /// Nothing more comes.
    End,
}

/// Reads lines. Keeps no more of one than a request may have.
pub(super) struct Reader<R> {
    stream: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that was too long.
    skipping: bool,
    pulse: Arc<Pulse>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(stream: R, pulse: Arc<Pulse>) -> Self {
        Self { stream: BufReader::new(stream), line: Vec::new(), skipping: false, pulse }
    }

    /// The next line that is not blank. What has been read stays if this is cancelled.
    pub(super) async fn next(&mut self) -> Line {
        loop {
            // A read that fails is like the end: the client is gone.
            let chunk = self.stream.fill_buf().await.unwrap_or_default();
            if chunk.is_empty() {
                return if self.line.is_empty() { Line::End } else { self.finish_or_end() };
            }
            self.pulse.line_begins();
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let used = end.map_or(chunk.len(), |end| end.saturating_add(1));
            let too_long = self.line.len().saturating_add(part.len()) > limits::REQUEST_BYTES;
            if !too_long && !self.skipping {
                self.line.extend_from_slice(part);
            }
            self.stream.consume(used);
            if too_long && !self.skipping {
                self.line = Vec::new();
                self.skipping = end.is_none();
                return Line::Bad(too_large());
            }
            if end.is_none() {
                continue;
            }
            self.pulse.line_ends();
            if !mem::take(&mut self.skipping)
                && let Some(line) = self.finish()
            {
                return line;
            }
        }
    }

    /// The last line may lack its line feed.
    fn finish_or_end(&mut self) -> Line {
        self.pulse.line_ends();
        self.finish().unwrap_or(Line::End)
    }

    /// None for a blank line.
    fn finish(&mut self) -> Option<Line> {
        let line = mem::take(&mut self.line);
        if line.trim_ascii().is_empty() {
            return None;
        }
        Some(match String::from_utf8(line) {
            Ok(text) => Line::Text(text),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let message = "the request is not UTF-8";
                Line::Bad(RpcError::new(codes::PARSE, message).detail("position", at))
            }
        })
    }
}

fn too_large() -> RpcError {
    RpcError::from(codes::REQUEST_TOO_LARGE).detail("limit", limits::REQUEST_BYTES)
}
