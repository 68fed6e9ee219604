//! Own invites, until the other's keys have come and they are contacts who are invited.

use covey_kernel::{Address, Bounded, Effect, Peer, PublicKey, Text};

use super::{desk::Desk, names::visible};
use crate::{
    code::CodeSecret,
    command::{Event, Reply, Target},
    content::Body,
    error::{Error, Expired},
    identity::{Name, SignedKeySet},
    layout::ContactId,
    limits::{CONTACTS, INVITE_TEXT_BYTES, OPEN_INVITES},
    memory::{Errand, Subject},
    prekeys::Handout,
    ratchet::Ratchet,
    records::{Contact, Conversation, OpenInvite, Standing},
    wire::Request,
};

/// Whom an invite is for, as far as it is known before their keys have come.
struct Aim {
    peer: Peer,
    identity: Option<PublicKey>,
    addresses: Vec<Address>,
    secret: Option<CodeSecret>,
}

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn invite(
        &mut self,
        target: Target,
        name: Option<String>,
        text: &str,
    ) -> Result<Reply, Error> {
        let text = invite_text(text)?;
        let Aim { peer, identity, addresses, secret } = self.aim(target)?;
        self.not_yet_known(identity.as_ref(), &peer)?;
        let failed = self.forget_failed(identity.as_ref(), &peer)?;
        if self.memory().contacts.len() >= CONTACTS {
            return Err(Error::TooManyContacts);
        }
        let name = name.map(|name| self.chosen_name(&name, failed)).transpose()?;
        let number = self.fresh_number();
        let addresses = Bounded::first(addresses);
        self.seek(peer, &addresses);
        let since = self.now();
        let open =
            OpenInvite { peer, identity, addresses, secret, name, text, since, failed: None };
        let shown = open_name(&open);
        self.put_open(number, open);
        self.pump_open(number);
        Ok(Reply::Inviting(shown))
    }

    fn aim(&self, target: Target) -> Result<Aim, Error> {
        let me = self.me();
        match target {
            Target::Peer(peer, _) if peer == me.set.set.peer => Err(Error::OwnCode),
            Target::Peer(peer, addresses) => {
                Ok(Aim { peer, identity: None, addresses, secret: None })
            }
            Target::Code(code) => {
                let (own, now) = (self.rules().network, self.now());
                if code.network != own {
                    let code = code.network.short();
                    return Err(Error::OtherNetwork { code, own: own.short() });
                }
                if code.identity == me.set.identity || code.peer == me.set.set.peer {
                    return Err(Error::OwnCode);
                }
                if code.expires <= now {
                    return Err(Error::CodeExpired(Expired(now.since(code.expires))));
                }
                Ok(Aim {
                    peer: code.peer,
                    identity: Some(code.identity),
                    addresses: code.addresses.to_vec(),
                    secret: Some(code.secret),
                })
            }
        }
    }

    /// Whoever has this identity, is about to have it, or lives at this node: a new identity may
    /// be known from a contact code before its announcement comes, and is no second person.
    fn acquainted(
        &self,
        identity: Option<&PublicKey>,
        peer: &Peer,
    ) -> Option<(ContactId, Contact)> {
        let named =
            |keys: &SignedKeySet| Some(&keys.identity) == identity || keys.set.peer == *peer;
        let known =
            |contact: &Contact| named(&contact.keys) || contact.changed.as_ref().is_some_and(named);
        let mut all = self.memory().contacts.iter();
        let found = all.find(|(_, contact)| known(contact));
        found.map(|(id, contact)| (*id, contact.clone()))
    }

    /// A new invite takes the place of one that can never arrive. Returns the contact that it was.
    fn forget_failed(
        &mut self,
        identity: Option<&PublicKey>,
        peer: &Peer,
    ) -> Result<Option<ContactId>, Error> {
        let open = &self.memory().open;
        let failed = |(number, open): (&u32, &OpenInvite)| {
            open.failed.is_some().then_some((*number, open.peer == *peer))
        };
        let failed: Vec<(u32, bool)> = open.iter().filter_map(failed).collect();
        let full = open.len() >= OPEN_INVITES;
        if full && failed.is_empty() {
            return Err(Error::TooManyInvites);
        }
        for (number, same) in failed {
            if same || full {
                self.drop_open(number);
            }
        }
        let known = self.acquainted(identity, peer);
        let Some((id, contact)) = known.filter(|(_, contact)| contact.invite_failed()) else {
            return Ok(None);
        };
        self.forget(id, &contact)?;
        Ok(Some(id))
    }

    fn not_yet_known(&self, identity: Option<&PublicKey>, peer: &Peer) -> Result<(), Error> {
        let known = self.acquainted(identity, peer).map(|(_, contact)| contact);
        if let Some(contact) = known.filter(|contact| !contact.invite_failed()) {
            let name = contact.name.to_string();
            return Err(match contact.standing {
                Standing::Accepted(()) => Error::AlreadyContact(name),
                Standing::Invited(_) => Error::AlreadyInvited(name),
                Standing::Inviting(_) => Error::NotYetAccepted(name),
                Standing::Blocked(_) => Error::Blocked(name),
            });
        }
        let open = self.memory().open.values();
        let twice = open.into_iter().find(|open| open.peer == *peer && open.failed.is_none());
        match twice {
            Some(open) => Err(Error::AlreadyInvited(open_name(open))),
            None => Ok(()),
        }
    }

    /// Asks for the keys that an open invite needs.
    pub(crate) fn pump_open(&mut self, number: u32) {
        let subject = Subject::Open(number);
        let changed = self.open_invite(number);
        let Some(invite) = changed.filter(|invite| invite.failed.is_none()) else { return };
        if !self.flying(subject) && !self.waiting(subject) {
            self.ask(subject, invite.peer, Errand::Claim, &Request::Claim(()));
        }
    }

    /// The keys for an open invite have come: it becomes a contact who is invited.
    pub(crate) fn open_answered(
        &mut self,
        number: u32,
        from: Peer,
        handout: &Handout,
    ) -> Result<(), Error> {
        let Some(open) = self.open_invite(number) else { return Ok(()) };
        let keys = &handout.set;
        if keys.set.peer != from || open.identity.is_some_and(|identity| identity != keys.identity)
        {
            self.fail_open(number, open, "another identity answers at this node: not invited");
            return Ok(());
        }
        if let Some((id, contact)) = self.by_identity(&keys.identity)
            && matches!(contact.standing, Standing::Inviting(_))
        {
            // Their invite has crossed ours: both want it.
            self.drop_open(number);
            let contact = self.inviter_changed(id, contact, keys)?;
            return self.say_yes(id, contact);
        }
        if let Some((_, contact)) = self.acquainted(Some(&keys.identity), &from) {
            let why = format!("you know them already, as {}", &*contact.name);
            self.fail_open(number, open, &why);
            return Ok(());
        }
        let id = ContactId(self.fresh_number());
        let proof = open.secret.map(|secret| secret.proof(&self.rules().peer, &from));
        // The name that the user chose is reserved for them since then.
        let own_name = || self.free_name(&keys.set.name, &keys.identity);
        let name = open.name.clone().unwrap_or_else(own_name);
        let mut contact = self.new_contact(name, keys, Standing::Invited(proof));
        contact.addresses = open.addresses.clone();
        // They may know an older identity of ours, from an invite that we have taken back or
        // forgotten, and would take this one for a stranger's: the invite comes after an
        // announcement. Whoever we invite so learns our former identities.
        if !self.me().successions.is_empty() {
            contact.told = 0;
        }
        let mut conversation = Conversation::default();
        self.open_session(id, &mut conversation, handout)?;
        self.put_contact(id, contact.clone());
        self.queue(id, &contact, &mut conversation, Body::Invite(open.text))?;
        self.put_conversation(id, &conversation);
        self.drop_open(number);
        self.pump(id)
    }

    /// Somebody new. They know our present keys: from our invite, or from the prekeys that
    /// they used for theirs.
    pub(super) fn new_contact(
        &self,
        name: Name,
        keys: &SignedKeySet,
        standing: Standing,
    ) -> Contact {
        let me = self.me();
        Contact {
            name,
            keys: keys.clone(),
            standing,
            changed: None,
            verified: false,
            shown: None,
            told: me.set.set.sequence,
            addresses: Bounded::default(),
            since: self.now(),
            failed: None,
        }
    }

    fn fail_open(&mut self, number: u32, mut open: OpenInvite, why: &str) {
        let name = open_name(&open);
        open.failed = Some(Text::new(why).unwrap_or_default());
        // A contact on the same node is still looked for.
        if !self.memory().by_peer.contains_key(&open.peer) {
            self.effect(Effect::Release(open.peer));
        }
        self.put_open(number, open);
        self.tell(Event::InviteFailed { name, why: why.to_owned() });
    }
}

fn invite_text(text: &str) -> Result<Text<INVITE_TEXT_BYTES>, Error> {
    Text::new(visible(text, usize::MAX)).map_err(|error| Error::InviteTooLong(error.length))
}

/// What to call an open invite.
pub(crate) fn open_name(open: &OpenInvite) -> String {
    match &open.name {
        Some(name) => name.to_string(),
        None => open.identity.unwrap_or(open.peer).to_string().chars().take(16).collect(),
    }
}
