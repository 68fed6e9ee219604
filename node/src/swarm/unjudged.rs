//! Gossip that waits for a machine's verdict.

use std::collections::{BTreeMap, VecDeque};

use covey_kernel::GossipId;
use libp2p::{PeerId, gossipsub::MessageId};
use tokio::time::Instant;

use super::{
    Line,
    limits::{UNJUDGED, UNJUDGED_BYTES, VERDICT_WITHIN},
};

/// A message that some peer has passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) line: Line,
    pub(super) message: MessageId,
    pub(super) from: PeerId,
    /// Bytes that gossipsub keeps of it.
    pub(super) size: usize,
    pub(super) since: Instant,
}

/// What no machine has judged yet, the oldest first.
#[derive(Default)]
pub(super) struct Unjudged {
    messages: BTreeMap<GossipId, Heard>,
    bytes: usize,
    next: u64,
}

impl Unjudged {
    /// Notes a message. Gives those for which there is no room any longer, the oldest.
    pub(super) fn add(&mut self, heard: Heard) -> (GossipId, Vec<Heard>) {
        let id = GossipId(self.next);
        self.next = self.next.saturating_add(1);
        let mut dropped = Vec::new();
        while self.messages.len() >= UNJUDGED
            || self.bytes.saturating_add(heard.size) > UNJUDGED_BYTES
        {
            let Some(oldest) = self.pop() else { break };
            dropped.push(oldest);
        }
        self.bytes = self.bytes.saturating_add(heard.size);
        self.messages.insert(id, heard);
        (id, dropped)
    }

    /// Takes out a message that its machine has judged.
    pub(super) fn take(&mut self, line: Line, id: GossipId) -> Option<Heard> {
        if self.messages.get(&id)?.line != line {
            return None;
        }
        let heard = self.messages.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(heard.size);
        Some(heard)
    }

    /// Takes out those whose time is over: gossipsub is about to forget them.
    pub(super) fn expire(&mut self, now: Instant) -> VecDeque<Heard> {
        let mut late = VecDeque::new();
        while let Some((_, oldest)) = self.messages.first_key_value() {
            if now.saturating_duration_since(oldest.since) < VERDICT_WITHIN {
                break;
            }
            late.extend(self.pop());
        }
        late
    }

    fn pop(&mut self) -> Option<Heard> {
        let (_, oldest) = self.messages.pop_first()?;
        self.bytes = self.bytes.saturating_sub(oldest.size);
        Some(oldest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(size: usize, since: Instant) -> Heard {
        let message = MessageId::new(&size.to_be_bytes());
        Heard { line: Line::Chains, message, from: PeerId::random(), size, since }
    }

    #[test]
    fn the_oldest_makes_room() {
        let (mut unjudged, now) = (Unjudged::default(), Instant::now());
        let first = heard(1, now);
        let (id, dropped) = unjudged.add(first.clone());
        assert_eq!(dropped, []);
        for _ in 1..UNJUDGED {
            assert_eq!(unjudged.add(heard(0, now)).1, []);
        }
        assert_eq!(unjudged.add(heard(0, now)).1, [first]);
        assert_eq!(unjudged.take(Line::Chains, id), None);
        let large = heard(UNJUDGED_BYTES, now);
        let (id, dropped) = unjudged.add(large.clone());
        assert_eq!(dropped.len(), 1, "no bytes among the rest");
        assert_eq!(unjudged.add(heard(1, now)).1.len(), UNJUDGED);
        assert_eq!(unjudged.take(Line::Chains, id), None);
        assert_eq!(unjudged.bytes, 1);
    }

    #[test]
    fn each_is_judged_once_by_its_machine_and_in_time() {
        let (mut unjudged, now) = (Unjudged::default(), Instant::now());
        let (id, _) = unjudged.add(heard(5, now));
        assert_eq!(unjudged.take(Line::Messaging, id), None);
        assert!(unjudged.take(Line::Chains, id).is_some());
        assert_eq!(unjudged.take(Line::Chains, id), None);
        let (id, _) = unjudged.add(heard(5, now));
        assert_eq!(unjudged.expire(now + VERDICT_WITHIN / 2).len(), 0);
        assert_eq!(unjudged.expire(now + VERDICT_WITHIN).len(), 1);
        assert_eq!(unjudged.take(Line::Chains, id), None);
        assert_eq!(unjudged.bytes, 0);
    }
}
