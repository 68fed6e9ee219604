//! What the machine itself did while messages were sent: how long a small write took to be on the
//! disk, and how long an answer over a socket took, from the nodes and from a bare echo. A slow run
//! so shows beside it what it may have waited for: the disk, or a core.
//!
//! Each is done on a thread of its own, without a runtime, so that waiting for the benchmark's own
//! tasks is not timed. They are work too: whatever is measured beside them is measured with them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::task::JoinHandle;

use super::{BenchError, Latencies, Latency};
use crate::local::PATIENCE;

/// The pause after each of them.
const EVERY: Duration = Duration::from_millis(5);
/// What is added to a file, as a commit of the nodes adds to its log.
const BLOCK: [u8; 4096] = [7; 4096];
/// A question to a node.
const STATUS: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_status\"}\n";

/// Latencies of what was done again and again beside the messages, 5 ms after the last time. Those that
/// a long wait kept from being asked count, too, with what they would have waited.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Meanwhile {
    /// `node_status` over the control socket of the node that was slower (by its p99).
    pub status: Latency,
    /// The question alone, there and back over a socket between two threads that do nothing else.
    pub socket: Latency,
    /// 4 KiB added to a file and synced, on the disk of the nodes.
    pub disk: Latency,
}

/// What is being done, until it is ended or dropped.
pub(super) struct Probes {
    /// Goes with this, also after an error; then the threads end.
    running: Arc<()>,
    status: Vec<Timed>,
    socket: Timed,
    disk: Timed,
}

type Timed = JoinHandle<Result<Latencies, BenchError>>;

impl Probes {
    /// Begins, beside nodes with these control sockets and their data in this folder.
    pub(super) fn begin(place: &Path, nodes: &[(&str, PathBuf)]) -> Result<Self, BenchError> {
        let running = Arc::new(());
        let until = Arc::downgrade(&running);
        let mut status = Vec::new();
        for (name, socket) in nodes {
            let node = UnixStream::connect(socket).map_err(failed)?;
            status.push(repeat(until.clone(), ask(name, node, b"\"result\"")?));
        }
        let (near, far) = UnixStream::pair().map_err(failed)?;
        tokio::task::spawn_blocking(move || answer(&far));
        let socket = repeat(until.clone(), ask("the bare echo", near, STATUS)?);
        let disk = repeat(until, write(place)?);
        Ok(Self { running, status, socket, disk })
    }

    /// Ends, with what was measured.
    pub(super) async fn end(self) -> Result<Meanwhile, BenchError> {
        drop(self.running);
        let mut status = None;
        for node in self.status {
            let node = joined(node).await?.summary();
            status = status.filter(|slower: &Latency| slower.p99 >= node.p99).or(Some(node));
        }
        let status = status.ok_or_else(|| BenchError::Wrong("no node was asked".into()))?;
        let (socket, disk) = (joined(self.socket).await?, joined(self.disk).await?);
        Ok(Meanwhile { status, socket: socket.summary(), disk: disk.summary() })
    }
}

fn failed(error: io::Error) -> BenchError {
    crate::local::io("cannot measure beside the nodes")(error).into()
}

async fn joined(timed: Timed) -> Result<Latencies, BenchError> {
    timed.await.map_err(|error| BenchError::Wrong(error.to_string()))?
}

/// Does something every now and then on a thread of its own, and takes the time of each.
fn repeat(until: Weak<()>, mut what: impl FnMut() -> io::Result<()> + Send + 'static) -> Timed {
    tokio::task::spawn_blocking(move || {
        let mut latencies = Latencies::new()?;
        loop {
            let begun = Instant::now();
            what().map_err(failed)?;
            latencies.add_regular(begun.elapsed(), EVERY);
            if until.strong_count() == 0 {
                return Ok(latencies);
            }
            std::thread::sleep(EVERY);
        }
    })
}

/// A question and its answer, a line each; the answer has this in it.
fn ask(
    name: &str,
    stream: UnixStream,
    wanted: &'static [u8],
) -> Result<impl FnMut() -> io::Result<()> + use<>, BenchError> {
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut lines = BufReader::new(stream.try_clone().map_err(failed)?);
    let (mut stream, mut line, name) = (stream, Vec::new(), name.to_owned());
    Ok(move || {
        stream.write_all(STATUS)?;
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => return Err(io::Error::other(format!("{name} closed the connection"))),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let late = format!("{name} did not answer node_status in {PATIENCE:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, late));
            }
            Err(error) => return Err(error),
        }
        if line.windows(wanted.len()).any(|part| part == wanted) {
            return Ok(());
        }
        let answer = String::from_utf8_lossy(&line).into_owned();
        Err(io::Error::other(format!("{name} answered node_status with {answer:?}")))
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

/// A block more of a file: its size changes, which the disk's journal has to hold too.
fn write(place: &Path) -> Result<impl FnMut() -> io::Result<()> + use<>, BenchError> {
    let path = place.join("beside");
    let mut file = File::create(&path).map_err(failed)?;
    Ok(move || {
        let written = file.write_all(&BLOCK).and_then(|()| file.sync_data());
        written.map_err(|error| {
            let path = path.display();
            let help = "the data of a benchmark lies in the folder for temporary files, see TMPDIR";
            io::Error::new(error.kind(), format!("{path}: {error} ({help})"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Beside a node that answers each question with this line.
    async fn beside(answers: &'static [u8]) -> Result<Meanwhile, BenchError> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("node.sock");
        let node = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let serving = tokio::task::spawn_blocking(move || {
            let (mut stream, _) = node.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while lines.read_until(b'\n', &mut Vec::new()).is_ok_and(|bytes| bytes > 0) {
                let sent = stream.write_all(answers);
                if sent.is_err() {
                    break;
                }
            }
        });
        let probes = Probes::begin(place.path(), &[("Ann", path)]).unwrap();
        tokio::time::sleep(EVERY * 10).await;
        let measured = probes.end().await;
        serving.await.unwrap();
        measured
    }

    #[tokio::test]
    async fn each_is_timed() {
        let measured = beside(b"{\"result\":{}}\n").await.unwrap();
        for times in [measured.status, measured.socket, measured.disk] {
            assert!(times.count > 0 && times.p50 > 0.0 && times.p50 <= times.max, "{measured:?}");
        }
    }

    #[tokio::test]
    async fn an_error_is_not_taken_for_a_fast_answer() {
        let error = beside(b"{\"error\":{}}\n").await.unwrap_err().to_string();
        assert!(error.contains("Ann answered node_status with"), "{error}");
    }
}
