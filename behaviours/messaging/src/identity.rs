//! Who somebody is: an Ed25519 identity that signs the set of keys it uses now.

use covey_kernel::record;
use covey_kernel::{
    CryptoRng, Domain, InvalidSignature, Keypair, NetworkId, Peer, PublicKey, Signature, Text,
};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::{limits::NAME_BYTES, ratchet::CurveKey};

const SET: Domain = Domain::new("covey/messaging/key-set/v1");
const SUCCESSION: Domain = Domain::new("covey/messaging/succession/v1");

/// A name as shown; never trusted to be unique or honest.
pub type Name = Text<NAME_BYTES>;

record! {
    /// The keys that an identity uses now.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeySet {
        /// The node: what its transport proves.
        pub peer: Peer,
        /// The ratchet's long-term key.
        pub ratchet: CurveKey,
        /// The X25519 key that sealed boxes are addressed to.
        pub sealing: CurveKey,
        /// How the person wants to be called.
        pub name: Name,
        /// Grows with every change.
        pub sequence: u64,
    }
}

impl KeySet {
    /// Whether both name the same keys; the display name is no key.
    #[must_use]
    pub fn same_keys(&self, other: &Self) -> bool {
        self.peer == other.peer && self.ratchet == other.ratchet && self.sealing == other.sealing
    }
}

record! {
    /// A [`KeySet`] under its identity's signature.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedKeySet {
        /// Who signs.
        pub identity: PublicKey,
        /// What is signed.
        pub set: KeySet,
        signature: Signature,
    }
}

impl SignedKeySet {
    /// Signs a set.
    #[must_use]
    pub fn sign(identity: &Keypair, network: &NetworkId, set: KeySet) -> Self {
        let signature = identity.sign(SET, network, &set);
        Self { identity: identity.public(), set, signature }
    }

    /// Checks the signature.
    pub fn verify(&self, network: &NetworkId) -> Result<(), InvalidSignature> {
        self.identity.verify(SET, network, &self.set, &self.signature)
    }
}

record! {
    /// An identity's last word: who continues it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Succession {
        /// The identity that ends.
        pub old: PublicKey,
        /// The identity that continues it.
        pub new: PublicKey,
        signature: Signature,
    }
}

impl Succession {
    /// Signed by the identity that ends.
    #[must_use]
    pub fn sign(old: &Keypair, network: &NetworkId, new: PublicKey) -> Self {
        let signature = old.sign(SUCCESSION, network, &(old.public(), new));
        Self { old: old.public(), new, signature }
    }

    /// Checks the signature.
    pub fn verify(&self, network: &NetworkId) -> Result<(), InvalidSignature> {
        self.old.verify(SUCCESSION, network, &(self.old, self.new), &self.signature)
    }
}

/// The secrets behind an identity, but for the ratchet's.
pub(crate) struct Secrets {
    /// Signs key sets, prekeys and reports of undecryptable envelopes.
    pub identity: Keypair,
    /// Opens sealed boxes.
    pub sealing: StaticSecret,
}

impl Secrets {
    /// A new identity.
    pub(crate) fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self { identity: Keypair::generate(rng), sealing: sealing_key(rng) }
    }

    /// The public half of the sealing key.
    #[must_use]
    pub(crate) fn sealing_public(&self) -> CurveKey {
        CurveKey(x25519_dalek::PublicKey::from(&self.sealing).to_bytes())
    }
}

/// A new sealing key.
pub(crate) fn sealing_key(rng: &mut dyn CryptoRng) -> StaticSecret {
    let mut secret = Zeroizing::new([0; 32]);
    rng.fill_bytes(secret.as_mut());
    StaticSecret::from(*secret)
}

/// The identity's own conversation with another: both sides compute the same.
#[must_use]
pub(crate) fn conversation(
    network: &NetworkId,
    a: &PublicKey,
    b: &PublicKey,
) -> covey_kernel::Hash {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    covey_kernel::Hasher::new("covey/messaging/conversation/v1")
        .field(network.as_bytes())
        .field(first.as_bytes())
        .field(second.as_bytes())
        .finish()
}
