use std::collections::BTreeMap;

use covey_kernel::Time;

/// What is to happen, by time; in the order of scheduling within one millisecond.
pub(super) struct Queue<E> {
    events: BTreeMap<(Time, u64), E>,
    next: u64,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), next: 0 }
    }
}

impl<E> Queue<E> {
    pub(super) fn push(&mut self, at: Time, event: E) {
        self.events.insert((at, self.next), event);
        self.next += 1;
    }

    pub(super) fn next_time(&self) -> Option<Time> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn pop(&mut self) -> Option<(Time, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }
}
