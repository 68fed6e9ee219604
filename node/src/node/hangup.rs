//! The terminal from which a program was started is closed.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for it, unless whoever started the program wants it to outlive the terminal, as `nohup`
/// does: listening for the signal would undo that.
pub(crate) fn listen() -> io::Result<Option<Signal>> {
    if is_ignored() {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// Waits for it; for ever if it is ignored.
pub(crate) async fn came(hangup: &mut Option<Signal>) {
    match hangup {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

fn is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP is the first signal.
    ignored.is_some_and(|mask| mask & 1 == 1)
}
