//! Where things lie in the store. Keys are tags, local numbers, counters and hashes.

use covey_kernel::{Hash, PublicKey};

/// The number that this node gives to a chain. A chain that is left and joined again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ChainNo(pub u32);

/// The number for the next chain.
pub(crate) const NEXT: &[u8] = &[0x01];
/// All chains that are followed.
pub(crate) const CHAINS: &[u8] = &[0x10];
/// Chains that were left and are still to be cleared away.
pub(crate) const LEAVING: &[u8] = &[0x11];
/// Payloads that were purged.
pub(crate) const PURGED: &[u8] = &[0x12];

/// How much of each chain has been read.
const READ: &[u8] = &[0x13];
/// What was frozen before an exchange that is not at its end.
const SETTLED: &[u8] = &[0x14];
/// How many bytes of payloads are there.
const KEPT: &[u8] = &[0x15];

/// What belongs to one chain, by kind.
const BLOCK: u8 = 0x20;
const PAYLOAD: u8 = 0x21;
const MISSING: u8 = 0x22;
const HELD: u8 = 0x23;
const PROFILE: u8 = 0x24;
const MUTED: u8 = 0x25;
const UNREAD: u8 = 0x26;
const LEAF: u8 = 0x27;
const OWN: u8 = 0x28;
/// Every kind.
pub(crate) const KINDS: [u8; 9] =
    [BLOCK, PAYLOAD, MISSING, HELD, PROFILE, MUTED, UNREAD, LEAF, OWN];

/// The number in a key made of a tag and a number.
#[must_use]
pub(crate) fn number(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.get(1..)?.first_chunk()?))
}

/// The number at the end of a key.
#[must_use]
pub(crate) fn last_number(key: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(*key.last_chunk()?))
}

/// The hash at the end of a key.
#[must_use]
pub(crate) fn last_hash(key: &[u8]) -> Option<Hash> {
    Some(Hash::from_bytes(*key.last_chunk()?))
}

/// A chain.
#[must_use]
pub(crate) fn chain(no: ChainNo) -> Vec<u8> {
    [CHAINS, &no.0.to_be_bytes()].concat()
}

/// A chain that was left.
#[must_use]
pub(crate) fn leaving(no: ChainNo) -> Vec<u8> {
    [LEAVING, &no.0.to_be_bytes()].concat()
}

/// A payload that was purged.
#[must_use]
pub(crate) fn purged(payload: &Hash) -> Vec<u8> {
    [PURGED, payload.as_bytes()].concat()
}

/// Everything of one kind in a chain.
#[must_use]
pub(crate) fn all(kind: u8, no: ChainNo) -> Vec<u8> {
    [&[kind], no.0.to_be_bytes().as_slice()].concat()
}

/// All blocks of a chain.
#[must_use]
pub(crate) fn blocks(no: ChainNo) -> Vec<u8> {
    all(BLOCK, no)
}

/// A block by its number in the order of arrival.
#[must_use]
pub(crate) fn block(no: ChainNo, ix: u32) -> Vec<u8> {
    [blocks(no), ix.to_be_bytes().to_vec()].concat()
}

/// One chunk of a block's payload.
#[must_use]
pub(crate) fn chunk(no: ChainNo, block: &Hash, index: u32) -> Vec<u8> {
    [all(PAYLOAD, no), block.as_bytes().to_vec(), index.to_be_bytes().to_vec()].concat()
}

/// The leaves of the tree over a block's payload, as far as it is there.
#[must_use]
pub(crate) fn leaves(no: ChainNo, block: &Hash) -> Vec<u8> {
    [all(LEAF, no), block.as_bytes().to_vec()].concat()
}

/// The leaf of one chunk.
#[must_use]
pub(crate) fn leaf(no: ChainNo, block: &Hash, index: u32) -> Vec<u8> {
    [leaves(no, block), index.to_be_bytes().to_vec()].concat()
}

/// The blocks of a chain whose payloads are missing.
#[must_use]
pub(crate) fn all_missing(no: ChainNo) -> Vec<u8> {
    all(MISSING, no)
}

/// A block whose payload is missing: the first chunk that is.
#[must_use]
pub(crate) fn missing(no: ChainNo, ix: u32) -> Vec<u8> {
    [all_missing(no), ix.to_be_bytes().to_vec()].concat()
}

/// The held posts of a chain.
#[must_use]
pub(crate) fn all_held(no: ChainNo) -> Vec<u8> {
    all(HELD, no)
}

/// A held post.
#[must_use]
pub(crate) fn held(no: ChainNo, block: &Hash) -> Vec<u8> {
    [all_held(no), block.as_bytes().to_vec()].concat()
}

/// The blocks of a chain that say how their authors want to be called.
#[must_use]
pub(crate) fn all_profiles(no: ChainNo) -> Vec<u8> {
    all(PROFILE, no)
}

/// A block that says how its author wants to be called.
#[must_use]
pub(crate) fn profile(no: ChainNo, ix: u32) -> Vec<u8> {
    [all_profiles(no), ix.to_be_bytes().to_vec()].concat()
}

/// The authors that are muted in a chain.
#[must_use]
pub(crate) fn all_muted(no: ChainNo) -> Vec<u8> {
    all(MUTED, no)
}

/// An author that is muted in a chain.
#[must_use]
pub(crate) fn muted(no: ChainNo, author: &PublicKey) -> Vec<u8> {
    [all_muted(no), author.as_bytes().to_vec()].concat()
}

/// How many blocks of a chain have been read, in the order of their arrival.
#[must_use]
pub(crate) fn read(no: ChainNo) -> Vec<u8> {
    [READ, &no.0.to_be_bytes()].concat()
}

/// The blocks of a chain that are unread though they came long ago: since the chain was last read their side is
/// followed, or they have come back to the order.
#[must_use]
pub(crate) fn all_unread(no: ChainNo) -> Vec<u8> {
    all(UNREAD, no)
}

/// One of these.
#[must_use]
pub(crate) fn unread(no: ChainNo, ix: u32) -> Vec<u8> {
    [all_unread(no), ix.to_be_bytes().to_vec()].concat()
}

/// A block that was made here: its payload may be nowhere else.
#[must_use]
pub(crate) fn own(no: ChainNo, ix: u32) -> Vec<u8> {
    [all(OWN, no), ix.to_be_bytes().to_vec()].concat()
}

/// What was frozen of a chain before an exchange that is not at its end.
#[must_use]
pub(crate) fn settled(no: ChainNo) -> Vec<u8> {
    [SETTLED, &no.0.to_be_bytes()].concat()
}

/// How many bytes of payloads a chain has here.
#[must_use]
pub(crate) fn kept(no: ChainNo) -> Vec<u8> {
    [KEPT, &no.0.to_be_bytes()].concat()
}
