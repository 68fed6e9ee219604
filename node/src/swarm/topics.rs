//! Which topics there are, and which of them this node has joined.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, PoisonError, RwLock},
};

use covey_kernel::{
    HASH_LENGTH, Hash, NetworkId, Topic,
    limits::{GOSSIP_BYTES, TOPICS},
};
use data_encoding::HEXLOWER;
use libp2p::gossipsub::{
    DataTransform, IdentTopic, Message, RawMessage, TopicHash, TopicSubscriptionFilter,
};

use super::{Carried, Line};

/// The topics of the machines that this node carries. Clones share what is joined.
#[derive(Clone)]
pub struct Topics(Arc<Inner>);

struct Inner {
    /// What the names of a machine's topics begin with.
    prefixes: Vec<(Line, String)>,
    joined: RwLock<HashSet<TopicHash>>,
}

impl Topics {
    pub(super) fn new(network: &NetworkId, machines: &[Carried]) -> Self {
        let prefix = |carried: &Carried| {
            let name = carried.protocol.name;
            (carried.line, format!("/covey/{}/{name}/", network.short()))
        };
        let prefixes = machines.iter().map(prefix).collect();
        Self(Arc::new(Inner { prefixes, joined: RwLock::default() }))
    }

    /// What peers call a topic: `/covey/<network>/<machine>/<64 hexadecimal digits>`.
    pub(super) fn name(&self, line: Line, topic: Topic) -> Option<IdentTopic> {
        let (_, prefix) = self.0.prefixes.iter().find(|(other, _)| *other == line)?;
        Some(IdentTopic::new(format!("{prefix}{}", topic.0)))
    }

    /// The topic of that name: only what [`Topics::name`] gives is one.
    pub(super) fn read(&self, name: &TopicHash) -> Option<(Line, Topic)> {
        let name = name.as_str();
        let named = |(line, prefix): &(Line, String)| Some((*line, name.strip_prefix(prefix)?));
        let (line, digits) = self.0.prefixes.iter().find_map(named)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).ok()?;
        let bytes: [u8; HASH_LENGTH] = bytes.try_into().ok()?;
        Some((line, Topic(Hash::from_bytes(bytes))))
    }

    /// False if this node has joined too many already.
    pub(super) fn join(&self, name: TopicHash) -> bool {
        let mut joined = self.0.joined.write().unwrap_or_else(PoisonError::into_inner);
        if joined.len() >= TOPICS && !joined.contains(&name) {
            return false;
        }
        joined.insert(name);
        true
    }

    pub(super) fn leave(&self, name: &TopicHash) {
        self.0.joined.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    pub(super) fn is_joined(&self, name: &TopicHash) -> bool {
        self.0.joined.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

/// Peers may subscribe to what is a topic here, and to nothing else.
impl TopicSubscriptionFilter for Topics {
    fn can_subscribe(&mut self, name: &TopicHash) -> bool {
        self.read(name).is_some()
    }
}

/// Stands before gossipsub's memory, which would keep a message on any topic for a while.
impl DataTransform for Topics {
    fn inbound_transform(&self, raw: RawMessage) -> Result<Message, io::Error> {
        if raw.data.len() > GOSSIP_BYTES {
            return Err(io::Error::other("too large"));
        }
        if !self.is_joined(&raw.topic) {
            return Err(io::Error::other("not joined"));
        }
        let RawMessage { source, data, sequence_number, topic, .. } = raw;
        Ok(Message { source, data, sequence_number, topic })
    }

    fn outbound_transform(&self, _: &TopicHash, data: Vec<u8>) -> Result<Vec<u8>, io::Error> {
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Frames;
    use covey_shell::Protocol;

    use super::*;
    use crate::swarm::{News, Port};

    struct Nowhere;

    impl Port for Nowhere {
        fn deliver(&self, _: News) -> Result<(), News> {
            Ok(())
        }
    }

    fn topics() -> Topics {
        let carried = |line, name| Carried {
            line,
            protocol: Protocol { name, frames: Frames { request: 1, response: 1 } },
            port: Box::new(Nowhere),
        };
        let machines = [carried(Line::Messaging, "messaging"), carried(Line::Chains, "chains")];
        Topics::new(&NetworkId::named("test"), &machines)
    }

    #[test]
    fn only_names_of_exactly_this_form_are_topics() {
        let mut topics = topics();
        let topic = Topic(Hash::of(b"a"));
        let name = topics.name(Line::Chains, topic).unwrap().to_string();
        assert_eq!(topics.read(&TopicHash::from_raw(&name)), Some((Line::Chains, topic)));
        let short = NetworkId::named("test").short();
        let digits = topic.0.to_string();
        let other = NetworkId::named("other").short();
        for wrong in [
            String::new(),
            digits.clone(),
            name.to_uppercase(),
            format!("{name}0"),
            format!("{name}/"),
            name.chars().take(name.len() - 1).collect(),
            name.chars().take(name.len() - 2).collect(),
            name.replace(&digits, &digits.to_uppercase()),
            format!("/covey/{short}/chains//{digits}"),
            format!("/covey/{short}/ledger/{digits}"),
            format!("/covey/{other}/chains/{digits}"),
            format!("/covey/{short}/chains/{}", "é".repeat(32)),
        ] {
            assert!(!topics.can_subscribe(&TopicHash::from_raw(&wrong)), "{wrong}");
        }
        assert!(topics.can_subscribe(&TopicHash::from_raw(name)));
    }

    #[test]
    fn so_many_are_joined_and_no_more() {
        let topics = topics();
        let name = |n: usize| topics.name(Line::Chains, Topic(Hash::of(&n.to_be_bytes()))).unwrap();
        assert!((0..TOPICS).all(|n| topics.join(name(n).hash())));
        assert!(!topics.join(name(TOPICS).hash()));
        assert!(topics.join(name(0).hash()), "it is joined already");
        topics.leave(&name(0).hash());
        assert!(topics.join(name(TOPICS).hash()));
        assert!(!topics.is_joined(&name(0).hash()));
    }
}
