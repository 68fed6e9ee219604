//! Where things lie in a validator's store.

use covey_kernel::PublicKey;

use crate::output::{Outpoint, TxId};

/// What the validator knows of itself.
pub(super) const ME: &[u8] = &[0x01];
/// All entries.
pub(super) const ENTRIES: &[u8] = &[0x11];
/// All ballots.
pub(super) const BALLOTS: &[u8] = &[0x12];
/// All evidence of double-spends.
pub(super) const EVIDENCE: &[u8] = &[0x15];

/// The lock of an output in an epoch. Locks of an earlier epoch are not found: they are none.
pub(super) fn lock(epoch: u64, outpoint: &Outpoint) -> Vec<u8> {
    [&[0x10], epoch.to_be_bytes().as_slice(), &outpoint.key()].concat()
}

/// A transaction that was locked.
pub(super) fn entry(tx: &TxId) -> Vec<u8> {
    [ENTRIES, tx.0.as_bytes()].concat()
}

/// The ballot whose first sequence number is this.
pub(super) fn ballot(first: u64) -> Vec<u8> {
    [BALLOTS, first.to_be_bytes().as_slice()].concat()
}

/// How far another validator had come, by its voting key.
pub(super) fn height(vote: &PublicKey) -> Vec<u8> {
    [&[0x13], vote.as_bytes().as_slice()].concat()
}

/// All outputs at an address.
pub(super) fn owned_by(address: &PublicKey) -> Vec<u8> {
    [&[0x14], address.as_bytes().as_slice()].concat()
}

/// An output at an address.
pub(super) fn owned(address: &PublicKey, outpoint: &Outpoint) -> Vec<u8> {
    [owned_by(address).as_slice(), &outpoint.key()].concat()
}

/// Evidence that an output's owner has signed two transactions.
pub(super) fn evidence(outpoint: &Outpoint) -> Vec<u8> {
    [EVIDENCE, outpoint.key().as_slice()].concat()
}

/// The first sequence number in a ballot's key.
pub(super) fn sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?))
}
