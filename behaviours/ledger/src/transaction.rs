//! Transactions: which outputs are spent, and a commitment to those that come of it.

use covey_kernel::{
    Bounded, Domain, Hash, Hasher, Keypair, NetworkId, PublicKey, Signature, cbor, record,
    signing_bytes,
};

use crate::{
    limits::INPUTS,
    output::{Outpoint, TxId},
};

/// What an owner signs: a whole [`Body`].
pub const SPEND: Domain = Domain::new("covey/ledger/spend/v1");

record! {
    /// A transaction without its witnesses. Its outputs stand behind the root of a Merkle tree, so
    /// that who is shown one of them does not see the others.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    pub struct Body {
        /// What is spent, in ascending order, nothing twice.
        pub inputs: Bounded<Outpoint, INPUTS>,
        /// How many outputs there are.
        pub count: u16,
        /// The root over the outputs' leaves.
        pub root: Hash,
    }
}

impl Body {
    /// The transaction's id on a network. Witnesses are not part of it: an owner can make several
    /// for one body.
    #[must_use]
    pub fn id(&self, network: &NetworkId) -> TxId {
        let hasher = Hasher::new("covey/ledger/tx/v1").field(network.as_bytes());
        TxId(hasher.field(&cbor::encode(self)).finish())
    }

    /// What each owner signs.
    #[must_use]
    pub fn signing_bytes(&self, network: &NetworkId) -> Vec<u8> {
        signing_bytes(SPEND, network, self)
    }
}

record! {
    /// An owner's consent to a transaction.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Witness {
        /// The address whose outputs are spent.
        pub address: PublicKey,
        /// Over the whole body.
        pub signature: Signature,
    }
}

impl Witness {
    /// Signs a body.
    #[must_use]
    pub fn sign(owner: &Keypair, network: &NetworkId, body: &Body) -> Self {
        Self { address: owner.public(), signature: owner.sign(SPEND, network, body) }
    }

    /// What is to be verified.
    #[must_use]
    pub fn signed(&self, message: &[u8]) -> (PublicKey, Vec<u8>, Signature) {
        (self.address, message.to_vec(), self.signature)
    }
}

/// The witnesses of a transaction, one for each distinct address, ascending.
pub type Witnesses = Bounded<Witness, INPUTS>;
