//! Reading conversations back.

use covey_kernel::{Fault, Scan, cbor};

use super::desk::Desk;
use crate::{
    command::{Cursor, HistoryQuery, MessageView, Page, Reply},
    content::MessageId,
    error::Error,
    layout::{self, ContactId},
    limits::{PAGE, SEARCHED},
    ratchet::Ratchet,
    records::{self, Contact, Conversation, Message},
};

/// Messages that are read from the store at once.
const STRIDE: usize = 32;

/// Where a message lies.
pub(crate) struct Place {
    /// In which conversation.
    pub(crate) contact: ContactId,
    /// Under which key.
    pub(crate) key: Vec<u8>,
    /// Its Lamport clock.
    pub(crate) lamport: u64,
}

fn lamport_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(5..13)?.try_into().ok()?))
}

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// Looks a message up by its id.
    pub(crate) fn place(&self, id: &MessageId) -> Result<(Place, Message), Error> {
        self.lookup(id)?.ok_or_else(|| Error::UnknownMessage(id.to_string()))
    }

    /// The same, in one conversation only.
    pub(crate) fn place_with(
        &self,
        id: &MessageId,
        contact: ContactId,
    ) -> Result<(Place, Message), Error> {
        let found = self.place(id)?;
        if found.0.contact != contact {
            return Err(Error::UnknownMessage(id.to_string()));
        }
        Ok(found)
    }

    pub(crate) fn lookup(&self, id: &MessageId) -> Result<Option<(Place, Message)>, Fault> {
        let Some(key) = self.store().get(&layout::index(id))? else { return Ok(None) };
        let damaged = || Fault::Corrupt("a message's index".into());
        let contact = ContactId(layout::number(&key).ok_or_else(damaged)?);
        let lamport = lamport_of(&key).ok_or_else(damaged)?;
        let message = records::must(self.store(), &key)?;
        Ok(Some((Place { contact, key, lamport }, message)))
    }

    pub(crate) fn message_view(
        &self,
        id: ContactId,
        contact: &Contact,
        lamport: u64,
        message: Message,
    ) -> Result<MessageView, Fault> {
        let conversation = self.conversation(id)?;
        self.view_of(id, contact, &conversation, lamport, message)
    }

    fn view_of(
        &self,
        id: ContactId,
        contact: &Contact,
        conversation: &Conversation,
        lamport: u64,
        message: Message,
    ) -> Result<MessageView, Fault> {
        let some = |reaction: &str| (!reaction.is_empty()).then(|| reaction.to_owned());
        Ok(MessageView {
            id: message.id,
            who: contact.name.to_string(),
            identity: contact.keys.identity,
            mine: message.mine,
            time: message.time,
            reply: message.reply,
            edited: message.edited > 0,
            deleted: message.deleted,
            my_reaction: some(&message.my_reaction.1),
            their_reaction: some(&message.their_reaction.1),
            progress: self.progress(id, conversation, &message)?,
            cursor: Cursor(lamport, message.id),
            text: message.text.into_string(),
        })
    }

    /// The newest messages that fit, oldest first.
    pub(crate) fn history(&self, query: &HistoryQuery) -> Result<Reply, Error> {
        let (id, contact) = self.find(&query.who)?;
        let conversation = self.conversation(id)?;
        let wanted = query.search.as_ref().map(|text| text.to_lowercase());
        let fits = |message: &Message| {
            query.since.is_none_or(|since| message.time >= since)
                && wanted.as_ref().is_none_or(|text| message.text.to_lowercase().contains(text))
        };
        let mut scan = Scan::prefix(&layout::messages(id)).backwards().limit(STRIDE);
        if let Some(Cursor(lamport, message)) = query.before {
            scan = scan.before(&layout::message(id, lamport, &message));
        }
        let limit = query.limit.clamp(1, PAGE);
        let (mut messages, mut seen, mut before) = (Vec::new(), 0usize, None);
        // A few at a time: a page of long texts is large.
        'all: loop {
            let entries = self.store().scan(&scan)?;
            let more = entries.len() == STRIDE;
            for (key, bytes) in &entries {
                if messages.len() >= limit || seen >= SEARCHED {
                    break 'all;
                }
                let message: Message = cbor::decode_stored(bytes)?;
                let lamport = lamport_of(key).unwrap_or_default();
                seen = seen.saturating_add(1);
                before = Some(Cursor(lamport, message.id));
                scan = scan.before(key);
                if fits(&message) {
                    messages.push(self.view_of(id, &contact, &conversation, lamport, message)?);
                }
            }
            if !more {
                before = None;
                break;
            }
        }
        messages.reverse();
        Ok(Reply::History(Page { messages, before }))
    }
}
