//! Taking envelopes in. The ratchet, the content and the received counter are written in one
//! turn; only then is the envelope acknowledged.

use covey_kernel::{Bounded, Effect, Fault, Peer, RequestId, Scan, Text, cbor};

use super::{
    codec,
    delivery::REPORT,
    desk::Desk,
    sessions::{Closed, Opener},
    texts::{erase, new_message},
};
use crate::{
    command::{Event, Progress},
    content::{Body, Content, MessageId, Plaintext, TextBody},
    error::Error,
    layout::{self, ContactId},
    limits::{CLOCK_FIRST, CLOCK_JUMP, EARLY, INBOUND_BYTES, RECEIPT_WINDOW, SEALED_BYTES},
    memory::Subject,
    ratchet::Ratchet,
    records::{self, Arrival, Contact, Conversation, Message, Standing},
    wire::{Delivery, Envelope, Outcome, Refusal, Response, Undecryptable},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// A delivery from a peer. Only contacts, and those we have invited, may deliver.
    pub(crate) fn received(
        &mut self,
        from: Peer,
        to: RequestId,
        delivery: &Delivery,
    ) -> Result<(), Error> {
        let known = self.by_identity(&delivery.from);
        let (id, mut contact) = match known {
            Some((id, contact)) if contact.keys.set.peer == from => (id, contact),
            _ if self.unconfirmed(&delivery.from).is_some() => {
                return Err(Error::Refused(Refusal::Unconfirmed(())));
            }
            _ => return Err(Error::Refused(Refusal::NotContact(()))),
        };
        if !matches!(contact.standing, Standing::Accepted(()) | Standing::Invited(_)) {
            return Err(Error::Refused(Refusal::NotContact(())));
        }
        if contact.changed.is_some() {
            return Err(Error::Refused(Refusal::Unconfirmed(())));
        }
        let mut conversation = self.conversation(id)?;
        let (stored, read) = (conversation.stored, conversation.their_read);
        let mut opener = Opener::new(id);
        let mut outcomes = Vec::new();
        let mut waiting = false;
        for envelope in delivery.envelopes.iter() {
            // What follows a yes that could not be read must wait for it, still sealed: its
            // message key works only once.
            if waiting {
                outcomes.push(Outcome::Later(()));
                continue;
            }
            let outcome = self.take(id, &mut contact, &mut conversation, &mut opener, envelope)?;
            waiting = !contact.accepted() && outcome != Outcome::Stored(());
            outcomes.push(outcome);
        }
        opener.keep(self);
        self.put_conversation(id, &conversation);
        self.tell_read(id, &contact, read, conversation.their_read)?;
        let response = Response::Delivered(Bounded::first(outcomes));
        self.effect(Effect::Answer { to, bytes: codec::response(&response) });
        // Whoever says nothing new does not get us to try again.
        if conversation.stored > stored {
            self.soon(Subject::Contact(id));
        }
        self.pump(id)
    }

    fn take(
        &mut self,
        id: ContactId,
        contact: &mut Contact,
        conversation: &mut Conversation,
        opener: &mut Opener<R>,
        envelope: &Envelope,
    ) -> Result<Outcome, Fault> {
        match conversation.arrival(envelope.counter) {
            Arrival::Duplicate => return Ok(Outcome::Stored(())),
            // Their counting begins with their yes, wherever that is.
            Arrival::TooEarly if contact.accepted() => return Ok(Outcome::Later(())),
            Arrival::TooEarly | Arrival::New => {}
        }
        let size = envelope.body.len() as u64;
        if conversation.stored.saturating_add(size) > INBOUND_BYTES {
            return Ok(Outcome::Later(()));
        }
        let plaintext = match opener.open(self, contact, conversation, envelope) {
            Ok(plaintext) => plaintext,
            Err(Closed::Fault(fault)) => return Err(fault),
            Err(Closed::Undecryptable) => return Ok(self.report(contact, envelope)),
        };
        let Some(content) = self.opened(contact, &plaintext) else {
            return Ok(never(conversation, envelope));
        };
        let begins = !contact.accepted() && content.body == Body::Accept(());
        let jump = if begins { CLOCK_FIRST } else { CLOCK_JUMP };
        if !in_order(conversation, envelope, &content, jump) || self.told_before(&content)? {
            return Ok(never(conversation, envelope));
        }
        // Their own invite, which crossed ours, goes before their yes.
        if !contact.accepted() && !matches!(content.body, Body::Accept(()) | Body::Invite(_)) {
            return Ok(Outcome::Later(()));
        }
        conversation.clock = conversation.clock.max(content.lamport);
        conversation.receive(content.counter);
        conversation.stored = conversation.stored.saturating_add(size);
        self.take_body(id, contact, conversation, content)?;
        Ok(Outcome::Stored(()))
    }

    fn report(&self, contact: &Contact, envelope: &Envelope) -> Outcome {
        let hash = envelope.hash();
        let signed = Undecryptable::signed(hash, contact.keys.identity);
        let signature = self.secrets().identity.sign(REPORT, &self.rules().network, &signed);
        Outcome::Undecryptable(Undecryptable { hash, signature })
    }

    /// What a contact says to us in our conversation.
    pub(crate) fn opened(&self, contact: &Contact, plaintext: &[u8]) -> Option<Content> {
        let plaintext: Plaintext = cbor::decode(plaintext, SEALED_BYTES).ok()?;
        let ours = self.me().set.identity;
        plaintext.open(&self.rules().network, &contact.keys.identity, &ours)
    }

    /// Whether a text has the id of a message that is there already, from whomever.
    fn told_before(&self, content: &Content) -> Result<bool, Fault> {
        let text = matches!(content.body, Body::Text(_));
        Ok(text && self.store().get(&layout::index(&content.id))?.is_some())
    }

    fn take_body(
        &mut self,
        id: ContactId,
        contact: &mut Contact,
        conversation: &mut Conversation,
        content: Content,
    ) -> Result<(), Fault> {
        match content.body.clone() {
            Body::Text(body) => self.take_text(id, contact, conversation, &content, body),
            Body::Edit(edit) => self.amend(id, contact, conversation, edit.target, content),
            Body::Delete(target) => self.amend(id, contact, conversation, target, content),
            Body::React(reaction) => {
                self.amend(id, contact, conversation, reaction.target, content)
            }
            Body::Read(up_to) => {
                let read = up_to.min(conversation.next.saturating_sub(1));
                conversation.their_read = conversation.their_read.max(read);
                Ok(())
            }
            Body::Accept(()) => self.take_accept(id, contact, conversation, content.counter),
            // An invite comes by knocking; from a contact it says nothing.
            Body::Invite(_) => Ok(()),
        }
    }

    fn take_text(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &mut Conversation,
        content: &Content,
        body: TextBody,
    ) -> Result<(), Fault> {
        let mut message = new_message(content, false, body.text, body.reply);
        for early in self.early(id, &message.id)?.iter() {
            change(&mut message, early);
        }
        self.view().delete(layout::early(id, &message.id));
        conversation.unread = conversation.unread.saturating_add(1);
        self.put_message(id, content.lamport, &message);
        let view = self.message_view(id, contact, content.lamport, message)?;
        self.tell(Event::Message(Box::new(view)));
        Ok(())
    }

    fn early(&self, id: ContactId, target: &MessageId) -> Result<Bounded<Content, EARLY>, Fault> {
        Ok(records::read(self.store(), &layout::early(id, target))?.unwrap_or_default())
    }

    /// An edit, deletion or reaction; it waits if its message has not arrived.
    fn amend(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &Conversation,
        target: MessageId,
        content: Content,
    ) -> Result<(), Fault> {
        let found = self.lookup(&target)?.filter(|(place, _)| place.contact == id);
        let Some((place, mut message)) = found else {
            let mut early = self.early(id, &target)?.into_vec();
            // Of each kind of change only the latest counts.
            let kind = std::mem::discriminant(&content.body);
            let older = |other: &Content| {
                std::mem::discriminant(&other.body) != kind || other.counter > content.counter
            };
            early.retain(older);
            early.push(content);
            let kept: Bounded<Content, EARLY> = Bounded::first(early);
            records::write(self.view(), layout::early(id, &target), &kept);
            return Ok(());
        };
        // `message_view` reads the counters from the store.
        self.put_conversation(id, conversation);
        if change(&mut message, &content) {
            self.put_changed(&place, contact, message)?;
        }
        Ok(())
    }

    /// Tells which messages they have read since.
    fn tell_read(
        &mut self,
        id: ContactId,
        contact: &Contact,
        before: u64,
        read: u64,
    ) -> Result<(), Fault> {
        if read <= before {
            return Ok(());
        }
        let ids = self.own_messages(id, before, read)?;
        if !ids.is_empty() {
            let who = contact.name.to_string();
            self.tell(Event::Progress { who, ids, progress: Progress::Read });
        }
        Ok(())
    }

    /// Own messages with counters above the first up to the second, of the latest in history.
    fn own_messages(&self, id: ContactId, above: u64, to: u64) -> Result<Vec<MessageId>, Fault> {
        let scan = Scan::prefix(&layout::messages(id)).backwards().limit(RECEIPT_WINDOW);
        let mut ids = Vec::new();
        for (_, bytes) in self.store().scan(&scan)? {
            let message: Message = cbor::decode_stored(&bytes)?;
            if message.mine && message.counter > above && message.counter <= to {
                ids.push(message.id);
            }
        }
        ids.reverse();
        Ok(ids)
    }

    /// They said yes. Their counting begins here.
    fn take_accept(
        &mut self,
        id: ContactId,
        contact: &mut Contact,
        conversation: &mut Conversation,
        counter: u64,
    ) -> Result<(), Fault> {
        if contact.accepted() {
            return Ok(());
        }
        contact.standing = Standing::Accepted(());
        contact.failed = None;
        conversation.received = counter;
        conversation.ahead = Bounded::default();
        self.put_contact(id, contact.clone());
        self.put_conversation(id, conversation);
        let view = self.contact_view(id, contact)?;
        self.tell(Event::Accepted(Box::new(view)));
        Ok(())
    }
}

/// Whether content has the counter that its envelope shows, and leaves the clock in bounds.
pub(crate) fn in_order(
    conversation: &Conversation,
    envelope: &Envelope,
    content: &Content,
    jump: u64,
) -> bool {
    content.counter == envelope.counter
        && content.lamport <= conversation.clock.saturating_add(jump)
}

/// Content that was really sent but breaks a rule: its counter is used up, so that what follows
/// does not wait for it.
fn never(conversation: &mut Conversation, envelope: &Envelope) -> Outcome {
    conversation.receive(envelope.counter);
    Outcome::Never(())
}

/// Applies their edit, deletion or reaction; false if it changes nothing. A deletion is final,
/// and of two changes the one with the higher counter holds, whichever comes first.
fn change(message: &mut Message, content: &Content) -> bool {
    if message.deleted {
        return false;
    }
    match &content.body {
        Body::Edit(edit) if !message.mine && content.counter > message.edited => {
            message.text = edit.text.clone();
            message.edited = content.counter;
            true
        }
        Body::Delete(_) if !message.mine => {
            erase(message);
            true
        }
        Body::React(reaction) if content.counter > message.their_reaction.0 => {
            let shown = super::names::visible_emoji(&reaction.emoji, reaction.emoji.len());
            message.their_reaction = (content.counter, Text::new(shown).unwrap_or_default());
            true
        }
        _ => false,
    }
}
