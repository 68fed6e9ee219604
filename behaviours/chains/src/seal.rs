//! What the members of a private group do with its key: encrypt payloads, mark blocks as theirs,
//! and prove to each other that they know it.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use covey_kernel::{CryptoRng, Hash, Peer};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{BlockId, phrase::GroupKey};

const NONCE: usize = 24;
const TAG: usize = 16;

/// Bytes that encryption adds to a payload.
pub const OVERHEAD: usize = NONCE + TAG;

/// A group's key, made into one key for each purpose. Wiped from memory when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seal {
    payloads: [u8; 32],
    blocks: [u8; 32],
    peers: [u8; 32],
}

/// A payload that was not encrypted with the group's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not encrypted with the group's key")]
pub struct Unsealable;

impl Seal {
    /// The keys of a group's chain.
    #[must_use]
    pub fn new(key: &GroupKey, genesis: &BlockId) -> Self {
        let derive = |label: &str| keyed(key.bytes(), label, &[genesis.hash.as_bytes()]);
        Self {
            payloads: derive("covey/chains/payloads/v1"),
            blocks: derive("covey/chains/blocks/v1"),
            peers: derive("covey/chains/peers/v1"),
        }
    }

    /// Encrypts a payload with XChaCha20-Poly1305 under a random nonce, which stands first.
    #[must_use]
    pub fn seal(&self, rng: &mut dyn CryptoRng, payload: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill_bytes(&mut nonce);
        let cipher = XChaCha20Poly1305::new((&self.payloads).into());
        // It fails only for payloads far beyond every limit; an empty one opens for nobody.
        let sealed = cipher.encrypt(&XNonce::from(nonce), Payload::from(payload));
        [nonce.as_slice(), &sealed.unwrap_or_default()].concat()
    }

    /// Decrypts a payload.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>().ok_or(Unsealable)?;
        let cipher = XChaCha20Poly1305::new((&self.payloads).into());
        cipher.decrypt(&XNonce::from(*nonce), Payload::from(body)).map_err(|_| Unsealable)
    }

    /// Marks a block as made by somebody who knows the key.
    #[must_use]
    pub fn mark(&self, block: &BlockId) -> Hash {
        let height = block.height.to_be_bytes();
        Hash::from_bytes(keyed(&self.blocks, "", &[&height, block.hash.as_bytes()]))
    }

    /// Shows `to` that `from` knows the key. The transport proves who speaks, so it is worth
    /// nothing to anybody else.
    #[must_use]
    pub fn proof(&self, from: &Peer, to: &Peer) -> Hash {
        Hash::from_bytes(keyed(&self.peers, "", &[from.as_bytes(), to.as_bytes()]))
    }

    /// Whether a mark or a proof is the one that is due, in time that tells nothing.
    #[must_use]
    pub fn is_same(due: &Hash, given: Option<&Hash>) -> bool {
        use subtle::ConstantTimeEq;
        given.is_some_and(|given| due.as_bytes().ct_eq(given.as_bytes()).into())
    }
}

/// HMAC-SHA-256 over a label and parts of fixed length.
fn keyed(key: &[u8; 32], label: &str, parts: &[&[u8]]) -> [u8; 32] {
    // A shorter key is filled up with zeros.
    let mut block = [0; 64];
    let (filled, _) = block.split_at_mut(key.len());
    filled.copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(label.as_bytes());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
