//! Who may write to whom: yes, no, blocked; and what they are called.

use covey_kernel::{Effect, Scan};

use super::desk::Desk;
use crate::{
    command::{Event, Reply},
    content::Body,
    error::Error,
    layout::{self, ContactId},
    memory::{Change, Subject},
    ratchet::Ratchet,
    records::{Contact, Conversation, Standing},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn accept(&mut self, who: &str, name: Option<String>) -> Result<Reply, Error> {
        let (id, mut contact) = self.find(who)?;
        match &contact.standing {
            Standing::Inviting(_) => {}
            Standing::Accepted(()) => return Err(Error::AlreadyContact(contact.name.to_string())),
            Standing::Blocked(_) => return Err(Error::Blocked(contact.name.to_string())),
            Standing::Invited(_) => return Err(Error::NotAccepted(contact.name.to_string())),
        }
        if let Some(name) = name {
            contact.name = self.chosen_name(&name, Some(id))?;
        }
        contact.standing = Standing::Accepted(());
        self.say_yes(id, contact.clone())?;
        Ok(Reply::Contact(Box::new(self.contact_view(id, &contact)?)))
    }

    pub(super) fn say_yes(&mut self, id: ContactId, mut contact: Contact) -> Result<(), Error> {
        contact.standing = Standing::Accepted(());
        let mut conversation = self.conversation(id)?;
        self.become_contact(id, contact, &mut conversation)
    }

    pub(super) fn become_contact(
        &mut self,
        id: ContactId,
        mut contact: Contact,
        conversation: &mut Conversation,
    ) -> Result<(), Error> {
        // Whatever was wrong with an invite of ours does not matter any more.
        contact.failed = None;
        self.put_contact(id, contact.clone());
        self.queue(id, &contact, conversation, Body::Accept(()))?;
        self.put_conversation(id, conversation);
        let view = self.contact_view(id, &contact)?;
        self.tell(Event::Accepted(Box::new(view)));
        self.seek(contact.keys.set.peer, &contact.addresses);
        self.soon(Subject::Contact(id));
        self.pump(id)
    }

    /// No, silently; or takes an own invite back.
    pub(crate) fn reject(&mut self, who: &str) -> Result<Reply, Error> {
        if let Some(number) = self.find_open(who) {
            if let Some(open) = self.open_invite(number) {
                self.effect(Effect::Release(open.peer));
            }
            self.drop_open(number);
            return Ok(Reply::Done);
        }
        let (id, contact) = self.find(who)?;
        match contact.standing {
            Standing::Inviting(_) | Standing::Invited(_) => self.forget(id, &contact)?,
            _ => return Err(Error::NoInvite(contact.name.to_string())),
        }
        Ok(Reply::Done)
    }

    /// Removes somebody with whom nothing was said yet.
    pub(super) fn forget(&mut self, id: ContactId, contact: &Contact) -> Result<(), Error> {
        let mut conversation = self.conversation(id)?;
        self.drop_sessions(id, &mut conversation);
        for (key, _) in self.store().scan(&Scan::prefix(&layout::outbox(id)))? {
            self.view().delete(key);
        }
        self.view().delete(layout::conversation(id));
        self.view().delete(layout::contact(id));
        self.change(Change::Contact(id, None));
        self.effect(Effect::Release(contact.keys.set.peer));
        Ok(())
    }

    pub(crate) fn block(&mut self, who: &str) -> Result<Reply, Error> {
        let (id, mut contact) = self.find(who)?;
        let before = match contact.standing {
            Standing::Blocked(_) => return Err(Error::Blocked(contact.name.to_string())),
            Standing::Accepted(()) => true,
            Standing::Invited(_) | Standing::Inviting(_) => false,
        };
        contact.standing = Standing::Blocked(before);
        self.put_contact(id, contact.clone());
        self.change(Change::Land(Subject::Contact(id)));
        self.effect(Effect::Release(contact.keys.set.peer));
        Ok(Reply::Done)
    }

    /// A former contact is one again; others are strangers again.
    pub(crate) fn unblock(&mut self, who: &str) -> Result<Reply, Error> {
        let (id, mut contact) = self.find(who)?;
        match contact.standing {
            Standing::Blocked(true) => {
                contact.standing = Standing::Accepted(());
                // What they hold back since we refused it flows once they hear from us.
                contact.told = 0;
                self.put_contact(id, contact.clone());
                self.seek(contact.keys.set.peer, &contact.addresses);
                self.soon(Subject::Contact(id));
                self.pump(id)?;
            }
            Standing::Blocked(false) => self.forget(id, &contact)?,
            _ => return Err(Error::NotBlocked(contact.name.to_string())),
        }
        Ok(Reply::Done)
    }

    pub(crate) fn rename(&mut self, who: &str, name: &str) -> Result<Reply, Error> {
        let (id, mut contact) = self.find(who)?;
        contact.name = self.chosen_name(name, Some(id))?;
        self.put_contact(id, contact);
        Ok(Reply::Done)
    }
}
