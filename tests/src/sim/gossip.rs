//! Gossip as a swarm gives it: passed on from hop to hop, each time only when the machine there
//! has accepted it; once per message and node, and without any promise.

use covey_kernel::{
    GossipId, GossipVerdict, Hash, Hasher, Input, Machine, Span, Time, Topic,
    limits::{GOSSIP_BYTES, TOPICS},
};

use super::{Outgoing, World, wire::pair, world::Event};

/// How long a node remembers a message that it has heard or said.
const MEMORY: Span = Span::secs(120);
/// How long a machine may take to judge.
const VERDICT_WITHIN: Span = Span::secs(10);

/// Gossip that a machine has not judged yet.
pub(super) struct Heard {
    at: usize,
    from: usize,
    since: Time,
    topic: Topic,
    bytes: Vec<u8>,
}

/// The same bytes on a topic are one message.
fn message(topic: Topic, bytes: &[u8]) -> Hash {
    Hasher::new("gossip").field(topic.0.as_bytes()).field(bytes).finish()
}

impl<M: Machine> World<M> {
    pub(super) fn join(&mut self, number: usize, topic: Topic) {
        let topics = &mut self.nodes[number].topics;
        topics.insert(topic);
        if topics.len() > TOPICS {
            self.unexpected.push(format!("node {number} joined over {TOPICS} topics"));
        }
    }

    pub(super) fn leave(&mut self, number: usize, topic: Topic) {
        self.nodes[number].topics.remove(&topic);
    }

    /// A node's own words, or what its tamper makes of them.
    pub(super) fn publish(&mut self, number: usize, topic: Topic, bytes: Vec<u8>) {
        self.record(number, &format!("publish {topic:?}"), &bytes);
        if bytes.len() > GOSSIP_BYTES {
            let size = bytes.len();
            self.unexpected.push(format!("node {number} published {size} bytes at once"));
        }
        self.send_tampered(number, Outgoing::Publish { topic, bytes });
    }

    pub(super) fn published(&mut self, number: usize, topic: Topic, bytes: &[u8]) {
        if self.knows(number, topic, bytes) {
            return;
        }
        // What nobody could hear may be said again.
        if !self.listeners(number, None, topic).is_empty() {
            self.note(number, topic, bytes);
            self.spread(number, None, topic, bytes);
        }
    }

    /// Gossip reaches a node.
    pub(super) fn overhear(&mut self, from: usize, to: usize, topic: Topic, bytes: Vec<u8>) {
        let node = &self.nodes[to];
        let listens = node.machine.is_some() && node.topics.contains(&topic);
        if !listens || self.knows(to, topic, &bytes) {
            return;
        }
        self.note(to, topic, &bytes);
        if self.chance(self.config.busy) {
            return;
        }
        let (id, since) = (GossipId(self.serial()), self.now);
        self.unjudged.insert(id, Heard { at: to, from, since, topic, bytes: bytes.clone() });
        let from = self.nodes[from].peer();
        self.feed(to, Input::Gossip { from, topic, id, bytes });
    }

    pub(super) fn judge(&mut self, number: usize, id: GossipId, verdict: GossipVerdict) {
        let mine = self.unjudged.get(&id).is_some_and(|heard| heard.at == number);
        let Some(heard) = self.unjudged.remove(&id).filter(|_| mine) else { return };
        self.record(number, &format!("judge {verdict:?}"), &heard.bytes);
        match verdict {
            GossipVerdict::Accept if self.now.since(heard.since) < VERDICT_WITHIN => {
                self.spread(number, Some(heard.from), heard.topic, &heard.bytes);
            }
            // It has judged before it passed anything on, and must not be blamed for it.
            GossipVerdict::Reject if self.nodes[heard.from].tamper.is_none() => {
                let from = heard.from;
                self.unexpected.push(format!("node {number} rejected gossip of node {from}"));
            }
            _ => {}
        }
    }

    /// Nothing that a node has heard outlives it, nor what it has joined.
    pub(super) fn forget_gossip(&mut self, number: usize) {
        self.unjudged.retain(|_, heard| heard.at != number);
        self.nodes[number].topics.clear();
        self.nodes[number].heard.clear();
    }

    /// Whether two nodes are in the mesh of some topic, which keeps their connection.
    pub(super) fn share_topic(&self, one: usize, two: usize) -> bool {
        !self.nodes[one].topics.is_disjoint(&self.nodes[two].topics)
    }

    fn knows(&self, number: usize, topic: Topic, bytes: &[u8]) -> bool {
        let heard = self.nodes[number].heard.get(&message(topic, bytes));
        heard.is_some_and(|at| self.now.since(*at) < MEMORY)
    }

    fn note(&mut self, number: usize, topic: Topic, bytes: &[u8]) {
        let now = self.now;
        let heard = &mut self.nodes[number].heard;
        heard.retain(|_, at| now.since(*at) < MEMORY);
        heard.insert(message(topic, bytes), now);
    }

    /// Who is connected with a node and has joined a topic.
    fn listeners(&self, number: usize, but: Option<usize>, topic: Topic) -> Vec<usize> {
        let others = (0..self.nodes.len()).filter(|other| *other != number && Some(*other) != but);
        let listens = |other: &usize| {
            self.links.contains_key(&pair(number, *other))
                && self.nodes[*other].topics.contains(&topic)
        };
        others.filter(listens).collect()
    }

    fn spread(&mut self, number: usize, but: Option<usize>, topic: Topic, bytes: &[u8]) {
        for to in self.listeners(number, but, topic) {
            let copies = if self.chance(self.config.duplicate) { 2 } else { 1 };
            self.stats.doubled += copies - 1;
            for _ in 0..copies {
                if self.passes(number, to) {
                    let (way, bytes) = (self.way(number, to), bytes.to_vec());
                    self.after(way, Event::Gossip { from: number, to, topic, bytes });
                } else {
                    self.stats.lost += 1;
                }
            }
        }
    }
}
