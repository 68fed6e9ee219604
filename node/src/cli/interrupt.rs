//! Signals end what streams, and what runs nodes of its own.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Failure;
use crate::node::hangup;

/// Ctrl-C, from now on: one that comes while something is printed is not lost.
pub(super) fn interrupts() -> Result<Signal, Failure> {
    signal(SignalKind::interrupt()).map_err(Failure::io("cannot listen for signals"))
}

/// Whatever politely ends a program, from when this is made: none that comes is lost.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None if hangups are ignored.
    hangup: Option<Signal>,
}

impl Signals {
    /// Listens for them; they do nothing by themselves any more.
    pub(super) fn listen() -> Result<Self, Failure> {
        let failed = || Failure::io("cannot listen for signals");
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed())?,
            terminate: signal(SignalKind::terminate()).map_err(failed())?,
            hangup: hangup::listen().map_err(failed())?,
        })
    }

    /// Waits for one.
    pub(super) async fn came(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup::came(&mut self.hangup) => {}
        }
    }

    /// Does something that runs nodes, unless one comes. That ends it as a failure would: with its
    /// nodes and its folder.
    pub(super) async fn unless<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            outcome = work => outcome,
            () = self.came() => {
                Err(Failure::Checked("ended by a signal before it was done".into()))
            }
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

    #[tokio::test]
    async fn one_that_came_before_the_work_ends_it() {
        let mut signals = Signals::listen().ok().unwrap();
        kill_process(getpid(), Signal::TERM).unwrap();
        let longer = tokio::time::sleep(Duration::from_secs(10));
        let work = async {
            longer.await;
            Ok(())
        };
        let ended = signals.unless(work).await;
        assert!(matches!(ended, Err(Failure::Checked(_))));
    }
}
