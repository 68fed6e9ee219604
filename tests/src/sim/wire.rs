//! The network as a shell and a swarm give it: each ask gets exactly one answer or failure,
//! connections come and go, and whatever is lost on the way is never told.

use covey_kernel::{AskFailure, AskId, Effect, Input, Machine, Peer, RequestId, Span, Time};

use super::{Outgoing, World, world::Event};

/// How long an ask may take in all.
const ASK_TIMEOUT: Span = Span::secs(10);
/// How long a failing dial takes at most.
const DIAL_TIMEOUT: Span = Span::secs(5);
/// Most time between two dials for the same peer.
const REDIAL: Span = Span::secs(8);
/// When a link that nobody seeks nor uses is closed.
const IDLE: Span = Span::secs(10);
/// How long a broken link stays unnoticed at most.
const NOTICE: Span = Span::secs(20);
/// How late a stray answer comes at most.
const STRAY: Span = Span::secs(60);

/// An ask without an answer yet.
pub(super) struct Asked {
    from: usize,
    life: u64,
    to: Peer,
    ask: AskId,
}

/// A request that a machine has not answered yet.
pub(super) struct Received {
    serial: u64,
    from: usize,
    at: usize,
}

/// A connection.
pub(super) struct Link {
    used: Time,
}

pub(super) fn pair(one: usize, two: usize) -> (usize, usize) {
    (one.min(two), one.max(two))
}

impl<M: Machine> World<M> {
    /// Sends a node's request or answer, or what its tamper makes of it.
    pub(super) fn send(&mut self, number: usize, effect: Effect<M>) {
        let outgoing = match effect {
            Effect::Ask { to, ask, bytes } => Outgoing::Ask { to, ask, bytes },
            Effect::Answer { to, bytes } => {
                let Some(received) = self.requests.get(&to) else { return };
                Outgoing::Answer { peer: self.nodes[received.from].peer(), to, bytes }
            }
            _ => return,
        };
        self.send_tampered(number, outgoing);
    }

    /// Sends this, or what the node's tamper makes of it.
    pub(super) fn send_tampered(&mut self, number: usize, outgoing: Outgoing) {
        let Some(mut tamper) = self.nodes[number].tamper.take() else {
            return self.send_one(number, outgoing);
        };
        let sent = tamper(outgoing, &mut self.rng);
        self.nodes[number].tamper = Some(tamper);
        for outgoing in sent {
            self.send_one(number, outgoing);
        }
    }

    fn send_one(&mut self, number: usize, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Ask { to, ask, bytes } => self.ask(number, to, ask, bytes),
            Outgoing::Answer { to, bytes, .. } => self.answer(number, to, bytes),
            Outgoing::Publish { topic, bytes } => self.published(number, topic, &bytes),
        }
    }

    fn ask(&mut self, from: usize, to: Peer, ask: AskId, bytes: Vec<u8>) {
        let serial = self.serial();
        let life = self.nodes[from].life;
        self.asks.insert(serial, Asked { from, life, to, ask });
        self.after(ASK_TIMEOUT, Event::Fail { serial, failure: AskFailure::Timeout });
        let number = self.numbers.get(&to).copied();
        if number == Some(from) {
            // Nothing is between a node and itself.
            return self.after(Span::ZERO, Event::Request { serial, from, to: from, bytes });
        }
        let Some(to) = number.filter(|to| self.connect(from, *to)) else {
            return self.fail_within(DIAL_TIMEOUT, serial, AskFailure::Unreachable);
        };
        if self.chance(self.config.busy) {
            return self.fail_within(Span::millis(50), serial, AskFailure::Busy);
        }
        if self.chance(self.config.duplicate) && self.passes(from, to) {
            self.stats.doubled += 1;
            let (way, bytes) = (self.way(from, to), bytes.clone());
            self.after(way, Event::Request { serial, from, to, bytes });
        }
        if self.passes(from, to) {
            let way = self.way(from, to);
            self.after(way, Event::Request { serial, from, to, bytes });
        } else {
            self.lose(serial);
        }
    }

    /// Whether one message gets from one node to the other.
    pub(super) fn passes(&mut self, from: usize, to: usize) -> bool {
        let lost = self.chance(self.config.loss);
        !lost && !self.is_cut(from, to)
    }

    /// Something is lost on the way: a timeout, or the connection breaks.
    fn lose(&mut self, serial: u64) {
        self.stats.lost += 1;
        if self.chance(0.5) {
            self.fail_within(ASK_TIMEOUT, serial, AskFailure::Closed);
        }
    }

    fn fail_within(&mut self, span: Span, serial: u64, failure: AskFailure) {
        let delay = self.up_to(span);
        self.after(delay, Event::Fail { serial, failure });
    }

    /// One way over a link.
    pub(super) fn way(&mut self, from: usize, to: usize) -> Span {
        let spread = self.up_to(self.spreads[from][to]);
        Span::millis(self.config.latency.0.as_millis() + spread.as_millis())
    }

    pub(super) fn arrive(&mut self, serial: u64, from: usize, to: usize, bytes: Vec<u8>) {
        if self.nodes[to].machine.is_none() {
            return self.fail_within(ASK_TIMEOUT, serial, AskFailure::Closed);
        }
        let id = RequestId(self.serial());
        self.requests.insert(id, Received { serial, from, at: to });
        let from = self.nodes[from].peer();
        self.feed(to, Input::Request { from, id, bytes });
    }

    fn answer(&mut self, at: usize, id: RequestId, bytes: Vec<u8>) {
        let mine = self.requests.get(&id).is_some_and(|received| received.at == at);
        let Some(received) = self.requests.remove(&id).filter(|_| mine) else { return };
        let serial = received.serial;
        if received.from == at {
            return self.after(Span::ZERO, Event::Answer { serial, bytes });
        }
        if self.passes(at, received.from) {
            let way = self.way(at, received.from);
            self.after(way, Event::Answer { serial, bytes });
        } else {
            self.lose(serial);
        }
    }

    pub(super) fn answered(&mut self, serial: u64, bytes: Vec<u8>) {
        self.finish(serial, Ok(bytes));
    }

    pub(super) fn fail(&mut self, serial: u64, failure: AskFailure) {
        self.finish(serial, Err(failure));
    }

    /// The one answer that an ask gets; later ones are dropped, but for strays.
    fn finish(&mut self, serial: u64, outcome: Result<Vec<u8>, AskFailure>) {
        let Some(Asked { from, life, to, ask }) = self.asks.remove(&serial) else { return };
        let input = |outcome| Input::Answer { from: to, ask, outcome };
        if self.chaos && self.chance(self.config.stray) {
            self.stats.doubled += 1;
            let delay = self.up_to(STRAY);
            self.after(delay, Event::Stray(from, input(outcome.clone())));
        }
        if self.nodes[from].life == life {
            self.feed(from, input(outcome));
        }
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cuts.values().any(|cut| cut.contains(&(from, to)))
    }

    fn reachable(&self, from: usize, to: usize) -> bool {
        let up = |number: usize| self.nodes[number].machine.is_some();
        up(from) && up(to) && !self.is_cut(from, to) && !self.is_cut(to, from)
    }

    /// Uses the connection, or makes one; false if there is none.
    fn connect(&mut self, one: usize, two: usize) -> bool {
        let now = self.now;
        if let Some(link) = self.links.get_mut(&pair(one, two)) {
            link.used = now;
            return true;
        }
        if !self.reachable(one, two) {
            return false;
        }
        // Whoever has not noticed the end of the last connection does so now.
        self.notice(one, two);
        self.notice(two, one);
        self.links.insert(pair(one, two), Link { used: now });
        self.after(IDLE, Event::Look(one, two));
        self.feed(one, Input::Connected(self.nodes[two].peer()));
        self.feed(two, Input::Connected(self.nodes[one].peer()));
        true
    }

    /// A connection ends; both sides notice in their own time.
    fn disconnect(&mut self, one: usize, two: usize, within: Span) {
        if self.links.remove(&pair(one, two)).is_none() {
            return;
        }
        for (node, other) in [(one, two), (two, one)] {
            self.gone.insert((node, other), self.next_serial);
            let delay = self.up_to(within);
            self.after(delay, Event::Gone(node, other));
        }
    }

    /// A node notices that its connection with another is gone.
    pub(super) fn notice(&mut self, node: usize, other: usize) {
        let Some(before) = self.gone.remove(&(node, other)) else { return };
        let peer = self.nodes[other].peer();
        let open = self
            .asks
            .iter()
            .filter(|(serial, asked)| **serial <= before && asked.from == node && asked.to == peer);
        let open: Vec<u64> = open.map(|(serial, _)| *serial).collect();
        for serial in open {
            self.fail(serial, AskFailure::Closed);
        }
        self.feed(node, Input::Disconnected(peer));
        if self.nodes[node].seeking.contains(&other) {
            self.redial(node, other);
        }
    }

    /// A link is closed when it is idle, or has been cut for a while.
    pub(super) fn look(&mut self, one: usize, two: usize) {
        let Some(link) = self.links.get(&pair(one, two)) else { return };
        let idle = self.now.since(link.used) >= IDLE
            && !self.nodes[one].seeking.contains(&two)
            && !self.nodes[two].seeking.contains(&one)
            && !self.share_topic(one, two);
        if idle || self.is_cut(one, two) || self.is_cut(two, one) {
            self.disconnect(one, two, if idle { Span::ZERO } else { NOTICE });
        } else {
            self.after(IDLE, Event::Look(one, two));
        }
    }

    pub(super) fn seek(&mut self, node: usize, peer: Peer) {
        let Some(other) = self.numbers.get(&peer).copied().filter(|other| *other != node) else {
            return;
        };
        self.nodes[node].seeking.insert(other);
        self.redial(node, other);
    }

    pub(super) fn release(&mut self, node: usize, peer: Peer) {
        if let Some(other) = self.numbers.get(&peer) {
            self.nodes[node].seeking.remove(other);
        }
    }

    /// A node says that another broke a rule; one that does not lie must not be blamed.
    pub(super) fn blame(&mut self, node: usize, peer: Peer) {
        let Some(other) = self.numbers.get(&peer).copied() else { return };
        if self.nodes[other].tamper.is_none() {
            self.unexpected.push(format!("node {node} blamed node {other}"));
        }
    }

    fn redial(&mut self, node: usize, other: usize) {
        if self.dialing.insert((node, other)) {
            let delay = self.up_to(REDIAL);
            self.after(delay, Event::Dial(node, other));
        }
    }

    pub(super) fn dial(&mut self, node: usize, other: usize) {
        self.dialing.remove(&(node, other));
        let wanted = self.nodes[node].seeking.contains(&other);
        if wanted && !self.connect(node, other) {
            self.redial(node, other);
        }
    }

    /// A node goes down: its connections, asks and requests are gone.
    pub(super) fn unplug(&mut self, number: usize) {
        self.asks.retain(|_, asked| asked.from != number);
        self.requests.retain(|_, received| received.at != number);
        let linked = (0..self.nodes.len()).filter(|other| *other != number);
        for other in linked.collect::<Vec<_>>() {
            self.disconnect(number, other, NOTICE);
            self.gone.remove(&(number, other));
        }
    }
}
