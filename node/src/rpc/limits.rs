//! Every bound of the control socket.

use std::{io, time::Duration};

use rustix::process::{Resource, getrlimit, setrlimit};

/// Bytes of one request: a line, an HTTP body or a WebSocket message.
pub const REQUEST_BYTES: usize = 1 << 20;

/// Bytes of one response, or of all responses to one batch.
pub const RESPONSE_BYTES: usize = 4 << 20;

/// Calls in one batch. They run at the same time, so that their writes share a commit.
pub const BATCH_CALLS: usize = 256;

/// Calls of one connection that run at the same time; a batch counts as one. Beyond it the
/// node stops reading from that connection.
pub const CALLS_IN_FLIGHT: usize = 256;

/// A request of this many bytes counts as one more call in flight.
pub const BYTES_PER_CALL: usize = 16 << 10;

/// Connections from this machine, idle or not.
pub const CONNECTIONS: usize = 2048;

/// Subscriptions of one connection.
pub const SUBSCRIPTIONS: usize = 64;

/// Messages that wait to be written to one connection.
pub const MESSAGE_BUFFER: usize = 128;

/// How long a request may take to arrive once it has begun.
pub const HALF_SENT: Duration = Duration::from_secs(30);

/// How long a client may leave what it is sent unread.
pub const SLOW_READER: Duration = Duration::from_secs(30);

/// How long a connection must have been idle before it may make room for a new one.
pub const IDLE_GRACE: Duration = Duration::from_secs(10);

/// How long calls may still run when their client sends nothing more.
pub const DRAIN: Duration = Duration::from_secs(60);

/// How long calls may still run when the node stops.
pub const STOP: Duration = Duration::from_secs(5);

/// Files that the process wants to have open: connections of clients and peers, and the store's.
pub const OPEN_FILES: u64 = 16_384;

/// The bounds that a test or an operator may set otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// See [`CONNECTIONS`].
    pub connections: usize,
    /// See [`HALF_SENT`].
    pub half_sent: Duration,
    /// See [`SLOW_READER`].
    pub slow_reader: Duration,
    /// See [`IDLE_GRACE`].
    pub idle_grace: Duration,
    /// See [`DRAIN`].
    pub drain: Duration,
    /// See [`STOP`].
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            half_sent: HALF_SENT,
            slow_reader: SLOW_READER,
            idle_grace: IDLE_GRACE,
            drain: DRAIN,
            stop: STOP,
        }
    }
}

/// Raises the number of files that this process may open, as far as the system lets it.
/// Returns what it is now.
pub fn raise_open_files() -> io::Result<Option<u64>> {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |maximum| maximum.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(limit.current)
}
