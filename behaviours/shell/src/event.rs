use covey_kernel::{AskFailure, AskId, Peer, RequestId};

use crate::frame::Malformed;
#[cfg(doc)]
use crate::{Config, Shell};

/// What a [`Shell`] tells its swarm.
#[derive(Debug)]
pub enum Event {
    /// A peer asks. It is answered with [`Shell::answer`] or [`Shell::busy`], or after
    /// [`Config::answer_within`] told that it is late.
    Request {
        /// Who asks; proven by the transport.
        from: Peer,
        /// Where the answer goes.
        id: RequestId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// What came of an own request: exactly one for each that [`Shell::ask`] took.
    Answer {
        /// Who was asked.
        from: Peer,
        /// Which request.
        ask: AskId,
        /// The encoded response, or why there is none.
        outcome: Result<Vec<u8>, AskFailure>,
    },
    /// A peer broke the wire format.
    Misbehaved {
        /// Who.
        peer: Peer,
        /// How.
        why: Malformed,
    },
}

/// What a [`Shell`] has done since it was made.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// Own requests that were taken.
    pub asks: u64,
    /// Frames that carried them.
    pub frames_out: u64,
    /// Requests of peers that were handed on.
    pub requests: u64,
    /// Frames that carried them.
    pub frames_in: u64,
    /// Frames that were not in the wire format.
    pub malformed: u64,
}
