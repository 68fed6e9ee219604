use covey_chains::{Error, Invalid};

use crate::rpc::{Code, codes};

/// What the methods of `chains` answer besides what every method may answer.
pub(super) const CODES: &[Code] = &[
    codes::UNKNOWN_CHAIN,
    codes::AMBIGUOUS_CHAIN,
    codes::BAD_CHAIN_NAME,
    codes::BAD_CHAIN_KEY,
    codes::BAD_KEY,
    codes::UNKNOWN_KEY,
    codes::KEYSTORE_FAILED,
    codes::UNKNOWN_BLOCK,
    codes::BAD_BLOCK_ID,
    codes::NO_PAYLOAD,
    codes::REVOKED,
    codes::PURGED,
    codes::NOT_ARRIVED,
    codes::PAYLOAD_TOO_LARGE,
    codes::NOT_OWNER,
    codes::NO_REPS,
    codes::OWN_POST,
    codes::UNSIGNED,
    codes::BAD_VOTE,
    codes::OTHER_FIRST,
    codes::PEER_FAILED,
    codes::UNREACHABLE,
    codes::TOO_MANY_CHAINS,
    codes::UNKNOWN_UPLOAD,
    codes::UPLOADS_FULL,
    codes::SEALED,
    codes::WRONG_READER,
    codes::BAD_READER,
    codes::LEFT_ASIDE,
    codes::FROZEN,
    codes::NO_SIDE,
    codes::REFUSED,
    codes::BUSY,
    codes::HALTED,
];

/// The code of each error of chains.
pub(super) fn code(error: &Error) -> Code {
    match error {
        Error::UnknownChain(_) => codes::UNKNOWN_CHAIN,
        Error::Ambiguous { .. } => codes::AMBIGUOUS_CHAIN,
        Error::PeerOtherFirst(_) => codes::OTHER_FIRST,
        Error::TooManyChains => codes::TOO_MANY_CHAINS,
        Error::TooManyHeld => codes::TOO_MANY_HELD,
        Error::TooManyMuted => codes::TOO_MANY_MUTED,
        Error::TooManyLeftOut => codes::REFUSED,
        Error::UnknownBlock(_) => codes::UNKNOWN_BLOCK,
        Error::NoPayload => codes::NO_PAYLOAD,
        Error::Revoked { .. } => codes::REVOKED,
        Error::Purged => codes::PURGED,
        Error::NotArrived => codes::NOT_ARRIVED,
        Error::HeldBack => codes::HELD_BACK,
        Error::Sealed => codes::SEALED,
        Error::NotForThisKey => codes::WRONG_READER,
        Error::AllSealed | Error::NoOwner | Error::BadReader => codes::BAD_READER,
        Error::Invalid(Invalid::PayloadSize { .. }) => codes::PAYLOAD_TOO_LARGE,
        Error::Invalid(Invalid::NotOwner) => codes::NOT_OWNER,
        Error::Unsigned | Error::FirstUnsigned => codes::UNSIGNED,
        Error::NoReps { .. } => codes::NO_REPS,
        Error::OwnPost(_) => codes::OWN_POST,
        Error::Invalid(_) | Error::Hopeless(_) | Error::LeftOutWith(..) | Error::NotPlaced(_) => {
            codes::BAD_VOTE
        }
        Error::Forked(_) | Error::NotFetched(_) => codes::LEFT_ASIDE,
        Error::Frozen => codes::FROZEN,
        Error::TooEarly(_) | Error::NoSide(_) => codes::NO_SIDE,
        Error::PeerNotHere | Error::Peer(_) => codes::PEER_FAILED,
        Error::NoFirst => codes::NOT_ARRIVED,
        Error::ClockBehind => codes::CLOCK_BEHIND,
        Error::NoHeads | Error::Refused(_) | Error::Malformed(_) => codes::REFUSED,
        Error::Store(_) => codes::HALTED,
    }
}
