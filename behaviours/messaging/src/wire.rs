//! What two nodes say to each other. Everything is canonical CBOR of fixed arrays.

use covey_kernel::{Bounded, Bytes, Hash, PublicKey, Signature, record, tagged};

use crate::{
    identity::{SignedKeySet, Succession},
    limits::{DELIVERY_ENVELOPES, SEALED_BYTES, SUCCESSIONS},
    prekeys::Handout,
    ratchet::{Sealed, SessionTag},
};

record! {
    /// A ciphertext on its way.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Envelope {
        /// The sender's counter; the plaintext repeats it.
        pub counter: u64,
        /// Which session encrypted it.
        pub session: SessionTag,
        /// Whether the ciphertext starts a session.
        pub prekey: bool,
        /// The ciphertext.
        pub body: Bytes<SEALED_BYTES>,
    }
}

impl Envelope {
    /// What a report of an undecryptable envelope names.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&covey_kernel::cbor::encode(self))
    }

    /// The part that the ratchet reads.
    #[must_use]
    pub fn sealed(&self) -> Sealed {
        Sealed { prekey: self.prekey, body: self.body.to_vec() }
    }
}

record! {
    /// Knocks at somebody's door.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Knock {
        /// Who knocks.
        pub set: SignedKeySet,
        /// Shows a contact code's secret, if there was one.
        pub proof: Option<Hash>,
        /// The invite, encrypted.
        pub envelope: Envelope,
    }
}

record! {
    /// Tells one's present keys.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Announcement {
        /// The keys.
        pub set: SignedKeySet,
        /// How earlier identities led to this one, oldest first.
        pub successions: Bounded<Succession, SUCCESSIONS>,
    }
}

record! {
    /// Envelopes for one recipient.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Delivery {
        /// Who delivers: one node may know several identities of another.
        pub from: PublicKey,
        /// In the order of their counters.
        pub envelopes: Bounded<Envelope, DELIVERY_ENVELOPES>,
    }
}

tagged! {
    /// A request between peers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Request {
        /// Asks for keys to start a session with.
        0 => Claim(()),
        /// Asks to become a contact.
        1 => Knock(Knock),
        /// Delivers envelopes, in the order of their counters.
        2 => Deliver(Delivery),
        /// Tells one's present keys.
        3 => Announce(Announcement),
    }
}

record! {
    /// The recipient's word that it could not decrypt an envelope.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Undecryptable {
        /// Which envelope.
        pub hash: Hash,
        /// The recipient identity's signature over the hash and the sender's identity.
        pub signature: Signature,
    }
}

impl Undecryptable {
    /// What is signed.
    #[must_use]
    pub fn signed(hash: Hash, sender: PublicKey) -> (Hash, PublicKey) {
        (hash, sender)
    }
}

tagged! {
    /// What became of one envelope.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Outcome {
        /// It is stored, now or since earlier.
        0 => Stored(()),
        /// It could not be decrypted: please encrypt it anew.
        1 => Undecryptable(Undecryptable),
        /// It cannot be taken now: try again later.
        2 => Later(()),
        /// It breaks a rule and will never be taken.
        3 => Never(()),
    }
}

tagged! {
    /// Why a whole request was refused.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Refusal {
        /// It does not decode, or a signature is wrong.
        0 => Invalid(()),
        /// Only contacts may do this.
        1 => NotContact(()),
        /// The contact code is used up, expired or taken back.
        2 => Code(()),
        /// No room now: try again later.
        3 => Later(()),
        /// The keys have changed, and the person has not yet confirmed them.
        4 => Unconfirmed(()),
    }
}

tagged! {
    /// An answer between peers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Response {
        /// Keys to start a session with.
        0 => Keys(Handout),
        /// What became of each envelope, in order.
        1 => Delivered(Bounded<Outcome, DELIVERY_ENVELOPES>),
        /// Taken note of.
        2 => Noted(()),
        /// Refused.
        3 => Refused(Refusal),
    }
}
