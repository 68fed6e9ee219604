//! What becomes of own requests: answers, refusals, silence.

use covey_kernel::{AskFailure, AskId, Fault, Peer, Scan, cbor};

use super::{delivery::REPORT, desk::Desk, sessions::put_outgoing};
use crate::{
    command::{Event, Progress},
    content::{Body, MessageId},
    error::Error,
    layout::{self, ContactId},
    limits::{DELIVERY_ENVELOPES, RESEAL_SPAN, RESEALS},
    memory::{Change, Errand, Flight, Subject},
    prekeys::Handout,
    ratchet::Ratchet,
    records::{Contact, Conversation, Outgoing, Standing, count_within},
    wire::{Outcome, Refusal, Response, Undecryptable},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// An answer, or its absence. One that nobody waits for any more is dropped.
    pub(crate) fn answered(
        &mut self,
        from: Peer,
        ask: AskId,
        outcome: Result<Response, AskFailure>,
    ) -> Result<(), Error> {
        let Some(subject) = self.memory().asks.get(&ask).copied() else { return Ok(()) };
        let Some(flight) = self.memory().flights.get(&subject).copied() else { return Ok(()) };
        self.change(Change::Land(subject));
        let progress = match (subject, outcome) {
            (_, Err(_)) => false,
            (Subject::Open(number), Ok(Response::Keys(handout))) => {
                self.open_answered(number, from, &handout)?;
                return Ok(());
            }
            (Subject::Open(_), Ok(_)) => false,
            (Subject::Contact(id), Ok(response)) => {
                self.contact_answered(id, from, flight, response)?
            }
        };
        if progress {
            self.soon(subject);
        } else if !self.waiting(subject) {
            self.back_off(subject);
        }
        self.pump_subject(subject)
    }

    /// Does what is due for one of many: only a fault of the store may keep the others waiting.
    pub(crate) fn pump_each(&mut self, subject: Subject) -> Result<(), Error> {
        match self.pump_subject(subject) {
            Err(Error::Store(fault)) => Err(fault.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Does what is due for a contact or an open invite.
    pub(crate) fn pump_subject(&mut self, subject: Subject) -> Result<(), Error> {
        match subject {
            Subject::Open(number) => {
                self.pump_open(number);
                Ok(())
            }
            Subject::Contact(id) => self.pump(id),
        }
    }

    /// Whether the answer brought us further.
    fn contact_answered(
        &mut self,
        id: ContactId,
        from: Peer,
        flight: Flight,
        response: Response,
    ) -> Result<bool, Error> {
        let Some(contact) = self.contact(id) else { return Ok(false) };
        if contact.keys.set.peer != from {
            return Ok(false);
        }
        match (flight.errand, response) {
            (Errand::Claim, Response::Keys(handout)) => self.claimed(id, contact, &handout),
            (Errand::Knock(counter), Response::Noted(())) => self.knock_noted(id, counter),
            (Errand::Knock(_), Response::Refused(why)) => self.knock_refused(id, contact, why),
            (Errand::Announce(sequence), Response::Noted(())) => {
                self.told(id, contact, sequence);
                Ok(true)
            }
            // Whether our invite has arrived does not show: it goes out under the new keys. Nor
            // does it matter any more if they have invited us meanwhile, knowing these keys.
            (Errand::Announce(sequence), Response::Refused(Refusal::NotContact(())))
                if contact.told >= sequence
                    || (self.conversation(id)?.waiting > 0 && !contact.accepted()) =>
            {
                self.told(id, contact, sequence);
                Ok(true)
            }
            (Errand::Deliver(first, last), Response::Delivered(outcomes)) => {
                self.delivered(id, &contact, (first, last), &outcomes)
            }
            (_, Response::Refused(Refusal::NotContact(()) | Refusal::Unconfirmed(()))) => {
                self.back_off_far(Subject::Contact(id));
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn told(&mut self, id: ContactId, contact: Contact, sequence: u64) {
        let told = contact.told.max(sequence);
        self.put_contact(id, Contact { told, ..contact });
    }

    fn claimed(
        &mut self,
        id: ContactId,
        contact: Contact,
        handout: &Handout,
    ) -> Result<bool, Error> {
        let keys = &contact.keys;
        if handout.set.identity != keys.identity || !handout.set.set.same_keys(&keys.set) {
            if handout.set.identity == keys.identity {
                let set = handout.set.clone();
                self.learn_keys(id, contact, &set);
            } else if !contact.accepted() {
                self.fail_invite(id, contact, "somebody else answers at their node now");
            }
            return Ok(false);
        }
        let mut conversation = self.conversation(id)?;
        self.open_session(id, &mut conversation, handout)?;
        self.put_conversation(id, &conversation);
        Ok(true)
    }

    fn knock_noted(&mut self, id: ContactId, counter: u64) -> Result<bool, Error> {
        let mut conversation = self.conversation(id)?;
        if self.store().get(&layout::outgoing(id, counter))?.is_some() {
            self.view().delete(layout::outgoing(id, counter));
            conversation.waiting = conversation.waiting.saturating_sub(1);
            self.put_conversation(id, &conversation);
        }
        Ok(true)
    }

    fn fail_invite(&mut self, id: ContactId, mut contact: Contact, why: &str) {
        contact.failed = covey_kernel::Text::new(why).ok();
        let name = contact.name.to_string();
        self.put_contact(id, contact);
        self.tell(Event::InviteFailed { name, why: why.to_owned() });
    }

    fn knock_refused(
        &mut self,
        id: ContactId,
        contact: Contact,
        why: Refusal,
    ) -> Result<bool, Error> {
        match why {
            // They may have invited us meanwhile, and need no code any more.
            Refusal::Code(()) if !matches!(contact.standing, Standing::Invited(_)) => {}
            Refusal::Code(()) => {
                let why = "their contact code is used up, expired or taken back: ask for a new one";
                self.fail_invite(id, contact, why);
            }
            // Our prekey may be used up there: the next try begins with new ones.
            Refusal::Invalid(()) => {
                let mut conversation = self.conversation(id)?;
                self.drop_sessions(id, &mut conversation);
                self.put_conversation(id, &conversation);
            }
            Refusal::NotContact(()) | Refusal::Later(()) | Refusal::Unconfirmed(()) => {}
        }
        Ok(false)
    }

    /// What was sent in a delivery. Nothing else can have these counters since.
    fn flown(&self, id: ContactId, first: u64, last: u64) -> Result<Vec<Outgoing>, Fault> {
        let scan = Scan {
            from: layout::outgoing(id, first),
            to: Some(layout::outgoing(id, last.saturating_add(1))),
            reverse: false,
            limit: DELIVERY_ENVELOPES,
        };
        let entries = self.store().scan(&scan)?;
        entries.iter().map(|(_, bytes)| cbor::decode_stored(bytes)).collect()
    }

    /// What became of each envelope of a delivery.
    fn delivered(
        &mut self,
        id: ContactId,
        contact: &Contact,
        (first, last): (u64, u64),
        outcomes: &[Outcome],
    ) -> Result<bool, Error> {
        let flown = self.flown(id, first, last)?;
        if flown.len() != outcomes.len() {
            return Ok(false);
        }
        let mut conversation = self.conversation(id)?;
        let (mut arrived, mut reports, mut settled) = (Vec::new(), Vec::new(), 0u64);
        for (outgoing, outcome) in flown.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Stored(()) => {
                    self.view().delete(layout::outgoing(id, outgoing.content.counter));
                    settled = settled.saturating_add(1);
                    arrived.extend(shown(&outgoing));
                }
                // It will never be taken: what stands behind it must not wait for it.
                Outcome::Never(()) => {
                    self.view().delete(layout::outgoing(id, outgoing.content.counter));
                    settled = settled.saturating_add(1);
                    self.refused_by_them(contact, &outgoing)?;
                }
                Outcome::Undecryptable(report) => reports.push((outgoing, report)),
                Outcome::Later(()) => {}
            }
        }
        conversation.waiting = conversation.waiting.saturating_sub(settled);
        let resealed = self.reseal(id, contact, &mut conversation, reports);
        self.put_conversation(id, &conversation);
        if !arrived.is_empty() {
            let who = contact.name.to_string();
            self.tell(Event::Progress { who, ids: arrived, progress: Progress::Delivered });
        }
        Ok(settled > 0 || resealed)
    }

    /// Marks a message that the recipient's node does not take, and tells the user.
    fn refused_by_them(&mut self, contact: &Contact, outgoing: &Outgoing) -> Result<(), Fault> {
        let Some(target) = shown(outgoing) else { return Ok(()) };
        let Some((place, mut message)) = self.lookup(&target)? else { return Ok(()) };
        message.refused = true;
        crate::records::write(self.view(), place.key, &message);
        let who = contact.name.to_string();
        self.tell(Event::Progress { who, ids: vec![target], progress: Progress::Refused });
        Ok(())
    }

    /// The recipient says that it could not decrypt: believed for what was really sent, a few
    /// times an hour. Not once a message: keys may change twice before it gets through. The
    /// sessions concerned are forgotten, so that the next flight seals anew.
    fn reseal(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &mut Conversation,
        reports: Vec<(Outgoing, &Undecryptable)>,
    ) -> bool {
        let believed: Vec<Outgoing> = reports
            .into_iter()
            .filter(|(outgoing, report)| self.believed(contact, outgoing, report))
            .map(|(outgoing, _)| outgoing)
            .collect();
        if believed.is_empty() {
            return false;
        }
        let counted = count_within(conversation.resealed, self.now(), RESEAL_SPAN, RESEALS);
        let Some(counted) = counted else { return false };
        conversation.resealed = counted;
        for mut outgoing in believed {
            if let Some(envelope) = outgoing.envelope.take() {
                self.drop_session(id, conversation, envelope.session);
            }
            put_outgoing(self, id, &outgoing);
        }
        true
    }

    fn believed(&self, contact: &Contact, outgoing: &Outgoing, report: &Undecryptable) -> bool {
        let Some(envelope) = &outgoing.envelope else { return false };
        let signed = Undecryptable::signed(report.hash, self.me().set.identity);
        let network = self.rules().network;
        let signature = &report.signature;
        report.hash == envelope.hash()
            && contact.keys.identity.verify(REPORT, &network, &signed, signature).is_ok()
    }
}

/// The id of a message whose progress a user follows.
fn shown(outgoing: &Outgoing) -> Option<MessageId> {
    matches!(outgoing.content.body, Body::Text(_)).then(|| outgoing.content.id)
}
