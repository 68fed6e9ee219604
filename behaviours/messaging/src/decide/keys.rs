//! Own keys, the other's keys, and what happens when they change.

use covey_kernel::{Bounded, Bytes, Effect, PublicKey, RequestId, Text};

use super::{codec, desk::Desk};
use crate::{
    command::{Event, Reply, SafetyView},
    error::Error,
    identity::{Secrets, SignedKeySet, Succession, sealing_key},
    layout::ContactId,
    limits::SUCCESSIONS,
    memory::Subject,
    ratchet::Ratchet,
    records::{Contact, Standing},
    safety::SafetyNumber,
    wire::{Announcement, Refusal, Response},
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn secrets(&self) -> Secrets {
        self.me().secrets()
    }

    /// New ratchet and sealing keys, and with `identity` a new identity that the old one
    /// vouches for. Every contact hears of it, and has to confirm it.
    pub(crate) fn rotate(&mut self, identity: bool) -> Result<Reply, Error> {
        let mut me = self.me();
        let mut secrets = me.secrets();
        if identity {
            let new = covey_kernel::Keypair::generate(self.rng());
            let network = self.rules().network;
            let succession = Succession::sign(&secrets.identity, &network, new.public());
            let mut chain = me.successions.to_vec();
            chain.push(succession);
            let old = chain.len().saturating_sub(SUCCESSIONS);
            me.successions = Bounded::first(chain.into_iter().skip(old));
            secrets.identity = new;
        }
        secrets.sealing = sealing_key(self.rng());
        let mut set = me.set.set.clone();
        set.ratchet = self.replace_account(&secrets.identity);
        set.sealing = secrets.sealing_public();
        set.sequence = set.sequence.saturating_add(1);
        me.set = SignedKeySet::sign(&secrets.identity, &self.rules().network, set);
        me.identity = Bytes::new(secrets.identity.secret().to_vec()).unwrap_or(me.identity);
        me.sealing = Bytes::new(secrets.sealing.to_bytes().to_vec()).unwrap_or(me.sealing);
        self.put_me(me.clone());
        self.start_over_with_all()?;
        Ok(Reply::Identity(Box::new(me.set)))
    }

    /// After new own keys: no session is good any longer, and every contact must be told.
    fn start_over_with_all(&mut self) -> Result<(), Error> {
        let ids: Vec<ContactId> = self.memory().contacts.keys().copied().collect();
        for id in ids {
            let mut conversation = self.conversation(id)?;
            self.drop_sessions(id, &mut conversation);
            self.put_conversation(id, &conversation);
            self.pump(id)?;
        }
        Ok(())
    }

    /// The keys that a contact has, or will have once confirmed.
    pub(crate) fn verify(&mut self, who: &str, confirm: bool) -> Result<Reply, Error> {
        let (id, mut contact) = self.find(who)?;
        let keys = contact.changed.as_ref().unwrap_or(&contact.keys);
        let number = SafetyNumber::of(&self.rules().network, &self.me().set, keys);
        // What the user compared must be what is confirmed: keys may have changed in between.
        let shown = Text::new(number.digits()).ok();
        if confirm {
            if contact.shown.is_some() && contact.shown != shown {
                return Err(Error::NumberChanged(contact.name.to_string()));
            }
            contact.shown = None;
            self.confirm(id, &mut contact)?;
        } else if contact.shown != shown {
            contact.shown = shown;
            self.put_contact(id, contact.clone());
        }
        Ok(Reply::Safety(SafetyView {
            name: contact.name.to_string(),
            number: number.groups(),
            verified: contact.verified,
            changed: contact.changed.is_some(),
        }))
    }

    fn confirm(&mut self, id: ContactId, contact: &mut Contact) -> Result<(), Error> {
        contact.verified = true;
        let changed = contact.changed.take();
        if let Some(keys) = &changed {
            self.effect(Effect::Release(contact.keys.set.peer));
            contact.keys = keys.clone();
            // What they hold back since we refused it flows once they hear from us.
            contact.told = 0;
            contact.failed = None;
            let mut conversation = self.conversation(id)?;
            self.drop_sessions(id, &mut conversation);
            self.put_conversation(id, &conversation);
            self.seek(contact.keys.set.peer, &contact.addresses);
        }
        self.put_contact(id, contact.clone());
        if changed.is_some() {
            self.soon(Subject::Contact(id));
            self.pump(id)?;
        }
        Ok(())
    }

    /// A peer tells its present keys. Only a newer set of the same identity counts, or of one
    /// that the known identity vouches for; anything else is a stranger.
    pub(crate) fn announced(
        &mut self,
        to: RequestId,
        announcement: &Announcement,
    ) -> Result<(), Error> {
        let set = &announcement.set;
        let chain = &announcement.successions;
        let Some((id, contact)) = self.vouched(&set.identity, chain) else {
            return Err(Error::Refused(Refusal::NotContact(())));
        };
        let response = match contact.standing {
            Standing::Blocked(_) => return Err(Error::Refused(Refusal::NotContact(()))),
            // Whether their invite waits, or was rejected, does not show.
            Standing::Inviting(_) => {
                self.inviter_changed(id, contact, set)?;
                Response::Refused(Refusal::NotContact(()))
            }
            Standing::Accepted(()) | Standing::Invited(_) => {
                self.learn_keys(id, contact, set);
                Response::Noted(())
            }
        };
        self.effect(Effect::Answer { to, bytes: codec::response(&response) });
        // Who announces wants to hear from us: also after having refused what we sent.
        self.soon(Subject::Contact(id));
        self.pump(id)
    }

    /// Whoever waits for our yes has new keys: nothing was confirmed or said under the old ones.
    pub(super) fn inviter_changed(
        &mut self,
        id: ContactId,
        mut contact: Contact,
        set: &SignedKeySet,
    ) -> Result<Contact, Error> {
        if set.set.sequence > contact.keys.set.sequence {
            contact.renew(set);
            let mut conversation = self.conversation(id)?;
            self.drop_sessions(id, &mut conversation);
            self.put_conversation(id, &conversation);
            self.put_contact(id, contact.clone());
        }
        Ok(contact)
    }

    /// The contact who has this identity, or whose identity leads to it.
    fn vouched(&self, identity: &PublicKey, chain: &[Succession]) -> Option<(ContactId, Contact)> {
        if let Some(known) = self.by_identity(identity) {
            return Some(known);
        }
        let mut newest = *identity;
        for (links, link) in (1..).zip(chain.iter().rev()) {
            if link.new != newest {
                return None;
            }
            newest = link.old;
            if let Some(known) = self.by_identity(&newest) {
                let mut walked = chain.iter().rev().take(links);
                let network = self.rules().network;
                return walked.all(|link| link.verify(&network).is_ok()).then_some(known);
            }
        }
        None
    }

    /// Takes note of a newer key set. Only the display name may change without the user.
    pub(crate) fn learn_keys(&mut self, id: ContactId, mut contact: Contact, set: &SignedKeySet) {
        let latest = contact.changed.as_ref().unwrap_or(&contact.keys);
        if set.set.sequence <= latest.set.sequence {
            return;
        }
        let same = set.identity == contact.keys.identity && set.set.same_keys(&contact.keys.set);
        if same && contact.changed.is_none() {
            contact.keys = set.clone();
            self.put_contact(id, contact);
            return;
        }
        contact.changed = Some(set.clone());
        contact.verified = false;
        let view = self.contact_view(id, &contact);
        self.put_contact(id, contact);
        if let Ok(view) = view {
            self.tell(Event::KeysChanged(Box::new(view)));
        }
    }

    /// The contact whose changed keys, not yet confirmed, are of this identity.
    pub(crate) fn unconfirmed(&self, identity: &PublicKey) -> Option<&Contact> {
        let waits = |contact: &&Contact| {
            contact.changed.as_ref().is_some_and(|keys| keys.identity == *identity)
        };
        self.memory().contacts.values().find(waits)
    }
}
