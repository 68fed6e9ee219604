//! Where things lie in a validator's store.

use covey_kernel::{Hash, PublicKey};

use crate::output::{Outpoint, TxId};

/// What the validator knows of itself.
pub(super) const ME: &[u8] = &[0x01];
/// Voting keys that were made for epochs that are still to be entered.
pub(super) const NEXT: &[u8] = &[0x02];
/// The certified configurations.
pub(super) const LINKS: &[u8] = &[0x03];
/// Proposals for the next configuration.
pub(super) const CANDIDACIES: &[u8] = &[0x04];
/// All entries.
pub(super) const ENTRIES: &[u8] = &[0x11];
/// All ballots.
pub(super) const BALLOTS: &[u8] = &[0x12];
/// All evidence of double-spends.
pub(super) const EVIDENCE: &[u8] = &[0x15];
/// The own list: all that was ever locked or taken over.
pub(super) const LOG: &[u8] = &[0x16];
/// The tree over the own list.
pub(super) const LOGGED: &[u8] = &[0x17];
/// What is of use only to who is in an epoch, or imports for it; ascending, with the epoch behind it:
/// locks, what was listed, what that spends, sources, what is wanted of them, that it is complete, what
/// is still to be looked at.
pub(super) const OF_ONE_EPOCH: [u8; 7] = [0x10, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f];
/// Stands for a place where a validator takes over its own list.
pub(super) const OWN: u8 = u8::MAX;

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

pub(super) fn of_epoch(tag: u8, epoch: u64, rest: &[u8]) -> Vec<u8> {
    [&[tag], epoch.to_be_bytes().as_slice(), rest].concat()
}

/// The voting key that was made for an epoch.
pub(super) fn next(epoch: u64) -> Vec<u8> {
    of_epoch(0x02, epoch, &[])
}

/// The certified configuration of an epoch.
pub(super) fn link(epoch: u64) -> Vec<u8> {
    crate::chain::link_key(LINKS, epoch)
}

/// A proposal for the next configuration.
pub(super) fn candidacy(id: &Hash) -> Vec<u8> {
    [CANDIDACIES, id.as_bytes()].concat()
}

/// Which configuration this validator has voted for to follow an epoch.
pub(super) fn successor(epoch: u64) -> Vec<u8> {
    of_epoch(0x05, epoch, &[])
}

/// The transaction at a place of the own list. It goes on over epochs: the lock set of each is the
/// beginning of it up to where it was sealed.
pub(super) fn log(at: u64) -> Vec<u8> {
    [LOG, at.to_be_bytes().as_slice()].concat()
}

/// The own seal of an epoch.
pub(super) fn seal(epoch: u64) -> Vec<u8> {
    of_epoch(0x18, epoch, &[])
}

/// What an entry spends.
pub(super) fn facts(tx: &TxId) -> Vec<u8> {
    [&[0x19], tx.0.as_bytes().as_slice()].concat()
}

/// Who has a transaction in a lock set that is taken over for an epoch.
pub(super) fn listed(epoch: u64, tx: &TxId) -> Vec<u8> {
    of_epoch(0x1a, epoch, tx.0.as_bytes())
}

/// All that was listed for an epoch and spends an outpoint.
pub(super) fn spenders(epoch: u64, outpoint: &Outpoint) -> Vec<u8> {
    of_epoch(0x1b, epoch, &outpoint.key())
}

/// That a transaction that was listed for an epoch spends an outpoint.
pub(super) fn spender(epoch: u64, outpoint: &Outpoint, tx: &TxId) -> Vec<u8> {
    [spenders(epoch, outpoint).as_slice(), tx.0.as_bytes()].concat()
}

/// How far the lock set of a member of the epoch before is taken over.
pub(super) fn source(epoch: u64, place: u8) -> Vec<u8> {
    of_epoch(0x1c, epoch, &[place])
}

/// All entries that a member of the epoch before has listed and not shown.
pub(super) fn all_wanted(epoch: u64, place: u8) -> Vec<u8> {
    of_epoch(0x1d, epoch, &[place])
}

/// An entry that a member of the epoch before has listed and not shown.
pub(super) fn wanted(epoch: u64, place: u8, tx: &TxId) -> Vec<u8> {
    [all_wanted(epoch, place).as_slice(), tx.0.as_bytes()].concat()
}

/// That an epoch's import is complete.
pub(super) fn imported(epoch: u64) -> Vec<u8> {
    of_epoch(0x1e, epoch, &[])
}

/// All that is to be looked at when the union for an epoch is gone through.
pub(super) fn all_loose(epoch: u64) -> Vec<u8> {
    of_epoch(0x1f, epoch, &[])
}

/// That a transaction is to be looked at when the union for an epoch is gone through.
pub(super) fn loose(epoch: u64, tx: &TxId) -> Vec<u8> {
    of_epoch(0x1f, epoch, tx.0.as_bytes())
}

/// The transaction in the last part of a key.
pub(super) fn last_tx(key: &[u8]) -> Option<TxId> {
    let (_, tx) = key.split_last_chunk::<32>()?;
    Some(TxId(Hash::from_bytes(*tx)))
}

/// The first sequence number in a ballot's key.
pub(super) fn sequence(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(1..9)?.try_into().ok()?))
}
