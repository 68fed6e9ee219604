use std::{io, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that the frames of all shells may take up in memory. Clones share it.
///
/// Requests and answers have a pool each: answers are what we asked for, so peers that flood
/// us with requests cannot keep us from hearing them.
#[derive(Debug, Clone)]
pub struct Budget {
    requests: Pool,
    answers: Pool,
}

/// One half of a [`Budget`].
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    bytes: usize,
    left: Arc<Semaphore>,
}

/// Bytes taken from a [`Pool`]; dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Share(OwnedSemaphorePermit);

impl Budget {
    /// A budget of this many bytes for requests and as many for answers.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self { requests: Pool::new(bytes), answers: Pool::new(bytes) }
    }

    pub(crate) fn requests(&self) -> &Pool {
        &self.requests
    }

    pub(crate) fn answers(&self) -> &Pool {
        &self.answers
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(crate::limits::BUDGET_BYTES)
    }
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let bytes = bytes.clamp(1, Semaphore::MAX_PERMITS);
        Self { bytes, left: Arc::new(Semaphore::new(bytes)) }
    }

    /// Waits, first come first served, until so many bytes are free. More than the whole pool
    /// takes the whole pool, so that a small budget slows frames down but stops none.
    pub(crate) async fn take(&self, bytes: usize) -> io::Result<Share> {
        let wanted = u32::try_from(bytes.clamp(1, self.bytes)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.left).acquire_many_owned(wanted).await;
        permit.map(Share).map_err(io::Error::other)
    }
}

impl Share {
    /// How much it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.0.num_permits()
    }

    /// Whether there is no more to be had.
    pub(crate) fn is_all_of(&self, pool: &Pool) -> bool {
        self.bytes() >= pool.bytes
    }

    /// Waits until it holds so much more, or the whole pool.
    pub(crate) async fn grow(&mut self, pool: &Pool, bytes: usize) -> io::Result<()> {
        let left = pool.bytes.saturating_sub(self.bytes());
        if left > 0 {
            self.0.merge(pool.take(bytes.min(left)).await?.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn what_is_taken_comes_back_and_too_much_takes_all() {
        let budget = Budget::new(10);
        let share = budget.requests().take(1_000).now_or_never().unwrap().unwrap();
        assert!(budget.requests().take(1).now_or_never().is_none());
        assert!(budget.answers().take(10).now_or_never().is_some());
        assert!(share.is_all_of(budget.requests()));
        drop(share);
        let mut share = budget.requests().take(3).now_or_never().unwrap().unwrap();
        share.grow(budget.requests(), 100).now_or_never().unwrap().unwrap();
        assert!(share.is_all_of(budget.requests()));
        drop(share);
        assert!(budget.requests().take(10).now_or_never().is_some());
    }
}
