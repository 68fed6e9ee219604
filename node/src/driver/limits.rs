//! What a machine's inbox holds, and how its driver behaves. One turn's bounds are the kernel's.

use std::time::Duration;

/// Answers to own requests that wait for their turn. Half as many news of connections fit
/// besides, so that a flood of answers hides no disconnection.
pub const ANSWERS: usize = 4096;

/// Payload bytes of waiting answers.
pub const ANSWER_BYTES: usize = 64 << 20;

/// Local commands without a reply yet.
pub const COMMANDS: usize = 1024;

/// Peers' requests that wait for their turn, all peers together.
pub const REQUESTS: usize = 4096;

/// Requests of one peer that wait for their turn.
pub const REQUESTS_PER_PEER: usize = 256;

/// Payload bytes of waiting requests, all peers together.
pub const REQUEST_BYTES: usize = 32 << 20;

/// Gossip that waits for its turn, whoever passed it on.
pub const GOSSIP: usize = 1024;

/// Gossip of one peer that waits for its turn.
pub const GOSSIP_PER_PEER: usize = 64;

/// Payload bytes of waiting gossip. More than eight times the largest message, so that a peer
/// that has something waiting may have another.
pub const GOSSIP_BYTES: usize = 8 << 20;

/// How often each other lane is served before gossip has its turn, while all have something.
pub const ROUNDS_BEFORE_GOSSIP: usize = 4;

/// One peer may fill at most one part in this many of what is still free, so that there is
/// always room for another peer (Choudhury and Hahne, dynamic queue thresholds, 1998).
pub const SHARE: usize = 8;

/// How long a local command waits for room before it is told to come back.
pub const CALL_WAIT: Duration = Duration::from_secs(5);

/// Longest sleep while a wake-up is due later: the clock may jump ahead meanwhile.
pub const WAKE_POLL: Duration = Duration::from_secs(1);

/// Events kept for a slow subscriber before it misses the oldest.
pub const EVENTS: usize = 1024;

/// Fewer inputs than this are not worth another thread.
pub const CHECK_CHUNK: usize = 16;
