use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use covey_kernel::Time;

/// Where the time of each turn comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now. Never earlier than what was told before, and never standing still: whatever
    /// waits for a span of time must not wait for ever.
    fn now(&self) -> Time;
}

/// The system's clock. While that is behind what was told before, as after it was set back, time
/// goes on from there.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// What was told last, in milliseconds, and when.
    latest: Mutex<Option<(u64, Instant)>>,
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl SystemClock {
    fn at(&self, wall: u64, now: Instant) -> Time {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let gone_on = latest
            .map_or(0, |(told, at)| told.saturating_add(millis(now.saturating_duration_since(at))));
        // Kept only when the wall clock leads, so that milliseconds are not rounded off each time.
        if wall >= gone_on || latest.is_none() {
            *latest = Some((wall, now));
        }
        Time::from_millis(wall.max(gone_on))
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.at(millis(wall), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_while_the_wall_clock_is_behind() {
        let (clock, begun) = (SystemClock::default(), Instant::now());
        let at = |wall, seconds| clock.at(wall, begun + Duration::from_secs(seconds)).millis();
        assert_eq!(at(1_000_000, 0), 1_000_000);
        // Set back by almost all.
        assert_eq!(at(5_000, 1), 1_001_000);
        assert_eq!(at(6_000, 2), 1_002_000);
        // And forward again.
        assert_eq!(at(2_000_000, 3), 2_000_000);
        assert_eq!(at(2_001_000, 4), 2_001_000);
    }

    #[test]
    fn is_the_systems() {
        assert!(SystemClock::default().now() > Time::from_millis(1_700_000_000_000));
    }
}
