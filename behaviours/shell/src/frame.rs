//! The frames on the wire.
//!
//! A frame of requests is a list of `length (u32, big endian) ‖ bytes`; a frame of answers is a
//! list of `status (u8) ‖ length (u32) ‖ bytes`, one for each request and in the same order: a
//! request's place is its id. Every value has exactly one encoding.

use covey_kernel::Frames;

use crate::limits::{ANSWER_FRAME_BYTES, FRAME_ITEMS, REQUEST_FRAME_BYTES};

/// Bytes before each request.
pub(crate) const REQUEST_HEADER: usize = 4;

/// Bytes before each answer.
pub(crate) const ANSWER_HEADER: usize = 5;

const STATUS_OK: u8 = 0;
const STATUS_BUSY: u8 = 1;
const STATUS_LATE: u8 = 2;

/// What is wrong with a frame that a peer sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Its length prefix is over the bound; nothing of it was read.
    #[error("a frame of {length} bytes is over the limit of {limit}")]
    Oversize {
        /// Bytes announced.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// It ends in the middle of an item.
    #[error("a frame ends in the middle of an item")]
    Cut,
    /// It carries nothing.
    #[error("a frame carries nothing")]
    Empty,
    /// It carries more items than allowed.
    #[error("a frame carries over {FRAME_ITEMS} items")]
    TooMany,
    /// One of its items is over the machine's bound.
    #[error("an item of {length} bytes is over the limit of {limit}")]
    ItemTooLarge {
        /// Bytes of the item.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A status that does not exist, or bytes where there are none.
    #[error("an answer's status is unknown or contradicts its length")]
    Status,
    /// Not one answer for each request.
    #[error("{answers} answers to {requests} requests")]
    Count {
        /// Answers that came.
        answers: usize,
        /// Requests that were sent.
        requests: usize,
    },
}

/// What a peer says to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The encoded response.
    Ok(Vec<u8>),
    /// Nobody has looked at the request.
    Busy,
    /// No answer in time, or no room for it: the request may have been acted on.
    Late,
}

impl Reply {
    /// Bytes of payload.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ok(bytes) => bytes.len(),
            Self::Busy | Self::Late => 0,
        }
    }
}

/// Payload bytes that one frame of requests may carry.
pub(crate) fn request_payload(frames: Frames) -> usize {
    frames.request.max(REQUEST_FRAME_BYTES)
}

/// Payload bytes that one frame of answers may carry.
pub(crate) fn answer_payload(frames: Frames) -> usize {
    frames.response.max(ANSWER_FRAME_BYTES)
}

/// Bytes of a whole frame of requests.
pub(crate) fn request_limit(frames: Frames) -> usize {
    request_payload(frames).saturating_add(REQUEST_HEADER.saturating_mul(FRAME_ITEMS))
}

/// Bytes of a whole frame of answers.
pub(crate) fn answer_limit(frames: Frames) -> usize {
    answer_payload(frames).saturating_add(ANSWER_HEADER.saturating_mul(FRAME_ITEMS))
}

/// Encodes requests.
#[must_use]
pub fn encode_requests(requests: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for request in requests {
        put(&mut out, request);
    }
    out
}

/// Encodes answers.
#[must_use]
pub fn encode_answers(answers: &[Reply]) -> Vec<u8> {
    let mut out = Vec::new();
    for answer in answers {
        let (status, bytes): (u8, &[u8]) = match answer {
            Reply::Ok(bytes) => (STATUS_OK, bytes),
            Reply::Busy => (STATUS_BUSY, &[]),
            Reply::Late => (STATUS_LATE, &[]),
        };
        out.push(status);
        put(&mut out, bytes);
    }
    out
}

/// Decodes a frame of requests, none over `limit` bytes.
pub fn decode_requests(mut frame: &[u8], limit: usize) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut requests = Vec::new();
    while !frame.is_empty() {
        room(requests.len())?;
        requests.push(take(&mut frame, limit)?);
    }
    if requests.is_empty() { Err(Malformed::Empty) } else { Ok(requests) }
}

/// Decodes a frame of answers, none over `limit` bytes.
pub fn decode_answers(mut frame: &[u8], limit: usize) -> Result<Vec<Reply>, Malformed> {
    let mut answers = Vec::new();
    while let Some((&status, rest)) = frame.split_first() {
        frame = rest;
        room(answers.len())?;
        let bytes = take(&mut frame, limit)?;
        answers.push(match (status, bytes.is_empty()) {
            (STATUS_OK, _) => Reply::Ok(bytes),
            (STATUS_BUSY, true) => Reply::Busy,
            (STATUS_LATE, true) => Reply::Late,
            _ => return Err(Malformed::Status),
        });
    }
    if answers.is_empty() { Err(Malformed::Empty) } else { Ok(answers) }
}

fn room(items: usize) -> Result<(), Malformed> {
    if items < FRAME_ITEMS { Ok(()) } else { Err(Malformed::TooMany) }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Callers keep items far below 4 GiB; should one not, the frame is refused by the peer.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take(frame: &mut &[u8], limit: usize) -> Result<Vec<u8>, Malformed> {
    let (length, rest) = frame.split_first_chunk::<4>().ok_or(Malformed::Cut)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Malformed::ItemTooLarge { length, limit });
    }
    let (bytes, rest) = rest.split_at_checked(length).ok_or(Malformed::Cut)?;
    *frame = rest;
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_are_fixed() {
        assert_eq!(encode_requests(&[vec![7, 8], vec![]]), [0, 0, 0, 2, 7, 8, 0, 0, 0, 0]);
        let answers = [Reply::Ok(vec![9]), Reply::Busy, Reply::Late];
        assert_eq!(encode_answers(&answers), [0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn each_fault_has_its_name() {
        assert_eq!(decode_requests(&[], 9), Err(Malformed::Empty));
        assert_eq!(decode_answers(&[], 9), Err(Malformed::Empty));
        assert_eq!(decode_requests(&[0, 0, 0], 9), Err(Malformed::Cut));
        assert_eq!(decode_requests(&[0, 0, 0, 2, 1], 9), Err(Malformed::Cut));
        let large = Malformed::ItemTooLarge { length: 10, limit: 9 };
        assert_eq!(decode_requests(&[0, 0, 0, 10], 9), Err(large));
        assert_eq!(decode_answers(&[3, 0, 0, 0, 0], 9), Err(Malformed::Status));
        assert_eq!(decode_answers(&[1, 0, 0, 0, 1, 5], 9), Err(Malformed::Status));
        let many = encode_requests(&vec![vec![]; FRAME_ITEMS + 1]);
        assert_eq!(decode_requests(&many, 9), Err(Malformed::TooMany));
    }

    fn reply() -> impl Strategy<Value = Reply> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Reply::Ok),
            Just(Reply::Busy),
            Just(Reply::Late),
        ]
    }

    proptest! {
        #[test]
        fn requests_come_back(
            list in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..FRAME_ITEMS)
        ) {
            prop_assert_eq!(decode_requests(&encode_requests(&list), 40), Ok(list));
        }

        #[test]
        fn answers_come_back(list in proptest::collection::vec(reply(), 1..FRAME_ITEMS)) {
            prop_assert_eq!(decode_answers(&encode_answers(&list), 40), Ok(list));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(
            bytes in proptest::collection::vec(prop_oneof![3 => Just(0u8), 1 => 0u8..6, 1 => any::<u8>()], 0..60)
        ) {
            if let Ok(list) = decode_requests(&bytes, 16) {
                prop_assert_eq!(encode_requests(&list), bytes.clone());
            }
            if let Ok(list) = decode_answers(&bytes, 16) {
                prop_assert_eq!(encode_answers(&list), bytes);
            }
        }
    }
}
