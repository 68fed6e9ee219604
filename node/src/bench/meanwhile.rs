//! What the machine itself did while messages were sent: how long a small write took to be on the
//! disk, and how long an answer over a socket took, from the nodes and from a bare echo. A slow run
//! so shows beside it what it may have waited for.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::{fs::FileExt as _, net::UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::JoinHandle;

use super::{BenchError, Latencies, Latency};

/// How often each of them is done.
const EVERY: Duration = Duration::from_millis(5);
/// What is written to the disk, again and again to the same place.
const BLOCK: [u8; 4096] = [7; 4096];
/// A question to a node.
const STATUS: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_status\"}\n";

/// Latencies of what was done every 5 ms beside the messages.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Meanwhile {
    /// `node_status` over the control sockets of both nodes.
    pub status: Latency,
    /// As many bytes there and back over a socket between two threads that do nothing else.
    pub echo: Latency,
    /// 4 KiB written and synced on the disk of the nodes.
    pub disk: Latency,
}

/// What is being done, until it is ended or dropped.
pub(super) struct Watch {
    goes_on: Arc<()>,
    status: Vec<Timed>,
    echo: Timed,
    disk: Timed,
}

type Timed = JoinHandle<Result<Latencies, BenchError>>;

impl Watch {
    /// Begins, beside nodes with these control sockets and their data in this folder.
    pub(super) fn begin(place: &Path, nodes: &[PathBuf]) -> Result<Self, BenchError> {
        let goes_on = Arc::new(());
        let watch = Arc::downgrade(&goes_on);
        let mut status = Vec::new();
        for node in nodes {
            let node = UnixStream::connect(node).map_err(failed)?;
            status.push(repeat(watch.clone(), ask(node)?));
        }
        let (near, far) = UnixStream::pair().map_err(failed)?;
        tokio::task::spawn_blocking(move || answer(&far));
        let echo = repeat(watch.clone(), ask(near)?);
        let disk = repeat(watch, write(place)?);
        Ok(Self { goes_on, status, echo, disk })
    }

    /// Ends, with what was measured.
    pub(super) async fn end(self) -> Result<Meanwhile, BenchError> {
        drop(self.goes_on);
        let mut status = Latencies::new()?;
        for node in self.status {
            status.merge(&joined(node).await?)?;
        }
        let (echo, disk) = (joined(self.echo).await?, joined(self.disk).await?);
        Ok(Meanwhile { status: status.summary(), echo: echo.summary(), disk: disk.summary() })
    }
}

fn failed(error: io::Error) -> BenchError {
    crate::local::io("cannot measure beside the nodes")(error).into()
}

async fn joined(timed: Timed) -> Result<Latencies, BenchError> {
    timed.await.map_err(|error| BenchError::Wrong(error.to_string()))?
}

/// Does something every now and then on a thread of its own, and takes the time of each.
fn repeat(watch: Weak<()>, mut what: impl FnMut() -> io::Result<()> + Send + 'static) -> Timed {
    tokio::task::spawn_blocking(move || {
        let mut latencies = Latencies::new()?;
        while watch.strong_count() > 0 {
            let begun = Instant::now();
            what().map_err(failed)?;
            latencies.add(begun.elapsed());
            std::thread::sleep(EVERY);
        }
        Ok(latencies)
    })
}

/// A question and its answer, a line each.
fn ask(stream: UnixStream) -> Result<impl FnMut() -> io::Result<()>, BenchError> {
    let mut lines = BufReader::new(stream.try_clone().map_err(failed)?);
    let (mut stream, mut line) = (stream, Vec::new());
    Ok(move || {
        stream.write_all(STATUS)?;
        line.clear();
        match lines.read_until(b'\n', &mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    })
}

/// Sends each line back, until the other side is gone.
fn answer(mut stream: &UnixStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        stream.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

/// A block of a file, over itself.
fn write(place: &Path) -> Result<impl FnMut() -> io::Result<()> + use<>, BenchError> {
    let file = File::create(place.join("beside")).map_err(failed)?;
    Ok(move || {
        file.write_all_at(&BLOCK, 0)?;
        file.sync_data()
    })
}
