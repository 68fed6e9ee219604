//! Logs: text or JSON, to standard error or a file, with a filter that can change at run time.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt::MakeWriter, layer::SubscriberExt as _, reload,
    util::SubscriberInitExt as _,
};

use crate::config::{Format, Log};

/// Why logs cannot be set up or changed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not in the language of filters.
    #[error("the log filter \"{filter}\" is not valid: {reason}")]
    Filter {
        /// What was asked for.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file cannot be opened.
    #[error("cannot write logs to {}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// This process logs already.
    #[error("logs are set up already")]
    Twice,
}

/// Changes the logs of a running process.
#[derive(Clone)]
pub struct Logs {
    filter: reload::Handle<EnvFilter, Registry>,
    sink: Sink,
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").field("filter", &self.filter()).finish_non_exhaustive()
    }
}

impl Logs {
    /// Starts logging, for the whole process.
    pub fn start(config: &Log) -> Result<Self, LogError> {
        let (logs, subscriber) = Self::build(config)?;
        subscriber.try_init().map_err(|_| LogError::Twice)?;
        Ok(logs)
    }

    fn build(config: &Log) -> Result<(Self, Box<dyn tracing::Subscriber + Send + Sync>), LogError> {
        let (filter, handle) = reload::Layer::new(parse(config.filter.as_str())?);
        let sink = Sink::open(config.file.as_deref())?;
        let lines = tracing_subscriber::fmt::layer().with_writer(sink.clone()).with_ansi(false);
        let lines = match config.format {
            Format::Text => lines.boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        };
        let subscriber = tracing_subscriber::registry().with(filter).with(lines);
        Ok((Self { filter: handle, sink }, Box::new(subscriber)))
    }

    /// The filter in force.
    #[must_use]
    pub fn filter(&self) -> String {
        self.filter.with_current(EnvFilter::to_string).unwrap_or_default()
    }

    /// Puts another filter in force, from the next event on.
    pub fn set_filter(&self, filter: &str) -> Result<(), LogError> {
        let parsed = parse(filter)?;
        self.filter
            .reload(parsed)
            .map_err(|error| LogError::Filter { filter: filter.into(), reason: error.to_string() })
    }

    /// Opens the file again, after somebody has moved it away.
    pub fn reopen(&self) -> Result<(), LogError> {
        self.sink.reopen()
    }
}

/// Whether a filter can be used; the error says why not.
pub(crate) fn check_filter(filter: &str) -> Result<(), String> {
    parse(filter).map(|_| ()).map_err(|error| match error {
        LogError::Filter { reason, .. } => reason,
        other => other.to_string(),
    })
}

fn parse(filter: &str) -> Result<EnvFilter, LogError> {
    let refuse = |reason: String| LogError::Filter { filter: filter.into(), reason };
    if filter.trim().is_empty() {
        return Err(refuse("it is empty".into()));
    }
    EnvFilter::builder().parse(filter).map_err(|error| refuse(error.to_string()))
}

/// Where lines go. The lock is held for one line.
#[derive(Clone)]
struct Sink(Arc<Destination>);

enum Destination {
    Stderr,
    File { path: PathBuf, file: Mutex<File> },
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Self, LogError> {
        let Some(path) = path else { return Ok(Self(Arc::new(Destination::Stderr))) };
        let file = Mutex::new(append(path)?);
        Ok(Self(Arc::new(Destination::File { path: path.into(), file })))
    }

    fn reopen(&self) -> Result<(), LogError> {
        if let Destination::File { path, file } = &*self.0 {
            let opened = append(path)?;
            *file.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        }
        Ok(())
    }
}

fn append(path: &Path) -> Result<File, LogError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| LogError::File { path: path.into(), source })
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &*self.0 {
            Destination::Stderr => io::stderr().lock().write(bytes),
            Destination::File { file, .. } => {
                file.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{LogError, Logs};
    use crate::config::{Config, Sources, load};

    fn config(file: &std::path::Path, format: &str) -> Config {
        let flags = vec![
            ("log.file".to_owned(), file.display().to_string()),
            ("log.format".to_owned(), format.to_owned()),
        ];
        load(&Sources { flags, ..Sources::default() }).unwrap().config
    }

    #[test]
    fn the_filter_changes_while_running() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("covey.log");
        let (logs, subscriber) = Logs::build(&config(&path, "json").log).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("hidden");
            tracing::info!(answer = 42, "shown");
            logs.set_filter("debug").unwrap();
            tracing::debug!("now shown");
            let error = logs.set_filter("a=b=c").unwrap_err();
            assert!(matches!(error, LogError::Filter { .. }), "{error}");
            assert_eq!(logs.filter(), "debug");
        });
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["message"], "shown");
        assert_eq!(lines[0]["answer"], 42);
        assert_eq!(lines[1]["message"], "now shown");
    }

    #[test]
    fn a_file_that_was_moved_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("covey.log");
        let (logs, subscriber) = Logs::build(&config(&path, "text").log).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("before");
            fs::rename(&path, directory.path().join("old.log")).unwrap();
            logs.reopen().unwrap();
            tracing::info!("after");
        });
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("after") && !text.contains("before"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let path = std::path::Path::new("/nonexistent/covey.log");
        let error = Logs::build(&config(path, "text").log).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/covey.log"), "{error}");
    }
}
