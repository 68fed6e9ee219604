//! What earlier epochs have left: which transaction may be signed for an output that was spent before,
//! and what a certificate of an earlier epoch is worth.

use covey_kernel::{Fault, RequestId, Scan, Store};

use super::{
    Cx, Delta, Validator, layout,
    records::{self, Entry, Listed, Lock, UNSIGNED},
};
use crate::{
    error::Error,
    limits::SPENDERS,
    output::{Outpoint, TxId},
    proof::Proof,
    reason::Reason,
    seal::Refresh,
    spend::Spend,
    wire::NotReady,
};

/// What earlier epochs say of one output.
pub(super) enum Before {
    /// Nobody has spent it, or only this transaction.
    Free,
    /// Only this other one.
    Spent(TxId),
    /// Several have.
    Frozen,
}

impl Validator {
    /// The places of those whose lock sets were taken over at the beginning of this epoch.
    fn taken_over(&self) -> u64 {
        self.memory.term.as_ref().and_then(|term| term.imported).unwrap_or_default()
    }

    /// Whether a transaction is in the imported set.
    pub(super) fn is_imported(&self, store: &dyn Store, tx: &TxId) -> Result<bool, Fault> {
        let places = self.taken_over();
        if places == 0 {
            return Ok(false);
        }
        let key = layout::listed(self.memory.epoch(), tx);
        let listed = records::read::<Listed>(store, &key)?.unwrap_or_default();
        Ok(listed.is_in(places))
    }

    /// What the imported set says of an output that a transaction is to spend.
    pub(super) fn before(
        &self,
        store: &dyn Store,
        outpoint: &Outpoint,
        tx: &TxId,
    ) -> Result<Before, Fault> {
        if self.taken_over() == 0 {
            return Ok(Before::Free);
        }
        let mut others = Vec::new();
        let mut seen = 0usize;
        let mut scan = Scan::prefix(&layout::spenders(self.memory.epoch(), outpoint));
        while others.len() < 2 {
            let page = store.scan(&scan)?;
            let Some((last, _)) = page.last() else { break };
            scan = scan.after(last);
            seen = seen.saturating_add(page.len());
            if seen > SPENDERS {
                return Ok(Before::Frozen);
            }
            for (key, _) in page {
                let spender = layout::last_tx(&key);
                let spender = spender.ok_or_else(|| Fault::Corrupt("a spender".into()))?;
                if spender != *tx && self.is_imported(store, &spender)? {
                    others.push(spender);
                }
            }
        }
        Ok(match (others.as_slice(), self.is_imported(store, tx)?) {
            ([], _) => Before::Free,
            ([one], false) => Before::Spent(*one),
            _ => Before::Frozen,
        })
    }

    /// The certificates of earlier epochs that prove a transaction's inputs: each counts only if its
    /// transaction is in the imported set, and accepting it locks that transaction's own inputs to it.
    /// Those locks are returned, to be written if all else is right.
    pub(super) fn earlier_locks(
        &self,
        store: &dyn Store,
        spend: &Spend,
    ) -> Result<Vec<(Outpoint, Lock)>, Error> {
        let epoch = self.memory.epoch();
        let mut locks = Vec::new();
        for proof in spend.proofs.iter() {
            let Proof::Paid(paid) = proof else { continue };
            if paid.certificate.epoch > epoch {
                // This validator is about to seal: its epoch is over.
                return Err(Error::NotReady(NotReady::Sealed(())));
            }
            if paid.certificate.epoch == epoch {
                continue;
            }
            let parent = paid.body.id(&self.rules.network.id);
            if !self.is_imported(store, &parent)? {
                return Err(Reason::NotImported.into());
            }
            let lock = Lock { tx: parent, first: UNSIGNED, index: 0 };
            for outpoint in paid.body.inputs.iter() {
                match records::lock(store, epoch, outpoint)? {
                    None => locks.push((*outpoint, lock.clone())),
                    Some(lock) if lock.tx == parent => {}
                    Some(_) => return Err(Reason::Locked.into()),
                }
            }
        }
        Ok(locks)
    }

    /// A payee shows a certificate of an earlier epoch, which was verified, and wants the vote of this
    /// one for the same transaction. Everything else comes from the imported set.
    pub(super) fn refresh(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        refresh: &Refresh,
    ) -> Result<Delta, Error> {
        if let Some(why) = self.memory.stage.not_ready() {
            return Err(Error::NotReady(why));
        }
        if refresh.certificate.epoch > self.memory.epoch() {
            return Err(Error::NotReady(NotReady::Sealed(())));
        }
        let key = layout::entry(&refresh.tx);
        let Some(entry) = records::read::<Entry>(cx.view, &key)? else {
            return Err(Reason::NotImported.into());
        };
        let imported = self.is_imported(cx.view, &refresh.tx)?;
        let locked = entry.epoch == self.memory.epoch() && entry.first != UNSIGNED;
        if !imported && !locked {
            return Err(Reason::NotImported.into());
        }
        self.vote(cx, id, refresh.tx, entry.spend, imported)
    }
}
