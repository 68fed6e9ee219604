//! Which certificates there are: what a quorum has signed, and what can be shown as that.

use super::{Leak, Replacing, Rule, Stand, State, Tx, state::EPOCHS};
use crate::few::Few;

/// The certificates that can be shown to a validator, by epoch.
pub(super) struct Shown([Few<Tx>; EPOCHS]);

impl Shown {
    pub(super) fn within(&self, epoch: usize) -> Few<Tx> {
        self.0.get(epoch).copied().unwrap_or_default()
    }

    pub(super) fn before(&self, epoch: usize) -> Few<Tx> {
        self.0.iter().take(epoch).fold(Few::NONE, |all, some| all.and(*some))
    }

    pub(super) fn until(&self, epoch: usize) -> Few<Tx> {
        self.before(epoch).and(self.within(epoch))
    }
}

impl Replacing {
    /// Whether those members that sign are, with the liars, a quorum.
    fn quorum_of(&self, state: &State, epoch: usize, signs: impl Fn(&Stand) -> bool) -> bool {
        let honest = self.members(state, epoch).filter(signs).count();
        honest.saturating_add(self.liars) >= Self::quorum()
    }

    /// What a quorum of an epoch has signed.
    pub(super) fn certified_in(&self, state: &State, epoch: usize) -> Few<Tx> {
        self.signed.only(|tx| self.quorum_of(state, epoch, |stand| stand.locks.has(tx)))
    }

    /// What a quorum of an epoch before this one has signed.
    pub(super) fn certified_before(&self, state: &State, epoch: usize) -> Few<Tx> {
        (0..epoch).fold(Few::NONE, |all, earlier| all.and(self.certified_in(state, earlier)))
    }

    /// What is a certificate to a payee, in any epoch.
    pub(super) fn certified(&self, state: &State) -> Few<Tx> {
        let each = self.certified_before(state, EPOCHS);
        if self.without(Rule::OneEpoch) { each.and(self.mixed(state)) } else { each }
    }

    /// What has a quorum of votes of different validators, whatever their epochs.
    fn mixed(&self, state: &State) -> Few<Tx> {
        let signers = |tx: Tx| {
            let of_row = |who: usize| {
                let signed = state.row(who).filter(|stand| stand.locks.has(tx)).count();
                if who < self.continuing { signed.min(1) } else { signed }
            };
            (0..self.honest()).map(of_row).fold(self.liars, usize::saturating_add)
        };
        self.signed.only(|tx| signers(tx) >= Self::quorum())
    }

    /// What can be shown as a certificate to a validator.
    pub(super) fn shown(&self, state: &State) -> Shown {
        let mut shown = [Few::NONE; EPOCHS];
        for (epoch, certificates) in shown.iter_mut().enumerate() {
            *certificates = self.certified_in(state, epoch).and(self.forged(state, epoch));
            if self.without(Rule::OneEpoch) {
                *certificates = certificates.and(self.mixed(state));
            }
        }
        Shown(shown)
    }

    /// What can be signed with the keys that have leaked.
    fn forged(&self, state: &State, epoch: usize) -> Few<Tx> {
        let Some(leak) = self.leak else { return Few::NONE };
        let sealed = |stand: &Stand| stand.sealed.is_some();
        let leaked = match leak {
            Leak::Sealed => self.members(state, epoch).all(|stand| sealed(&stand)),
            Leak::Asleep => self.quorum_of(state, epoch, sealed),
        };
        let key = |stand: &Stand| leaked && (leak == Leak::Sealed) == sealed(stand);
        self.signed.only(|tx| {
            let signs = |stand: &Stand| key(stand) || stand.locks.has(tx);
            self.exists(state, tx) && self.quorum_of(state, epoch, signs)
        })
    }

    /// Whether its owner has signed it by now.
    pub(super) fn exists(&self, state: &State, tx: Tx) -> bool {
        let early = !self.late || tx.root() == Tx::T1;
        early || self.members(state, 1).all(|stand| stand.entries.is_some())
    }
}
