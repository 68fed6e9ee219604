//! What must stay possible with the liars silent: nobody who was paid is stuck.

use super::{Proof, Replacing, State, Tx, certificates::Shown};
use crate::{few::Few, replacing::Stand};

impl Replacing {
    /// What an honest payee has a right to in an epoch: anew what he holds a certificate of, and
    /// what spends it if nobody signed a rival.
    fn due(&self, state: &State, epoch: usize) -> Few<Tx> {
        let earlier = self.certified_before(state, epoch);
        let parents = earlier.and(self.certified_in(state, epoch));
        self.signed.only(|tx| {
            let alone = self.signed.within(tx.spenders()).count() == 1;
            earlier.has(tx) || (alone && tx.parent().is_some_and(|parent| parents.has(parent)))
        })
    }

    /// Whether no honest validator that votes refuses what is due.
    pub(super) fn accepted(&self, state: &State) -> bool {
        let shown = self.shown(state);
        (1..self.epochs).all(|epoch| {
            let due = self.due(state, epoch);
            (0..self.honest()).all(|who| {
                let votes = self.votes(state.stand(who, epoch));
                !votes || due.iter().all(|tx| self.ask(state, &shown, (who, epoch), tx).is_some())
            })
        })
    }

    /// A validator's stand when it is asked with each proof that there may be.
    fn ask(&self, state: &State, shown: &Shown, at: (usize, usize), tx: Tx) -> Option<Stand> {
        let stand = state.stand(at.0, at.1);
        if stand.locks.has(tx) {
            return Some(stand);
        }
        Proof::of(tx).iter().find_map(|proof| self.request(state, shown, at, (tx, *proof)))
    }

    /// Whether honest validators alone can get as far as the last epoch and certify there what is
    /// due.
    pub(super) fn progresses(&self, state: &State) -> bool {
        let Some(last) = self.epochs.checked_sub(1) else { return true };
        let due = self.due(state, last);
        let Some(mut end) = self.arrive(*state) else { return false };
        // A parent first: the certificate of the present epoch may be the only one there.
        for tx in due.iter() {
            let shown = self.shown(&end);
            for who in 0..self.honest() {
                let Some(stand) = self.ask(&end, &shown, (who, last), tx) else { return false };
                end = end.put((who, last), stand);
            }
        }
        self.honest() >= Self::quorum()
    }

    /// All seal and import, each from the others, epoch after epoch.
    fn arrive(&self, mut state: State) -> Option<State> {
        for epoch in 1..self.epochs {
            let before = epoch.checked_sub(1)?;
            for who in 0..self.honest() {
                if state.stand(who, before).sealed.is_none() {
                    state = state.put((who, before), self.seal(&state, (who, before))?);
                }
            }
            let sets = self.members(&state, before).filter_map(|stand| stand.sealed);
            let union = sets.fold(Few::NONE, Few::and);
            for who in 0..self.honest() {
                let stand = state.stand(who, epoch);
                if stand.entries.is_none() {
                    let own = self.own_sets(&state, (who, epoch));
                    let entries = Some(self.checked(union.and(own)));
                    state = state.put((who, epoch), Stand { entries, ..stand });
                }
            }
        }
        Some(state)
    }
}
