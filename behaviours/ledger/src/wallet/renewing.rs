//! Renewing certificates. A coin is spent with whatever certificate it has; but a payee who checks
//! offline wants one of the present epoch. So coins are shown to the present validators, a few at a
//! time, while no payment is under way.

use std::collections::BTreeSet;

use covey_kernel::{AskFailure, Fault, Scan, cbor};

use super::{
    Change,
    desk::Desk,
    layout,
    memory::{Errand, Renewals},
    records::Coin,
};
use crate::{
    error::Error,
    limits::{ASK_LIFE, RENEW_AGAIN, RENEWALS},
    output::{Outpoint, TxId},
    proof::Proof,
    seal::Refresh,
    vote::{Certificate, Vote},
    wire::{FromValidator, ToValidator},
};

impl Desk<'_, '_, '_> {
    fn put_renewals(&mut self, renewals: Renewals) {
        renewals.at.into_iter().for_each(|at| self.wake_at(at));
        self.change(Change::Renewals(Box::new(renewals)));
    }

    /// A coin has come, perhaps with an old certificate: all are looked at again in a while.
    pub(super) fn renew_again(&mut self) {
        if self.configuration().epoch > 0 {
            let at = self.memory().renewals.at.unwrap_or_else(|| self.now().plus(RENEW_AGAIN));
            let renewals =
                Renewals { looked: Some(None), at: Some(at), ..self.memory().renewals.clone() };
            self.put_renewals(renewals);
        }
    }

    /// Looks for coins with old certificates, and asks on for those found.
    pub(super) fn renew(&mut self) -> Result<(), Error> {
        let mut renewals = self.memory().renewals.clone();
        if renewals.looked.is_none() && renewals.flights.is_empty() {
            return Ok(());
        }
        if let Some(at) = renewals.at.filter(|at| *at > self.now()) {
            self.wake_at(at);
            return Ok(());
        }
        // Payments come first.
        if self.memory().flights.is_empty() {
            self.look(&mut renewals)?;
            self.ask_renewals(&mut renewals)?;
        }
        let busy = renewals.looked.is_some() || !renewals.flights.is_empty();
        renewals.at = busy.then(|| self.now().plus(RENEW_AGAIN));
        self.put_renewals(renewals);
        Ok(())
    }

    fn look(&mut self, renewals: &mut Renewals) -> Result<(), Fault> {
        let Some(looked) = renewals.looked else { return Ok(()) };
        let room = RENEWALS.saturating_sub(renewals.flights.len());
        let mut scan = Scan::prefix(layout::COINS).limit(room);
        if let Some(after) = looked {
            scan = scan.after(&layout::coin(&after));
        }
        let page = self.store().scan(&scan)?;
        if page.len() < room {
            renewals.looked = None;
        }
        for (key, bytes) in page {
            let outpoint = key.get(1..).and_then(Outpoint::from_key);
            let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?;
            if renewals.looked.is_some() {
                renewals.looked = Some(Some(outpoint));
            }
            if self.old(&cbor::decode_stored(&bytes)?).is_some() {
                renewals.flights.entry(outpoint.tx).or_default();
            }
        }
        Ok(())
    }

    /// The certificate of a coin, if it is of an earlier epoch.
    fn old(&self, coin: &Coin) -> Option<Certificate> {
        let Proof::Paid(paid) = &coin.proof else { return None };
        let old = paid.certificate.epoch < self.configuration().epoch;
        old.then(|| paid.certificate.clone())
    }

    fn coins_of(&self, tx: &TxId) -> Result<Vec<(Outpoint, Coin)>, Fault> {
        let coins = self.store().scan(&Scan::prefix(&layout::coins_of(tx)))?;
        let coins = coins.into_iter().map(|(key, bytes)| {
            let outpoint = key.get(1..).and_then(Outpoint::from_key);
            let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?;
            Ok((outpoint, cbor::decode_stored(&bytes)?))
        });
        coins.collect()
    }

    fn ask_renewals(&mut self, renewals: &mut Renewals) -> Result<(), Fault> {
        let (now, epoch) = (self.now(), self.configuration().epoch);
        let mut gone = BTreeSet::new();
        for (tx, flight) in &mut renewals.flights {
            let mut coins = self.coins_of(tx)?.into_iter();
            let Some(certificate) = coins.find_map(|(_, coin)| self.old(&coin)) else {
                // Spent meanwhile.
                gone.insert(*tx);
                continue;
            };
            flight.asked.retain(|_, until| *until > now);
            for (place, member) in self.members() {
                let waits = flight.is_settled(place) || flight.asked.contains_key(&place);
                if waits || !self.is_online(&member.peer) {
                    continue;
                }
                flight.asked.insert(place, now.plus(ASK_LIFE));
                let refresh = Refresh { tx: *tx, certificate: certificate.clone() };
                let request = ToValidator::Refresh(Box::new(refresh));
                self.ask_validator(member.peer, Errand::Refresh(*tx, epoch, place), request);
            }
        }
        renewals.flights.retain(|tx, _| !gone.contains(tx));
        Ok(())
    }

    /// A validator of the present epoch has voted anew, or not.
    pub(super) fn refreshed(
        &mut self,
        tx: TxId,
        (epoch, place): (u64, u8),
        outcome: Result<FromValidator, AskFailure>,
    ) -> Result<(), Error> {
        let mut renewals = self.memory().renewals.clone();
        let configuration = self.configuration();
        let Some(flight) = renewals.flights.get_mut(&tx) else { return Ok(()) };
        if epoch != configuration.epoch {
            return Ok(());
        }
        match outcome {
            Ok(FromValidator::Vote(vote)) if self.is_vote(&tx, place, &vote) => {
                flight.asked.remove(&place);
                flight.votes.insert(place, vote);
            }
            Ok(FromValidator::Invalid(reason)) => {
                flight.asked.remove(&place);
                flight.invalid.insert(place, reason);
            }
            // Asked again when the question counts as lost.
            _ => {}
        }
        let votes: Vec<(u8, Vote)> =
            flight.votes.iter().map(|(place, vote)| (*place, vote.clone())).collect();
        let hopeless = flight.invalid.len() > configuration.faulty();
        let certificate = Certificate::of(epoch, configuration.quorum(), &votes);
        if let Some(certificate) = &certificate {
            self.renewed(tx, certificate)?;
        }
        if certificate.is_some() || hopeless {
            renewals.flights.remove(&tx);
            if renewals.flights.is_empty() && renewals.looked.is_some() {
                renewals.at = Some(self.now());
            }
        }
        self.put_renewals(renewals);
        Ok(())
    }

    /// The validators of this epoch have certified a transaction anew.
    fn renewed(&mut self, tx: TxId, certificate: &Certificate) -> Result<(), Error> {
        for (outpoint, mut coin) in self.coins_of(&tx)? {
            let Proof::Paid(paid) = &mut coin.proof else { continue };
            paid.certificate = certificate.clone();
            let body = paid.body.clone();
            self.keep(&outpoint, &coin)?;
            self.taken(tx, &body)?;
        }
        Ok(())
    }
}
