//! Own payments whose coins another transaction has spent: another device with the same phrase, or
//! whoever else has the key, was faster. What shows it is a certificate of the other one: made of the
//! votes that validators add when they say *conflict*, or shown by whoever was paid by it.

use std::collections::BTreeMap;

use covey_kernel::Fault;

use super::{
    desk::Desk,
    layout,
    memory::Flight,
    records::{self, Failure, Payment, Progress, Use},
};
use crate::{
    error::Error, evidence::Conflict, output::TxId, proof::Paid, transaction::Body, vote::Vote,
};

impl Desk<'_, '_, '_> {
    /// Whether the member at a place has rightly said that something a payment spends is promised to
    /// another transaction. One who adds a vote that is none lies.
    pub(super) fn is_conflict(
        &self,
        tx: &TxId,
        place: u8,
        Conflict { evidence, vote }: &Conflict,
    ) -> Result<bool, Fault> {
        let Payment { spend, .. } = records::must(self.store(), &layout::payment(tx))?;
        let network = &self.rules().network.id;
        let both = evidence.check(network, &spend.body, &spend.witnesses).is_ok();
        let rival = evidence.tx(network);
        let is_vote = |vote: &Vote| self.is_vote(&rival, place, vote);
        Ok(both && vote.as_ref().is_none_or(is_vote))
    }

    /// The transaction that a quorum has voted for instead. Each vote was checked as it came.
    pub(super) fn certified_rival(&self, flight: &Flight) -> Option<(TxId, Body)> {
        let voted = flight.conflicts.values().filter(|conflict| conflict.vote.is_some());
        let mut votes: BTreeMap<TxId, (&Body, usize)> = BTreeMap::new();
        for Conflict { evidence, .. } in voted {
            let (_, count) =
                votes.entry(evidence.tx(&self.rules().network.id)).or_insert((&evidence.body, 0));
            *count = count.saturating_add(1);
        }
        let quorum = self.configuration().quorum();
        let certified = votes.into_iter().find(|(_, (_, count))| *count >= quorum);
        certified.map(|(rival, (body, _))| (rival, body.clone()))
    }

    /// Somebody shows a certificate, whoever is paid by it. One of an earlier epoch shows nothing of what
    /// is spent by now, since its keys may be in anybody's hands: it is renewed first if it pays us.
    pub(super) fn note_shown(&mut self, by: TxId, paid: &Paid, newest: u64) -> Result<(), Error> {
        if paid.certificate.epoch < newest {
            return Ok(());
        }
        self.taken(by, &paid.body)
    }

    /// A transaction is final: what it spends of ours is gone, and an own payment that spends the same
    /// will never be final.
    pub(super) fn taken(&mut self, by: TxId, body: &Body) -> Result<(), Error> {
        for outpoint in body.inputs.iter() {
            match self.coin(outpoint)?.map(|coin| coin.used) {
                None => {}
                // Our own: it is final when we have its votes.
                Some(Use::Reserved(tx)) if tx == by => {}
                Some(Use::Reserved(tx)) => self.lose(tx, by, body)?,
                Some(_) => self.spent(outpoint, by)?,
            }
        }
        Ok(())
    }

    /// A payment will never be final, since another transaction is: what both spend is gone, the rest
    /// is free again.
    pub(super) fn lose(&mut self, tx: TxId, by: TxId, body: &Body) -> Result<(), Error> {
        let mut payment: Payment = records::must(self.store(), &layout::payment(&tx))?;
        for outpoint in payment.spend.body.inputs.iter() {
            if body.inputs.contains(outpoint) {
                self.spent(outpoint, by)?;
            } else {
                self.set_use(outpoint, Use::Free(()))?;
            }
        }
        payment.progress = Progress::Failed(Failure::Spent(by));
        self.land(tx, &payment);
        Ok(())
    }
}
