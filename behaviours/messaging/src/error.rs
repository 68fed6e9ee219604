use covey_kernel::{Blame, Fault, MachineError, Span};

use crate::{
    code::InvalidCode,
    limits::{CONTACTS, NAME_BYTES, OPEN_INVITES, OUTBOX, REACTION_BYTES, TEXT_BYTES},
    ratchet::RatchetError,
    wire::Refusal,
};

/// What can go wrong in messaging. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No contact goes by this name or key.
    #[error("no contact \"{who}\"{}", hint(.nearest))]
    UnknownContact {
        /// What was asked for.
        who: String,
        /// The contact with the most similar name.
        nearest: Option<String>,
    },
    /// Several contacts' names or keys begin like this.
    #[error("\"{who}\" is ambiguous: it could be {}", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        who: String,
        /// Some of those who fit.
        candidates: Vec<String>,
    },
    /// The other has not yet accepted our invite.
    #[error("{0} has not accepted your invite yet; wait, or see `covey msg invites`")]
    NotAccepted(String),
    /// We have not yet accepted the other's invite.
    #[error("{0} waits for your answer: `covey msg accept {0}` first")]
    NotYetAccepted(String),
    /// We have blocked them.
    #[error("{0} is blocked; `covey msg unblock {0}` first")]
    Blocked(String),
    /// Nothing to unblock.
    #[error("{0} is not blocked")]
    NotBlocked(String),
    /// Their keys have changed.
    #[error(
        "{0}'s keys have changed: compare the safety number with `covey msg verify {0}`, \
         then `covey msg verify {0} --confirm`"
    )]
    KeysChanged(String),
    /// What the user compared is not what would be confirmed.
    #[error(
        "{0}'s keys have changed since you were shown the safety number: compare it again with \
         `covey msg verify {0}`; nothing was confirmed"
    )]
    NumberChanged(String),
    /// They are a contact already.
    #[error("{0} is already your contact")]
    AlreadyContact(String),
    /// They have been invited already.
    #[error("{0} is already invited; the invite is delivered when they are online")]
    AlreadyInvited(String),
    /// The code is one's own.
    #[error("this is your own contact code: give it to somebody else")]
    OwnCode,
    /// The code is of another network.
    #[error("this contact code is of network {code}; this node is on {own}")]
    OtherNetwork {
        /// The code's network.
        code: String,
        /// Ours.
        own: String,
    },
    /// The code is no longer good.
    #[error("this contact code expired {0} ago; ask for a new one")]
    CodeExpired(Expired),
    /// The text is not a code.
    #[error(transparent)]
    InvalidCode(#[from] InvalidCode),
    /// Nothing to accept or reject.
    #[error("{0} has not invited you, and you have not invited them")]
    NoInvite(String),
    /// Nothing to say.
    #[error("the text is empty: nothing was sent")]
    EmptyText,
    /// Too much to say.
    #[error("the text is {0} bytes, over the limit of {TEXT_BYTES}: send it as a file")]
    TextTooLong(usize),
    /// The invite's text is too long.
    #[error("the invite's text is {0} bytes, over the limit of {limit}", limit = crate::limits::INVITE_TEXT_BYTES)]
    InviteTooLong(usize),
    /// No such message here.
    #[error("no message {0} here; `covey msg history WHO --ids` shows them")]
    UnknownMessage(String),
    /// Only the author may.
    #[error("message {0} is not yours: only its author can change it")]
    NotYours(String),
    /// It is deleted.
    #[error("message {0} is deleted")]
    Deleted(String),
    /// Names must be short, visible, and not taken.
    #[error("a name has 1 to {NAME_BYTES} bytes and no control characters")]
    InvalidName,
    /// Two contacts cannot have the same local name.
    #[error("you already call another contact {0}: choose another name with --as or rename")]
    NameTaken(String),
    /// A reaction is one emoji.
    #[error("a reaction is at most {REACTION_BYTES} bytes, such as one emoji")]
    InvalidReaction,
    /// As many contacts as a node keeps.
    #[error("you already have {CONTACTS} contacts, the most a node keeps")]
    TooManyContacts,
    /// Too many invites on their way.
    #[error("{OPEN_INVITES} of your invites are still on their way: wait for some to arrive")]
    TooManyInvites,
    /// Too many codes.
    #[error("too many contact codes are valid: take them back with `covey msg code --reset`")]
    TooManyCodes,
    /// Too many messages wait.
    #[error("{OUTBOX} messages to {0} wait to be delivered")]
    OutboxFull(String),
    /// A peer's bytes do not decode, or break a rule.
    #[error("invalid: {0}")]
    Invalid(&'static str),
    /// A peer's request is refused.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The ratchet refused.
    #[error("encryption failed: {0}")]
    Ratchet(#[from] RatchetError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// How long ago something expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired(pub Span);

impl std::fmt::Display for Expired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minutes = self.0.as_millis() / 60_000;
        match minutes {
            0..120 => write!(f, "{minutes} minutes"),
            120..2880 => write!(f, "{} hours", minutes / 60),
            _ => write!(f, "{} days", minutes / 1440),
        }
    }
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None => "; `covey msg contacts` lists them".to_owned(),
    }
}

impl MachineError for Error {
    fn blame(&self) -> Blame {
        match self {
            Self::Store(fault) => Blame::Store(fault.clone()),
            Self::Refused(Refusal::Later(()) | Refusal::Unconfirmed(())) => Blame::Later,
            Self::Invalid(_) | Self::Refused(_) | Self::Ratchet(_) => Blame::Peer,
            _ => Blame::User,
        }
    }
}
