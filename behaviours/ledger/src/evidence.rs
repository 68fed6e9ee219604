//! What proves that an owner has signed two transactions that spend one output.

use covey_kernel::{NetworkId, record, verify_all};

use crate::{
    output::{Outpoint, TxId},
    transaction::{Body, Witnesses},
    vote::Vote,
};

record! {
    /// A transaction that its owners have signed, without its outputs. Next to another one that spends
    /// the same output and bears the same owner's signature, it is evidence of a double-spend, which
    /// anyone can check.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Evidence {
        /// Which output both spend.
        pub outpoint: Outpoint,
        /// The transaction that was first.
        pub body: Body,
        /// Its owners' signatures.
        pub witnesses: Witnesses,
    }
}

record! {
    /// Why a validator does not vote: an output is locked for another transaction. With the votes of a
    /// quorum the owner knows that the other one is final.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Conflict {
        /// The other transaction, and that an owner has signed both.
        pub evidence: Evidence,
        /// The validator's vote for it. There is none of what it locked without one, and none yet of
        /// what it locked in the very turn of its answer.
        pub vote: Option<Vote>,
    }
}

/// Why evidence shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEvidence {
    /// Both are one transaction.
    #[error("both are the same transaction")]
    Same,
    /// One of them does not spend it.
    #[error("one of the two does not spend the output")]
    NotSpent,
    /// No owner has signed both.
    #[error("no owner has signed both")]
    NotSigned,
}

impl Evidence {
    /// The transaction's id.
    #[must_use]
    pub fn tx(&self, network: &NetworkId) -> TxId {
        self.body.id(network)
    }

    /// Whether one owner has signed this transaction and another, which both spend the output.
    pub fn check(
        &self,
        network: &NetworkId,
        other: &Body,
        witnesses: &Witnesses,
    ) -> Result<(), NoEvidence> {
        if self.body == *other {
            return Err(NoEvidence::Same);
        }
        if ![&self.body, other].iter().all(|body| body.inputs.contains(&self.outpoint)) {
            return Err(NoEvidence::NotSpent);
        }
        let (mine, theirs) = (self.body.signing_bytes(network), other.signing_bytes(network));
        let both = self.witnesses.iter().any(|first| {
            let second = witnesses.iter().find(|second| second.address == first.address);
            second.is_some_and(|second| {
                verify_all(&[first.signed(&mine), second.signed(&theirs)]).iter().all(Result::is_ok)
            })
        });
        if both { Ok(()) } else { Err(NoEvidence::NotSigned) }
    }
}
