use std::{sync::Arc, thread::JoinHandle, time::Duration};

use covey_kernel::{Fault, Machine};
use tokio::{sync::watch, time::timeout};

use super::inbox::Shared;

/// Why a machine stopped by itself. The node ends with this, rather than go on with caches
/// that lie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
    /// `Machine::check` did not answer each input.
    #[error("{name} answered {answered} of {asked} inputs: this is a bug, please report it")]
    Unanswered {
        /// The machine.
        name: &'static str,
        /// Inputs that it was given.
        asked: usize,
        /// Answers that it gave.
        answered: usize,
    },
    /// The thread panicked.
    #[error("the {name} thread panicked: this is a bug, please report it with the log")]
    Panicked {
        /// The machine.
        name: &'static str,
    },
}

/// A machine did not stop as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// It had already halted.
    #[error(transparent)]
    Halted(#[from] Halt),
    /// It still works on what was in its inbox.
    #[error("{name} did not stop within {deadline:?}")]
    Late {
        /// The machine.
        name: &'static str,
        /// How long it had.
        deadline: Duration,
    },
}

/// What a machine came to; `None` while it runs.
pub(super) type Outcome = Option<Result<(), Halt>>;

/// Watches and stops one machine. Dropping it stops the machine without waiting.
pub struct Handle {
    name: &'static str,
    close: Box<dyn Fn() + Send + Sync>,
    outcome: watch::Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    pub(super) fn new<M: Machine>(
        shared: Arc<Shared<M>>,
        outcome: watch::Receiver<Outcome>,
        thread: JoinHandle<()>,
    ) -> Self {
        let close = Box::new(move || shared.close());
        Self { name: M::NAME, close, outcome, thread: Some(thread) }
    }

    /// The machine's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Takes no more inputs; what is in the inbox is still decided, committed and spoken.
    pub fn stop(&self) {
        (self.close)();
    }

    /// Waits until the machine has ended: `Ok` after [`Handle::stop`], else the reason.
    pub async fn ended(&self) -> Result<(), Halt> {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await.map(|outcome| outcome.clone()) {
            Ok(Some(outcome)) => outcome,
            Ok(None) | Err(_) => Err(Halt::Panicked { name: self.name }),
        }
    }

    /// Stops, and waits until everything in the inbox is done.
    pub async fn join(mut self, deadline: Duration) -> Result<(), JoinError> {
        self.stop();
        let Ok(outcome) = timeout(deadline, self.ended()).await else {
            return Err(JoinError::Late { name: self.name, deadline });
        };
        // It sends its outcome last, so this does not wait; a panic is in the outcome.
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
        Ok(outcome?)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}
