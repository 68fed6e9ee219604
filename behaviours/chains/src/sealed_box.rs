//! A payload that one person can read: HPKE (RFC 9180, base mode) with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and ChaCha20-Poly1305, to the X25519 form of the reader's key.
//!
//! Base mode says nothing of who wrote it; the block's signature does. So that nobody can take the
//! payload of another's block into a block of their own, or an unsigned one's into a later block, the
//! chain, the author and the block's backs are authenticated with it.

use covey_kernel::{CryptoRng, Keypair, PublicKey};
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::BlockId;

type Kem = X25519HkdfSha256;

const INFO: &[u8] = b"covey/chains/sealed-box/v1";
const ENCAPSULATED: usize = 32;
const TAG: usize = 16;

/// Bytes that encryption adds to a payload.
pub const OVERHEAD: usize = ENCAPSULATED + TAG;

/// It is for somebody else, or was changed, or taken from another block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not encrypted to this key")]
pub struct NotForThisKey;

/// What a sealed payload is bound to: it opens nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The chain.
    pub genesis: BlockId,
    /// Who signs the block, if anybody does.
    pub author: Option<PublicKey>,
    /// The blocks before it.
    pub backs: Vec<BlockId>,
}

impl Context {
    /// The genesis' hash; 1 and the author's key, or 0; each back's height in 8 bytes and its hash.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.genesis.hash.as_bytes().to_vec();
        bytes.push(u8::from(self.author.is_some()));
        bytes.extend(self.author.iter().flat_map(PublicKey::as_bytes));
        for back in &self.backs {
            bytes.extend(back.height.to_be_bytes());
            bytes.extend(back.hash.as_bytes());
        }
        bytes
    }
}

/// Nothing can be encrypted to this key. No accepted public key is one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be encrypted to this key")]
pub struct BadReader;

/// Encrypts a payload to a key: the encapsulated key, then the ciphertext with its tag.
pub fn seal(
    mut rng: &mut dyn CryptoRng,
    to: &PublicKey,
    context: &Context,
    payload: &[u8],
) -> Result<Vec<u8>, BadReader> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.to_x25519());
    let to = to.map_err(|_| BadReader)?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to,
        INFO,
        payload,
        &context.bytes(),
        &mut rng,
    );
    let (encapsulated, ciphertext) = sealed.map_err(|_| BadReader)?;
    Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// Decrypts a payload.
pub fn open(key: &Keypair, context: &Context, sealed: &[u8]) -> Result<Vec<u8>, NotForThisKey> {
    let (encapsulated, ciphertext) =
        sealed.split_first_chunk::<ENCAPSULATED>().ok_or(NotForThisKey)?;
    let secret: Zeroizing<[u8; 32]> = key.x25519_secret();
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret.as_ref());
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated);
    let (Ok(secret), Ok(encapsulated)) = (secret, encapsulated) else { return Err(NotForThisKey) };
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &secret,
        &encapsulated,
        INFO,
        ciphertext,
        &context.bytes(),
    )
    .map_err(|_| NotForThisKey)
}

#[cfg(test)]
mod tests {
    use covey_kernel::Hash;

    use super::*;

    fn key(byte: u8) -> Keypair {
        Keypair::from_secret(&[byte; 32])
    }

    fn context(author: Option<&Keypair>) -> Context {
        let genesis = BlockId { height: 0, hash: Hash::of(b"a chain") };
        let back = BlockId { height: 1, hash: Hash::of(b"a block") };
        Context { genesis, author: author.map(Keypair::public), backs: vec![back] }
    }

    #[test]
    fn only_the_reader_opens_it_and_only_where_it_stands() {
        let (ann, bob, eve) = (key(1), key(2), key(3));
        let mut rng = rand::rng();
        let at = context(Some(&ann));
        let sealed = seal(&mut rng, &bob.public(), &at, b"for Bob").unwrap();
        assert_eq!(sealed.len(), b"for Bob".len() + OVERHEAD);
        assert_eq!(open(&bob, &at, &sealed).unwrap(), b"for Bob");
        // Neither its author nor anybody else, nor in a block of somebody else or of nobody.
        assert_eq!(open(&ann, &at, &sealed), Err(NotForThisKey));
        assert_eq!(open(&bob, &context(Some(&eve)), &sealed), Err(NotForThisKey));
        assert_eq!(open(&bob, &context(None), &sealed), Err(NotForThisKey));
        let other = BlockId { height: 0, hash: Hash::of(b"another chain") };
        let elsewhere = Context { genesis: other, ..at.clone() };
        assert_eq!(open(&bob, &elsewhere, &sealed), Err(NotForThisKey));
        let later =
            Context { backs: vec![BlockId { height: 2, hash: Hash::of(b"a block") }], ..at };
        assert_eq!(open(&bob, &later, &sealed), Err(NotForThisKey));
    }

    #[test]
    fn what_another_implementation_sealed_is_opened() {
        // RFC 9180 by hand with HMAC-SHA-256, X25519 (ephemeral secret 0x07 × 32) and
        // ChaCha20-Poly1305 of Python's `cryptography`; Bob's key converted by libsodium.
        let sealed = "13be4feaeaf204c7fd3358fc9c00721881d174278128227ec674f37f7fe97b6d\
                      cf499dd7019f6e4f47bdcf895f9f6f0e37423d30c5a1a9";
        let sealed = data_encoding::HEXLOWER.decode(sealed.as_bytes()).unwrap();
        let (ann, bob) = (key(1), key(2));
        assert_eq!(open(&bob, &context(Some(&ann)), &sealed).unwrap(), b"for Bob");
    }

    #[test]
    fn each_is_another_and_no_byte_can_be_changed_or_left_out() {
        let bob = key(2);
        let mut rng = rand::rng();
        let at = context(None);
        let sealed = seal(&mut rng, &bob.public(), &at, b"").unwrap();
        assert_ne!(sealed, seal(&mut rng, &bob.public(), &at, b"").unwrap());
        assert_eq!(open(&bob, &at, &sealed).unwrap(), b"");
        for byte in 0..sealed.len() {
            for bit in 0..8 {
                let mut changed = sealed.clone();
                changed[byte] ^= 1 << bit;
                assert_eq!(open(&bob, &at, &changed), Err(NotForThisKey), "byte {byte}");
            }
            assert_eq!(open(&bob, &at, &sealed[..byte]), Err(NotForThisKey));
        }
    }
}
