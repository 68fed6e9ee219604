//! What stands inside a ciphertext. Olm has no associated data, so sender, recipient,
//! conversation, counter and time are part of the plaintext and checked.

use std::{fmt, str::FromStr};

use covey_kernel::{Hash, Hasher, NetworkId, PublicKey, Text, Time, record, tagged};
use serde::{Deserialize, Serialize};

use crate::{
    identity::conversation,
    limits::{INVITE_TEXT_BYTES, REACTION_BYTES, TEXT_BYTES},
};

/// Names a message on both sides. It covers sender, recipient and counter, so that no peer can
/// make one that another peer's message already has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(#[serde(with = "serde_bytes")] pub [u8; 16]);

/// A message id is 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 32 hexadecimal digits, as `covey msg history` shows them")]
pub struct InvalidMessageId;

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = InvalidMessageId;

    fn from_str(text: &str) -> Result<Self, InvalidMessageId> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(text.trim().as_bytes())
            .map_err(|_| InvalidMessageId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidMessageId)
    }
}

record! {
    /// A text message.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TextBody {
        /// What it says.
        pub text: Text<TEXT_BYTES>,
        /// The message that it answers.
        pub reply: Option<MessageId>,
    }
}

record! {
    /// A new wording for an own message.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Edit {
        /// Which message.
        pub target: MessageId,
        /// What it says now.
        pub text: Text<TEXT_BYTES>,
    }
}

record! {
    /// A reaction to a message; an empty one takes the last one back.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Reaction {
        /// To which message.
        pub target: MessageId,
        /// The emoji.
        pub emoji: Text<REACTION_BYTES>,
    }
}

tagged! {
    /// The kinds of content.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Body {
        /// Asks to become a contact.
        0 => Invite(Text<INVITE_TEXT_BYTES>),
        /// Says yes to an invite.
        1 => Accept(()),
        /// A text message.
        2 => Text(TextBody),
        /// Changes an own message.
        3 => Edit(Edit),
        /// Deletes an own message.
        4 => Delete(MessageId),
        /// Reacts to a message.
        5 => React(Reaction),
        /// Everything up to this counter of the other side's has been read.
        6 => Read(u64),
    }
}

record! {
    /// The plaintext of an envelope.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Content {
        /// The conversation: network and both identities.
        pub conversation: Hash,
        /// Who wrote it.
        pub from: PublicKey,
        /// For whom.
        pub to: PublicKey,
        /// The sender's counter in this conversation, from 1.
        pub counter: u64,
        /// The conversation's Lamport clock: history is in its order.
        pub lamport: u64,
        /// When the sender says it was written; only shown.
        pub time: Time,
        /// Makes message ids unpredictable.
        pub nonce: u64,
        /// What it says.
        pub body: Body,
    }
}

impl Content {
    /// The message's name.
    #[must_use]
    pub fn id(&self) -> MessageId {
        let hash = Hasher::new("covey/messaging/message/v1")
            .field(self.conversation.as_bytes())
            .field(self.from.as_bytes())
            .field(self.to.as_bytes())
            .field(&self.counter.to_be_bytes())
            .field(&self.nonce.to_be_bytes())
            .finish();
        let mut id = [0; 16];
        id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        MessageId(id)
    }

    /// Whether the plaintext belongs where it was found: it was written by `from` to `to` in
    /// their conversation on this network.
    #[must_use]
    pub fn belongs(&self, network: &NetworkId, from: &PublicKey, to: &PublicKey) -> bool {
        self.from == *from && self.to == *to && self.conversation == conversation(network, from, to)
    }
}
