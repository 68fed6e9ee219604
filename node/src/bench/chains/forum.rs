//! A conversation as a graph, as its replay needs it.

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
    /// What it says.
    #[serde(default)]
    pub(super) text: String,
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

/// The same conversation among other people.
pub(super) fn among_others(posts: &[Post], round: usize) -> Vec<Post> {
    let other = |post: &Post| Post { author: format!("{round}/{}", post.author), ..post.clone() };
    posts.iter().map(other).collect()
}

/// The conversation goes on by its own statistics until it has so many posts: it happens again,
/// later, among other people.
pub(super) fn continued(posts: &[Post], count: usize) -> Vec<Post> {
    let first = posts.iter().map(|post| post.time).min().unwrap_or_default();
    let last = posts.iter().map(|post| post.time).max().unwrap_or_default();
    let span = last.saturating_sub(first);
    let mut all = Vec::with_capacity(count);
    for (round, base) in (0u64..).zip((0..count).step_by(posts.len().max(1))) {
        for post in posts.iter().take(count.saturating_sub(base)) {
            let mut parents: Vec<usize> =
                post.parents.iter().map(|parent| parent.saturating_add(base)).collect();
            if parents.is_empty() && base > 0 {
                parents.push(base.saturating_sub(1));
            }
            all.push(Post {
                n: post.n.saturating_add(base),
                time: post.time.saturating_add(span.saturating_mul(round)),
                author: format!("{round}/{}", post.author),
                parents,
                // The cost of a block does not depend on what it says.
                text: String::new(),
            });
        }
    }
    all
}
