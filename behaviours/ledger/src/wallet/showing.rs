//! What the owner is shown.

use covey_kernel::{Bounded, Fault, Scan, merkle};

use super::{
    command::{LineView, PaymentView, Reply, Status},
    desk::Desk,
    layout,
    records::{self, Balance, Coin, Entry, Payment, Progress},
};
use crate::{
    error::Error,
    limits::PAGE,
    output::{Asset, Outpoint, TxId, leaves},
    proof::Paid,
    receipt::Receipt,
};

impl Desk<'_, '_, '_> {
    pub(super) fn status(&self) -> Result<Reply, Fault> {
        let configuration = self.configuration();
        let validators = self.members();
        let validators =
            validators.map(|(_, member)| (member.name.clone(), self.is_online(&member.peer)));
        Ok(Reply::Status(Box::new(Status {
            restored: self.me()?.restored,
            epoch: configuration.epoch,
            validators: validators.collect(),
            quorum: configuration.quorum(),
            pending: self.memory().flights.len(),
        })))
    }

    pub(super) fn balances(&self) -> Result<Vec<(Asset, Balance)>, Fault> {
        let mut found = vec![(Asset::COIN, self.balance(&Asset::COIN)?)];
        let coin = layout::balance(&Asset::COIN);
        let scan = Scan::prefix(layout::BALANCES).after(&coin).limit(PAGE);
        for (key, bytes) in self.store().scan(&scan)? {
            let asset = layout::balance_asset(&key);
            let asset = asset.ok_or_else(|| Fault::Corrupt("a balance's key".into()))?;
            found.push((asset, covey_kernel::cbor::decode_stored(&bytes)?));
        }
        Ok(found)
    }

    pub(super) fn coins(
        &self,
        asset: &Asset,
        limit: usize,
        after: Option<Outpoint>,
    ) -> Result<Vec<(Outpoint, Coin)>, Fault> {
        let mut found = Vec::new();
        let mut scan = Scan::prefix(layout::COINS).limit(PAGE);
        if let Some(after) = after {
            scan = scan.after(&layout::coin(&after));
        }
        loop {
            let page = self.store().scan(&scan)?;
            let Some((last, _)) = page.last() else { return Ok(found) };
            scan = scan.after(last);
            for (key, bytes) in page {
                let outpoint = key.get(1..).and_then(Outpoint::from_key);
                let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?;
                let coin: Coin = covey_kernel::cbor::decode_stored(&bytes)?;
                if coin.output.asset == *asset {
                    found.push((outpoint, coin));
                }
                if found.len() >= limit.min(PAGE) {
                    return Ok(found);
                }
            }
        }
    }

    /// A payment as the owner is shown it.
    pub(super) fn payment_view(&self, tx: TxId, payment: &Payment) -> PaymentView {
        let needed = self.configuration().quorum();
        let votes = match &payment.progress {
            Progress::Certified(certificate) => certificate.votes.len(),
            _ => self.flight(&tx).map_or(0, |flight| flight.votes.len()),
        };
        PaymentView {
            tx,
            asset: payment.asset,
            lines: payment.lines.to_vec(),
            note: payment.note.clone(),
            made: payment.made,
            progress: payment.progress.clone(),
            votes,
            needed,
        }
    }

    fn stored(&self, tx: &TxId) -> Result<Payment, Error> {
        let payment = records::read(self.store(), &layout::payment(tx))?;
        payment.ok_or(Error::NoSuchPayment)
    }

    pub(super) fn payment(&self, tx: &TxId) -> Result<PaymentView, Error> {
        Ok(self.payment_view(*tx, &self.stored(tx)?))
    }

    pub(super) fn pending(&self) -> Result<Vec<PaymentView>, Error> {
        self.memory().flights.keys().take(PAGE).map(|tx| self.payment(tx)).collect()
    }

    pub(super) fn history(
        &self,
        limit: usize,
        before: Option<u64>,
    ) -> Result<Vec<(u64, LineView)>, Error> {
        let mut scan = Scan::prefix(layout::HISTORY).backwards().limit(limit.min(PAGE));
        if let Some(before) = before {
            scan = scan.before(&layout::history(before));
        }
        let mut lines = Vec::new();
        for (key, bytes) in self.store().scan(&scan)? {
            let number = layout::number(&key);
            let number = number.ok_or_else(|| Fault::Corrupt("a line's number".into()))?;
            let view = match covey_kernel::cbor::decode_stored(&bytes)? {
                Entry::Paid(tx) => LineView::Paid(Box::new(self.payment(&tx)?)),
                Entry::Came(came) => LineView::Came(Box::new(came)),
            };
            lines.push((number, view));
        }
        Ok(lines)
    }

    /// The same, for somebody who knows nothing but the genesis.
    pub(super) fn receipt(&self, tx: &TxId, index: u16) -> Result<Receipt, Error> {
        let network = &self.memory().network;
        let links = Bounded::first(network.links_after(0).cloned());
        Ok(Receipt { network: network.id, links, paid: self.proof(tx, index)? })
    }

    /// What shows that an output of a final payment exists.
    pub(super) fn proof(&self, tx: &TxId, index: u16) -> Result<Paid, Error> {
        let payment = self.stored(tx)?;
        let Progress::Certified(certificate) = payment.progress else {
            return Err(Error::NotFinal(*tx));
        };
        let place = usize::from(index);
        let outputs = &payment.spend.outputs;
        let salted = outputs.get(place).cloned().ok_or(Error::NoSuchPayment)?;
        let path = merkle::path(&leaves(outputs), place).ok_or(Error::NoSuchPayment)?;
        let body = payment.spend.body;
        Ok(Paid { body, index, salted, path: Bounded::first(path), certificate: *certificate })
    }
}
