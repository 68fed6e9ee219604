//! How a wallet that knows nothing but its phrase finds its money again: it proves to validators that
//! an address is its own, and they tell what is there.

use covey_kernel::{
    Bounded, Domain, Hash, InvalidSignature, Keypair, NetworkId, Peer, PublicKey, Signature, record,
};

use crate::{
    limits::OUTPUT_PATH,
    output::{Outpoint, Salted, TxId},
    transaction::Body,
    vote::Vote,
};

/// What the owner of an address signs: a [`Claim`].
pub const CLAIM: Domain = Domain::new("covey/ledger/claim/v1");

record! {
    /// Asks for what there is at an address.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Claim {
        /// The address.
        pub address: PublicKey,
        /// Only outputs after this one, in the order of outpoints.
        pub after: Option<Outpoint>,
        /// By the address's key, over the validator's peer: it serves at no other.
        pub signature: Signature,
    }
}

impl Claim {
    /// Signs a claim for one validator.
    #[must_use]
    pub fn sign(
        owner: &Keypair,
        network: &NetworkId,
        validator: &Peer,
        after: Option<Outpoint>,
    ) -> Self {
        let signature = owner.sign(CLAIM, network, validator);
        Self { address: owner.public(), after, signature }
    }

    /// Whether the owner has signed it for this validator.
    pub fn verify(&self, network: &NetworkId, validator: &Peer) -> Result<(), InvalidSignature> {
        self.address.verify(CLAIM, network, validator, &self.signature)
    }
}

record! {
    /// An output at an address, as one validator knows it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Holding {
        /// The output.
        pub outpoint: Outpoint,
        /// The transaction that the validator has locked it for, if any.
        pub spent_by: Option<TxId>,
        /// What shows it, and the validator's vote; none of an output of the genesis, which
        /// everybody has.
        pub voted: Option<Voted>,
    }
}

record! {
    /// An output of a transaction that one validator has voted for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Voted {
        /// The transaction.
        pub body: Body,
        /// The output.
        pub salted: Salted,
        /// From the output up to the body's root.
        pub path: Bounded<Hash, OUTPUT_PATH>,
        /// In which epoch the vote was given.
        pub epoch: u64,
        /// The validator's vote for the transaction.
        pub vote: Vote,
    }
}
