//! What stands inside a ciphertext. Olm has no associated data, so sender, recipient,
//! conversation, counter and time are part of the plaintext and checked.

use std::{fmt, str::FromStr};

use covey_kernel::{CryptoRng, Hash, NetworkId, PublicKey, Text, Time, record, tagged};
use serde::{Deserialize, Serialize};

use crate::{
    identity::conversation,
    limits::{INVITE_TEXT_BYTES, REACTION_BYTES, TEXT_BYTES},
};

/// Names a message on both sides: 128 random bits from its author. Nobody else can know it before
/// its recipient has it, and a recipient takes no second message of one id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(#[serde(with = "serde_bytes")] pub [u8; 16]);

/// A message id is 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 32 hexadecimal digits, as `covey msg history WHO --ids` shows them")]
pub struct InvalidMessageId;

impl MessageId {
    /// A new one.
    pub(crate) fn random(rng: &mut dyn CryptoRng) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }
}

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
    /// Something that is said.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Content {
        /// The sender's counter in this conversation, from 1.
        pub counter: u64,
        /// The conversation's Lamport clock: history is in its order.
        pub lamport: u64,
        /// When the sender says it was written; only shown.
        pub time: Time,
        /// Its name, whatever becomes of identities, counters and ciphertexts.
        pub id: MessageId,
        /// What it says.
        pub body: Body,
    }
}

/// An identity as a plaintext names it. It is only compared with one that is known, so it need not
/// be checked to be a key, which costs a square root and an inversion in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Named(#[serde(with = "serde_bytes")] [u8; 32]);

impl From<&PublicKey> for Named {
    fn from(key: &PublicKey) -> Self {
        Self(*key.as_bytes())
    }
}

record! {
    /// The plaintext of an envelope: content, bound to the two identities as they are when it is
    /// sealed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Plaintext {
        /// The conversation: network and both identities.
        pub conversation: Hash,
        /// Who says it.
        pub from: Named,
        /// To whom.
        pub to: Named,
        /// What.
        pub content: Content,
    }
}

impl Plaintext {
    /// Binds content to who says it to whom.
    #[must_use]
    pub fn new(network: &NetworkId, from: PublicKey, to: PublicKey, content: Content) -> Self {
        let conversation = conversation(network, &from, &to);
        Self { conversation, from: (&from).into(), to: (&to).into(), content }
    }

    /// The content, if it belongs where it was found: `from` says it to `to`, in their
    /// conversation on this network.
    #[must_use]
    pub fn open(self, network: &NetworkId, from: &PublicKey, to: &PublicKey) -> Option<Content> {
        let belongs = self.from == from.into()
            && self.to == to.into()
            && self.conversation == conversation(network, from, to);
        belongs.then_some(self.content)
    }
}
