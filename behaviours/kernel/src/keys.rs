//! Ed25519, with one definition for the whole project.
//!
//! A public key is valid iff it is the canonical encoding of a point that is not of small
//! order. A signature is valid iff the ZIP-215 equation accepts it. Single and batch
//! verification agree on every input; see `README.md` for why that excludes other libraries'
//! batches.

use std::{cell::RefCell, collections::HashSet, fmt, str::FromStr};

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use ed25519_zebra as zebra;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{Domain, NetworkId, signing_bytes};

const PUBLIC_KEY_LENGTH: usize = 32;
const SIGNATURE_LENGTH: usize = 64;

/// How many keys are remembered as accepted.
const ACCEPTED_KEYS: usize = 4096;

thread_local! {
    /// Keys that were accepted before: a page of blocks, or a chain on disk, has few authors and many
    /// blocks, and to check a point costs more than to decode all the rest of a block.
    static ACCEPTED: RefCell<HashSet<[u8; PUBLIC_KEY_LENGTH]>> = RefCell::default();
}

/// These bytes are not a public key that this project accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid Ed25519 public key")]
pub struct InvalidKey;

/// The signature does not belong to this key and these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct InvalidSignature;

/// A canonical Ed25519 public key that is not of small order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "serde_bytes")] [u8; PUBLIC_KEY_LENGTH]);

/// An Ed25519 signature as it came: 64 bytes, valid or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(#[serde(with = "serde_bytes")] [u8; SIGNATURE_LENGTH]);

/// A secret key with its public key; wiped from memory when dropped.
#[derive(Clone)]
pub struct Keypair(SigningKey);

impl PublicKey {
    /// Accepts only canonical encodings of points that are not of small order.
    pub fn from_bytes(bytes: [u8; PUBLIC_KEY_LENGTH]) -> Result<Self, InvalidKey> {
        if ACCEPTED.with_borrow(|keys| keys.contains(&bytes)) {
            return Ok(Self(bytes));
        }
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| InvalidKey)?;
        if !is_reduced(&bytes) || key.is_weak() {
            return Err(InvalidKey);
        }
        ACCEPTED.with_borrow_mut(|keys| {
            if keys.len() >= ACCEPTED_KEYS {
                keys.clear();
            }
            keys.insert(bytes);
        });
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY_LENGTH] {
        &self.0
    }

    /// The X25519 key of whoever has this one's secret (the same point, on the Montgomery curve), to
    /// encrypt to them.
    #[must_use]
    pub fn to_x25519(&self) -> [u8; PUBLIC_KEY_LENGTH] {
        // Every accepted key is a point.
        VerifyingKey::from_bytes(&self.0).map_or([0; 32], |key| key.to_montgomery().to_bytes())
    }

    /// Verifies a signature over plain bytes.
    pub fn verify_bytes(
        &self,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), InvalidSignature> {
        let key = zebra::VerificationKey::try_from(self.0).map_err(|_| InvalidSignature)?;
        let signature = zebra::Signature::from(signature.0);
        key.verify(&signature, message).map_err(|_| InvalidSignature)
    }

    /// Verifies a signature made by [`Keypair::sign`].
    pub fn verify<T: Serialize>(
        &self,
        domain: Domain,
        network: &NetworkId,
        value: &T,
        signature: &Signature,
    ) -> Result<(), InvalidSignature> {
        self.verify_bytes(&signing_bytes(domain, network, value), signature)
    }
}

impl Signature {
    /// Wraps 64 bytes; whether they are a valid signature shows when they are verified.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; SIGNATURE_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_LENGTH] {
        &self.0
    }
}

impl Keypair {
    /// A new random key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut());
        Self(SigningKey::from_bytes(&secret))
    }

    /// The key with this secret.
    #[must_use]
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The secret, for the store.
    #[must_use]
    pub fn secret(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The X25519 secret that belongs to [`PublicKey::to_x25519`], to decrypt.
    #[must_use]
    pub fn x25519_secret(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_scalar_bytes())
    }

    /// Signs `domain ‖ network ‖ canonical bytes of value`.
    #[must_use]
    pub fn sign<T: Serialize>(&self, domain: Domain, network: &NetworkId, value: &T) -> Signature {
        Signature(self.0.sign(&signing_bytes(domain, network, value)).to_bytes())
    }
}

/// Whether the y of an encoded point is below p = 2^255 - 19. Of an encoding that is not canonical
/// either this does not hold, or its x is zero with the sign set; but then the point is of small order,
/// and refused for that. So nothing has to be encoded again, which costs as much as decoding.
fn is_reduced(bytes: &[u8; PUBLIC_KEY_LENGTH]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

/// Verifies many signatures at once; one answer each, the same that
/// [`PublicKey::verify_bytes`] gives. A batch that fails is checked again one by one; one signature
/// alone is not worth a batch.
pub fn verify_batch(
    rng: &mut dyn CryptoRng,
    items: &[(PublicKey, Vec<u8>, Signature)],
) -> Vec<Result<(), InvalidSignature>> {
    let one_by_one = || {
        items.iter().map(|(key, message, signature)| key.verify_bytes(message, signature)).collect()
    };
    if items.len() < 2 {
        return one_by_one();
    }
    let mut batch = zebra::batch::Verifier::new();
    for (key, message, signature) in items {
        let key = zebra::VerificationKeyBytes::from(key.0);
        batch.queue((key, zebra::Signature::from(signature.0), message.as_slice()));
    }
    if batch.verify(rng).is_ok() {
        return vec![Ok(()); items.len()];
    }
    one_by_one()
}

/// Verifies many signatures at once, as [`verify_batch`] does. The numbers that the batch is weighed
/// with are drawn from a hash of all of it, so whoever makes a signature cannot choose them, and the
/// answer depends on nothing else.
#[must_use]
pub fn verify_all(items: &[(PublicKey, Vec<u8>, Signature)]) -> Vec<Result<(), InvalidSignature>> {
    let mut all = Sha256::new();
    for (key, message, signature) in items {
        all.update(key.0);
        all.update(Sha256::digest(message));
        all.update(signature.0);
    }
    verify_batch(&mut ChaCha20Rng::from_seed(all.finalize().into()), items)
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: [u8; PUBLIC_KEY_LENGTH] = serde_bytes::deserialize(deserializer)?;
        Self::from_bytes(bytes).map_err(D::Error::custom)
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let bytes =
            data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| InvalidKey)?;
        Self::from_bytes(bytes.try_into().map_err(|_| InvalidKey)?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypair({}, secret hidden)", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOMAIN: Domain = Domain::new("covey/test/v1");

    fn key(seed: u8) -> Keypair {
        Keypair::from_secret(&[seed; 32])
    }

    #[test]
    fn a_signature_is_bound_to_key_domain_network_and_value() {
        let (network, other) = (NetworkId::open(), NetworkId::named("other"));
        let signature = key(1).sign(DOMAIN, &network, &7u8);
        let public = key(1).public();
        assert_eq!(public.verify(DOMAIN, &network, &7u8, &signature), Ok(()));
        let refused = Err(InvalidSignature);
        assert_eq!(public.verify(DOMAIN, &network, &8u8, &signature), refused);
        assert_eq!(public.verify(DOMAIN, &other, &7u8, &signature), refused);
        assert_eq!(public.verify(Domain::new("covey/t"), &network, &7u8, &signature), refused);
        assert_eq!(key(2).public().verify(DOMAIN, &network, &7u8, &signature), refused);
    }

    #[test]
    fn refuses_keys_of_small_order_and_other_encodings() {
        let identity = {
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        };
        // y = p + 1: the identity once more, not reduced.
        let mut unreduced = [0xff; 32];
        unreduced[0] = 0xee;
        unreduced[31] = 0x7f;
        for bytes in [identity, [0; 32], unreduced] {
            assert_eq!(PublicKey::from_bytes(bytes), Err(InvalidKey));
        }
    }

    #[test]
    fn a_batch_says_which_one_is_wrong() {
        let mut items: Vec<_> = (1..5u8)
            .map(|seed| {
                let message = signing_bytes(DOMAIN, &NetworkId::open(), &seed);
                let signature = key(seed).sign(DOMAIN, &NetworkId::open(), &seed);
                (key(seed).public(), message, signature)
            })
            .collect();
        assert_eq!(verify_batch(&mut rand::rng(), &items), vec![Ok(()); 4]);
        items[2].1.push(0);
        let answers = verify_batch(&mut rand::rng(), &items);
        assert_eq!(answers, [Ok(()), Ok(()), Err(InvalidSignature), Ok(())]);
    }
}
