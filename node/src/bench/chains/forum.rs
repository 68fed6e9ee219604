//! A conversation as a graph: from a file, as its replay needs it.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;

use crate::bench::BenchError;

/// One post of a conversation.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Post {
    /// From 0, in the order of the file.
    pub(super) n: usize,
    /// Milliseconds since 1970, as its author's clock said.
    pub(super) time: u64,
    pub(super) author: String,
    /// What it answers: earlier posts.
    pub(super) parents: Vec<usize>,
}

/// Reads a file with a JSON object a line, parents before children.
pub(super) fn read(path: &Path) -> Result<Vec<Post>, BenchError> {
    let wrong = |line: usize, what: String| {
        BenchError::Data(format!("{}, line {}: {what}", path.display(), line.saturating_add(1)))
    };
    let file = File::open(path)
        .map_err(|error| BenchError::Data(format!("{}: {error}", path.display())))?;
    let mut posts = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| wrong(number, error.to_string()))?;
        let post: Post =
            serde_json::from_str(&line).map_err(|error| wrong(number, error.to_string()))?;
        if post.n != number || post.parents.iter().any(|parent| *parent >= number) {
            return Err(wrong(number, "posts are numbered from 0, parents come first".into()));
        }
        posts.push(post);
    }
    Ok(posts)
}
