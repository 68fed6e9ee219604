//! A payload that one person can read: HPKE (RFC 9180, base mode) with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and ChaCha20-Poly1305, to the X25519 form of the reader's key.
//!
//! Base mode says nothing of who wrote it; the block's signature does. So that nobody can take the
//! payload of another's block into a block of their own, the author and the chain are authenticated
//! with it.

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

/// Where a sealed payload stands: it opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The chain.
    pub genesis: BlockId,
    /// Who signs the block, if anybody does.
    pub author: Option<PublicKey>,
}

impl Place {
    fn bytes(&self) -> Vec<u8> {
        let author = self.author.as_ref().map_or(&[] as &[u8], |author| author.as_bytes());
        [self.genesis.hash.as_bytes(), author].concat()
    }
}

/// Encrypts a payload to a key: the encapsulated key, then the ciphertext with its tag.
pub fn seal(
    mut rng: &mut dyn CryptoRng,
    to: &PublicKey,
    place: &Place,
    payload: &[u8],
) -> Result<Vec<u8>, NotForThisKey> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.to_x25519());
    let to = to.map_err(|_| NotForThisKey)?;
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &to,
        INFO,
        payload,
        &place.bytes(),
        &mut rng,
    );
    let (encapsulated, ciphertext) = sealed.map_err(|_| NotForThisKey)?;
    Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
}

/// Decrypts a payload.
pub fn open(key: &Keypair, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, NotForThisKey> {
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
        &place.bytes(),
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

    fn place(author: Option<&Keypair>) -> Place {
        let genesis = BlockId { height: 0, hash: Hash::of(b"a chain") };
        Place { genesis, author: author.map(Keypair::public) }
    }

    #[test]
    fn only_the_reader_opens_it_and_only_where_it_stands() {
        let (ann, bob, eve) = (key(1), key(2), key(3));
        let mut rng = rand::rng();
        let at = place(Some(&ann));
        let sealed = seal(&mut rng, &bob.public(), &at, b"for Bob").unwrap();
        assert_eq!(sealed.len(), b"for Bob".len() + OVERHEAD);
        assert_eq!(open(&bob, &at, &sealed).unwrap(), b"for Bob");
        // Neither its author nor anybody else, nor in a block of somebody else or of nobody.
        assert_eq!(open(&ann, &at, &sealed), Err(NotForThisKey));
        assert_eq!(open(&bob, &place(Some(&eve)), &sealed), Err(NotForThisKey));
        assert_eq!(open(&bob, &place(None), &sealed), Err(NotForThisKey));
        let other = BlockId { height: 0, hash: Hash::of(b"another chain") };
        assert_eq!(open(&bob, &Place { genesis: other, ..at }, &sealed), Err(NotForThisKey));
    }

    #[test]
    fn each_is_another_and_no_byte_can_be_changed_or_left_out() {
        let bob = key(2);
        let mut rng = rand::rng();
        let at = place(None);
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
