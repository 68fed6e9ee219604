//! Getting what waits to the other side: one request at a time for each contact, in order,
//! the same bytes again until they are acknowledged.

use covey_kernel::{Bounded, Domain, Scan, cbor};

use super::{desk::Desk, sessions::put_outgoing};
use crate::{
    content::{Content, Plaintext},
    error::Error,
    layout::{self, ContactId},
    limits::{DELIVERY_BYTES, DELIVERY_ENVELOPES},
    memory::{Errand, Subject},
    ratchet::Ratchet,
    records::{Contact, Conversation, Outgoing, Standing},
    wire::{Announcement, Delivery, Envelope, Knock, Request},
};

/// The domain of reports of undecryptable envelopes.
pub(crate) const REPORT: Domain = Domain::new("covey/messaging/undecryptable/v1");

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// Sends what is due to a contact, unless something is under way or it is too early.
    pub(crate) fn pump(&mut self, id: ContactId) -> Result<(), Error> {
        let subject = Subject::Contact(id);
        let Some(contact) = self.contact(id) else { return Ok(()) };
        if self.flying(subject) || self.waiting(subject) || contact.failed.is_some() {
            return Ok(());
        }
        match contact.standing {
            Standing::Blocked(_) | Standing::Inviting(_) => return Ok(()),
            Standing::Accepted(()) | Standing::Invited(_) => {}
        }
        let me = self.me();
        let conversation = self.conversation(id)?;
        // Also to whom we invite: the invite may have arrived, under keys that are old by now.
        if contact.told < me.set.set.sequence {
            let sequence = me.set.set.sequence;
            let announcement = Announcement { set: me.set, successions: me.successions };
            let request = Request::Announce(announcement);
            self.ask(subject, contact.keys.set.peer, Errand::Announce(sequence), &request);
            return Ok(());
        }
        if contact.changed.is_some() {
            return Ok(());
        }
        if conversation.waiting == 0 {
            return Ok(());
        }
        if conversation.sessions.is_empty() {
            self.ask(subject, contact.keys.set.peer, Errand::Claim, &Request::Claim(()));
            return Ok(());
        }
        self.fly(id, &contact, conversation)
    }

    /// Seals and sends the first of what waits.
    fn fly(
        &mut self,
        id: ContactId,
        contact: &Contact,
        mut conversation: Conversation,
    ) -> Result<(), Error> {
        let batch = self.sealed(id, contact, &mut conversation)?;
        if conversation.sessions.is_empty() {
            self.put_conversation(id, &conversation);
            let to = contact.keys.set.peer;
            self.ask(Subject::Contact(id), to, Errand::Claim, &Request::Claim(()));
            return Ok(());
        }
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(()) };
        let (first, last) = (first.counter, last.counter);
        conversation.sent = conversation.sent.max(last);
        self.put_conversation(id, &conversation);
        let me = self.me();
        let (errand, request) = match &contact.standing {
            Standing::Invited(proof) => {
                let Some(envelope) = batch.into_iter().next() else { return Ok(()) };
                (
                    Errand::Knock(first),
                    Request::Knock(Knock { set: me.set, proof: *proof, envelope }),
                )
            }
            _ => {
                let envelopes = Bounded::first(batch);
                let delivery = Delivery { from: me.set.identity, envelopes };
                (Errand::Deliver(first, last), Request::Deliver(delivery))
            }
        };
        self.ask(Subject::Contact(id), contact.keys.set.peer, errand, &request);
        Ok(())
    }

    /// What waits, from the first on, as much as fits in one delivery.
    fn first_waiting(&self, id: ContactId, from: u64) -> Result<Vec<Outgoing>, Error> {
        let all = Scan::prefix(&layout::outbox(id)).limit(DELIVERY_ENVELOPES);
        let scan = Scan { from: layout::outgoing(id, from), ..all };
        let mut room = DELIVERY_BYTES;
        let mut waiting = Vec::new();
        for (_, bytes) in self.store().scan(&scan)? {
            match room.checked_sub(bytes.len()) {
                Some(left) => room = left,
                None if waiting.is_empty() => room = 0,
                None => break,
            }
            waiting.push(cbor::decode_stored(&bytes)?);
        }
        Ok(waiting)
    }

    /// The first envelopes to send. What has none, or one of a forgotten session, is sealed;
    /// the others go out with the bytes that they had before.
    fn sealed(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &mut Conversation,
    ) -> Result<Vec<Envelope>, Error> {
        let mut waiting = self.first_waiting(id, conversation.first)?;
        if let Some(first) = waiting.first() {
            conversation.first = first.content.counter;
        }
        let sessions = conversation.sessions.clone();
        let stale = |outgoing: &&mut Outgoing| {
            let envelope = outgoing.envelope.as_ref();
            envelope.is_none_or(|envelope| !sessions.contains(&envelope.session))
        };
        let mut stale: Vec<&mut Outgoing> = waiting.iter_mut().filter(stale).collect();
        let contents: Vec<(u64, Vec<u8>)> = stale
            .iter()
            .map(|outgoing| (outgoing.content.counter, self.plaintext(contact, &outgoing.content)))
            .collect();
        let Some(envelopes) = self.seal(id, conversation, &contents)? else {
            return Ok(Vec::new());
        };
        for (outgoing, envelope) in stale.iter_mut().zip(envelopes) {
            outgoing.envelope = Some(envelope);
            put_outgoing(self, id, outgoing);
        }
        Ok(waiting.into_iter().filter_map(|outgoing| outgoing.envelope).collect())
    }

    /// Content as it is encrypted: from our present identity to theirs.
    fn plaintext(&self, contact: &Contact, content: &Content) -> Vec<u8> {
        let (from, to) = (self.me().set.identity, contact.keys.identity);
        cbor::encode(&Plaintext::new(&self.rules().network, from, to, content.clone()))
    }
}
