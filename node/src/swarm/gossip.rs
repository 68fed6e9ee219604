//! Gossipsub as this node runs it, with every default that matters.

use std::time::Duration;

use covey_kernel::{Hasher, NetworkId, limits::TOPICS};
use libp2p::{
    gossipsub::{
        Behaviour, Config, ConfigBuilder, ConfigBuilderError, MaxCountSubscriptionFilter, Message,
        MessageAuthenticity, MessageId, PeerScoreParams, PeerScoreThresholds, TopicScoreParams,
        ValidationMode, score_parameter_decay,
    },
    identity::Keypair,
};

use super::{
    SwarmError,
    limits::{
        GOSSIP_FRAME_BYTES, GOSSIP_HISTORY, GOSSIP_QUEUE, GOSSIP_SUBSCRIPTION_BYTES, HEARTBEAT,
    },
    overlay::setup,
    topics::Topics,
};

/// Peers may subscribe to topics of this network's machines, and to so many.
pub(super) type Gossip = Behaviour<Topics, MaxCountSubscriptionFilter<Topics>>;

pub(super) fn build(
    keypair: &Keypair,
    network: &NetworkId,
    topics: Topics,
) -> Result<Gossip, SwarmError> {
    let filter = MaxCountSubscriptionFilter {
        filter: topics.clone(),
        max_subscribed_topics: TOPICS,
        max_subscriptions_per_request: TOPICS,
    };
    let config = config(network).map_err(|error| setup("gossip", error))?;
    let signed = MessageAuthenticity::Signed(keypair.clone());
    let mut gossip =
        Gossip::new_with_subscription_filter_and_transform(signed, config, filter, topics)
            .map_err(|error| setup("gossip", error))?;
    gossip
        .with_peer_score(scores(), thresholds())
        .map_err(|error| setup("gossip scores", error))?;
    Ok(gossip)
}

/// The same bytes on a topic are one message, whoever publishes them and how often.
fn id(message: &Message) -> MessageId {
    let topic = message.topic.as_str().as_bytes();
    MessageId::new(
        Hasher::new("covey/gossip/v1").field(topic).field(&message.data).finish().as_bytes(),
    )
}

fn config(network: &NetworkId) -> Result<Config, ConfigBuilderError> {
    let mut config = ConfigBuilder::default();
    config
        .protocol_id_prefix(format!("/covey/{}/gossip", network.short()))
        .message_id_fn(id)
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        // A node that was restarted may hear its own words from others, who are not to blame.
        .allow_self_origin(true);
    // Frames. All topics of a peer come in one of them when it connects. What is read counts
    // towards the bound with the beginning of the next frame, so there must be room beyond the
    // largest.
    config
        .max_transmit_size(GOSSIP_FRAME_BYTES)
        .max_control_message_size(GOSSIP_SUBSCRIPTION_BYTES)
        .max_publish_messages(64)
        .max_control_messages_sent(1024)
        .max_ihave_messages_heartbeat(10)
        .connection_handler_queue_len(GOSSIP_QUEUE)
        .publish_queue_duration(Duration::from_secs(5))
        .forward_queue_duration(Duration::from_secs(5));
    // The mesh of a topic: with fewer peers than `mesh_n_low` all of them are in it.
    config
        .mesh_outbound_min(2)
        .mesh_n_low(5)
        .mesh_n(6)
        .mesh_n_high(12)
        .prune_backoff(Duration::from_secs(60))
        .unsubscribe_backoff(Duration::from_secs(5))
        .backoff_slack(1)
        .graft_flood_threshold(Duration::from_secs(10))
        .opportunistic_graft_ticks(60)
        .opportunistic_graft_peers(2)
        // Nobody here is connected with on a peer's word.
        .prune_peers(0);
    // Time. What is heard waits for its verdict within the history.
    config
        .heartbeat_initial_delay(HEARTBEAT)
        .heartbeat_interval(HEARTBEAT)
        .history_length(GOSSIP_HISTORY)
        .history_gossip(3)
        .duplicate_cache_time(Duration::from_secs(120))
        .fanout_ttl(Duration::from_secs(60))
        .iwant_followup_time(Duration::from_secs(3));
    // What a node says itself goes to all who have joined, so that no mesh can hold it back.
    config.flood_publish(true).gossip_lazy(6).gossip_factor(0.25).gossip_retransimission(3);
    config.build()
}

/// Only what a peer does wrong counts, so that nobody saves up for it.
fn scores() -> PeerScoreParams {
    PeerScoreParams {
        topic_score_cap: 0.0,
        app_specific_weight: 0.0,
        // A club behind one router has one address.
        ip_colocation_factor_weight: 0.0,
        // Grafting too early, and not giving what was announced.
        behaviour_penalty_weight: -1.0,
        behaviour_penalty_threshold: 6.0,
        behaviour_penalty_decay: score_parameter_decay(Duration::from_secs(600)),
        decay_interval: Duration::from_secs(1),
        decay_to_zero: 0.1,
        // Reconnecting forgives nothing; but keys are free, and each costs memory for so long.
        retain_score: Duration::from_secs(600),
        slow_peer_weight: -0.2,
        slow_peer_threshold: 16.0,
        slow_peer_decay: 0.2,
        ..PeerScoreParams::default()
    }
}

/// In terms of invalid messages, whose number counts squared: after the first a peer is in no
/// mesh, after more than 5 its announcements are not heard, after 10 nothing is published to it,
/// and after 20 nothing of it is read.
fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -25.0,
        publish_threshold: -100.0,
        graylist_threshold: -400.0,
        accept_px_threshold: 0.0,
        opportunistic_graft_threshold: 0.0,
    }
}

/// How peers are judged on a topic that this node has joined.
pub(super) fn strict() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 1.0,
        time_in_mesh_weight: 0.0,
        first_message_deliveries_weight: 0.0,
        // Silence is no fault: on most topics little is said.
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -1.0,
        // A tenth is left after ten minutes.
        invalid_message_deliveries_decay: score_parameter_decay(Duration::from_secs(600)),
        ..TopicScoreParams::default()
    }
}

/// The same for a topic that it has left: what is still under way there is nobody's fault.
pub(super) fn forgiving() -> TopicScoreParams {
    TopicScoreParams {
        topic_weight: 0.0,
        invalid_message_deliveries_weight: 0.0,
        invalid_message_deliveries_decay: 0.01,
        ..strict()
    }
}
