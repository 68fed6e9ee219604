//! What a validator hands over at the end of an epoch: the signed list of all transactions that it has
//! ever locked or taken over.

use covey_kernel::{
    Bounded, Domain, Hash, InvalidSignature, Keypair, NetworkId, PublicKey, Signature, record,
};

use crate::{limits::LOG_PAGE, output::TxId, vote::Certificate};

/// What a validator signs last with the voting key of an epoch: a [`LockSet`].
pub const SEAL: Domain = Domain::new("covey/ledger/seal/v1");

record! {
    /// A validator's lock set at the end of an epoch, as a list in the order in which it grew: first
    /// what it took over from the epoch before, then its own locks.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LockSet {
        /// The epoch that it has ended for itself.
        pub epoch: u64,
        /// Transactions.
        pub count: u64,
        /// The root over their ids.
        pub root: Hash,
    }
}

record! {
    /// That a validator votes no more in an epoch, and what it has locked.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Seal {
        /// What.
        pub set: LockSet,
        /// By its voting key of the epoch.
        pub signature: Signature,
    }
}

impl Seal {
    /// Signs a lock set.
    #[must_use]
    pub fn sign(key: &Keypair, network: &NetworkId, set: LockSet) -> Self {
        Self { set, signature: key.sign(SEAL, network, &set) }
    }

    /// Whether it is of this voting key.
    pub fn verify(&self, network: &NetworkId, key: &PublicKey) -> Result<(), InvalidSignature> {
        key.verify(SEAL, network, &self.set, &self.signature)
    }
}

record! {
    /// Asks for a part of a lock set.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct LogFrom {
        /// Of which epoch.
        pub epoch: u64,
        /// From which place in the list on.
        pub from: u64,
    }
}

record! {
    /// A part of a lock set.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LogPage {
        /// The seal, if the validator has sealed. Before that the list still grows.
        pub seal: Option<Seal>,
        /// The ids from the place that was asked for.
        pub ids: Bounded<TxId, LOG_PAGE>,
    }
}

record! {
    /// Asks the validators of the present epoch to vote for what those of an earlier one have
    /// certified.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Refresh {
        /// The transaction.
        pub tx: TxId,
        /// The certificate.
        pub certificate: Certificate,
    }
}
