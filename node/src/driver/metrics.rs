use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Bucket `n` counts commits that took less than `2^n` microseconds (and not less than half
/// of that); the last counts all that took longer.
const BUCKETS: usize = 26;

/// What a driver has done so far. Written by its thread, read by anyone.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(super) turns: AtomicU64,
    pub(super) inputs: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) busy: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) writes: AtomicU64,
    commit_micros: [AtomicU64; BUCKETS],
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counters {
    /// Turns taken.
    pub turns: u64,
    /// Inputs decided.
    pub inputs: u64,
    /// Inputs refused, by a peer's fault or the user's.
    pub refused: u64,
    /// Inputs that found the inbox full.
    pub busy: u64,
    /// Synced batches.
    pub commits: u64,
    /// Keys written.
    pub writes: u64,
    /// Commits that took less than `2^n` microseconds, at index `n`; not cumulative.
    pub commit_micros: Vec<u64>,
}

impl Metrics {
    pub(super) fn count(counter: &AtomicU64, more: usize) {
        counter.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn committed(&self, writes: usize, took: Duration) {
        Self::count(&self.commits, 1);
        Self::count(&self.writes, writes);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bits = usize::try_from(u64::BITS.saturating_sub(micros.leading_zeros()));
        let bucket = bits.unwrap_or(BUCKETS).min(BUCKETS.saturating_sub(1));
        if let Some(bucket) = self.commit_micros.get(bucket) {
            Self::count(bucket, 1);
        }
    }

    /// Reads all counters.
    #[must_use]
    pub fn read(&self) -> Counters {
        Counters {
            turns: self.turns.load(Relaxed),
            inputs: self.inputs.load(Relaxed),
            refused: self.refused.load(Relaxed),
            busy: self.busy.load(Relaxed),
            commits: self.commits.load(Relaxed),
            writes: self.writes.load(Relaxed),
            commit_micros: self.commit_micros.iter().map(|bucket| bucket.load(Relaxed)).collect(),
        }
    }
}

impl Counters {
    /// An upper bound, in microseconds, of what `percent` of the commits took; `None` before
    /// the first.
    #[must_use]
    pub fn commit_percentile(&self, percent: u64) -> Option<u64> {
        let total: u64 = self.commit_micros.iter().sum();
        let rank = total.saturating_mul(percent.min(100)).div_ceil(100).max(1);
        let mut seen = 0u64;
        for (bits, count) in (0u32..).zip(&self.commit_micros) {
            seen = seen.saturating_add(*count);
            if seen >= rank {
                return 1u64.checked_shl(bits);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_bounds() {
        let metrics = Metrics::default();
        assert_eq!(metrics.read().commit_percentile(50), None);
        for micros in [0, 1, 100, 100, 5000] {
            metrics.committed(2, Duration::from_micros(micros));
        }
        metrics.committed(2, Duration::from_secs(3600));
        let counters = metrics.read();
        assert_eq!((counters.commits, counters.writes), (6, 12));
        assert_eq!(counters.commit_percentile(0), Some(1));
        assert_eq!(counters.commit_percentile(50), Some(128));
        assert_eq!(counters.commit_percentile(80), Some(8192));
        assert_eq!(counters.commit_percentile(100), Some(1 << 25));
    }
}
