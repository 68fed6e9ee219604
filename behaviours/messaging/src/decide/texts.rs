//! What the user says: texts, edits, deletions, reactions; and how far it has come.

use covey_kernel::{Fault, Text};

use super::{desk::Desk, history::Place, names::visible_emoji, sessions::put_outgoing};
use crate::{
    command::{Event, Progress, Reply},
    content::{Body, Content, Edit, MessageId, Reaction, TextBody},
    error::Error,
    layout::{self, ContactId},
    limits::{OUTBOX, REACTION_BYTES, TEXT_BYTES},
    ratchet::Ratchet,
    records::{self, Contact, Conversation, Message, Outgoing, Standing},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// Counts, clocks and stores content that is to be delivered.
    pub(crate) fn queue(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &mut Conversation,
        body: Body,
    ) -> Result<Content, Error> {
        if conversation.waiting >= OUTBOX {
            return Err(Error::OutboxFull(contact.name.to_string()));
        }
        let counter = conversation.next;
        conversation.next = counter.saturating_add(1);
        Ok(self.queue_at(id, conversation, counter, body))
    }

    /// The same under a given counter.
    pub(crate) fn queue_at(
        &mut self,
        id: ContactId,
        conversation: &mut Conversation,
        counter: u64,
        body: Body,
    ) -> Content {
        conversation.clock = conversation.clock.saturating_add(1);
        conversation.waiting = conversation.waiting.saturating_add(1);
        conversation.first = conversation.first.min(counter);
        let (time, message) = (self.now(), MessageId::random(self.rng()));
        let content = Content { counter, lamport: conversation.clock, time, id: message, body };
        let outgoing = Outgoing { content: content.clone(), envelope: None };
        put_outgoing(self, id, &outgoing);
        content
    }

    /// Whether we may write to them now.
    fn writable(&self, contact: &Contact) -> Result<(), Error> {
        let name = contact.name.to_string();
        match contact.standing {
            Standing::Accepted(()) if contact.changed.is_some() => Err(Error::KeysChanged(name)),
            Standing::Accepted(()) => Ok(()),
            Standing::Invited(_) => Err(Error::NotAccepted(name)),
            Standing::Inviting(_) => Err(Error::NotYetAccepted(name)),
            Standing::Blocked(_) => Err(Error::Blocked(name)),
        }
    }

    /// Queues content to a contact and sends it when possible.
    fn say(&mut self, id: ContactId, contact: &Contact, body: Body) -> Result<Content, Error> {
        self.writable(contact)?;
        let mut conversation = self.conversation(id)?;
        let content = self.queue(id, contact, &mut conversation, body)?;
        self.put_conversation(id, &conversation);
        Ok(content)
    }

    pub(crate) fn send(
        &mut self,
        who: &str,
        text: String,
        reply: Option<MessageId>,
    ) -> Result<Reply, Error> {
        let (id, contact) = self.find(who)?;
        let text = message_text(text)?;
        if let Some(target) = &reply {
            self.place_with(target, id)?;
        }
        let body = TextBody { text: text.clone(), reply };
        let content = self.say(id, &contact, Body::Text(body))?;
        let message = new_message(&content, true, text, reply);
        self.put_message(id, content.lamport, &message);
        let view = self.message_view(id, &contact, content.lamport, message)?;
        self.tell(Event::Message(Box::new(view)));
        self.pump(id)?;
        Ok(Reply::Queued(content.id))
    }

    pub(crate) fn put_message(&mut self, id: ContactId, lamport: u64, message: &Message) {
        let key = layout::message(id, lamport, &message.id);
        records::write(self.view(), key.clone(), message);
        self.view().put(layout::index(&message.id), key);
    }

    /// An own message that can still be changed.
    fn own(&self, target: &MessageId) -> Result<(Place, Message), Error> {
        let (place, message) = self.place(target)?;
        if !message.mine {
            return Err(Error::NotYours(target.to_string()));
        }
        if message.deleted {
            return Err(Error::Deleted(target.to_string()));
        }
        Ok((place, message))
    }

    pub(crate) fn edit(&mut self, target: MessageId, text: String) -> Result<Reply, Error> {
        let text = message_text(text)?;
        let (place, mut message) = self.own(&target)?;
        let contact = self.contact_at(place.contact)?;
        let body = Body::Edit(Edit { target, text: text.clone() });
        let content = self.say(place.contact, &contact, body)?;
        message.text = text;
        message.edited = content.counter;
        self.put_changed(&place, &contact, message)?;
        self.pump(place.contact)?;
        Ok(Reply::Done)
    }

    pub(crate) fn delete(&mut self, target: MessageId) -> Result<Reply, Error> {
        let (place, mut message) = self.own(&target)?;
        let contact = self.contact_at(place.contact)?;
        self.unsay(place.contact, &message)?;
        self.say(place.contact, &contact, Body::Delete(target))?;
        erase(&mut message);
        self.put_changed(&place, &contact, message)?;
        self.pump(place.contact)?;
        Ok(Reply::Done)
    }

    /// What was never sent is never sent, neither the text nor its last edit: empty ones go out
    /// in their places.
    fn unsay(&mut self, id: ContactId, message: &Message) -> Result<(), Fault> {
        for counter in [message.counter, message.edited] {
            let key = layout::outgoing(id, counter);
            let Some(mut outgoing) = records::read::<Outgoing>(self.store(), &key)? else {
                continue;
            };
            let said = &mut outgoing.content;
            match &mut said.body {
                Body::Text(body) if said.id == message.id => {
                    *body = TextBody { text: Text::default(), reply: None };
                }
                Body::Edit(edit) if edit.target == message.id => edit.text = Text::default(),
                _ => continue,
            }
            if outgoing.envelope.is_none() {
                put_outgoing(self, id, &outgoing);
            }
        }
        Ok(())
    }

    pub(crate) fn react(&mut self, target: MessageId, emoji: &str) -> Result<Reply, Error> {
        let shown = visible_emoji(emoji, REACTION_BYTES);
        if shown != emoji.trim() {
            return Err(Error::InvalidReaction);
        }
        let emoji = Text::new(shown).map_err(|_| Error::InvalidReaction)?;
        let (place, mut message) = self.place(&target)?;
        if message.deleted {
            return Err(Error::Deleted(target.to_string()));
        }
        let contact = self.contact_at(place.contact)?;
        let body = Body::React(Reaction { target, emoji: emoji.clone() });
        let content = self.say(place.contact, &contact, body)?;
        message.my_reaction = (content.counter, emoji);
        self.put_changed(&place, &contact, message)?;
        self.pump(place.contact)?;
        Ok(Reply::Done)
    }

    /// Stores a changed message in its place and tells subscribers.
    pub(crate) fn put_changed(
        &mut self,
        place: &Place,
        contact: &Contact,
        message: Message,
    ) -> Result<(), Fault> {
        records::write(self.view(), place.key.clone(), &message);
        let view = self.message_view(place.contact, contact, place.lamport, message)?;
        self.tell(Event::Changed(Box::new(view)));
        Ok(())
    }

    pub(crate) fn status(&self, target: &MessageId) -> Result<Reply, Error> {
        let (place, message) = self.place(target)?;
        let conversation = self.conversation(place.contact)?;
        Ok(Reply::Status(self.progress(place.contact, &conversation, &message)?))
    }

    /// How far a message has come. What waits is in the outbox; what has left it is delivered.
    pub(crate) fn progress(
        &self,
        id: ContactId,
        conversation: &Conversation,
        message: &Message,
    ) -> Result<Progress, Fault> {
        if !message.mine {
            return Ok(Progress::Received);
        }
        if message.refused {
            return Ok(Progress::Refused);
        }
        let waiting: Option<Outgoing> =
            records::read(self.store(), &layout::outgoing(id, message.counter))?;
        if waiting.is_some_and(|outgoing| outgoing.content.id == message.id) {
            let sent = message.counter <= conversation.sent;
            return Ok(if sent { Progress::Sent } else { Progress::Queued });
        }
        let read = message.counter <= conversation.their_read;
        Ok(if read { Progress::Read } else { Progress::Delivered })
    }

    /// Everything of theirs so far has been read; they are told, if the user wants that.
    pub(crate) fn read(&mut self, who: &str) -> Result<Reply, Error> {
        let (id, contact) = self.find(who)?;
        let mut conversation = self.conversation(id)?;
        let newest = conversation.ahead.last().copied().unwrap_or(conversation.received);
        if conversation.unread == 0 {
            return Ok(Reply::Done);
        }
        conversation.unread = 0;
        conversation.our_read = newest;
        let tell = self.rules().read_receipts && self.writable(&contact).is_ok();
        if tell {
            self.queue(id, &contact, &mut conversation, Body::Read(newest))?;
        }
        self.put_conversation(id, &conversation);
        self.pump(id)?;
        Ok(Reply::Done)
    }

    pub(crate) fn contact_at(&self, id: ContactId) -> Result<Contact, Fault> {
        self.contact(id).ok_or_else(|| Fault::Corrupt("a message without its contact".into()))
    }
}

/// A message record from its content.
pub(crate) fn new_message(
    content: &Content,
    mine: bool,
    text: Text<TEXT_BYTES>,
    reply: Option<MessageId>,
) -> Message {
    Message {
        id: content.id,
        mine,
        counter: content.counter,
        time: content.time,
        text,
        reply,
        edited: 0,
        deleted: false,
        refused: false,
        my_reaction: (0, Text::default()),
        their_reaction: (0, Text::default()),
    }
}

/// Deletes what a message said.
pub(crate) fn erase(message: &mut Message) {
    message.deleted = true;
    message.text = Text::default();
    message.reply = None;
    message.my_reaction = (0, Text::default());
    message.their_reaction = (0, Text::default());
}

fn message_text(text: String) -> Result<Text<TEXT_BYTES>, Error> {
    if text.trim().is_empty() {
        return Err(Error::EmptyText);
    }
    Text::new(text).map_err(|error| Error::TextTooLong(error.length))
}
