//! Which votes are waited for, so that the check can verify those of a turn together. Only an
//! accelerator: what a vote is worth is decided later, and by the same rule.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use covey_kernel::AskId;

use crate::{
    chain::Network,
    output::TxId,
    vote::{Signed, Vote},
};

/// Which votes are waited for, by one wallet.
#[derive(Clone, Default)]
pub struct Expected(Arc<Mutex<Votes>>);

#[derive(Default)]
struct Votes {
    /// The transaction, the epoch and the place of the member that is asked.
    asked: HashMap<AskId, (TxId, u64, u8)>,
    /// Payments that are not final yet.
    flying: HashSet<TxId>,
}

impl Expected {
    fn lock(&self) -> MutexGuard<'_, Votes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is waited for in a new life.
    pub(super) fn clear(&self) {
        *self.lock() = Votes::default();
    }

    pub(super) fn ask(&self, ask: AskId, vote: (TxId, u64, u8)) {
        let mut votes = self.lock();
        votes.flying.insert(vote.0);
        votes.asked.insert(ask, vote);
    }

    pub(super) fn answered(&self, ask: AskId) {
        self.lock().asked.remove(&ask);
    }

    pub(super) fn landed(&self, tx: &TxId) {
        self.lock().flying.remove(tx);
    }

    /// Which vote is waited for: of which transaction, in which epoch, of the member at which place.
    fn vote(&self, ask: AskId) -> Option<(TxId, u64, u8)> {
        let votes = self.lock();
        votes.asked.get(&ask).filter(|(tx, ..)| votes.flying.contains(tx)).copied()
    }

    /// What an answer has signed if it is the vote that is waited for.
    pub(super) fn signed(&self, network: &Network, ask: AskId, vote: &Vote) -> Option<Signed> {
        let (tx, epoch, place) = self.vote(ask)?;
        let member = network.configuration(epoch)?.members.get(usize::from(place))?;
        vote.signed(&network.id, epoch, &tx, member.vote).ok()
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expected(..)")
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Hash;

    use super::*;

    #[test]
    fn only_votes_that_are_waited_for_are_known() {
        let expected = Expected::default();
        let (first, second) = (TxId(Hash::of(b"first")), TxId(Hash::of(b"second")));
        for (ask, tx) in [(0, first), (2, first), (4, second)] {
            expected.ask(AskId(ask), (tx, 7, 3));
        }
        assert_eq!(expected.vote(AskId(2)), Some((first, 7, 3)));
        assert_eq!(expected.vote(AskId(6)), None);
        expected.answered(AskId(2));
        assert_eq!(expected.vote(AskId(2)), None);
        // Who answers after a payment has become final is not listened to.
        expected.landed(&first);
        assert_eq!(expected.vote(AskId(0)), None);
        assert_eq!(expected.vote(AskId(4)), Some((second, 7, 3)));
        expected.clear();
        assert_eq!(expected.vote(AskId(4)), None);
    }
}
