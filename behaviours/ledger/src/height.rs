//! How far a validator has come. The others keep it, so that one that was set back notices.

use covey_kernel::{Domain, InvalidSignature, Keypair, NetworkId, PublicKey, Signature, record};

/// What a validator signs: a [`Height`].
pub const HEIGHT: Domain = Domain::new("covey/ledger/height/v1");

record! {
    /// The sequence number of the next transaction that a validator will lock.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Height {
        /// In which epoch.
        pub epoch: u64,
        /// All before it are used up.
        pub next: u64,
    }
}

record! {
    /// A height, signed with the voting key of its epoch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct SignedHeight {
        /// The height.
        pub height: Height,
        /// By the validator.
        pub signature: Signature,
    }
}

impl SignedHeight {
    /// Signs a height.
    #[must_use]
    pub fn sign(key: &Keypair, network: &NetworkId, height: Height) -> Self {
        Self { height, signature: key.sign(HEIGHT, network, &height) }
    }

    /// Whether it is of this voting key.
    pub fn verify(&self, network: &NetworkId, key: &PublicKey) -> Result<(), InvalidSignature> {
        key.verify(HEIGHT, network, &self.height, &self.signature)
    }
}
