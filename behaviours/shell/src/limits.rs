//! Every bound of this crate. What a peer can make grow has its constant here.

/// Requests that one frame carries at most.
pub const FRAME_ITEMS: usize = 256;

/// Payload bytes up to which requests are packed into one frame. A single request may be
/// larger, up to the machine's own bound.
pub const REQUEST_FRAME_BYTES: usize = 256 << 10;

/// Payload bytes of one frame of answers. A single answer may be larger, up to the machine's
/// own bound. Answers are often larger than requests, hence more than for those.
pub const ANSWER_FRAME_BYTES: usize = 1 << 20;

/// Frames of requests under way to one peer. What is asked meanwhile waits and is packed: a
/// low number packs more, a high one hides a slow request better.
pub const FRAMES_IN_FLIGHT: usize = 4;

/// Own requests to one peer, waiting or under way.
pub const ASKS_PER_PEER: usize = 4096;

/// Own requests to all peers.
pub const ASKS_TOTAL: usize = 32_768;

/// Bytes of own requests to one peer.
pub const ASK_BYTES_PER_PEER: usize = 8 << 20;

/// Bytes of own requests to all peers.
pub const ASK_BYTES_TOTAL: usize = 64 << 20;

/// Requests of one peer that wait for our answer. An honest peer has at most
/// `FRAMES_IN_FLIGHT * FRAME_ITEMS` of them.
pub const REQUESTS_PER_PEER: usize = 2048;

/// Requests of all peers that wait for our answer.
pub const REQUESTS_TOTAL: usize = 16_384;

/// Substreams of one protocol on one connection, both directions together. Two honest nodes
/// need `2 * FRAMES_IN_FLIGHT`; a frame that was just answered may linger a moment.
pub const STREAMS_PER_CONNECTION: usize = 16;

/// Bytes that a frame takes of the budget before its first byte has come; it takes as much again
/// whenever what it took is full.
pub const FIRST_BYTES: usize = 4 << 10;

/// Bytes of frames that all shells together hold in memory, requests and answers each.
pub const BUDGET_BYTES: usize = 64 << 20;
