use covey_messaging::Error;

use crate::rpc::{Code, codes};

/// What the methods of `msg` answer besides what every method may answer.
pub(super) const CODES: &[Code] = &[
    codes::UNKNOWN_CONTACT,
    codes::AMBIGUOUS,
    codes::NOT_ACCEPTED,
    codes::NOT_YET_ACCEPTED,
    codes::BLOCKED,
    codes::NOT_BLOCKED,
    codes::KEYS_CHANGED,
    codes::ALREADY_KNOWN,
    codes::BAD_CODE,
    codes::OWN_CODE,
    codes::OTHER_NETWORK,
    codes::NO_INVITE,
    codes::EMPTY_TEXT,
    codes::TEXT_TOO_LONG,
    codes::INVITE_TOO_LONG,
    codes::UNKNOWN_MESSAGE,
    codes::NOT_YOURS,
    codes::DELETED,
    codes::BAD_NAME,
    codes::BAD_REACTION,
    codes::TOO_MANY,
    codes::OUTBOX_FULL,
    codes::REFUSED,
    codes::BUSY,
    codes::HALTED,
];

/// The code of each of messaging's errors.
pub(super) fn code(error: &Error) -> Code {
    match error {
        Error::UnknownContact { .. } => codes::UNKNOWN_CONTACT,
        Error::Ambiguous { .. } => codes::AMBIGUOUS,
        Error::NotAccepted(_) => codes::NOT_ACCEPTED,
        Error::NotYetAccepted(_) => codes::NOT_YET_ACCEPTED,
        Error::Blocked(_) => codes::BLOCKED,
        Error::NotBlocked(_) => codes::NOT_BLOCKED,
        Error::KeysChanged(_) | Error::NumberChanged(_) => codes::KEYS_CHANGED,
        Error::AlreadyContact(_) | Error::AlreadyInvited(_) => codes::ALREADY_KNOWN,
        Error::OwnCode => codes::OWN_CODE,
        Error::CodeExpired(_) | Error::InvalidCode(_) => codes::BAD_CODE,
        Error::OtherNetwork { .. } => codes::OTHER_NETWORK,
        Error::NoInvite(_) => codes::NO_INVITE,
        Error::EmptyText => codes::EMPTY_TEXT,
        Error::TextTooLong(_) => codes::TEXT_TOO_LONG,
        Error::InviteTooLong(_) => codes::INVITE_TOO_LONG,
        Error::UnknownMessage(_) => codes::UNKNOWN_MESSAGE,
        Error::NotYours(_) => codes::NOT_YOURS,
        Error::Deleted(_) => codes::DELETED,
        Error::InvalidName | Error::NameTaken(_) => codes::BAD_NAME,
        Error::InvalidReaction => codes::BAD_REACTION,
        Error::TooManyContacts | Error::TooManyInvites | Error::TooManyCodes => codes::TOO_MANY,
        Error::OutboxFull(_) => codes::OUTBOX_FULL,
        Error::Invalid(_) | Error::Refused(_) | Error::Ratchet(_) => codes::REFUSED,
        Error::Store(_) => codes::HALTED,
    }
}
