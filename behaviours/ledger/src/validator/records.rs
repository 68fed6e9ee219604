//! What lies in a validator's store.

use covey_kernel::{
    Bounded, Bytes, Fault, Keypair, Signature, Store, View, cbor, merkle::Builder, record,
};
use serde::{Serialize, de::DeserializeOwned};

use super::layout;
use crate::{
    evidence::Evidence,
    limits::{BATCH, INPUTS},
    output::{Outpoint, TxId},
    proof::Proof,
    reconfigure::Candidacy,
    seal::Seal,
    spend::Spend,
    transaction::Witnesses,
};

record! {
    /// What the validator knows of itself.
    #[derive(Clone, Debug)]
    pub(super) struct Me {
        /// How often it was started on this store.
        pub starts: u64,
        /// Whether it has sealed an epoch.
        pub sealed: bool,
        /// The epoch of which it is a member and that it has not sealed, if there is one.
        pub term: Option<Term>,
    }
}

record! {
    /// An epoch with the voting key for it.
    #[derive(Clone, Debug)]
    pub(super) struct Term {
        /// The epoch.
        pub epoch: u64,
        /// The secret of its voting key.
        pub secret: Bytes<32>,
    }
}

record! {
    /// A proposal for the next configuration.
    #[derive(Clone, Debug)]
    pub(super) struct Kept {
        /// What is known of it.
        pub candidacy: Candidacy,
        /// Whether the operator has approved of it.
        pub approved: bool,
    }
}

record! {
    /// What an entry spends.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Facts {
        /// The inputs.
        pub inputs: Bounded<Outpoint, INPUTS>,
        /// Bit `i` is set if the input at `i` is proven by a certificate.
        pub paid: u64,
        /// The newest epoch of these certificates.
        pub epochs: u64,
    }
}

record! {
    /// Who has a transaction in a lock set that is taken over.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Listed {
        /// Members of the epoch before: bit `i` is the one at place `i`.
        pub by: u64,
        /// Whether it is in the own list.
        pub own: bool,
    }
}

record! {
    /// How far the lock set of a member of the last epoch, or the own list, is taken over.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub(super) struct Source {
        /// What it has sealed, if it has.
        pub seal: Option<Seal>,
        /// The tree over what it has listed so far.
        pub listed: Builder,
        /// Entries that it has listed and not shown.
        pub wanted: u64,
        /// Whether it has lied.
        pub lied: bool,
        /// Whether it had no more to list when it was asked last.
        pub ended: bool,
    }
}

record! {
    /// That an epoch's import is complete.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Imported {
        /// Of which members' lock sets it is the union: bit `i` is the one at place `i`.
        pub places: u64,
    }
}

record! {
    /// Which transaction an output is locked for, and under which ballot.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Lock {
        /// The transaction.
        pub tx: TxId,
        /// The ballot's first sequence number; [`UNSIGNED`] if it is locked without a vote.
        pub first: u64,
        /// The transaction's place in the ballot.
        pub index: u16,
    }
}

/// Stands for a ballot where there is none: of an entry that was taken over, and of a lock that
/// another transaction's proof has made.
pub(super) const UNSIGNED: u64 = u64::MAX;

record! {
    /// A transaction that was locked: all that was shown of it, so that others can judge it again.
    #[derive(Clone, Debug)]
    pub(super) struct Entry {
        /// The epoch in which it was voted for last.
        pub epoch: u64,
        /// The ballot's first sequence number; [`UNSIGNED`] if it was never voted for here.
        pub first: u64,
        /// Its place in the ballot.
        pub index: u16,
        /// The request.
        pub spend: Spend,
    }
}

record! {
    /// What was signed in one turn.
    #[derive(Clone, Debug)]
    pub(super) struct Signed {
        /// The transactions, in order.
        pub transactions: Bounded<TxId, BATCH>,
        /// The epoch.
        pub epoch: u64,
        /// Over the ballot.
        pub signature: Signature,
    }
}

record! {
    /// An attempt to spend an output twice.
    #[derive(Clone, Debug)]
    pub(super) struct DoubleSpend {
        /// What was locked.
        pub first: Evidence,
        /// What was refused.
        pub second: crate::transaction::Body,
        /// Its owners' signatures; at least one is right.
        pub witnesses: Witnesses,
    }
}

pub(super) fn read<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<Option<T>, Fault> {
    store.get(key)?.map(|bytes| cbor::decode_stored(&bytes)).transpose()
}

/// What must be there.
pub(super) fn must<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<T, Fault> {
    read(store, key)?.ok_or_else(|| Fault::Corrupt("a record is missing".into()))
}

pub(super) fn write<T: Serialize>(view: &mut View<'_>, key: Vec<u8>, value: &T) {
    view.put(key, cbor::encode(value));
}

/// The lock of an output in an epoch.
pub(super) fn lock(
    store: &dyn Store,
    epoch: u64,
    outpoint: &Outpoint,
) -> Result<Option<Lock>, Fault> {
    read(store, &layout::lock(epoch, outpoint))
}

impl Term {
    pub(super) fn new(epoch: u64, key: &Keypair) -> Self {
        Self { epoch, secret: Bytes::new(key.secret().to_vec()).unwrap_or_default() }
    }

    pub(super) fn key(&self) -> Result<Keypair, Fault> {
        let secret = <[u8; 32]>::try_from(&*self.secret);
        let secret = secret.map_err(|_| Fault::Corrupt("a voting key".into()))?;
        Ok(Keypair::from_secret(&secret))
    }
}

impl Lock {
    /// Whether it came with a vote.
    pub(super) fn is_signed(&self) -> bool {
        self.first != UNSIGNED
    }
}

impl Listed {
    /// Whether it is in the union of the lock sets of members at these places, and the own one.
    pub(super) fn is_in(self, places: u64) -> bool {
        self.own || self.by & places != 0
    }
}

impl Facts {
    pub(super) fn of(spend: &Spend) -> Self {
        let paid =
            spend.proofs.iter().zip(0u32..).filter(|(proof, _)| matches!(proof, Proof::Paid(_)));
        let paid = paid.filter_map(|(_, at)| 1u64.checked_shl(at)).fold(0, |all, bit| all | bit);
        let epochs = spend.proofs.iter().map(Proof::epoch).max().unwrap_or_default();
        Self { inputs: spend.body.inputs.clone(), paid, epochs }
    }

    /// The transactions whose certificates prove inputs.
    pub(super) fn parents(&self) -> impl Iterator<Item = TxId> + '_ {
        let inputs = self.inputs.iter().zip(0u32..);
        inputs
            .filter(|(_, at)| self.paid.checked_shr(*at).is_some_and(|bits| bits & 1 == 1))
            .map(|(outpoint, _)| outpoint.tx)
    }
}
