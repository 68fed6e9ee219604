//! Votes and certificates. A validator signs once for all transactions of a turn, over the root of a
//! Merkle tree of their ids; a vote is that signature with the way from one transaction to the root.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use covey_kernel::{
    Bounded, Domain, Hash, Hasher, Keypair, NetworkId, PublicKey, Signature, merkle, record,
    signing_bytes, verify_all,
};

use crate::{
    configuration::Configuration,
    limits::{BATCH, BATCH_PATH, KNOWN_BALLOTS, VALIDATORS},
    output::TxId,
    reason::Reason,
};

/// What a validator signs: a [`Ballot`].
pub const VOTE: Domain = Domain::new("covey/ledger/vote/v1");

record! {
    /// What a validator's voting key signs: all transactions that it has locked in one turn, in the
    /// order of their sequence numbers.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Ballot {
        /// In which epoch.
        pub epoch: u64,
        /// The sequence number of the first transaction; the others follow.
        pub first: u64,
        /// How many there are.
        pub count: u16,
        /// The root over their ids.
        pub root: Hash,
    }
}

/// The leaf of a transaction in a ballot's tree.
#[must_use]
pub fn leaf(tx: &TxId) -> Hash {
    merkle::leaf(tx.0.as_bytes())
}

impl Ballot {
    /// Over transactions with consecutive sequence numbers.
    #[must_use]
    pub fn over(epoch: u64, first: u64, transactions: &[TxId]) -> Self {
        let leaves: Vec<_> = transactions.iter().map(leaf).collect();
        let count = u16::try_from(leaves.len()).unwrap_or(u16::MAX);
        Self { epoch, first, count, root: merkle::root(&leaves) }
    }

    /// Signs it.
    #[must_use]
    pub fn sign(&self, key: &Keypair, network: &NetworkId) -> Signature {
        key.sign(VOTE, network, self)
    }

    /// What is to be verified for it to count as signed by this key.
    #[must_use]
    pub fn signed(&self, network: &NetworkId, key: PublicKey, signature: Signature) -> Signed {
        (key, signing_bytes(VOTE, network, self), signature)
    }
}

record! {
    /// A validator's consent to one transaction. The sequence number of the transaction is
    /// `first + index`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Vote {
        /// The ballot's first sequence number.
        pub first: u64,
        /// Transactions under the ballot.
        pub count: u16,
        /// Which of them this is.
        pub index: u16,
        /// From the transaction up to the ballot's root.
        pub path: Bounded<Hash, BATCH_PATH>,
        /// Over the ballot.
        pub signature: Signature,
    }
}

impl Vote {
    /// The votes for all transactions of a ballot, in order.
    #[must_use]
    pub fn all(first: u64, transactions: &[TxId], signature: Signature) -> Vec<Self> {
        let leaves: Vec<_> = transactions.iter().map(leaf).collect();
        let count = u16::try_from(leaves.len()).unwrap_or(u16::MAX);
        let paths = merkle::paths(&leaves).1.into_iter();
        let vote =
            |(index, path)| Self { first, count, index, path: Bounded::first(path), signature };
        (0u16..).zip(paths).map(vote).collect()
    }

    /// The vote for one of a ballot's transactions; `None` if there is no such.
    #[must_use]
    pub fn one(
        first: u64,
        transactions: &[TxId],
        index: u16,
        signature: Signature,
    ) -> Option<Self> {
        let leaves: Vec<_> = transactions.iter().map(leaf).collect();
        let count = u16::try_from(leaves.len()).unwrap_or(u16::MAX);
        let path = Bounded::first(merkle::path(&leaves, usize::from(index))?);
        Some(Self { first, count, index, path, signature })
    }

    /// The ballot that this is a vote of, if it is one for this transaction.
    pub fn ballot(&self, epoch: u64, tx: &TxId) -> Result<Ballot, Reason> {
        let Self { first, count, index, path, .. } = self;
        if usize::from(*count) > BATCH {
            return Err(Reason::VotePath);
        }
        let root = merkle::climb(usize::from(*count), usize::from(*index), leaf(tx), path);
        let root = root.ok_or(Reason::VotePath)?;
        Ok(Ballot { epoch, first: *first, count: *count, root })
    }

    /// The transaction's sequence number at the validator.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.first.saturating_add(u64::from(self.index))
    }

    /// What is to be verified for it to count as this key's.
    pub fn signed(
        &self,
        network: &NetworkId,
        epoch: u64,
        tx: &TxId,
        key: PublicKey,
    ) -> Result<Signed, Reason> {
        Ok(self.ballot(epoch, tx)?.signed(network, key, self.signature))
    }
}

/// A key, what it should have signed, and the signature.
pub type Signed = (PublicKey, Vec<u8>, Signature);

record! {
    /// A quorum of votes of one epoch for one transaction. It does not say for which: that stands
    /// beside it, and is checked with it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Certificate {
        /// Whose epoch.
        pub epoch: u64,
        /// Who signed: bit `i` is the member at place `i`.
        pub signers: u64,
        /// Their votes, in the order of their places.
        pub votes: Bounded<Vote, VALIDATORS>,
    }
}

impl Certificate {
    /// From votes by place; as many as needed of the lowest places. `None` if they are too few.
    #[must_use]
    pub fn of(epoch: u64, quorum: usize, votes: &[(u8, Vote)]) -> Option<Self> {
        let mut votes: Vec<_> = votes.iter().collect();
        votes.sort_unstable_by_key(|(place, _)| *place);
        votes.dedup_by_key(|(place, _)| *place);
        votes.truncate(quorum);
        if votes.len() < quorum {
            return None;
        }
        let mut signers = 0u64;
        for (place, _) in &votes {
            signers |= 1u64.checked_shl(u32::from(*place))?;
        }
        let votes = votes.into_iter().map(|(_, vote)| vote.clone()).collect();
        Some(Self { epoch, signers, votes: Bounded::new(votes).ok()? })
    }

    /// The places of those who signed.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        let signers = self.signers;
        (0..VALIDATORS).filter(move |place| {
            let bit = u32::try_from(*place).ok().and_then(|place| signers.checked_shr(place));
            bit.is_some_and(|bits| bits & 1 == 1)
        })
    }

    /// What is to be verified for it to prove that a quorum of this configuration signed. A bitmap
    /// names nobody twice, and exactly a quorum must have signed, so that there is one length.
    pub fn signed(
        &self,
        network: &NetworkId,
        tx: &TxId,
        configuration: &Configuration,
    ) -> Result<Vec<Signed>, Reason> {
        if self.epoch != configuration.epoch {
            return Err(Reason::CertificateEpoch);
        }
        let places: Vec<usize> = self.places().collect();
        if places.len() != self.votes.len() {
            return Err(Reason::CertificateSigners);
        }
        if places.len() != configuration.quorum() {
            return Err(Reason::CertificateVotes);
        }
        let mut all = Vec::with_capacity(places.len());
        for (place, vote) in places.into_iter().zip(self.votes.iter()) {
            let member = configuration.members.get(place).ok_or(Reason::CertificateSigners)?;
            all.push(vote.signed(network, self.epoch, tx, member.vote)?);
        }
        Ok(all)
    }
}

/// Ballots that were found correctly signed. A ballot stands in many votes, and in every
/// certificate of each transaction under it. Only an accelerator: it never changes an answer.
#[derive(Clone, Default)]
pub struct KnownBallots(Arc<Mutex<Generations>>);

/// The younger is filled; when it is full the older is forgotten.
#[derive(Default)]
struct Generations {
    young: HashSet<Hash>,
    old: HashSet<Hash>,
}

impl KnownBallots {
    fn name((key, message, signature): &Signed) -> Hash {
        Hasher::new("ballot")
            .field(key.as_bytes())
            .field(message)
            .field(signature.as_bytes())
            .finish()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Verifies those that are not known yet, all at once, each once; one answer each.
    #[must_use]
    pub fn verify(&self, items: &[Signed]) -> Vec<bool> {
        self.verify_with(items, &[]).0
    }

    /// The same, and in the same batch what is no ballot, and not remembered; one answer for each of
    /// both.
    #[must_use]
    pub fn verify_with(&self, items: &[Signed], others: &[Signed]) -> (Vec<bool>, Vec<bool>) {
        let names: Vec<Hash> = items.iter().map(Self::name).collect();
        let (unknown, mut batch) = self.unknown(&names, items);
        batch.extend_from_slice(others);
        let mut verdicts = verify_all(&batch).into_iter().map(|verdict| verdict.is_ok());
        let mut wrong = HashSet::new();
        let mut known = Vec::with_capacity(unknown.len());
        for (name, right) in unknown.into_iter().zip(verdicts.by_ref()) {
            if right {
                known.push(name);
            } else {
                wrong.insert(name);
            }
        }
        self.remember(known);
        (names.iter().map(|name| !wrong.contains(name)).collect(), verdicts.collect())
    }

    /// Those that are not known, each once.
    fn unknown(&self, names: &[Hash], items: &[Signed]) -> (Vec<Hash>, Vec<Signed>) {
        let known = self.lock();
        let mut seen = HashSet::new();
        let named = names.iter().zip(items);
        named
            .filter(|(name, _)| {
                !known.young.contains(*name) && !known.old.contains(*name) && seen.insert(**name)
            })
            .map(|(name, item)| (*name, item.clone()))
            .unzip()
    }

    /// Remembers an own ballot, which is right.
    pub fn know(&self, own: &Signed) {
        self.remember(vec![Self::name(own)]);
    }

    fn remember(&self, names: Vec<Hash>) {
        let mut known = self.lock();
        if known.young.len().saturating_add(names.len()) > KNOWN_BALLOTS {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.extend(names.into_iter().take(KNOWN_BALLOTS));
    }
}

impl fmt::Debug for KnownBallots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownBallots(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(seed: u8, first: u64) -> Signed {
        let key = Keypair::from_secret(&[seed; 32]);
        let network = NetworkId::open();
        let ballot = Ballot::over(0, first, &[]);
        ballot.signed(&network, key.public(), ballot.sign(&key, &network))
    }

    /// With the signature of another ballot.
    fn wrong(seed: u8, first: u64) -> Signed {
        let (key, message, _) = signed(seed, first);
        (key, message, signed(seed, 1_000).2)
    }

    #[test]
    fn each_of_a_batch_has_its_own_answer_whatever_is_known() {
        let known = KnownBallots::default();
        assert_eq!(known.verify(&[signed(1, 0), wrong(2, 0)]), [true, false]);
        let votes = [signed(2, 1), signed(1, 0), wrong(1, 1), signed(2, 1), wrong(2, 0)];
        let others = [signed(3, 0), wrong(3, 1), signed(3, 2)];
        let answers = known.verify_with(&votes, &others);
        assert_eq!(answers, (vec![true, true, false, true, false], vec![true, false, true]));
    }

    #[test]
    fn an_own_ballot_is_not_verified() {
        let known = KnownBallots::default();
        known.know(&wrong(1, 0));
        assert_eq!(known.verify(&[wrong(1, 0), wrong(1, 2)]), [true, false]);
    }
}
