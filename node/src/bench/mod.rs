//! Benchmarks of whole paths. Each figure stands beside a limit or a peer that was measured in
//! the same run, because machines differ and are rarely idle.

pub mod chains;
pub mod echo;
pub mod ledger;
mod meanwhile;
pub mod msg;
mod paced;

use std::{path::Path, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::local::LocalError;

/// Why a benchmark has no result.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A node failed.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The bare echo failed.
    #[error("the bare libp2p echo failed: {0}")]
    Echo(String),
    /// The data to measure with cannot be used.
    #[error("{0}")]
    Data(String),
    /// What was measured is not right, so its speed is worth nothing.
    #[error("the result is wrong: {0}")]
    Wrong(String),
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// How many. Where an even pace is meant, also those that a long wait kept from being asked.
    pub count: u64,
    /// Half were at most this long.
    pub p50: f64,
    /// 95 of 100.
    pub p95: f64,
    /// 99 of 100.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Collects latencies.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn new() -> Result<Self, BenchError> {
        // Microseconds up to a minute, to three digits.
        let histogram = Histogram::new_with_bounds(1, 60_000_000, 3);
        histogram.map(Self).map_err(|error| BenchError::Wrong(error.to_string()))
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros);
    }

    /// Adds one of those that are asked for at this interval. One that took longer kept the next
    /// ones from being asked, which would have waited too: they are added with what they would
    /// have waited.
    pub(crate) fn add_regular(&mut self, latency: Duration, interval: Duration) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let latency = micros(latency).clamp(1, self.0.high());
        // It is within the bounds.
        self.0.record_correct(latency, micros(interval)).unwrap_or_default();
    }

    pub(crate) fn summary(&self) -> Latency {
        #[allow(clippy::cast_precision_loss)] // microseconds below a minute are exact
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1000.0;
        Latency { count: self.0.len(), p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// How many a second.
#[allow(clippy::cast_precision_loss)] // counts of a benchmark are small
pub(crate) fn rate(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64().max(1e-9)
}

/// Whether a folder is in memory, where a sync costs nothing.
fn in_memory(place: &Path) -> bool {
    /// `TMPFS_MAGIC` of Linux's `magic.h`.
    const TMPFS: i64 = 0x0102_1994;
    rustix::fs::statfs(place).is_ok_and(|system| i128::from(system.f_type) == i128::from(TMPFS))
}

/// Processor time that a process has used, from the kernel's own account; nothing where it gives none.
fn processor_time(pid: u32) -> Duration {
    // The fields after the name, which may hold anything, within parentheses: state is the first.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks = |at: usize| -> u64 {
        fields.split_whitespace().nth(at).and_then(|text| text.parse().ok()).unwrap_or_default()
    };
    let ticks = ticks(11).saturating_add(ticks(12));
    // A hundred a second, on every Linux that this runs on.
    Duration::from_millis(ticks.saturating_mul(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_behind_a_long_wait_counts() {
        let (mut latencies, interval) = (Latencies::new().unwrap(), Duration::from_millis(5));
        for _ in 0..99 {
            latencies.add_regular(Duration::from_millis(1), interval);
        }
        latencies.add_regular(Duration::from_millis(500), interval);
        let times = latencies.summary();
        // 100 would have been asked in that half of a second.
        assert_eq!((times.count, times.p50.round(), times.max.round()), (199, 5.0, 500.0));
    }
}
