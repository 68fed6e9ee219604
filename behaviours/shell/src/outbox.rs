use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use covey_kernel::{AskFailure, AskId, Peer};
use libp2p::request_response::OutboundRequestId;
use tokio::time::Instant;

use crate::limits::{
    ASK_BYTES_PER_PEER, ASK_BYTES_TOTAL, ASKS_PER_PEER, ASKS_TOTAL, FRAME_ITEMS, FRAMES_IN_FLIGHT,
};

/// Own requests: those that wait, and those under way in frames. Each that is admitted leaves
/// exactly once, through [`Outbox::land`], [`Outbox::give_up`] or [`Outbox::expire`].
#[derive(Default)]
pub(crate) struct Outbox {
    lanes: HashMap<Peer, Lane>,
    /// Peers with something to pack and room for a frame, each once.
    ready: VecDeque<Peer>,
    /// Request-response numbers upwards, so the first is the oldest.
    flights: BTreeMap<OutboundRequestId, Flight>,
    total: Load,
}

/// What is on its way to one peer.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    flights: usize,
    load: Load,
    ready: bool,
}

#[derive(Default, Clone, Copy)]
struct Load {
    asks: usize,
    bytes: usize,
}

struct Waiting {
    ask: AskId,
    bytes: Vec<u8>,
    since: Instant,
}

/// A frame under way.
pub(crate) struct Flight {
    pub(crate) to: Peer,
    pub(crate) asks: Vec<AskId>,
    bytes: usize,
    deadline: Instant,
}

/// A frame about to leave.
pub(crate) struct Packed {
    pub(crate) to: Peer,
    pub(crate) requests: Vec<Vec<u8>>,
    asks: Vec<AskId>,
    bytes: usize,
}

impl Load {
    fn admits(self, bytes: usize, asks_limit: usize, bytes_limit: usize) -> bool {
        self.asks < asks_limit && self.bytes.saturating_add(bytes) <= bytes_limit
    }

    fn add(&mut self, asks: usize, bytes: usize) {
        self.asks = self.asks.saturating_add(asks);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn remove(&mut self, asks: usize, bytes: usize) {
        self.asks = self.asks.saturating_sub(asks);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Outbox {
    pub(crate) fn is_empty(&self) -> bool {
        self.total.asks == 0
    }

    /// Queues a request if there is room for it.
    pub(crate) fn admit(
        &mut self,
        to: Peer,
        ask: AskId,
        bytes: Vec<u8>,
        now: Instant,
    ) -> Result<(), AskFailure> {
        let size = bytes.len();
        let load = self.lanes.get(&to).map(|lane| lane.load).unwrap_or_default();
        if !self.total.admits(size, ASKS_TOTAL, ASK_BYTES_TOTAL)
            || !load.admits(size, ASKS_PER_PEER, ASK_BYTES_PER_PEER)
        {
            return Err(AskFailure::Busy);
        }
        self.total.add(1, size);
        let lane = self.lanes.entry(to).or_default();
        lane.load.add(1, size);
        lane.waiting.push_back(Waiting { ask, bytes, since: now });
        self.settle(to);
        Ok(())
    }

    /// The next frame to send, of at most `payload` bytes unless one request alone is larger.
    /// The caller reports it with [`Outbox::launch`].
    pub(crate) fn pack(&mut self, payload: usize) -> Option<Packed> {
        while let Some(to) = self.ready.pop_front() {
            let Some(lane) = self.lanes.get_mut(&to) else { continue };
            lane.ready = false;
            if lane.flights >= FRAMES_IN_FLIGHT {
                continue;
            }
            let mut packed = Packed { to, requests: Vec::new(), asks: Vec::new(), bytes: 0 };
            while packed.asks.len() < FRAME_ITEMS {
                let fits = |next: &mut Waiting| {
                    packed.asks.is_empty()
                        || packed.bytes.saturating_add(next.bytes.len()) <= payload
                };
                let Some(next) = lane.waiting.pop_front_if(fits) else { break };
                packed.bytes = packed.bytes.saturating_add(next.bytes.len());
                packed.asks.push(next.ask);
                packed.requests.push(next.bytes);
            }
            if !packed.asks.is_empty() {
                lane.flights = lane.flights.saturating_add(1);
                self.settle(to);
                return Some(packed);
            }
        }
        None
    }

    /// A packed frame has been handed to request-response under this id.
    pub(crate) fn launch(
        &mut self,
        id: OutboundRequestId,
        (to, asks, bytes): (Peer, Vec<AskId>, usize),
        deadline: Instant,
    ) {
        self.flights.insert(id, Flight { to, asks, bytes, deadline });
    }

    /// A frame has come to its end. None if that was known.
    pub(crate) fn land(&mut self, id: OutboundRequestId) -> Option<Flight> {
        let flight = self.flights.remove(&id)?;
        self.total.remove(flight.asks.len(), flight.bytes);
        if let Some(lane) = self.lanes.get_mut(&flight.to) {
            lane.flights = lane.flights.saturating_sub(1);
            lane.load.remove(flight.asks.len(), flight.bytes);
        }
        self.settle(flight.to);
        Some(flight)
    }

    /// Takes back what waits for a peer that cannot be reached.
    pub(crate) fn give_up(&mut self, to: Peer) -> Vec<AskId> {
        self.withdraw(to, |_| true)
    }

    /// Takes back what has waited or flown for too long: frames past their deadline, and
    /// requests that were not sent in time.
    pub(crate) fn expire(
        &mut self,
        now: Instant,
        send_within: Duration,
    ) -> (Vec<Flight>, Vec<(Peer, AskId)>) {
        let mut flights = Vec::new();
        while let Some((&id, flight)) = self.flights.first_key_value() {
            if flight.deadline > now {
                break;
            }
            flights.extend(self.land(id));
        }
        let stale = |since: Instant| now.saturating_duration_since(since) >= send_within;
        let late: Vec<Peer> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.waiting.front().is_some_and(|first| stale(first.since)))
            .map(|(peer, _)| *peer)
            .collect();
        let mut asks = Vec::new();
        for to in late {
            asks.extend(self.withdraw(to, stale).into_iter().map(|ask| (to, ask)));
        }
        (flights, asks)
    }

    /// Removes the oldest waiting requests for as long as `which` says so of their age.
    fn withdraw(&mut self, to: Peer, which: impl Fn(Instant) -> bool) -> Vec<AskId> {
        let Some(lane) = self.lanes.get_mut(&to) else { return Vec::new() };
        let mut asks = Vec::new();
        while let Some(old) = lane.waiting.pop_front_if(|first| which(first.since)) {
            lane.load.remove(1, old.bytes.len());
            self.total.remove(1, old.bytes.len());
            asks.push(old.ask);
        }
        self.settle(to);
        asks
    }

    /// After a change to a lane: puts it among the ready ones, or forgets it if it is empty.
    fn settle(&mut self, to: Peer) {
        let Some(lane) = self.lanes.get_mut(&to) else { return };
        if lane.load.asks == 0 {
            // It may still stand among the ready ones; `pack` skips it there.
            self.lanes.remove(&to);
        } else if !lane.ready && !lane.waiting.is_empty() && lane.flights < FRAMES_IN_FLIGHT {
            lane.ready = true;
            self.ready.push_back(to);
        }
    }
}

impl Packed {
    /// Splits it into what is sent and what is remembered.
    pub(crate) fn split(self) -> (Vec<Vec<u8>>, (Peer, Vec<AskId>, usize)) {
        (self.requests, (self.to, self.asks, self.bytes))
    }
}
