//! Sentences of the design, to be left out one at a time.

/// A sentence of `Replacing validators`, by its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// 2: a validator stops voting in an epoch before it serves its lock set of it.
    SealStops,
    /// 2: it has itself finished the import for an epoch when it seals that.
    ImportBeforeSeal,
    /// 2: its lock set holds what it imported, not only its own locks.
    Cumulative,
    /// 3: it votes only after an import.
    Import,
    /// 3: the import is of q lock sets, not fewer.
    QuorumOfSets,
    /// 3: the only transaction of an outpoint is the only one that may be signed.
    OnlyThatOne,
    /// 3: several transactions of an outpoint freeze it.
    Freezes,
    /// 3: until a certificate of an earlier epoch is shown.
    Thaws,
    /// 3: old certificates in entries are checked against the whole union, in any order.
    InAnyOrder,
    /// 3: own locks of earlier epochs are entries, not locks.
    EntriesNotLocks,
    /// 3: own lock sets of earlier epochs are merged.
    OwnSets,
    /// Between the lines: a continuing validator imports for the next epoch when it has sealed
    /// this one.
    OwnSealFirst,
    /// 4: a certificate of an earlier epoch counts only if its transaction is in the imported set.
    InImportedSet,
    /// 4: accepting it locks that transaction's own inputs to it.
    LocksOwnInputs,
    /// Votes of different epochs are not combined in one certificate.
    OneEpoch,
}

/// Vote keys that others come to hold once lock sets of their epoch are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    /// Of validators that have sealed, when all have: rule 2 has them erase the key.
    Sealed,
    /// Of validators that have not, when a quorum has: they were asleep, and still have the key.
    Asleep,
}
