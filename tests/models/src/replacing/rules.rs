//! What an honest validator does: rules 2 to 4 of `Replacing validators`.

use super::{Proof, Replacing, Rule, Stand, State, Tx, certificates::Shown};
use crate::few::Few;

impl Replacing {
    /// Whether a validator answers requests in an epoch.
    pub(super) fn votes(&self, stand: Stand) -> bool {
        stand.entries.is_some() && (stand.sealed.is_none() || self.without(Rule::SealStops))
    }

    /// The validator's stand after a request; none if it refuses, or has locked it already.
    pub(super) fn request(
        &self,
        state: &State,
        shown: &Shown,
        (who, epoch): (usize, usize),
        (tx, proof): (Tx, Proof),
    ) -> Option<Stand> {
        let stand = state.stand(who, epoch);
        let entries = stand.entries.filter(|_| self.votes(stand))?;
        let locks = stand.locks.and(self.kept_locks(state, (who, epoch)));
        let earlier = shown.before(epoch);
        if stand.locks.has(tx)
            || !self.exists(state, tx)
            || !free(locks, tx)
            || !self.may_sign(entries, tx, earlier)
        {
            return None;
        }
        let parent = tx.parent().unwrap_or(tx);
        let proven = match proof {
            Proof::Genesis => Few::NONE,
            Proof::Present => shown.within(epoch).has(parent).then_some(Few::NONE)?,
            Proof::Earlier => self.accept_earlier(entries, locks, parent, earlier)?,
        };
        Some(Stand { locks: stand.locks.and(proven).with(tx), ..stand })
    }

    /// Rule 4: what is locked, if a certificate of an earlier epoch proves an input.
    fn accept_earlier(
        &self,
        entries: Few<Tx>,
        locks: Few<Tx>,
        parent: Tx,
        earlier: Few<Tx>,
    ) -> Option<Few<Tx>> {
        let listed = entries.has(parent) || self.without(Rule::InImportedSet);
        if !listed || !earlier.has(parent) {
            return None;
        }
        if self.without(Rule::LocksOwnInputs) {
            return Some(Few::NONE);
        }
        free(locks, parent).then_some(Few::of(&[parent]))
    }

    /// Rule 3: what the imported entries of an outpoint allow, if these certificates of earlier
    /// epochs can be shown.
    fn may_sign(&self, entries: Few<Tx>, tx: Tx, earlier: Few<Tx>) -> bool {
        let found = entries.within(tx.spenders());
        let listed = found.has(tx) || self.without(Rule::InImportedSet);
        let thawed = listed && earlier.has(tx) && !self.without(Rule::Thaws);
        match found.count() {
            0 => true,
            1 => found.has(tx) || thawed || self.without(Rule::OnlyThatOne),
            _ => thawed || (found.has(tx) && self.without(Rule::Freezes)),
        }
    }

    /// A continuing validator's locks of earlier epochs, if it wrongly keeps them as locks.
    fn kept_locks(&self, state: &State, (who, epoch): (usize, usize)) -> Few<Tx> {
        if who >= self.continuing || !self.without(Rule::EntriesNotLocks) {
            return Few::NONE;
        }
        state.row(who).take(epoch).fold(Few::NONE, |locks, stand| locks.and(stand.locks))
    }

    /// The validator's stand after it has sealed an epoch. The certificate of the next configuration
    /// may be there at any time.
    pub(super) fn seal(&self, state: &State, (who, epoch): (usize, usize)) -> Option<Stand> {
        let stand = state.stand(who, epoch);
        let imported = stand.entries.is_some() || self.without(Rule::ImportBeforeSeal);
        if stand.sealed.is_some() || !imported {
            return None;
        }
        let own = self.own_sets(state, (who, epoch));
        let set = if self.without(Rule::Cumulative) { stand.locks } else { stand.known().and(own) };
        Some(Stand { sealed: Some(set), ..stand })
    }

    /// What a continuing validator knows from its own earlier epochs.
    pub(super) fn own_sets(&self, state: &State, (who, epoch): (usize, usize)) -> Few<Tx> {
        if who >= self.continuing || self.without(Rule::OwnSets) {
            return Few::NONE;
        }
        state.row(who).take(epoch).fold(Few::NONE, |known, stand| known.and(stand.known()))
    }

    /// Every set of entries that a validator can get by importing lock sets of the epoch before.
    pub(super) fn imports(
        &self,
        state: &State,
        shown: &Shown,
        (who, epoch): (usize, usize),
    ) -> Vec<Few<Tx>> {
        let mut found = Vec::new();
        let Some(before) = epoch.checked_sub(1) else { return found };
        let unsealed = who < self.continuing && state.stand(who, before).sealed.is_none();
        if state.stand(who, epoch).entries.is_some()
            || (unsealed && !self.without(Rule::OwnSealFirst))
        {
            return found;
        }
        let own = self.own_sets(state, (who, epoch));
        let liars = self.liars_entries(state, shown, before);
        for honest in self.unions(state, before) {
            for lies in liars.subsets() {
                found.push(self.checked(honest.and(lies).and(own)));
            }
        }
        if self.without(Rule::Import) {
            found.push(Few::NONE);
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The unions of honest lock sets that are, with those of the liars, a quorum or more.
    fn unions(&self, state: &State, epoch: usize) -> Vec<Few<Tx>> {
        let fewer = usize::from(self.without(Rule::QuorumOfSets));
        let quorum = Self::quorum().saturating_sub(fewer);
        let mut unions = vec![(Few::NONE, self.liars)];
        for set in self.members(state, epoch).filter_map(|stand| stand.sealed) {
            let more: Vec<_> = unions
                .iter()
                .map(|(union, sets)| (union.and(set), sets.saturating_add(1)))
                .collect();
            unions.extend(more);
        }
        unions.into_iter().filter(|(_, sets)| *sets >= quorum).map(|(union, _)| union).collect()
    }

    /// The entries that a liar can put into its set: those that owners have signed and whose inputs
    /// can be proven.
    fn liars_entries(&self, state: &State, shown: &Shown, epoch: usize) -> Few<Tx> {
        let proven = shown.until(epoch);
        self.signed.only(|tx| {
            self.exists(state, tx) && tx.parent().is_none_or(|parent| proven.has(parent))
        })
    }

    /// The entries of a union that pass: the certificate that proves an input counts only if its
    /// transaction is in the union too, wherever.
    pub(super) fn checked(&self, union: Few<Tx>) -> Few<Tx> {
        let in_order = self.without(Rule::InAnyOrder);
        // Else the worst order, in which each comes before what it spends.
        union.only(|tx| tx.parent().is_none_or(|parent| union.has(parent) && !in_order))
    }
}

/// Whether nothing else holds a lock on what this spends.
fn free(locks: Few<Tx>, tx: Tx) -> bool {
    locks.within(tx.spenders()).iter().all(|holder| holder == tx)
}
