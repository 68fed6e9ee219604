//! Where things lie in the store. Keys are tags, opaque local numbers, counters and hashes:
//! they reveal no contact and no time.

use covey_kernel::Hash;

use crate::{content::MessageId, ratchet::SessionTag};

/// The number this node gives to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ContactId(pub u32);

/// Own identity and key set.
pub(crate) const ME: &[u8] = &[0x01];
/// The ratchet account.
pub(crate) const ACCOUNT: &[u8] = &[0x02];
/// The present batch of prekeys.
pub(crate) const BATCH: &[u8] = &[0x03];
/// All contacts.
pub(crate) const CONTACTS: &[u8] = &[0x10];
/// All open invites.
pub(crate) const OPEN: &[u8] = &[0x17];
/// All contact codes.
pub(crate) const CODES: &[u8] = &[0x04];
/// All sessions that were made with a fallback key.
pub(crate) const FALLBACKS: &[u8] = &[0x06];

fn numbered(tag: &[u8], number: u32, rest: &[&[u8]]) -> Vec<u8> {
    let mut key = tag.to_vec();
    key.extend(number.to_be_bytes());
    rest.iter().for_each(|part| key.extend(*part));
    key
}

/// The number in a key made of a tag and a number.
#[must_use]
pub(crate) fn number(key: &[u8]) -> Option<u32> {
    let bytes = key.get(1..5)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

/// A contact code.
#[must_use]
pub(crate) fn code(number: u32) -> Vec<u8> {
    numbered(CODES, number, &[])
}

/// A session made with a fallback key.
#[must_use]
pub(crate) fn fallback(hash: &Hash) -> Vec<u8> {
    [FALLBACKS, hash.as_bytes()].concat()
}

/// A contact.
#[must_use]
pub(crate) fn contact(id: ContactId) -> Vec<u8> {
    numbered(CONTACTS, id.0, &[])
}

/// An open invite.
#[must_use]
pub(crate) fn open(number: u32) -> Vec<u8> {
    numbered(OPEN, number, &[])
}

/// A conversation's counters.
#[must_use]
pub(crate) fn conversation(id: ContactId) -> Vec<u8> {
    numbered(&[0x11], id.0, &[])
}

/// A session.
#[must_use]
pub(crate) fn session(id: ContactId, tag: SessionTag) -> Vec<u8> {
    numbered(&[0x12], id.0, &[&tag.0])
}

/// All messages of a conversation, in the order of history.
#[must_use]
pub(crate) fn messages(id: ContactId) -> Vec<u8> {
    numbered(&[0x13], id.0, &[])
}

/// A message: by Lamport clock, then its id, which is the same on both sides.
#[must_use]
pub(crate) fn message(id: ContactId, lamport: u64, message: &MessageId) -> Vec<u8> {
    numbered(&[0x13], id.0, &[&lamport.to_be_bytes(), &message.0])
}

/// From a message's id to its key.
#[must_use]
pub(crate) fn index(id: &MessageId) -> Vec<u8> {
    [&[0x14], id.0.as_slice()].concat()
}

/// Everything that waits to be delivered to a contact, in order.
#[must_use]
pub(crate) fn outbox(id: ContactId) -> Vec<u8> {
    numbered(&[0x15], id.0, &[])
}

/// One thing that waits to be delivered.
#[must_use]
pub(crate) fn outgoing(id: ContactId, counter: u64) -> Vec<u8> {
    numbered(&[0x15], id.0, &[&counter.to_be_bytes()])
}

/// Changes to a message that has not arrived.
#[must_use]
pub(crate) fn early(id: ContactId, target: &MessageId) -> Vec<u8> {
    numbered(&[0x16], id.0, &[&target.0])
}
