//! Sessions with a contact: opening, choosing, sealing and unsealing. Ratchet state goes to
//! the store in the same turn as what was sealed or unsealed with it.

use covey_kernel::{Bytes, Fault, Hash, Time};

use super::desk::Desk;
use crate::{
    error::Error,
    layout::{self, ContactId},
    limits::{FALLBACK_LIFE, FALLBACK_SESSIONS},
    prekeys::Handout,
    ratchet::{Ratchet, RatchetError, Sealed, SessionTag},
    records::{self, Batch, Contact, Conversation, count_within},
    wire::Envelope,
};

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    pub(crate) fn account(&self) -> Result<R::Account, Fault> {
        let bytes = self.store().get(layout::ACCOUNT)?;
        R::import_account(&bytes.ok_or_else(|| Fault::Corrupt("no ratchet account".into()))?)
    }

    pub(crate) fn put_account(&mut self, account: &R::Account) {
        self.view().put(layout::ACCOUNT.to_vec(), R::export_account(account));
    }

    fn session(&self, id: ContactId, tag: SessionTag) -> Result<Option<R::Session>, Fault> {
        let bytes = self.store().get(&layout::session(id, tag))?;
        bytes.map(|bytes| R::import_session(&bytes)).transpose()
    }

    fn put_session(&mut self, id: ContactId, session: &R::Session) {
        let key = layout::session(id, R::tag(session));
        self.view().put(key, R::export_session(session));
    }

    /// Makes a session the preferred one; the one unused for longest may have to go.
    fn prefer(&mut self, id: ContactId, conversation: &mut Conversation, tag: SessionTag) {
        if let Some(dropped) = conversation.prefer(tag) {
            self.view().delete(layout::session(id, dropped));
        }
    }

    /// Forgets a session. What was sealed with it is sealed anew before it is sent again.
    pub(crate) fn drop_session(
        &mut self,
        id: ContactId,
        conversation: &mut Conversation,
        tag: SessionTag,
    ) {
        let left = conversation.sessions.iter().copied().filter(|other| *other != tag);
        conversation.sessions = covey_kernel::Bounded::first(left);
        self.view().delete(layout::session(id, tag));
    }

    /// Forgets all sessions with a contact.
    pub(crate) fn drop_sessions(&mut self, id: ContactId, conversation: &mut Conversation) {
        let sessions = std::mem::take(&mut conversation.sessions);
        for tag in sessions.iter() {
            self.view().delete(layout::session(id, *tag));
        }
    }

    /// Starts a session from a verified handout.
    pub(crate) fn open_session(
        &mut self,
        id: ContactId,
        conversation: &mut Conversation,
        handout: &Handout,
    ) -> Result<(), Error> {
        let network = self.rules().network;
        let prekey = handout.verify(&network).map_err(|_| Error::Invalid("prekeys"))?;
        let account = self.account()?;
        let session = R::open(&account, self.rng(), &handout.set.set.ratchet, &prekey)?;
        self.put_session(id, &session);
        self.prefer(id, conversation, R::tag(&session));
        Ok(())
    }

    /// Encrypts several plaintexts with the preferred session. A session that cannot, because
    /// the peer has put an unusable key into it, is dropped for the next one; `None` if none is
    /// left.
    pub(crate) fn seal(
        &mut self,
        id: ContactId,
        conversation: &mut Conversation,
        contents: &[(u64, Vec<u8>)],
    ) -> Result<Option<Vec<Envelope>>, Fault> {
        while let Some(tag) = conversation.sessions.first().copied() {
            let damaged = || Fault::Corrupt("a listed session is not stored".into());
            let mut session = self.session(id, tag)?.ok_or_else(damaged)?;
            match self.seal_with(&mut session, tag, contents) {
                Ok(envelopes) => {
                    if !contents.is_empty() {
                        self.put_session(id, &session);
                    }
                    return Ok(Some(envelopes));
                }
                Err(_) => self.drop_session(id, conversation, tag),
            }
        }
        Ok(None)
    }

    fn seal_with(
        &mut self,
        session: &mut R::Session,
        tag: SessionTag,
        contents: &[(u64, Vec<u8>)],
    ) -> Result<Vec<Envelope>, RatchetError> {
        let mut envelopes = Vec::new();
        for (counter, plaintext) in contents {
            let sealed = R::seal(session, self.rng(), plaintext)?;
            let body = Bytes::new(sealed.body).map_err(|_| RatchetError::Malformed)?;
            let (counter, prekey) = (*counter, sealed.prekey);
            envelopes.push(Envelope { counter, session: tag, prekey, body });
        }
        Ok(envelopes)
    }
}

/// Decrypts a delivery's envelopes, keeping the session open between them.
pub(crate) struct Opener<R: Ratchet> {
    id: ContactId,
    session: Option<R::Session>,
}

/// Why an envelope was not decrypted.
pub(crate) enum Closed {
    /// The ratchet cannot: the sender may encrypt it anew.
    Undecryptable,
    /// The store failed.
    Fault(Fault),
}

impl From<Fault> for Closed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<RatchetError> for Closed {
    fn from(_: RatchetError) -> Self {
        Self::Undecryptable
    }
}

impl<R: Ratchet> Opener<R> {
    pub(crate) fn new(id: ContactId) -> Self {
        Self { id, session: None }
    }

    /// Decrypts one envelope. The ratchet's new state is stored by [`Opener::keep`].
    pub(crate) fn open(
        &mut self,
        desk: &mut Desk<'_, '_, '_, R>,
        contact: &Contact,
        conversation: &mut Conversation,
        envelope: &Envelope,
    ) -> Result<Vec<u8>, Closed> {
        if self.session.as_ref().is_none_or(|session| R::tag(session) != envelope.session) {
            self.keep(desk);
            self.session = desk.session(self.id, envelope.session)?;
        }
        let sealed = envelope.sealed();
        let Some(session) = &mut self.session else {
            return self.accept(desk, contact, conversation, envelope.session, &sealed);
        };
        let plaintext = R::unseal(session, &sealed)?;
        if conversation.sessions.first() != Some(&envelope.session) {
            desk.prefer(self.id, conversation, envelope.session);
        }
        Ok(plaintext)
    }

    /// Stores the session that is open.
    pub(crate) fn keep(&mut self, desk: &mut Desk<'_, '_, '_, R>) {
        if let Some(session) = self.session.take() {
            desk.put_session(self.id, &session);
        }
    }

    fn accept(
        &mut self,
        desk: &mut Desk<'_, '_, '_, R>,
        contact: &Contact,
        conversation: &mut Conversation,
        tag: SessionTag,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, Closed> {
        let opening = R::opening(sealed).ok_or(Closed::Undecryptable)?;
        let ratchet = contact.keys.set.ratchet;
        if opening.tag != tag || opening.identity != ratchet {
            return Err(Closed::Undecryptable);
        }
        let batch = desk.batch();
        let fallback = is_fallback(&batch, &opening.prekey);
        let mark = layout::fallback(&Hash::of(&opening.tag.0));
        let counted = desk.fallback_counted(conversation);
        if fallback && (counted.is_none() || desk.store().get(&mark)?.is_some()) {
            return Err(Closed::Undecryptable);
        }
        let mut account = desk.account()?;
        let (session, plaintext) = R::accept(&mut account, &ratchet, sealed)?;
        desk.put_account(&account);
        if fallback {
            desk.view().put(mark, opening.prekey.0.to_vec());
            conversation.fallbacks = counted.unwrap_or(conversation.fallbacks);
        } else {
            desk.used_up(batch, &opening.prekey);
        }
        desk.prefer(self.id, conversation, tag);
        self.session = Some(session);
        Ok(plaintext)
    }
}

fn is_fallback(batch: &Batch, key: &crate::ratchet::CurveKey) -> bool {
    batch.bundle.bundle.fallback == *key || batch.fallback_former == Some(*key)
}

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// One more session from a fallback key, if this contact may start one.
    fn fallback_counted(&self, conversation: &Conversation) -> Option<(Time, u32)> {
        count_within(conversation.fallbacks, self.now(), FALLBACK_LIFE, FALLBACK_SESSIONS)
    }
}

/// Writes content that waits to be delivered.
pub(crate) fn put_outgoing<R: Ratchet>(
    desk: &mut Desk<'_, '_, '_, R>,
    id: ContactId,
    outgoing: &records::Outgoing,
) {
    let key = layout::outgoing(id, outgoing.content.counter);
    records::write(desk.view(), key, outgoing);
}
