use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;

const HOUR: u64 = 3_600_000;

/// The rule as it is written, over every event there ever was.
fn naive(events: &[Event], grant: i64, at: Time) -> i64 {
    let counted = events.iter().filter(|event| at.since(event.at) < WINDOW);
    counted.fold(grant, |reps, event| (reps + event.worth(at)).min(CAP))
}

/// When an event is first worth something else, or leaves the window.
fn naive_until(events: &[Event], at: Time) -> Time {
    let counted = events.iter().filter(|event| at.since(event.at) < WINDOW);
    let changes = counted.flat_map(|event| [event.changes(), event.at.plus(WINDOW)]);
    changes.filter(|time| *time > at).min().unwrap_or(Time::from_millis(u64::MAX))
}

impl History {
    /// Of how many runs that count some events are old and others young, or some do not count.
    fn one_by_one(&self, at: Time) -> usize {
        let counted = self.runs.iter().filter(|run| run.last.counts(at));
        let mixed = |run: &&Arc<Run>| run.first.is_young(at) != run.last.is_young(at);
        counted.filter(|run| !run.first.counts(at) || mixed(run)).count()
    }
}

fn event(rng: &mut StdRng, at: Time) -> Event {
    let worth = match rng.random_range(0..3) {
        0 => Worth::Post { earns: rng.random() },
        1 => Worth::Vote(1),
        _ => Worth::Vote(-1),
    };
    Event { at, worth }
}

/// Some bursts within a day, some pauses of months.
fn pause(rng: &mut StdRng) -> u64 {
    match rng.random_range(0..400) {
        0 => rng.random_range(0..120 * 24 * HOUR),
        1..20 => rng.random_range(0..48 * HOUR),
        _ => rng.random_range(0..HOUR / 2),
    }
}

#[test]
fn reps_are_the_fold_over_the_window_at_every_time_until_they_change() {
    let mut dropped = 0;
    for seed in 0..20 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut history, mut events, mut now) = (History::default(), Vec::new(), 1u64 << 40);
        let mut most = 0;
        for _ in 0..1_500 {
            now += pause(&mut rng);
            let event = event(&mut rng, Time::from_millis(now));
            let before = history.runs.len();
            history.push(event);
            events.push(event);
            most = most.max(history.runs.len());
            dropped += before.saturating_sub(history.runs.len());
            let at = Time::from_millis(now + pause(&mut rng));
            let grant = rng.random_range(0..=CAP);
            let reps = naive(&events, grant, at);
            assert_eq!(history.fold(grant, at), reps, "seed {seed}");
            let until = history.until(at);
            assert_eq!(until, naive_until(&events, at), "seed {seed}");
            assert!(history.one_by_one(at) <= 2, "runs of which events are looked at");
            let before = until.min(at.plus(WINDOW)).minus(Span::millis(1));
            for time in [before, Time::from_millis(rng.random_range(at.millis()..=before.millis()))]
            {
                assert_eq!(naive(&events, grant, time), reps, "seed {seed}: they hold");
            }
        }
        assert!(most >= 3, "seed {seed}: {most} runs");
    }
    assert!(dropped >= 20, "{dropped} runs");
}

#[test]
fn what_is_too_old_is_dropped() {
    let mut history = History::default();
    let hour = |hours: u64| Time::from_millis(1_600_000_000_000).plus(Span::hours(hours));
    for hours in 0..24 * 900 {
        history.push(Event { at: hour(hours), worth: Worth::Vote(1) });
    }
    let kept = history.runs.len() * RUN + history.last.len();
    assert!((24 * 90..2 * 24 * 90 + 3 * RUN).contains(&kept), "{kept} events");
    history.push(Event { at: hour(24 * 2000), worth: Worth::Vote(1) });
    assert!(history.runs.is_empty() && history.last.len() == 1);
}
