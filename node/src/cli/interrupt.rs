//! Ctrl-C ends what streams.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;

/// Ctrl-C, from now on: one that comes while something is printed is not lost.
pub(super) fn interrupts() -> Result<Signal, Failure> {
    signal(SignalKind::interrupt()).map_err(Failure::io("cannot listen for signals"))
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
