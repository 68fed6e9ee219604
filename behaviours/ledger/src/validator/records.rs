//! What lies in a validator's store.

use covey_kernel::{Bounded, Bytes, Fault, Signature, Store, View, cbor, record};
use serde::{Serialize, de::DeserializeOwned};

use super::layout;
use crate::{
    evidence::Evidence,
    limits::BATCH,
    output::{Outpoint, TxId},
    spend::Spend,
    transaction::Witnesses,
};

record! {
    /// What the validator knows of itself.
    #[derive(Clone, Debug)]
    pub(super) struct Me {
        /// How often it was started on this store.
        pub starts: u64,
        /// The epoch that it votes in.
        pub epoch: u64,
        /// The secret of that epoch's voting key.
        pub secret: Bytes<32>,
    }
}

record! {
    /// Which transaction an output is locked for, and under which ballot.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(super) struct Lock {
        /// The transaction.
        pub tx: TxId,
        /// The ballot's first sequence number.
        pub first: u64,
        /// The transaction's place in the ballot.
        pub index: u16,
    }
}

record! {
    /// A transaction that was locked: all that was shown of it, so that others can judge it again.
    #[derive(Clone, Debug)]
    pub(super) struct Entry {
        /// The epoch in which it was locked last.
        pub epoch: u64,
        /// The ballot's first sequence number.
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
