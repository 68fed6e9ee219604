use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use covey_kernel::Time;

/// Where the time of each turn comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now. Never earlier than what was told before, unless it was set, and never
    /// standing still: whatever waits for a span of time must not wait for ever.
    fn now(&self) -> Time;

    /// Sets the time, from which it runs on.
    ///
    /// # Errors
    /// On all clocks but a [`SettableClock`].
    fn set(&self, _to: Time) -> Result<(), NotSettable> {
        Err(NotSettable)
    }
}

/// The clock tells the system's time, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this node's clock cannot be set: it was not started with --settable-clock")]
pub struct NotSettable;

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

/// A clock for tests of what takes days or years: the system's, until it is set. It may be set
/// back as well as forward, so machines must bear that their time goes back; whoever sets it
/// wakes them, as what they wait for may be due now, or far off.
#[derive(Debug, Default)]
pub struct SettableClock {
    system: SystemClock,
    /// What it was set to, in milliseconds, and when.
    set: Mutex<Option<(u64, Instant)>>,
}

impl SettableClock {
    fn at(&self, now: Instant) -> Option<Time> {
        let (to, at) = (*self.set.lock().unwrap_or_else(PoisonError::into_inner))?;
        let gone_on = millis(now.saturating_duration_since(at));
        Some(Time::from_millis(to.saturating_add(gone_on)))
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Time {
        self.at(Instant::now()).unwrap_or_else(|| self.system.now())
    }

    fn set(&self, to: Time) -> Result<(), NotSettable> {
        let set = Some((to.millis(), Instant::now()));
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = set;
        Ok(())
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

    #[test]
    fn runs_on_from_what_it_was_set_to() {
        let clock = SettableClock::default();
        assert!(clock.now() > Time::from_millis(1_700_000_000_000), "the system's at first");
        for to in [4_000_000_000_000, 5, 0] {
            clock.set(Time::from_millis(to)).unwrap();
            let later = Instant::now() + Duration::from_secs(60);
            let millis = clock.at(later).unwrap().millis();
            assert!((to + 59_000..=to + 60_000).contains(&millis), "{millis}");
        }
        assert_eq!(SystemClock::default().set(Time::from_millis(5)), Err(NotSettable));
    }
}
