use std::{fmt, io, path::PathBuf};

use super::Config;

/// Where a setting was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the file, at a line if it is known.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: Option<usize>,
    },
    /// In an environment variable.
    Environment {
        /// Which one.
        variable: String,
    },
    /// In a flag.
    Flag,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => {
                write!(f, "in {}, line {line}", path.display())
            }
            Self::File { path, line: None } => write!(f, "in {}", path.display()),
            Self::Environment { variable } => write!(f, "in the environment variable {variable}"),
            Self::Flag => f.write_str("in a flag"),
        }
    }
}

/// What is wrong with the settings. All of it is the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not TOML: {reason}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// The parser's words, with the place.
        reason: String,
    },
    /// There is no such setting.
    #[error("unknown setting {key} {place}{}", nearest.as_ref().map_or_else(
        || "; see: covey config show".to_owned(),
        |nearest| format!("; did you mean {nearest}?"),
    ))]
    Unknown {
        /// What was written.
        key: String,
        /// Where.
        place: Place,
        /// The most similar setting, written in the same manner.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error("{key} {place}: {reason}")]
    Value {
        /// Which setting.
        key: String,
        /// Where.
        place: Place,
        /// What was expected and what was found.
        reason: String,
    },
}

/// Below this, a suggestion would rather confuse.
const SIMILAR: f64 = 0.75;

impl ConfigError {
    pub(super) fn unknown(key: String, place: Place) -> Self {
        let names = Config::KEYS.iter().map(|known| match place {
            Place::Environment { .. } => known.variable(),
            _ => known.path(),
        });
        let nearest = nearest(&key, names).map(|(name, _)| name);
        Self::Unknown { key, place, nearest }
    }
}

/// The name most like `key`, and how like it is, from 0 to 1; none if it is another word.
pub(super) fn nearest(key: &str, names: impl Iterator<Item = String>) -> Option<(String, f64)> {
    names
        .map(|name| {
            let likeness =
                strsim::normalized_damerau_levenshtein(key, &name).max(same_name(key, &name));
            (name, likeness)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, likeness)| *likeness >= SIMILAR)
}

/// The right name in the wrong section is very like it.
fn same_name(key: &str, name: &str) -> f64 {
    let last = |path: &str| path.rsplit('.').next().map(str::to_owned);
    match (last(key), last(name)) {
        (Some(key), Some(name)) if key == name => 0.8,
        _ => 0.0,
    }
}
