//! Being invited, once or again.

use covey_kernel::{Effect, Peer, PublicKey, RequestId, Scan, Text, cbor};

use super::{
    codec,
    desk::Desk,
    receive::in_order,
    sessions::{Closed, Opener},
};
use crate::{
    command::Event,
    content::Body,
    error::Error,
    layout::{self, ContactId},
    limits::{CLOCK_JUMP, CODE_HOLDERS, CONTACTS, INVITE_TEXT_BYTES, INVITES_PER_PEER, STRANGERS},
    memory::Subject,
    ratchet::Ratchet,
    records::{Contact, Conversation, Invitation, OpenInvite, Outgoing, Standing},
    wire::{Knock, Refusal, Response},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
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
        let taken = match self.by_identity(&knock.set.identity) {
            Some((id, contact)) => self.known_knock(from, id, contact, knock)?,
            None => match self.unconfirmed(&knock.set.identity) {
                Some(_) => false,
                None => {
                    self.new_knock(from, knock)?;
                    true
                }
            },
        };
        let later = Response::Refused(Refusal::Later(()));
        let response = if taken { Response::Noted(()) } else { later };
        self.effect(Effect::Answer { to, bytes: codec::response(&response) });
        Ok(())
    }

    /// Somebody known knocks. False if they have to come again, when their keys are confirmed.
    fn known_knock(
        &mut self,
        from: Peer,
        id: ContactId,
        contact: Contact,
        knock: &Knock,
    ) -> Result<bool, Error> {
        let conversation = self.conversation(id)?;
        if conversation.sessions.contains(&knock.envelope.session) {
            return Ok(true);
        }
        match contact.standing {
            Standing::Blocked(_) => Ok(true),
            Standing::Inviting(_) => self.knocked_again(from, id, contact, knock),
            // With other keys than those that we know: the user has to confirm them.
            _ if contact.changed.is_some() || !knock.set.set.same_keys(&contact.keys.set) => {
                self.learn_keys(id, contact, &knock.set);
                Ok(false)
            }
            Standing::Invited(_) => self.both_invited(id, contact, knock, conversation),
            Standing::Accepted(()) => self.begun_again(id, &contact, knock, conversation),
        }
    }

    /// Somebody whose invite waits has forgotten it, or has new keys, and invites us anew: the
    /// new invite takes the place of the old.
    fn knocked_again(
        &mut self,
        from: Peer,
        id: ContactId,
        mut contact: Contact,
        knock: &Knock,
    ) -> Result<bool, Error> {
        if knock.set.set.sequence < contact.keys.set.sequence {
            return Ok(true);
        }
        if let Standing::Inviting(invitation) = &contact.standing
            && contact.keys.set.peer != from
        {
            self.room_for(invitation.by_code, &from)?;
        }
        let mut conversation = self.conversation(id)?;
        self.drop_sessions(id, &mut conversation);
        contact.renew(&knock.set);
        let fresh = Conversation { fallbacks: conversation.fallbacks, ..Default::default() };
        let (text, conversation) = self.read_knock(id, &contact, knock, fresh)?;
        if let Standing::Inviting(invitation) = &mut contact.standing {
            invitation.text = text;
        }
        self.put_conversation(id, &conversation);
        self.put_contact(id, contact);
        Ok(true)
    }

    /// They invite us while our invite is on its way: both want it.
    fn both_invited(
        &mut self,
        id: ContactId,
        mut contact: Contact,
        knock: &Knock,
        conversation: Conversation,
    ) -> Result<bool, Error> {
        let (_, mut conversation) = self.read_knock(id, &contact, knock, conversation)?;
        contact.standing = Standing::Accepted(());
        // What they sent was sealed for our present keys.
        contact.told = self.me().set.set.sequence;
        self.become_contact(id, contact, &mut conversation)?;
        Ok(true)
    }

    /// A contact invites us: they have forgotten us since, with our sessions and what they had
    /// counted. Their counting begins again, and our yes goes before whatever waits for them.
    fn begun_again(
        &mut self,
        id: ContactId,
        contact: &Contact,
        knock: &Knock,
        mut conversation: Conversation,
    ) -> Result<bool, Error> {
        self.drop_sessions(id, &mut conversation);
        let (_, mut conversation) = self.read_knock(id, contact, knock, conversation)?;
        conversation.our_read = 0;
        self.yes_first(id, contact, &mut conversation)?;
        self.put_conversation(id, &conversation);
        self.soon(Subject::Contact(id));
        self.pump(id)?;
        Ok(true)
    }

    /// Puts a yes before everything that waits, unless one stands there already. The counter
    /// before the first that waits is free: whatever had it was acknowledged.
    fn yes_first(
        &mut self,
        id: ContactId,
        contact: &Contact,
        conversation: &mut Conversation,
    ) -> Result<(), Error> {
        let waiting = self.store().scan(&Scan::prefix(&layout::outbox(id)).limit(1))?;
        let Some((_, bytes)) = waiting.first() else {
            self.queue(id, contact, conversation, Body::Accept(()))?;
            return Ok(());
        };
        let first = cbor::decode_stored::<Outgoing>(bytes)?.content;
        let counter = match first.body {
            Body::Accept(()) => return Ok(()),
            // An invite of our own says nothing to them any more: the yes takes its place.
            Body::Invite(_) => {
                conversation.waiting = conversation.waiting.saturating_sub(1);
                first.counter
            }
            _ => first.counter.saturating_sub(1),
        };
        self.queue_at(id, conversation, counter, Body::Accept(()));
        Ok(())
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
        if waiting.count() >= INVITES_PER_PEER {
            return Err(Error::Refused(Refusal::Later(())));
        }
        let same_kind = |contact: &&Contact| match &contact.standing {
            Standing::Inviting(invitation) => invitation.by_code == by_code,
            _ => false,
        };
        let waiting = self.memory().contacts.values().filter(same_kind).count();
        let most = if by_code { CODE_HOLDERS } else { STRANGERS };
        if waiting >= most || self.memory().contacts.len() >= CONTACTS {
            return Err(Error::Refused(Refusal::Later(())));
        }
        Ok(())
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
        let content = self.opened(contact, &plaintext);
        let content =
            content.filter(|content| in_order(&conversation, envelope, content, CLOCK_JUMP));
        let content = content.ok_or(Error::Invalid("invite"))?;
        let Body::Invite(text) = content.body else { return Err(Error::Invalid("invite")) };
        conversation.received = content.counter;
        conversation.ahead = Default::default();
        conversation.clock = conversation.clock.max(content.lamport);
        Ok((text, conversation))
    }
}
