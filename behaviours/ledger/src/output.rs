//! What is owned: outputs, and how they are named and committed to.

use covey_kernel::{Bytes, CryptoRng, Hash, PublicKey, cbor, merkle, record};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::amount::Amount;

/// The id of a transaction: a hash of its body. A genesis counts as a transaction whose id is the
/// network's, an asset as one whose id is its own: their outputs are named like all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TxId(pub Hash);

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TxId({:.8})", self.to_string())
    }
}

/// The id of a token: a hash over its issuer and its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetId(pub Hash);

/// What an amount is of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Asset(pub Option<AssetId>);

impl Asset {
    /// The network's own coin.
    pub const COIN: Self = Self(None);
}

record! {
    /// Names one output: of which transaction, and which of its outputs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Outpoint {
        /// The transaction.
        pub tx: TxId,
        /// Counted from 0.
        pub index: u16,
    }
}

impl Outpoint {
    /// Bytes of [`Outpoint::key`].
    pub const KEY_LENGTH: usize = 34;

    /// As a key of a store.
    #[must_use]
    pub fn key(&self) -> [u8; Self::KEY_LENGTH] {
        let mut key = [0; Self::KEY_LENGTH];
        let (tx, index) = key.split_at_mut(32);
        tx.copy_from_slice(self.tx.0.as_bytes());
        index.copy_from_slice(&self.index.to_be_bytes());
        key
    }

    /// From a key of a store.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (tx, index) = key.split_at_checked(32)?;
        let tx = TxId(Hash::from_bytes(tx.try_into().ok()?));
        Some(Self { tx, index: u16::from_be_bytes(index.try_into().ok()?) })
    }
}

impl fmt::Display for Outpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.tx, self.index)
    }
}

record! {
    /// So much of an asset, owned by whoever has the address's secret key.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Output {
        /// The owner's key.
        pub address: PublicKey,
        /// How much; more than zero.
        pub amount: Amount,
        /// Of what.
        pub asset: Asset,
        /// What else the output commits to, if anything.
        pub commitment: Option<Hash>,
    }
}

/// Random bytes that hide an output from those who see only its hash.
pub type Salt = Bytes<SALT_LENGTH>;

/// Bytes of a [`Salt`].
pub const SALT_LENGTH: usize = 16;

/// A new salt.
pub fn new_salt(rng: &mut dyn CryptoRng) -> Salt {
    let mut bytes = vec![0; SALT_LENGTH];
    rng.fill_bytes(&mut bytes);
    Salt::new(bytes).unwrap_or_default()
}

record! {
    /// An output with its salt.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Salted {
        /// Hides it.
        pub salt: Salt,
        /// The output.
        pub output: Output,
    }
}

record! {
    /// What a leaf of a transaction's tree is the hash of. With its index, no output proves at two
    /// places.
    struct Leaf {
        index: u16,
        salted: Salted,
    }
}

impl Salted {
    /// The leaf of this output at its place among its siblings.
    #[must_use]
    pub fn leaf(&self, index: u16) -> Hash {
        merkle::leaf(&cbor::encode(&Leaf { index, salted: self.clone() }))
    }
}

/// The leaves of a transaction's outputs, in order.
#[must_use]
pub fn leaves(outputs: &[Salted]) -> Vec<Hash> {
    (0u16..).zip(outputs).map(|(index, output)| output.leaf(index)).collect()
}
