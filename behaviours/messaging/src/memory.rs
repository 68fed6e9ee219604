//! What the machine keeps in memory: a cache of the store, and what is under way.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use covey_kernel::{AskId, Peer, PublicKey, Span, Time};

use crate::{
    layout::ContactId,
    limits::{RETRY_FIRST, RETRY_LAST},
    records::{Batch, Contact, Me, OpenInvite},
};

/// Whom a request concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// An invite that has no keys yet.
    Open(u32),
    /// A contact.
    Contact(ContactId),
}

/// What a request under way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Errand {
    /// Keys to start a session with.
    Claim,
    /// An invite.
    Knock(u64),
    /// Envelopes, from this counter to that.
    Deliver(u64, u64),
    /// Our present keys, with this sequence.
    Announce(u64),
}

/// A request under way. One at a time for each subject keeps everything in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    /// Its id.
    pub ask: AskId,
    /// What it is for.
    pub errand: Errand,
    /// When it counts as lost.
    pub until: Time,
}

/// When to try again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// Not before.
    pub at: Time,
    /// How long the wait was.
    pub wait: Span,
}

/// The memory.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Own identity.
    pub me: Me,
    /// The present prekeys.
    pub batch: Batch,
    /// Everybody known.
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Invites without keys.
    pub open: BTreeMap<u32, OpenInvite>,
    /// Contacts by identity.
    pub by_identity: HashMap<PublicKey, ContactId>,
    /// Contacts by node.
    pub by_peer: HashMap<Peer, BTreeSet<ContactId>>,
    /// Requests under way.
    pub flights: HashMap<Subject, Flight>,
    /// Whom each request concerns.
    pub asks: HashMap<AskId, Subject>,
    /// When to try again.
    pub retries: HashMap<Subject, Retry>,
    /// Who is connected, of those whom it matters.
    pub online: HashSet<Peer>,
}

/// One change to the memory.
#[derive(Debug)]
pub(crate) enum Change {
    /// Own identity.
    Me(Box<Me>),
    /// Prekeys.
    Batch(Box<Batch>),
    /// A contact; `None` forgets them.
    Contact(ContactId, Option<Box<Contact>>),
    /// An open invite; `None` forgets it.
    Open(u32, Option<Box<OpenInvite>>),
    /// A request goes out.
    Fly(Subject, Flight),
    /// A request came back, or is given up.
    Land(Subject),
    /// To be tried again, later than the last time.
    Wait(Subject, Retry),
    /// No need to wait.
    Soon(Subject),
    /// Connected.
    Online(Peer),
    /// Not connected any more.
    Offline(Peer),
}

impl Memory {
    /// The wait after this one.
    #[must_use]
    pub(crate) fn next_retry(&self, subject: Subject, now: Time) -> Retry {
        let last = self.retries.get(&subject);
        let wait = last.map_or(RETRY_FIRST, |retry| retry.wait.doubled(RETRY_LAST));
        Retry { at: now.plus(wait), wait }
    }

    /// Brings one change in.
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Me(me) => self.me = *me,
            Change::Batch(batch) => self.batch = *batch,
            Change::Contact(id, contact) => self.set_contact(id, contact.map(|contact| *contact)),
            Change::Open(number, Some(invite)) => {
                self.open.insert(number, *invite);
            }
            Change::Open(number, None) => {
                self.open.remove(&number);
                self.forget_subject(Subject::Open(number));
            }
            Change::Fly(subject, flight) => {
                if let Some(old) = self.flights.insert(subject, flight) {
                    self.asks.remove(&old.ask);
                }
                self.asks.insert(flight.ask, subject);
            }
            Change::Land(subject) => self.land(subject),
            Change::Wait(subject, retry) => {
                self.retries.insert(subject, retry);
            }
            Change::Soon(subject) => {
                self.retries.remove(&subject);
            }
            Change::Online(peer) => {
                self.online.insert(peer);
            }
            Change::Offline(peer) => {
                self.online.remove(&peer);
            }
        }
    }

    fn land(&mut self, subject: Subject) {
        if let Some(flight) = self.flights.remove(&subject) {
            self.asks.remove(&flight.ask);
        }
    }

    fn forget_subject(&mut self, subject: Subject) {
        self.land(subject);
        self.retries.remove(&subject);
    }

    fn set_contact(&mut self, id: ContactId, contact: Option<Contact>) {
        if let Some(old) = self.contacts.remove(&id) {
            self.by_identity.remove(&old.keys.identity);
            self.unlist(&old.keys.set.peer, id);
        }
        let Some(contact) = contact else {
            self.forget_subject(Subject::Contact(id));
            return;
        };
        self.by_identity.insert(contact.keys.identity, id);
        self.by_peer.entry(contact.keys.set.peer).or_default().insert(id);
        self.contacts.insert(id, contact);
    }

    fn unlist(&mut self, peer: &Peer, id: ContactId) {
        if let Some(ids) = self.by_peer.get_mut(peer) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_peer.remove(peer);
            }
        }
    }
}
