//! Contact codes, invites in both directions, and who may write to whom.

use covey_kernel::{Address, Bounded, Effect, Hash, Peer, PublicKey, RequestId, Scan, Span, Text};

use super::{
    codec,
    desk::{Desk, visible},
    sessions::{Closed, Opener},
};
use crate::{
    code::{CodeSecret, ContactCode},
    command::{Event, Reply, Target},
    content::{Body, Content},
    error::{Error, Expired},
    identity::{Name, SignedKeySet},
    layout::{self, ContactId},
    limits::{self, CODE_LIFE, CODES, CONTACTS, INVITE_TEXT_BYTES, OPEN_INVITES},
    memory::{Errand, Subject},
    prekeys::Handout,
    ratchet::Ratchet,
    records::{self, Code, Contact, Conversation, Invitation, OpenInvite, Standing},
    wire::{Knock, Refusal, Request, Response},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    // --- contact codes -------------------------------------------------------------------

    pub(crate) fn code(
        &mut self,
        addresses: Vec<Address>,
        once: bool,
        reset: bool,
    ) -> Result<Reply, Error> {
        let mut codes = self.live_codes(reset)?;
        let fresh = self.now().plus(Span::millis(CODE_LIFE.as_millis() / 2));
        let reusable = |code: &Code| !once && !code.once && code.expires >= fresh;
        let standing = codes.iter().position(|(_, code)| reusable(code));
        let code = match standing.map(|place| codes.swap_remove(place).1) {
            Some(code) => code,
            None if codes.len() >= CODES => return Err(Error::TooManyCodes),
            None => self.new_code(once),
        };
        let me = self.me();
        Ok(Reply::Code(Box::new(ContactCode {
            network: self.rules().network,
            identity: me.set.identity,
            peer: me.set.set.peer,
            addresses: Bounded::first(addresses),
            secret: code.secret,
            expires: code.expires,
            once: code.once,
        })))
    }

    fn new_code(&mut self, once: bool) -> Code {
        let mut secret = [0; 16];
        self.rng().fill_bytes(&mut secret);
        let expires = self.now().plus(CODE_LIFE);
        let code = Code { secret: CodeSecret(secret), expires, once };
        let number = self.fresh_number();
        records::write(self.view(), layout::code(number), &code);
        code
    }

    /// The codes that are good. Expired ones are removed; with `reset`, all are.
    fn live_codes(&mut self, reset: bool) -> Result<Vec<(Vec<u8>, Code)>, Error> {
        let mut live = Vec::new();
        for (key, bytes) in self.store().scan(&Scan::prefix(layout::CODES))? {
            let code: Code = covey_kernel::cbor::decode_stored(&bytes)?;
            if reset || code.expires <= self.now() {
                self.view().delete(key);
            } else {
                live.push((key, code));
            }
        }
        Ok(live)
    }

    /// Looks for the code whose secret was shown, and uses up a single-use one.
    fn redeem(&mut self, proof: &Hash, inviter: &Peer) -> Result<(), Error> {
        let peer = self.rules().peer;
        let codes = self.live_codes(false)?;
        let found = codes.into_iter().find(|(_, code)| code.secret.proof(inviter, &peer) == *proof);
        let (key, code) = found.ok_or(Error::Refused(Refusal::Code(())))?;
        if code.once {
            self.view().delete(key);
        }
        Ok(())
    }

    // --- inviting ------------------------------------------------------------------------

    pub(crate) fn invite(
        &mut self,
        target: Target,
        name: Option<String>,
        text: &str,
    ) -> Result<Reply, Error> {
        let text = invite_text(text)?;
        let (peer, identity, addresses, secret) = self.target(target)?;
        self.not_yet_known(identity.as_ref(), &peer)?;
        if self.memory().open.len() >= OPEN_INVITES {
            return Err(Error::TooManyInvites);
        }
        if self.memory().contacts.len() >= CONTACTS {
            return Err(Error::TooManyContacts);
        }
        let name = name.map(|name| self.chosen_name(&name, None)).transpose()?;
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

    #[allow(clippy::type_complexity)]
    fn target(
        &self,
        target: Target,
    ) -> Result<(Peer, Option<PublicKey>, Vec<Address>, Option<CodeSecret>), Error> {
        let me = self.me();
        match target {
            Target::Peer(peer, _) if peer == me.set.set.peer => Err(Error::OwnCode),
            Target::Peer(peer, addresses) => Ok((peer, None, addresses, None)),
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
                let addresses = code.addresses.to_vec();
                Ok((code.peer, Some(code.identity), addresses, Some(code.secret)))
            }
        }
    }

    /// Whoever has this identity, is about to have it, or lives at this node: a new identity may
    /// be known from a contact code before its announcement comes, and is no second person.
    fn acquainted(&self, identity: Option<&PublicKey>, peer: &Peer) -> Option<Contact> {
        let named =
            |keys: &SignedKeySet| Some(&keys.identity) == identity || keys.set.peer == *peer;
        let known = |contact: &&Contact| {
            named(&contact.keys) || contact.changed.as_ref().is_some_and(named)
        };
        self.memory().contacts.values().find(known).cloned()
    }

    fn not_yet_known(&self, identity: Option<&PublicKey>, peer: &Peer) -> Result<(), Error> {
        let known = self.acquainted(identity, peer);
        if let Some(contact) = known {
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
            return self.say_yes(id, contact);
        }
        if let Some(contact) = self.acquainted(Some(&keys.identity), &from) {
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
    fn new_contact(&self, name: Name, keys: &SignedKeySet, standing: Standing) -> Contact {
        let me = self.me();
        Contact {
            name,
            keys: keys.clone(),
            standing,
            changed: None,
            verified: false,
            told: me.set.set.sequence,
            addresses: Bounded::default(),
            ours: me.set.identity,
            theirs: keys.identity,
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

    // --- being invited -------------------------------------------------------------------

    /// Somebody knocks. Whether they are blocked or were rejected does not show.
    pub(crate) fn knocked(
        &mut self,
        from: Peer,
        to: RequestId,
        knock: &Knock,
    ) -> Result<(), Error> {
        if knock.set.identity == self.me().set.identity {
            return Err(Error::Refused(Refusal::Invalid(())));
        }
        let mut response = Response::Noted(());
        match self.by_identity(&knock.set.identity) {
            None => match self.unconfirmed(&knock.set.identity, &from) {
                None => self.new_knock(from, knock)?,
                Some(contact) if contact.accepted() => {}
                Some(_) => response = Response::Refused(Refusal::Later(())),
            },
            Some((id, contact)) => match contact.standing {
                // With other keys than those that we invited: the user has to confirm them.
                Standing::Invited(_) if !knock.set.set.same_keys(&contact.keys.set) => {
                    self.learn_keys(id, contact, &knock.set);
                    response = Response::Refused(Refusal::Later(()));
                }
                Standing::Invited(_) => self.both_invited(id, contact, knock)?,
                Standing::Accepted(()) => self.invited_again(id, knock)?,
                Standing::Inviting(_) | Standing::Blocked(_) => {}
            },
        }
        self.effect(Effect::Answer { to, bytes: codec::response(&response) });
        Ok(())
    }

    /// A contact knocks: they have forgotten us since, and with us the sessions under which our
    /// yes, and what followed it, waits for them.
    fn invited_again(&mut self, id: ContactId, knock: &Knock) -> Result<(), Error> {
        let mut conversation = self.conversation(id)?;
        let known = conversation.sessions.contains(&knock.envelope.session);
        if conversation.waiting == 0 || known {
            return Ok(());
        }
        self.drop_sessions(id, &mut conversation);
        self.put_conversation(id, &conversation);
        self.soon(Subject::Contact(id));
        self.pump(id)
    }

    fn new_knock(&mut self, from: Peer, knock: &Knock) -> Result<(), Error> {
        if let Some((number, open)) = self.open_towards(&from, &knock.set.identity) {
            return self.open_and_knocked(number, &open, knock);
        }
        let by_code = knock.proof.is_some();
        if let Some(proof) = &knock.proof {
            self.redeem(proof, &from)?;
        }
        self.room_for(by_code, &from)?;
        let id = ContactId(self.fresh_number());
        let name = self.free_name(&knock.set.set.name, &knock.set.identity);
        let invitation = Invitation { text: Text::default(), by_code };
        let mut contact = self.new_contact(name, &knock.set, Standing::Inviting(invitation));
        let (text, conversation) = self.read_knock(id, &contact, knock, Conversation::default())?;
        contact.standing = Standing::Inviting(Invitation { text, by_code });
        self.put_conversation(id, &conversation);
        self.put_contact(id, contact.clone());
        let view = self.invite_view(&contact);
        self.tell(Event::Invite(Box::new(view)));
        Ok(())
    }

    /// Our own invite to this person, if it waits for their keys.
    fn open_towards(&self, peer: &Peer, identity: &PublicKey) -> Option<(u32, OpenInvite)> {
        let fits = |open: &OpenInvite| {
            open.peer == *peer
                && open.failed.is_none()
                && open.identity.is_none_or(|expected| expected == *identity)
        };
        let found = self.memory().open.iter().find(|(_, open)| fits(open));
        found.map(|(number, open)| (*number, open.clone()))
    }

    /// They invite us before our invite has got their keys: both want it.
    fn open_and_knocked(
        &mut self,
        number: u32,
        open: &OpenInvite,
        knock: &Knock,
    ) -> Result<(), Error> {
        let id = ContactId(self.fresh_number());
        let own_name = || self.free_name(&knock.set.set.name, &knock.set.identity);
        let name = open.name.clone().unwrap_or_else(own_name);
        let mut contact = self.new_contact(name, &knock.set, Standing::Accepted(()));
        contact.addresses = open.addresses.clone();
        let (_, mut conversation) =
            self.read_knock(id, &contact, knock, Conversation::default())?;
        self.drop_open(number);
        self.become_contact(id, contact, &mut conversation)
    }

    fn room_for(&self, by_code: bool, from: &Peer) -> Result<(), Error> {
        let known = self.memory().by_peer.get(from).into_iter().flatten();
        let waiting = known.filter_map(|id| self.contact(*id));
        let waiting = waiting.filter(|contact| matches!(contact.standing, Standing::Inviting(_)));
        if waiting.count() >= limits::INVITES_PER_PEER {
            return Err(Error::Refused(Refusal::Later(())));
        }
        let same_kind = |contact: &&Contact| match &contact.standing {
            Standing::Inviting(invitation) => invitation.by_code == by_code,
            _ => false,
        };
        let waiting = self.memory().contacts.values().filter(same_kind).count();
        let most = if by_code { limits::CODE_HOLDERS } else { limits::STRANGERS };
        if waiting >= most || self.memory().contacts.len() >= CONTACTS {
            return Err(Error::Refused(Refusal::Later(())));
        }
        Ok(())
    }

    /// They invite us while our invite is on its way: both want it.
    fn both_invited(
        &mut self,
        id: ContactId,
        mut contact: Contact,
        knock: &Knock,
    ) -> Result<(), Error> {
        let conversation = self.conversation(id)?;
        contact.theirs = knock.set.identity;
        let (_, mut conversation) = self.read_knock(id, &contact, knock, conversation)?;
        contact.standing = Standing::Accepted(());
        self.become_contact(id, contact, &mut conversation)
    }

    /// Decrypts an invite. Its counter is where the sender's counting begins.
    fn read_knock(
        &mut self,
        id: ContactId,
        contact: &Contact,
        knock: &Knock,
        mut conversation: Conversation,
    ) -> Result<(Text<INVITE_TEXT_BYTES>, Conversation), Error> {
        let mut opener = Opener::<R>::new(id);
        let envelope = &knock.envelope;
        let plaintext = match opener.open(self, contact, &mut conversation, envelope) {
            Ok(plaintext) => plaintext,
            Err(Closed::Fault(fault)) => return Err(fault.into()),
            Err(Closed::Undecryptable) => return Err(Error::Invalid("invite")),
        };
        opener.keep(self);
        let content: Content = covey_kernel::cbor::decode(&plaintext, limits::SEALED_BYTES)
            .map_err(|_| Error::Invalid("invite"))?;
        let belongs = content.belongs(&self.rules().network, &contact.theirs, &contact.ours);
        let Body::Invite(text) = content.body else { return Err(Error::Invalid("invite")) };
        if !belongs || content.counter != envelope.counter || content.lamport > limits::CLOCK_JUMP {
            return Err(Error::Invalid("invite"));
        }
        conversation.received = content.counter;
        conversation.clock = conversation.clock.max(content.lamport);
        Ok((text, conversation))
    }

    // --- deciding ------------------------------------------------------------------------

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

    fn say_yes(&mut self, id: ContactId, mut contact: Contact) -> Result<(), Error> {
        contact.standing = Standing::Accepted(());
        let mut conversation = self.conversation(id)?;
        self.become_contact(id, contact, &mut conversation)
    }

    fn become_contact(
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
    fn forget(&mut self, id: ContactId, contact: &Contact) -> Result<(), Error> {
        let mut conversation = self.conversation(id)?;
        self.drop_sessions(id, &mut conversation);
        for (key, _) in self.store().scan(&Scan::prefix(&layout::outbox(id)))? {
            self.view().delete(key);
        }
        self.view().delete(layout::conversation(id));
        self.view().delete(layout::contact(id));
        self.change(crate::memory::Change::Contact(id, None));
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
        self.change(crate::memory::Change::Land(Subject::Contact(id)));
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
