//! Payments on their way to a quorum of votes. All validators are asked at once; whoever is slow, dead
//! or lying is not waited for.

use covey_kernel::{AskFailure, Bounded, Fault, Peer, Span, Time, merkle};

use super::{
    Change,
    desk::Desk,
    layout,
    memory::{Errand, Flight, due},
    records::{self, Coin, Failure, Payment, Progress, Use},
};
use crate::{
    error::Error,
    evidence::Conflict,
    limits::{ASK_LIFE, RETRY_FIRST, RETRY_LAST},
    output::{Outpoint, Salted, TxId, leaves},
    proof::{Paid, Proof},
    reason::Reason,
    vote::{Certificate, Vote},
    wire::{FromValidator, NotReady, Request, ToValidator},
};

impl Desk<'_, '_, '_> {
    /// Asks all who have not said what they have to say, and are there.
    pub(super) fn fly(
        &mut self,
        tx: TxId,
        mut flight: Flight,
        payment: &Payment,
    ) -> Result<(), Error> {
        let now = self.now();
        // The same for all, and long: encoded once.
        let mut encoded: Option<Vec<u8>> = None;
        for (place, member) in self.members() {
            let waits =
                flight.again.get(&place).is_some_and(|(at, _)| due(*at, RETRY_LAST, now) > now);
            let there = self.is_online(&member.peer);
            if !there {
                // Whoever comes is asked at once: nothing is to be done before.
                flight.again.remove(&place);
                continue;
            }
            if flight.is_settled(place) || flight.asked.contains_key(&place) || waits {
                continue;
            }
            if !self.has_room(place) {
                flight.again.insert(place, (now.plus(RETRY_FIRST), RETRY_FIRST));
                continue;
            }
            flight.asked.insert(place, now.plus(ASK_LIFE));
            let bytes = encoded.get_or_insert_with(|| {
                let spend = Box::new(payment.spend.clone());
                Request::Validator(ToValidator::Spend(spend)).encode()
            });
            let bytes = bytes.clone();
            let errand = Errand::Vote(tx, self.configuration().epoch, place);
            self.ask_encoded(member.peer, errand, bytes);
        }
        flight.next_due(now).into_iter().for_each(|at| self.wake_at(at));
        self.change(Change::Flight(tx, Box::new(flight)));
        Ok(())
    }

    /// Whether a peer is there, as this decision sees it. The own node always is: its validator, if it
    /// has one, is asked like any other.
    pub(super) fn is_online(&self, peer: &Peer) -> bool {
        *peer == self.rules().peer || self.memory().online.contains(peer) || self.has_come(peer)
    }

    /// After a start: all that are not final.
    pub(super) fn resume_flights(&mut self) -> Result<(), Error> {
        for key in records::keys(self.store(), layout::PENDING)? {
            let tx = layout::pending_tx(&key).ok_or_else(|| Fault::Corrupt("a payment".into()))?;
            let payment: Payment = records::must(self.store(), &layout::payment(&tx))?;
            self.fly(tx, Flight::resumed(&payment.progress), &payment)?;
        }
        Ok(())
    }

    /// Everybody who has not answered is asked again at once; how many payments wait.
    pub(super) fn resume_now(&mut self) -> Result<usize, Error> {
        let waiting: Vec<TxId> = self.memory().flights.keys().copied().collect();
        for tx in &waiting {
            let Some(mut flight) = self.flight(tx) else { continue };
            flight.again.clear();
            self.fly_on(*tx, flight)?;
        }
        Ok(waiting.len())
    }

    fn fly_on(&mut self, tx: TxId, flight: Flight) -> Result<(), Error> {
        let payment: Payment = records::must(self.store(), &layout::payment(&tx))?;
        self.fly(tx, flight, &payment)
    }

    /// A validator is there.
    pub(super) fn flights_to(&mut self, peer: Peer) -> Result<(), Error> {
        let place = self.members().find(|(_, member)| member.peer == peer);
        let Some((place, _)) = place else { return Ok(()) };
        let waiting: Vec<TxId> = self.memory().flights.keys().copied().collect();
        for tx in waiting {
            let Some(mut flight) = self.flight(&tx) else { continue };
            flight.again.remove(&place);
            self.fly_on(tx, flight)?;
        }
        Ok(())
    }

    /// Gives lost questions up, and asks again what is due.
    pub(super) fn retry_flights(&mut self) -> Result<(), Error> {
        let now = self.now();
        let all: Vec<TxId> = self.memory().flights.keys().copied().collect();
        let mut next: Option<Time> = None;
        for tx in all {
            let Some(mut flight) = self.flight(&tx) else { continue };
            let then = flight.next_due(now);
            if then.is_none_or(|then| then > now) {
                next = [next, then].into_iter().flatten().min();
                continue;
            }
            let lost: Vec<u8> = flight
                .asked
                .iter()
                .filter(|(_, until)| due(**until, ASK_LIFE, now) <= now)
                .map(|(place, _)| *place)
                .collect();
            for place in lost {
                flight.asked.remove(&place);
                back_off(&mut flight, place, now);
            }
            self.fly_on(tx, flight)?;
        }
        // A driver remembers one wake-up only: this one has used it up.
        next.into_iter().for_each(|at| self.wake_at(at));
        Ok(())
    }

    /// A validator has answered, or not.
    pub(super) fn voted(
        &mut self,
        tx: TxId,
        (epoch, place): (u64, u8),
        outcome: Result<FromValidator, AskFailure>,
    ) -> Result<(), Error> {
        let Some(mut flight) = self.flight(&tx) else { return Ok(()) };
        if epoch != self.configuration().epoch {
            return Ok(());
        }
        flight.asked.remove(&place);
        if flight.is_settled(place) {
            return Ok(());
        }
        match outcome {
            Ok(FromValidator::Vote(vote)) if self.is_vote(&tx, place, &vote) => {
                flight.conflicts.remove(&place);
                flight.votes.insert(place, vote);
            }
            Ok(FromValidator::Conflict(conflict)) if self.is_conflict(&tx, place, &conflict)? => {
                if conflict.vote.is_none() {
                    back_off(&mut flight, place, self.now());
                }
                flight.conflicts.insert(place, *conflict);
            }
            Ok(FromValidator::Invalid(reason)) if is_final(reason) => {
                flight.conflicts.remove(&place);
                flight.invalid.insert(place, reason);
            }
            // Not there, not ready, or lying: asked again later.
            other => {
                if matches!(other, Ok(FromValidator::NotReady(NotReady::Sealed(())))) {
                    let member = self.configuration().members.get(usize::from(place));
                    let peer = member.map(|member| member.peer);
                    peer.into_iter().for_each(|peer| self.ask_links(peer));
                }
                back_off(&mut flight, place, self.now());
            }
        }
        flight.blocked |= flight.conflicts.len() > self.configuration().faulty();
        flight.next_due(self.now()).into_iter().for_each(|at| self.wake_at(at));
        self.change(Change::Flight(tx, Box::new(flight.clone())));
        self.judge(tx, &flight)
    }

    pub(super) fn is_vote(&self, tx: &TxId, place: u8, vote: &Vote) -> bool {
        let configuration = self.configuration();
        let Some(member) = configuration.members.get(usize::from(place)) else { return false };
        let network = &self.rules().network.id;
        let signed = vote.signed(network, configuration.epoch, tx, member.vote);
        signed.is_ok_and(|signed| self.rules().ballots.verify(&[signed]).iter().all(|right| *right))
    }

    /// What the answers so far come to.
    fn judge(&mut self, tx: TxId, flight: &Flight) -> Result<(), Error> {
        let configuration = self.configuration();
        let faulty = configuration.faulty();
        let enough = flight.votes.len() >= configuration.quorum()
            || flight.invalid.len() > faulty
            || flight.conflicts.len() > faulty;
        if !enough {
            return Ok(());
        }
        let payment: &mut Payment = &mut records::must(self.store(), &layout::payment(&tx))?;
        let votes: Vec<(u8, Vote)> =
            flight.votes.iter().map(|(place, vote)| (*place, vote.clone())).collect();
        let certificate = Certificate::of(configuration.epoch, configuration.quorum(), &votes);
        if let Some(certificate) = certificate {
            return self.certified(tx, payment, certificate);
        }
        if let Some((rival, body)) = self.certified_rival(flight) {
            self.lose(tx, rival, &body)?;
            return self.taken(rival, &body);
        }
        if flight.invalid.len() > faulty {
            // One of them is honest.
            let reason = flight.invalid.values().next().copied().unwrap_or(Reason::Malformed);
            return self.failed(tx, payment, Failure::Invalid(reason));
        }
        let blocked = matches!(payment.progress, Progress::Blocked(_));
        if flight.conflicts.len() > faulty
            && !blocked
            && let Some(Conflict { evidence, .. }) = flight.conflicts.values().next()
        {
            payment.progress = Progress::Blocked(Box::new(evidence.clone()));
            records::write(self.view(), layout::payment(&tx), payment);
            self.tell_payment(tx, payment);
        }
        Ok(())
    }

    /// It is final: its inputs are gone, and what comes back is ours.
    fn certified(
        &mut self,
        tx: TxId,
        payment: &mut Payment,
        certificate: Certificate,
    ) -> Result<(), Error> {
        for outpoint in payment.spend.body.inputs.iter() {
            self.spent(outpoint, tx)?;
        }
        let paths = merkle::paths(&leaves(&payment.spend.outputs)).1;
        let outputs: Vec<Salted> = payment.spend.outputs.to_vec();
        for ((index, salted), path) in (0u16..).zip(outputs).zip(paths) {
            let address = salted.output.address;
            let outpoint = Outpoint { tx, index };
            if self.own(&address)?.is_none() || self.is_known(&outpoint)? {
                continue;
            }
            self.paid_to(&address)?;
            let output = salted.output.clone();
            let paid = Paid {
                body: payment.spend.body.clone(),
                index,
                salted,
                path: Bounded::first(path),
                certificate: certificate.clone(),
            };
            let proof = Proof::Paid(Box::new(paid));
            let coin = Coin { output, proof, used: Use::Free(()), came: self.now() };
            self.keep(&outpoint, &coin)?;
        }
        payment.progress = Progress::Certified(Box::new(certificate));
        // They were needed by validators alone.
        payment.spend.proofs = Bounded::default();
        self.land(tx, payment);
        self.tell_payees(tx, payment)
    }

    /// It never will be: its inputs are free again.
    fn failed(&mut self, tx: TxId, payment: &mut Payment, why: Failure) -> Result<(), Error> {
        for outpoint in payment.spend.body.inputs.iter() {
            self.set_use(outpoint, Use::Free(()))?;
        }
        payment.progress = Progress::Failed(why);
        self.land(tx, payment);
        Ok(())
    }

    pub(super) fn land(&mut self, tx: TxId, payment: &Payment) {
        records::write(self.view(), layout::payment(&tx), payment);
        self.view().delete(layout::pending(&tx));
        // With the votes that it had.
        self.tell_payment(tx, payment);
        self.change(Change::Landed(tx));
    }
}

/// Whether a validator that says so will say so for ever. What earlier epochs have left may be judged
/// otherwise when a certificate is shown, or by the validators of the next epoch.
fn is_final(reason: Reason) -> bool {
    let passing = [
        Reason::NotImported,
        Reason::Locked,
        Reason::Frozen,
        Reason::CertificateEpoch,
        Reason::OnlyConsolidation,
    ];
    !passing.contains(&reason)
}

fn back_off(flight: &mut Flight, place: u8, now: Time) {
    let pause = flight.again.get(&place).map(|(_, pause)| pause.doubled(RETRY_LAST));
    let pause: Span = pause.unwrap_or(RETRY_FIRST);
    flight.again.insert(place, (now.plus(pause), pause));
}
