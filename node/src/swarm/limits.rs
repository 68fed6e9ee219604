//! Every bound of the swarm.

use std::time::Duration;

/// Commands that wait for the swarm's task.
pub const COMMANDS: usize = 1024;

/// Commands carried out before the swarm is polled again, so that requests to one peer pack.
pub const COMMANDS_PER_TURN: usize = 256;

/// Connections with one peer. Two nodes that dial each other at once have two.
pub const CONNECTIONS_PER_PEER: u32 = 4;

/// A connection from a peer that stands for so long takes the place of its older ones, and of
/// ours that are older by `CROSSED`.
pub const STANDS: Duration = Duration::from_secs(1);

/// Connections that two nodes make to each other within this time may have crossed.
pub const CROSSED: Duration = Duration::from_secs(5);

/// Incoming connections in their handshake.
pub const PENDING_INCOMING: u32 = 128;

/// Dials under way, whoever wanted them.
pub const PENDING_OUTGOING: u32 = 64;

/// Incoming substreams of one connection that are still agreeing on a protocol.
pub const NEGOTIATING_STREAMS: usize = 64;

/// Addresses remembered for one peer.
pub const ADDRESSES_PER_PEER: usize = covey_kernel::limits::PEER_ADDRESSES;

/// Peers that one machine may seek: more than any has reason to.
pub const SOUGHT: usize = 16_384;

/// Dials to sought peers under way.
pub const SEEK_DIALS: usize = 8;

/// Kademlia lookups of sought peers under way.
pub const LOOKUPS: usize = 4;

/// First pause between attempts to reach a peer; it doubles each time.
pub const BACKOFF_FIRST: Duration = Duration::from_secs(1);

/// Longest pause between attempts to reach a peer.
pub const BACKOFF_LAST: Duration = Duration::from_secs(300);

/// Peers found nearby that are remembered.
pub const NEARBY: usize = 256;

/// Dials to peers nearby started in one tick.
pub const NEARBY_DIALS: usize = 4;

/// Refusals that are remembered and listed.
pub const REFUSALS: usize = 512;

/// How long a refused peer stays refused.
pub const REFUSED_FOR: Duration = Duration::from_secs(60);

/// How long a peer of another network keeps its connection, so that it learns who we are.
pub const REFUSAL_GRACE: Duration = Duration::from_millis(500);

/// Malformed frames after which a peer is refused.
pub const STRIKES: u32 = 8;

/// Dials of the user that wait for their outcome.
pub const DIALS: usize = 64;

/// How long a dial of the user may take, identification included.
pub const DIAL_WITHIN: Duration = Duration::from_secs(30);

/// Inputs that a full machine has not taken yet. At this number no commands are read, so that
/// no further answers fall due. It must be more than a machine may ask for in one turn: it hears
/// no answer before it has spoken, and could not finish speaking.
pub const OVERDUE: usize = 16_384;

/// Pause before inputs are offered to a full machine again.
pub const OFFER_AGAIN: Duration = Duration::from_millis(10);

/// How often seeking, nearby peers and deadlines are looked at.
pub const TICK: Duration = Duration::from_millis(250);

/// Fewer connected peers than this, and the bootstrap addresses are dialed again.
pub const ENOUGH_PEERS: usize = 4;

/// How often Kademlia refreshes its table.
pub const REBOOTSTRAP: Duration = Duration::from_secs(300);

/// Longest Kademlia query.
pub const QUERY_WITHIN: Duration = Duration::from_secs(20);

/// Records that Kademlia keeps for others. None are accepted as yet.
pub const KAD_RECORDS: usize = 256;

/// Bytes of a Kademlia record, and of a whole Kademlia message.
pub const KAD_RECORD_BYTES: usize = 16 << 10;

/// Bytes of all subscriptions in one frame of gossip, and of all other control messages. All
/// topics of a peer come in one frame, each with its name of some 100 bytes.
pub const GOSSIP_SUBSCRIPTION_BYTES: usize = covey_kernel::limits::TOPICS * 128 + (16 << 10);

/// Bytes of one frame of gossip. What is read counts, and that may hold the beginning of the
/// next, so there must be room beyond the largest frame.
pub const GOSSIP_FRAME_BYTES: usize = 128 << 10;

/// Gossip queued for one peer, in messages.
pub const GOSSIP_QUEUE: usize = 256;

/// How often gossip meshes are looked after.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// Heartbeats for which a message of gossip is remembered, to be passed on.
pub const GOSSIP_HISTORY: usize = 12;

/// How long a machine may take to judge gossip. Less than the history, or the verdict would
/// come to nothing.
pub const VERDICT_WITHIN: Duration = Duration::from_secs(10);

/// Gossip that waits for a machine's verdict: more than fits into the machines' inboxes and
/// turns, so that a flood is ignored there, where each peer has its share.
pub const UNJUDGED: usize = 4096;

/// Bytes of gossip that waits for a machine's verdict.
pub const UNJUDGED_BYTES: usize = 32 << 20;

/// Characters of what a peer says of itself (agent, protocol version) that are kept.
pub const CLAIM_CHARS: usize = 80;
