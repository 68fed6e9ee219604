//! What has happened to one author, so that much of it costs little.
//!
//! Under the rules of the paper reps are a fold: each event takes them from `r` to `min(r + worth, 30)`. Several
//! such steps are together again one of that kind, `min(r + sum, most)`. So what lies further back is kept in
//! runs, each with what it does once all of it is old, and while all of it is young.

use std::sync::Arc;

use covey_kernel::{Span, Time};

use super::{CAP, DAY};

/// What is older no longer counts.
const WINDOW: Span = Span::days(90);
/// Events of a run.
const RUN: usize = 64;

/// One placed block, as it counts for one author.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) at: Time,
    pub(super) worth: Worth,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Worth {
    /// Costs while it is young, and may earn later.
    Post { earns: bool },
    /// A vote, given or received.
    Vote(i8),
}

impl Event {
    fn worth(&self, at: Time) -> i64 {
        if self.is_young(at) { self.young() } else { self.old() }
    }

    fn young(&self) -> i64 {
        match self.worth {
            Worth::Post { .. } => -1,
            Worth::Vote(change) => i64::from(change),
        }
    }

    fn old(&self) -> i64 {
        match self.worth {
            Worth::Post { earns } => i64::from(earns),
            Worth::Vote(change) => i64::from(change),
        }
    }

    fn is_young(&self, at: Time) -> bool {
        at.since(self.at) < DAY
    }

    fn is_post(&self) -> bool {
        matches!(self.worth, Worth::Post { .. })
    }

    /// When it is first worth something else.
    pub(super) fn changes(&self) -> Time {
        self.at.plus(if self.is_post() { DAY } else { WINDOW })
    }

    /// Whether it lies in (t - 90 days, t].
    fn counts(&self, at: Time) -> bool {
        at.since(self.at) < WINDOW
    }

    pub(super) fn step(&self, reps: i64, at: Time) -> i64 {
        reps.saturating_add(self.worth(at)).min(CAP)
    }
}

/// Several events in a row: `min(r + sum, most)`.
#[derive(Clone, Copy, Debug)]
struct Steps {
    sum: i64,
    most: i64,
}

impl Steps {
    fn of(worths: impl Iterator<Item = i64>) -> Self {
        worths.fold(Self { sum: 0, most: i64::MAX }, |steps, worth| Self {
            sum: steps.sum.saturating_add(worth),
            most: steps.most.saturating_add(worth).min(CAP),
        })
    }

    fn after(self, reps: i64) -> i64 {
        reps.saturating_add(self.sum).min(self.most)
    }
}

/// Events in a row.
#[derive(Debug)]
struct Run {
    events: Vec<Event>,
    first: Event,
    last: Event,
    /// What they do while none is too old to count.
    old: Steps,
    young: Steps,
    has_post: bool,
}

impl Run {
    fn new(events: Vec<Event>) -> Option<Self> {
        let (first, last) = (*events.first()?, *events.last()?);
        let old = Steps::of(events.iter().map(Event::old));
        let young = Steps::of(events.iter().map(Event::young));
        let has_post = events.iter().any(Event::is_post);
        Some(Self { events, first, last, old, young, has_post })
    }

    fn fold(&self, reps: i64, at: Time) -> i64 {
        match (self.first.counts(at), self.first.is_young(at), self.last.is_young(at)) {
            (true, _, false) => self.old.after(reps),
            (true, true, _) => self.young.after(reps),
            _ => one_by_one(&self.events, reps, at),
        }
    }
}

/// An author's events in order.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// Those further back; what is too old to count is dropped by and by.
    runs: Vec<Arc<Run>>,
    last: Vec<Event>,
}

impl History {
    pub(super) fn push(&mut self, event: Event) {
        self.drop_gone(event.at);
        if self.last.len() >= RUN.saturating_mul(2) {
            let run = Run::new(self.last.drain(..RUN).collect());
            self.runs.extend(run.map(Arc::new));
        }
        self.last.push(event);
    }

    /// Not one by one: the others move each time.
    fn drop_gone(&mut self, at: Time) {
        let counts = |event: Option<&Event>| event.is_none_or(|event| event.counts(at));
        if !counts(self.last.get(self.last.len() / 2)) {
            self.runs.clear();
            self.last.drain(..self.last.partition_point(|event| !event.counts(at)));
        }
        if !counts(self.runs.get(self.runs.len() / 2).map(|run| &run.last)) {
            self.runs.drain(..self.gone(at));
        }
    }

    /// How many runs are too old to count.
    fn gone(&self, at: Time) -> usize {
        self.runs.partition_point(|run| !run.last.counts(at))
    }

    /// The reps at a time of somebody who began with these.
    pub(super) fn fold(&self, reps: i64, at: Time) -> i64 {
        let runs = self.runs.get(self.gone(at)..).unwrap_or_default();
        one_by_one(&self.last, runs.iter().fold(reps, |reps, run| run.fold(reps, at)), at)
    }

    /// When they change if nothing else happens: an event leaves the window, or a post is no longer young.
    pub(super) fn until(&self, at: Time) -> Time {
        let leaves = self.first_counted(at).map(|event| event.at.plus(WINDOW));
        let grows = self.first_young_post(at).map(|event| event.at.plus(DAY));
        let first = leaves.into_iter().chain(grows).min();
        first.unwrap_or(Time::from_millis(u64::MAX))
    }

    fn first_counted(&self, at: Time) -> Option<&Event> {
        let events = self.runs.get(self.gone(at)).map_or(&self.last, |run| &run.events);
        events.get(events.partition_point(|event| !event.counts(at)))
    }

    fn first_young_post(&self, at: Time) -> Option<&Event> {
        let old = self.runs.partition_point(|run| !run.last.is_young(at));
        let young = self.runs.get(old..).unwrap_or_default().iter().filter(|run| run.has_post);
        let found = young.map(|run| young_post_in(&run.events, at)).find(Option::is_some);
        found.flatten().or_else(|| young_post_in(&self.last, at))
    }
}

fn one_by_one(events: &[Event], reps: i64, at: Time) -> i64 {
    let counted = events.get(events.partition_point(|event| !event.counts(at))..);
    counted.unwrap_or_default().iter().fold(reps, |reps, event| event.step(reps, at))
}

fn young_post_in(events: &[Event], at: Time) -> Option<&Event> {
    let young = events.get(events.partition_point(|event| !event.is_young(at))..)?;
    young.iter().find(|event| event.is_post())
}

#[cfg(test)]
mod tests;
