//! What lies in the store, and the typed ways to read and write it.

use std::collections::BTreeSet;

use covey_kernel::{
    Address, Bounded, Fault, Hash, Peer, PublicKey, Span, Store, Text, Time, View, cbor,
    limits::PEER_ADDRESSES, record, tagged,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    code::CodeSecret,
    content::{Content, MessageId},
    identity::{Name, SignedKeySet, Succession},
    layout,
    limits::{
        AHEAD, INVITE_TEXT_BYTES, ONE_TIME_KEYS, REACTION_BYTES, REASON_BYTES, SAFETY_DIGITS,
        SESSIONS, TEXT_BYTES,
    },
    prekeys::SignedBundle,
    ratchet::{CurveKey, SessionTag},
    wire::Envelope,
};

/// A chain of identities, oldest first.
pub(crate) type Successions = Bounded<Succession, { crate::limits::SUCCESSIONS }>;
/// Addresses of one peer.
pub(crate) type Addresses = Bounded<Address, PEER_ADDRESSES>;

record! {
    /// Own identity. Secrets are 32 bytes each.
    #[derive(Clone, Debug)]
    pub(crate) struct Me {
        /// The identity's secret.
        pub identity: covey_kernel::Bytes<32>,
        /// The sealing key's secret.
        pub sealing: covey_kernel::Bytes<32>,
        /// The present key set.
        pub set: SignedKeySet,
        /// How earlier identities led to this one, oldest first.
        pub successions: Successions,
        /// The number for the next contact, open invite or code.
        pub next: u32,
    }
}

record! {
    /// A one-time key that is handed out.
    #[derive(Clone, Debug)]
    pub(crate) struct Claimed {
        /// To whom; asking again gives the same key until it is used up.
        pub peer: Option<Peer>,
        /// Which.
        pub index: u32,
    }
}

record! {
    /// The present batch of prekeys.
    #[derive(Clone, Debug)]
    pub(crate) struct Batch {
        /// What is signed.
        pub bundle: SignedBundle,
        /// The one-time keys.
        pub keys: Bounded<CurveKey, ONE_TIME_KEYS>,
        /// Those handed out: the first so many.
        pub claimed: Bounded<Claimed, ONE_TIME_KEYS>,
        /// The one-time keys of the batch before, still usable.
        pub former: Bounded<CurveKey, ONE_TIME_KEYS>,
        /// When the batch was made.
        pub made: Time,
        /// When the fallback key was made.
        pub fallback_made: Time,
        /// The fallback key before, still usable.
        pub fallback_former: Option<CurveKey>,
    }
}

record! {
    /// A contact code that was given out.
    #[derive(Clone, Debug)]
    pub(crate) struct Code {
        /// Its secret.
        pub secret: CodeSecret,
        /// Until when it is good.
        pub expires: Time,
        /// Good for one invite only.
        pub once: bool,
    }
}

record! {
    /// An own invite that has not yet got the other's prekeys.
    #[derive(Clone, Debug)]
    pub(crate) struct OpenInvite {
        /// The node to ask.
        pub peer: Peer,
        /// Who must answer there, where a contact code said so.
        pub identity: Option<PublicKey>,
        /// Where it may be.
        pub addresses: Addresses,
        /// The contact code's secret.
        pub secret: Option<CodeSecret>,
        /// What to call them.
        pub name: Option<Name>,
        /// What to tell them.
        pub text: Text<INVITE_TEXT_BYTES>,
        /// Since when.
        pub since: Time,
        /// Why it can never arrive.
        pub failed: Option<Text<REASON_BYTES>>,
    }
}

tagged! {
    /// How we stand with somebody.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) enum Standing {
        /// We have invited them. Holds the proof of their contact code's secret.
        0 => Invited(Option<Hash>),
        /// They have invited us, with this text.
        1 => Inviting(Invitation),
        /// We may write to each other.
        2 => Accepted(()),
        /// We want nothing from them. True if they were a contact before.
        3 => Blocked(bool),
    }
}

record! {
    /// An invite that waits for our decision.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Invitation {
        /// What they say.
        pub text: Text<INVITE_TEXT_BYTES>,
        /// Whether they showed a contact code.
        pub by_code: bool,
    }
}

record! {
    /// Somebody known.
    #[derive(Clone, Debug)]
    pub(crate) struct Contact {
        /// What we call them; no two contacts have the same.
        pub name: Name,
        /// Their keys.
        pub keys: SignedKeySet,
        /// How we stand.
        pub standing: Standing,
        /// New keys that wait for confirmation; they block sending.
        pub changed: Option<SignedKeySet>,
        /// Whether the safety number was compared for the present keys.
        pub verified: bool,
        /// The digits of the safety number that the user was shown and has not confirmed.
        pub shown: Option<Text<SAFETY_DIGITS>>,
        /// The latest of our key sets that they have noted.
        pub told: u64,
        /// Where they may be.
        pub addresses: Addresses,
        /// Since when they are known.
        pub since: Time,
        /// Why our invite to them can never arrive.
        pub failed: Option<Text<REASON_BYTES>>,
    }
}

impl Contact {
    /// Takes newer keys before anything was said under the old ones. What was verified is not,
    /// if any key is another.
    pub(crate) fn renew(&mut self, keys: &SignedKeySet) {
        let same = self.keys.identity == keys.identity && self.keys.set.same_keys(&keys.set);
        self.verified &= same;
        self.keys = keys.clone();
    }

    /// Whether our invite to them can never arrive.
    #[must_use]
    pub(crate) fn invite_failed(&self) -> bool {
        matches!(self.standing, Standing::Invited(_)) && self.failed.is_some()
    }

    /// Whether we may write to each other.
    #[must_use]
    pub(crate) fn accepted(&self) -> bool {
        self.standing == Standing::Accepted(())
    }
}

record! {
    /// A conversation's counters.
    #[derive(Clone, Debug)]
    pub(crate) struct Conversation {
        /// The counter of our next content.
        pub next: u64,
        /// The Lamport clock.
        pub clock: u64,
        /// All their counters up to this one are received.
        pub received: u64,
        /// Counters above it that are received too.
        pub ahead: Bounded<u64, AHEAD>,
        /// The highest of our counters that was ever sent.
        pub sent: u64,
        /// They have read ours up to this counter.
        pub their_read: u64,
        /// We have read theirs up to this counter.
        pub our_read: u64,
        /// Messages not read.
        pub unread: u64,
        /// How many of ours wait.
        pub waiting: u64,
        /// None of ours below this counter waits. What is deleted stays in the way of a scan until
        /// the database tidies up, so reading what waits begins here.
        pub first: u64,
        /// Sessions, the one to encrypt with first.
        pub sessions: Bounded<SessionTag, SESSIONS>,
        /// Content bytes that they have stored here.
        pub stored: u64,
        /// When encrypting anew was last counted from, and how often since.
        pub resealed: (Time, u32),
        /// When sessions that they start with a fallback key were last counted from, and how many
        /// since.
        pub fallbacks: (Time, u32),
    }
}

impl Default for Conversation {
    fn default() -> Self {
        Self {
            next: 1,
            clock: 0,
            received: 0,
            ahead: Bounded::default(),
            sent: 0,
            their_read: 0,
            our_read: 0,
            unread: 0,
            waiting: 0,
            first: 1,
            sessions: Bounded::default(),
            stored: 0,
            resealed: (Time::default(), 0),
            fallbacks: (Time::default(), 0),
        }
    }
}

/// Counts one more within a span that begins with the first; `None` if there were as many as may
/// be.
pub(crate) fn count_within(
    (since, times): (Time, u32),
    now: Time,
    span: Span,
    most: u32,
) -> Option<(Time, u32)> {
    if now.is_past(since, span) {
        return Some((now, 1));
    }
    (times < most).then(|| (since, times.saturating_add(1)))
}

/// What to do with an envelope, by its counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Not seen before.
    New,
    /// Already stored.
    Duplicate,
    /// Too far ahead of what is missing.
    TooEarly,
}

impl Conversation {
    /// Looks a counter up.
    #[must_use]
    pub(crate) fn arrival(&self, counter: u64) -> Arrival {
        if counter <= self.received || self.ahead.contains(&counter) {
            Arrival::Duplicate
        } else if counter.saturating_sub(self.received) > AHEAD as u64 {
            Arrival::TooEarly
        } else {
            Arrival::New
        }
    }

    /// Remembers a counter as received.
    pub(crate) fn receive(&mut self, counter: u64) {
        let mut ahead: BTreeSet<u64> = self.ahead.iter().copied().collect();
        ahead.insert(counter);
        while ahead.remove(&self.received.saturating_add(1)) {
            self.received = self.received.saturating_add(1);
        }
        self.ahead = Bounded::first(ahead);
    }

    /// Puts a session first.
    pub(crate) fn prefer(&mut self, tag: SessionTag) -> Option<SessionTag> {
        let mut sessions: Vec<_> = self.sessions.iter().copied().filter(|t| *t != tag).collect();
        sessions.insert(0, tag);
        let dropped = (sessions.len() > SESSIONS).then(|| sessions.pop()).flatten();
        self.sessions = Bounded::first(sessions);
        dropped
    }
}

record! {
    /// A message as history shows it.
    #[derive(Clone, Debug)]
    pub(crate) struct Message {
        /// Its name.
        pub id: MessageId,
        /// Whether we wrote it.
        pub mine: bool,
        /// The sender's counter.
        pub counter: u64,
        /// When its sender says it was written.
        pub time: Time,
        /// What it says now; empty when deleted.
        pub text: Text<TEXT_BYTES>,
        /// Which message it answers.
        pub reply: Option<MessageId>,
        /// The counter of the last edit.
        pub edited: u64,
        /// Whether it is deleted.
        pub deleted: bool,
        /// Whether the other's node does not take it.
        pub refused: bool,
        /// Our reaction with its counter.
        pub my_reaction: (u64, Text<REACTION_BYTES>),
        /// Their reaction with its counter.
        pub their_reaction: (u64, Text<REACTION_BYTES>),
    }
}

record! {
    /// Content that waits for its acknowledgement.
    #[derive(Clone, Debug)]
    pub(crate) struct Outgoing {
        /// What is to be said.
        pub content: Content,
        /// The same bytes go out until they are acknowledged.
        pub envelope: Option<Envelope>,
    }
}

/// Reads a record.
pub(crate) fn read<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<Option<T>, Fault> {
    store.get(key)?.map(|bytes| cbor::decode_stored(&bytes)).transpose()
}

/// Reads a record that must be there.
pub(crate) fn must<T: DeserializeOwned>(store: &dyn Store, key: &[u8]) -> Result<T, Fault> {
    read(store, key)?
        .ok_or_else(|| Fault::Corrupt(format!("no record under tag {:?}", key.first())))
}

/// Writes a record.
pub(crate) fn write<T: Serialize>(view: &mut View<'_>, key: Vec<u8>, value: &T) {
    view.put(key, cbor::encode(value));
}

/// A conversation's counters.
pub(crate) fn conversation(
    store: &dyn Store,
    id: layout::ContactId,
) -> Result<Conversation, Fault> {
    Ok(read(store, &layout::conversation(id))?.unwrap_or_default())
}
