//! Signals end what streams, and what runs nodes of its own.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// Ctrl-C, from now on: one that comes while something is printed is not lost.
pub(super) fn interrupts() -> Result<Signal, Failure> {
    signal(SignalKind::interrupt()).map_err(Failure::io("cannot listen for signals"))
}

/// Waits for Ctrl-C, or for whatever else politely ends a program.
pub(super) async fn signalled() -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(Failure::io("cannot listen for signals"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}

/// Does something that runs nodes. A signal ends it as a failure would: with its nodes and its
/// folder.
pub(super) async fn unless_signalled<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        outcome = work => outcome,
        ended = signalled() => {
            ended?;
            Err(Failure::Checked("ended by a signal before it was done".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    #[tokio::test]
    async fn one_that_came_while_nobody_waited_is_not_lost() {
        let mut interrupts = interrupts().ok().unwrap();
        kill_process(getpid(), Signal::INT).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let heard = tokio::time::timeout(Duration::from_secs(10), interrupts.recv()).await;
        assert_eq!(heard, Ok(Some(())));
    }
}
