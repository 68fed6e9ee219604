//! Keys to start a session with somebody who need not be there: a signed bundle names a
//! fallback key and the Merkle root of a batch of one-time keys; each one-time key is handed
//! out with its path.

use covey_kernel::{
    Bounded, Domain, Hash, InvalidSignature, Keypair, NetworkId, PublicKey, Signature, Time,
    merkle, record, tagged,
};

use crate::{identity::SignedKeySet, ratchet::CurveKey};

const BUNDLE: Domain = Domain::new("covey/messaging/prekeys/v1");

/// Longest Merkle path: enough for 2^16 keys.
const PATH: usize = 16;

record! {
    /// A batch of prekeys.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Bundle {
        /// Handed out when the one-time keys are used up.
        pub fallback: CurveKey,
        /// Merkle root over the one-time keys.
        pub root: Hash,
        /// How many one-time keys there are.
        pub count: u32,
        /// Grows with every bundle.
        pub sequence: u64,
        /// Until when the keys can be used.
        pub expires: Time,
    }
}

record! {
    /// A [`Bundle`] under its identity's signature.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignedBundle {
        /// What is signed.
        pub bundle: Bundle,
        signature: Signature,
    }
}

impl SignedBundle {
    /// Signs a bundle.
    #[must_use]
    pub fn sign(identity: &Keypair, network: &NetworkId, bundle: Bundle) -> Self {
        let signature = identity.sign(BUNDLE, network, &bundle);
        Self { bundle, signature }
    }

    fn verify(&self, network: &NetworkId, identity: &PublicKey) -> Result<(), InvalidSignature> {
        identity.verify(BUNDLE, network, &self.bundle, &self.signature)
    }
}

record! {
    /// A one-time key with its place in the bundle.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OneTime {
        /// The key.
        pub key: CurveKey,
        /// Its place.
        pub index: u32,
        /// The siblings up to the root.
        pub path: Bounded<Hash, PATH>,
    }
}

tagged! {
    /// Which prekey to use.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Prekey {
        /// One that nobody else gets.
        0 => OneTime(OneTime),
        /// The bundle's fallback key.
        1 => Fallback(()),
    }
}

record! {
    /// Everything one needs to start a session.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Handout {
        /// Whose.
        pub set: SignedKeySet,
        /// The bundle.
        pub bundle: SignedBundle,
        /// The key.
        pub prekey: Prekey,
    }
}

/// Why a handout is not to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHandout {
    /// Key set or bundle is not signed by the identity.
    #[error("the prekeys are not signed by the identity that hands them out")]
    Signature,
    /// The one-time key is not in the bundle.
    #[error("the one-time key does not belong to the signed bundle")]
    Path,
}

impl Handout {
    /// Checks both signatures and the path, and gives the key to use.
    pub fn verify(&self, network: &NetworkId) -> Result<CurveKey, BadHandout> {
        self.set.verify(network).map_err(|_| BadHandout::Signature)?;
        self.bundle.verify(network, &self.set.identity).map_err(|_| BadHandout::Signature)?;
        let bundle = &self.bundle.bundle;
        match &self.prekey {
            Prekey::Fallback(()) => Ok(bundle.fallback),
            Prekey::OneTime(one) => {
                let leaf = merkle::leaf(&one.key.0);
                let (count, index) = (bundle.count as usize, one.index as usize);
                if merkle::verify(&bundle.root, count, index, leaf, &one.path) {
                    Ok(one.key)
                } else {
                    Err(BadHandout::Path)
                }
            }
        }
    }
}

/// The Merkle leaves of a batch.
#[must_use]
pub(crate) fn leaves(keys: &[CurveKey]) -> Vec<Hash> {
    keys.iter().map(|key| merkle::leaf(&key.0)).collect()
}
