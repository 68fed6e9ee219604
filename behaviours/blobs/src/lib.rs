//! Large payloads as chunks that are addressed by their content: each chunk can be checked by
//! itself against the payload's hash, in any order, from anybody.
//!
//! The bounds and the definition of the hash are in this crate's `README.md`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use covey_kernel::{Hash, merkle};

/// Bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Why a chunk is not a part of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadChunk {
    /// A payload of this size has no such chunk.
    #[error("there is no chunk {index}")]
    Index {
        /// Its number, from 0.
        index: u32,
    },
    /// All chunks but the last are full, and the last has the rest.
    #[error("chunk {index} is {length} bytes, not {expected}")]
    Length {
        /// Its number, from 0.
        index: u32,
        /// How long it is.
        length: usize,
        /// How long it must be.
        expected: usize,
    },
    /// Its bytes are not those that the payload's hash stands for.
    #[error("chunk {index} does not belong to this payload")]
    Content {
        /// Its number, from 0.
        index: u32,
    },
}

/// What is known of a payload before it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The root of the Merkle tree (RFC 6962) over its chunks.
    pub hash: Hash,
    /// Its bytes.
    pub size: u64,
}

/// A payload's chunks, in order. One of no bytes has one chunk of none.
pub fn chunks(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let none = payload.is_empty().then_some(payload);
    payload.chunks(CHUNK_BYTES).chain(none)
}

/// A chunk's leaf of the tree.
#[must_use]
pub fn leaf(chunk: &[u8]) -> Hash {
    merkle::leaf(chunk)
}

/// The hashes that lead from a chunk up to its payload's, given the leaves of all chunks.
#[must_use]
pub fn path(leaves: &[Hash], index: u32) -> Option<Vec<Hash>> {
    merkle::path(leaves, usize::try_from(index).ok()?)
}

/// A payload's hash.
#[must_use]
pub fn hash(payload: &[u8]) -> Hash {
    let leaves: Vec<Hash> = chunks(payload).map(leaf).collect();
    merkle::root(&leaves)
}

impl Blob {
    /// Of these bytes.
    #[must_use]
    pub fn of(payload: &[u8]) -> Self {
        Self { hash: hash(payload), size: payload.len() as u64 }
    }

    /// How many chunks it has, at least one.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        let chunks = self.size.div_ceil(CHUNK_BYTES as u64).max(1);
        u32::try_from(chunks).unwrap_or(u32::MAX)
    }

    /// How many bytes a chunk has.
    pub fn length(&self, index: u32) -> Result<usize, BadChunk> {
        if index >= self.chunks() {
            return Err(BadChunk::Index { index });
        }
        let before = u64::from(index).saturating_mul(CHUNK_BYTES as u64);
        let rest = self.size.saturating_sub(before).min(CHUNK_BYTES as u64);
        Ok(usize::try_from(rest).unwrap_or(CHUNK_BYTES))
    }

    /// Whether a chunk is a part of it.
    pub fn verify(&self, index: u32, chunk: &[u8], path: &[Hash]) -> Result<(), BadChunk> {
        let expected = self.length(index)?;
        if chunk.len() != expected {
            return Err(BadChunk::Length { index, length: chunk.len(), expected });
        }
        let at = (usize::try_from(index), usize::try_from(self.chunks()));
        let (Ok(at), Ok(of)) = at else { return Err(BadChunk::Index { index }) };
        match merkle::verify(&self.hash, of, at, leaf(chunk), path) {
            true => Ok(()),
            false => Err(BadChunk::Content { index }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(size: usize) -> Vec<u8> {
        (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect()
    }

    fn leaves(payload: &[u8]) -> Vec<Hash> {
        chunks(payload).map(leaf).collect()
    }

    #[test]
    fn each_chunk_proves_itself() {
        for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 7] {
            let payload = payload(size);
            let (leaves, blob) = (leaves(&payload), Blob::of(&payload));
            assert_eq!(blob.chunks() as usize, leaves.len(), "{size}");
            for (index, chunk) in (0..).zip(chunks(&payload)) {
                let path = path(&leaves, index).unwrap();
                assert_eq!(blob.verify(index, chunk, &path), Ok(()), "{size} {index}");
            }
        }
    }

    #[test]
    fn a_chunk_elsewhere_or_changed_is_refused() {
        let payload = payload(3 * CHUNK_BYTES + 5);
        let blob = Blob::of(&payload);
        let path = path(&leaves(&payload), 1).unwrap();
        let chunk = chunks(&payload).nth(1).unwrap();
        assert_eq!(blob.verify(2, chunk, &path), Err(BadChunk::Content { index: 2 }));
        assert_eq!(blob.verify(4, chunk, &path), Err(BadChunk::Index { index: 4 }));
        let short = BadChunk::Length { index: 3, length: CHUNK_BYTES, expected: 5 };
        assert_eq!(blob.verify(3, chunk, &path), Err(short));
        for at in [0, CHUNK_BYTES / 2, CHUNK_BYTES - 1] {
            let mut changed = chunk.to_vec();
            changed[at] ^= 1;
            assert_eq!(blob.verify(1, &changed, &path), Err(BadChunk::Content { index: 1 }));
        }
        let mut longer = path.clone();
        longer.push(Hash::of(b"more"));
        assert_eq!(blob.verify(1, chunk, &longer), Err(BadChunk::Content { index: 1 }));
        assert_eq!(blob.verify(1, chunk, &path[1..]), Err(BadChunk::Content { index: 1 }));
        let larger = Blob { size: blob.size + CHUNK_BYTES as u64, ..blob };
        assert_eq!(larger.verify(1, chunk, &path), Err(BadChunk::Content { index: 1 }));
    }
}
