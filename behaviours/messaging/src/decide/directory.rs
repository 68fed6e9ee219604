//! Finding people by what the user calls them, and showing them.

use covey_kernel::Fault;

use super::{desk::Desk, inviting::open_name};
use crate::{
    command::{ContactView, InviteView, Relation, Reply},
    error::Error,
    layout::ContactId,
    memory::Change,
    ratchet::Ratchet,
    records::{Contact, OpenInvite, Standing},
};

/// Names that an error lists.
const CANDIDATES: usize = 5;

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// The contact who goes by a name, key, or an unambiguous beginning of one.
    pub(crate) fn find(&self, who: &str) -> Result<(ContactId, Contact), Error> {
        let wanted = who.trim().to_lowercase();
        let all = &self.memory().contacts;
        let exact = all.iter().find(|(_, contact)| contact.name.to_lowercase() == wanted);
        if let Some((id, contact)) = exact {
            return Ok((*id, contact.clone()));
        }
        let begins = |contact: &Contact| {
            !wanted.is_empty()
                && (contact.name.to_lowercase().starts_with(&wanted)
                    || contact.keys.identity.to_string().starts_with(&wanted))
        };
        let mut fits = all.iter().filter(|(_, contact)| begins(contact));
        match (fits.next(), fits.next()) {
            (Some((id, contact)), None) => Ok((*id, contact.clone())),
            (Some(_), Some(_)) => Err(self.ambiguous(who, begins)),
            (None, _) => Err(self.unknown(who, &wanted)),
        }
    }

    fn ambiguous(&self, who: &str, begins: impl Fn(&Contact) -> bool) -> Error {
        let fits = self.memory().contacts.values().filter(|contact| begins(contact));
        let candidates = fits.take(CANDIDATES).map(|contact| contact.name.to_string()).collect();
        Error::Ambiguous { who: who.to_owned(), candidates }
    }

    fn unknown(&self, who: &str, wanted: &str) -> Error {
        let names = self.memory().contacts.values().map(|contact| contact.name.to_string());
        let nearest = names
            .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), wanted), name))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name);
        Error::UnknownContact { who: who.to_owned(), nearest }
    }

    pub(crate) fn open_invite(&self, number: u32) -> Option<OpenInvite> {
        let changed = self.changes().iter().rev().find_map(|change| match change {
            Change::Open(other, open) if *other == number => Some(open.as_deref()),
            _ => None,
        });
        changed.unwrap_or_else(|| self.memory().open.get(&number)).cloned()
    }

    /// The open invite that goes by a name or a node's key.
    pub(crate) fn find_open(&self, who: &str) -> Option<u32> {
        let wanted = who.trim().to_lowercase();
        let fits = |open: &OpenInvite| {
            open_name(open).to_lowercase() == wanted
                || open.peer.to_string() == wanted
                || open.identity.is_some_and(|identity| identity.to_string() == wanted)
                || open.name.as_ref().is_some_and(|name| name.to_lowercase() == wanted)
        };
        self.memory().open.iter().find(|(_, open)| fits(open)).map(|(number, _)| *number)
    }

    pub(crate) fn contact_view(
        &self,
        id: ContactId,
        contact: &Contact,
    ) -> Result<ContactView, Fault> {
        let conversation = self.conversation(id)?;
        Ok(ContactView {
            name: contact.name.to_string(),
            display_name: super::names::visible(&contact.keys.set.name, usize::MAX),
            identity: contact.keys.identity,
            peer: contact.keys.set.peer,
            relation: relation(&contact.standing),
            verified: contact.verified,
            changed: contact.changed.is_some(),
            unread: conversation.unread,
            waiting: conversation.waiting,
            online: self.online(&contact.keys.set.peer),
            since: contact.since,
        })
    }

    pub(crate) fn contacts(&self) -> Result<Reply, Error> {
        let views = self.memory().contacts.iter();
        let views: Result<Vec<_>, _> =
            views.map(|(id, contact)| self.contact_view(*id, contact)).collect();
        Ok(Reply::Contacts(views?))
    }

    pub(crate) fn invite_view(&self, contact: &Contact) -> InviteView {
        let (incoming, text, by_code) = match &contact.standing {
            Standing::Inviting(invitation) => {
                (true, super::names::visible(&invitation.text, usize::MAX), invitation.by_code)
            }
            Standing::Invited(proof) => (false, String::new(), proof.is_some()),
            _ => (false, String::new(), false),
        };
        InviteView {
            name: contact.name.to_string(),
            identity: Some(contact.keys.identity),
            peer: contact.keys.set.peer,
            incoming,
            text,
            by_code,
            since: contact.since,
            delivered: true,
            failed: contact.failed.as_ref().map(|why| why.to_string()),
        }
    }

    pub(crate) fn invites(&self) -> Result<Reply, Error> {
        let mut views = Vec::new();
        for open in self.memory().open.values() {
            views.push(open_view(open));
        }
        for (id, contact) in &self.memory().contacts {
            let mut view = self.invite_view(contact);
            match contact.standing {
                Standing::Inviting(_) => {}
                // Delivered once nothing of it waits.
                Standing::Invited(_) => view.delivered = self.conversation(*id)?.waiting == 0,
                _ => continue,
            }
            views.push(view);
        }
        Ok(Reply::Invites(views))
    }
}

fn open_view(open: &OpenInvite) -> InviteView {
    InviteView {
        name: open_name(open),
        identity: open.identity,
        peer: open.peer,
        incoming: false,
        text: open.text.to_string(),
        by_code: open.secret.is_some(),
        since: open.since,
        delivered: false,
        failed: open.failed.as_ref().map(|why| why.to_string()),
    }
}

fn relation(standing: &Standing) -> Relation {
    match standing {
        Standing::Invited(_) => Relation::Invited,
        Standing::Inviting(_) => Relation::Inviting,
        Standing::Accepted(()) => Relation::Accepted,
        Standing::Blocked(_) => Relation::Blocked,
    }
}
