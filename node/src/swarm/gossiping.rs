//! What the task does about gossip.

use covey_kernel::{GossipId, GossipVerdict, Topic, limits::GOSSIP_BYTES};
use libp2p::gossipsub::{Event, MessageAcceptance, PublishError};
use tokio::time::Instant;

use super::{Line, News, gossip, task::Task, unjudged::Heard};

impl Task {
    /// Joins a topic; joining it again is of no effect.
    pub(super) fn join(&mut self, line: Line, topic: Topic) {
        let Some(name) = self.topics.name(line, topic) else { return };
        if !self.topics.join(name.hash()) {
            return tracing::warn!(?line, "too many topics are joined");
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        let scored = gossip.set_topic_params(name.clone(), gossip::strict());
        if let Err(error) = gossip.subscribe(&name) {
            tracing::error!(topic = %name, %error, "cannot join a topic");
        }
        if let Err(error) = scored {
            tracing::error!(topic = %name, %error, "cannot judge peers on a topic");
        }
    }

    pub(super) fn leave(&mut self, line: Line, topic: Topic) {
        let Some(name) = self.topics.name(line, topic) else { return };
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        if gossip.unsubscribe(&name) {
            self.topics.leave(&name.hash());
            if let Err(error) = gossip.set_topic_params(name.clone(), gossip::forgiving()) {
                tracing::error!(topic = %name, %error, "cannot forgive peers on a topic");
            }
        }
    }

    /// Says something to all who have joined. Gossip is a hint: nobody hears of its failure.
    pub(super) fn publish(&mut self, line: Line, topic: Topic, bytes: Vec<u8>) {
        let Some(name) = self.topics.name(line, topic) else { return };
        if bytes.len() > GOSSIP_BYTES {
            return tracing::error!(?line, size = bytes.len(), "own gossip over the bound");
        }
        match self.swarm.behaviour_mut().gossip.publish(name, bytes) {
            // Said before, or nobody listens.
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::debug!(?line, %error, "gossip was not published"),
        }
    }

    pub(super) fn on_gossip(&mut self, event: Event) {
        let Event::Message { propagation_source, message_id, message } = event else { return };
        let heard = |line| Heard {
            line,
            message: message_id,
            from: propagation_source,
            size: message.data.len(),
            since: Instant::now(),
        };
        let Some((line, topic)) = self.topics.read(&message.topic) else { return };
        let from = covey_shell::peer(&propagation_source);
        let Some(from) = from.filter(|_| self.topics.is_joined(&message.topic)) else {
            return self.report(heard(line), GossipVerdict::Ignore);
        };
        // The protocol's name holds the network's: who speaks it belongs here.
        self.admit(from);
        let (id, dropped) = self.unjudged.add(heard(line));
        for oldest in dropped {
            self.report(oldest, GossipVerdict::Ignore);
        }
        self.deliver(line, News::Gossip { from, topic, id, bytes: message.data });
    }

    /// A machine has judged, or had no room for it. Without effect if that is too late.
    pub(super) fn judge(&mut self, line: Line, id: GossipId, verdict: GossipVerdict) {
        match self.unjudged.take(line, id) {
            Some(heard) => self.report(heard, verdict),
            None => tracing::debug!(?line, "a verdict on gossip came too late"),
        }
    }

    /// What no machine has judged in time is not passed on.
    pub(super) fn expire_gossip(&mut self, now: Instant) {
        for late in self.unjudged.expire(now) {
            tracing::debug!(line = ?late.line, "gossip was not judged in time");
            self.report(late, GossipVerdict::Ignore);
        }
    }

    fn report(&mut self, heard: Heard, verdict: GossipVerdict) {
        let acceptance = match verdict {
            GossipVerdict::Accept => MessageAcceptance::Accept,
            GossipVerdict::Ignore => MessageAcceptance::Ignore,
            GossipVerdict::Reject => MessageAcceptance::Reject,
        };
        let Heard { line, message, from, .. } = heard;
        if verdict == GossipVerdict::Reject {
            tracing::debug!(?line, peer = %from, "a peer passed on invalid gossip");
        }
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        gossip.report_message_validation_result(&message, &from, acceptance);
    }
}
