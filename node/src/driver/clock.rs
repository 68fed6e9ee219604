use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use covey_kernel::Time;

/// Where the time of each turn comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now. Never earlier than what was told before.
    fn now(&self) -> Time;
}

/// The system's clock; stands still while that is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let latest = self.latest.fetch_max(millis, Ordering::Relaxed);
        Time::from_millis(millis.max(latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_goes_back() {
        let clock = SystemClock { latest: AtomicU64::new(u64::MAX - 1) };
        assert_eq!(clock.now(), Time::from_millis(u64::MAX - 1));
        let clock = SystemClock::default();
        assert!(clock.now() > Time::from_millis(1_700_000_000_000));
    }
}
