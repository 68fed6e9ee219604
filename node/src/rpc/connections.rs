//! All connections of local clients. When there are too many, the one idle for longest makes
//! room. Whoever is on this machine can connect by HTTP, so HTTP has half of the places at most,
//! and makes room among its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Limits, codes, pulse::Pulse};

#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u32,
    open: HashMap<u32, Open>,
}

#[derive(Debug)]
struct Open {
    pulse: Arc<Pulse>,
    way: Way,
}

/// How a client has come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the Unix socket.
    Socket,
    /// By the port for HTTP.
    Http,
}

/// A place among the connections, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: u32,
    pub(super) pulse: Arc<Pulse>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default() })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn count(&self) -> usize {
        self.table().open.len()
    }

    /// A place for a new connection; none if all are in use.
    pub(super) fn admit(self: &Arc<Self>, way: Way) -> Option<Place> {
        let mut table = self.table();
        if table.is_full(self.limits.connections, way) && !table.evict(self.limits.idle_grace, way)
        {
            return None;
        }
        let id = table.next;
        table.next = id.wrapping_add(1);
        let pulse = Arc::new(Pulse::new());
        table.open.insert(id, Open { pulse: pulse.clone(), way });
        Some(Place { id, pulse, connections: self.clone() })
    }

    /// Makes room because the system has no more files to open.
    pub(super) fn make_room(&self) {
        self.table().evict(self.limits.idle_grace, Way::Socket);
    }

    /// Ends connections whose clients are too slow.
    pub(super) fn sweep(&self) {
        for open in self.table().open.values() {
            open.pulse.check(&self.limits);
        }
    }

    /// Ends all connections, because the node stops.
    pub(super) fn end_all(&self) {
        for open in self.table().open.values() {
            open.pulse.end(codes::STOPPING);
        }
    }

    /// How often to sweep, so that a bound is overrun by a quarter at most.
    pub(super) fn sweep_interval(&self) -> Duration {
        let shortest = self.limits.half_sent.min(self.limits.slow_reader);
        shortest.checked_div(4).unwrap_or(shortest).max(Duration::from_millis(10))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn is_full(&self, most: usize, way: Way) -> bool {
        let by_http = || self.open.values().filter(|open| open.way == Way::Http).count();
        self.open.len() >= most || (way == Way::Http && by_http() >= (most / 2).max(1))
    }

    /// Makes room for a client that comes this way; whether it could.
    fn evict(&mut self, grace: Duration, way: Way) -> bool {
        let open = self.open.iter().filter(|(_, open)| way == Way::Socket || open.way == way);
        let idle = open.filter_map(|(id, open)| Some((*id, open.pulse.idle()?)));
        let longest = idle.filter(|(_, idle)| *idle >= grace).max_by_key(|(_, idle)| *idle);
        // It leaves the table now, so that it is not chosen twice while it ends.
        let evicted = longest.and_then(|(id, _)| self.open.remove(&id));
        evicted.inspect(|open| open.pulse.end(codes::EVICTED)).is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.table().open.remove(&self.id);
    }
}
