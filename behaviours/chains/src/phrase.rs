//! Keys from pass phrases. A phrase can be guessed, so each guess is made dear: Argon2id (RFC 9106).

use std::{fmt, str::FromStr};

use argon2::{Algorithm, Argon2, Params, Version};
use covey_kernel::{Hash, Hasher, Keypair, NetworkId};
use data_encoding::{HEXUPPER, HEXUPPER_PERMISSIVE};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::limits::{STRETCH_MEMORY, STRETCH_PASSES};

const KEY_LENGTH: usize = 32;

/// A private group's shared key; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GroupKey([u8; KEY_LENGTH]);

/// No key can be made of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhraseError {
    /// Everybody would guess it.
    #[error("the pass phrase is empty: write one that nobody guesses")]
    Empty,
    /// There is not the memory for it, say.
    #[error("the pass phrase cannot be stretched: {0}")]
    Stretch(String),
}

/// These words are no shared key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shared key is 64 hexadecimal digits; `covey crypto shared \"pass phrase\"` makes one")]
pub struct InvalidGroupKey;

/// The key pair that a pass phrase stands for, the same everywhere.
pub fn keypair(phrase: &str) -> Result<Keypair, PhraseError> {
    let salt = Hasher::new("covey/chains/keypair/v1").finish();
    stretch(phrase.as_bytes(), &salt).map(|secret| Keypair::from_secret(&secret))
}

impl GroupKey {
    /// The shared key that a pass phrase stands for, the same everywhere.
    pub fn from_phrase(phrase: &str) -> Result<Self, PhraseError> {
        let salt = Hasher::new("covey/chains/shared/v1").finish();
        stretch(phrase.as_bytes(), &salt).map(|key| Self(*key))
    }

    /// What stands in a group's genesis for the key. It is stretched again: who was given a weak
    /// key as hexadecimal digits is no worse off.
    pub fn stretched(&self, network: &NetworkId, name: &str) -> Result<Hash, PhraseError> {
        let label = Hasher::new("covey/chains/group/v1");
        let salt = label.field(network.as_bytes()).field(name.as_bytes()).finish();
        stretch(&self.0, &salt).map(|stretched| Hash::from_bytes(*stretched))
    }

    pub(crate) const fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    pub(crate) const fn from_bytes(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// In hexadecimal digits, for those who are to share it.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(HEXUPPER.encode(&self.0))
    }
}

fn stretch(secret: &[u8], salt: &Hash) -> Result<Zeroizing<[u8; KEY_LENGTH]>, PhraseError> {
    if secret.is_empty() {
        return Err(PhraseError::Empty);
    }
    let failed = |error: argon2::Error| PhraseError::Stretch(error.to_string());
    let params =
        Params::new(STRETCH_MEMORY, STRETCH_PASSES, 1, Some(KEY_LENGTH)).map_err(failed)?;
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(secret, salt.as_bytes(), key.as_mut())
        .map_err(failed)?;
    Ok(key)
}

impl FromStr for GroupKey {
    type Err = InvalidGroupKey;

    fn from_str(text: &str) -> Result<Self, InvalidGroupKey> {
        let bytes = HEXUPPER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| InvalidGroupKey)?;
        let bytes = Zeroizing::new(bytes);
        bytes.as_slice().try_into().map(Self).map_err(|_| InvalidGroupKey)
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_always_gives_the_same_keys() {
        // As argon2-cffi and PyNaCl compute them.
        assert_eq!(
            keypair("senha").unwrap().public().to_string(),
            "22351ad575e7ac6116a53df6ce4e6af40c99ec91b48d7036a91aae7b6b4dca03"
        );
        assert_eq!(
            *GroupKey::from_phrase("senha").unwrap().reveal(),
            "6A0E105E767077E49AAAE9B95D5CEE4677B84E8E43E143C718CC47A305479138"
        );
    }

    #[test]
    fn an_empty_phrase_is_refused() {
        assert_eq!(keypair("").map(|key| key.public()), Err(PhraseError::Empty));
        assert_eq!(GroupKey::from_phrase(""), Err(PhraseError::Empty));
    }

    #[test]
    fn the_same_key_is_stretched_otherwise_for_each_group_and_network() {
        let key: GroupKey = "11".repeat(32).parse().unwrap();
        let network = NetworkId::open();
        let one = key.stretched(&network, "family").unwrap();
        assert_eq!(one, key.stretched(&network, "family").unwrap());
        assert_ne!(one, key.stretched(&network, "friends").unwrap());
        assert_ne!(one, key.stretched(&NetworkId::named("other"), "family").unwrap());
        let other: GroupKey = "12".repeat(32).parse().unwrap();
        assert_ne!(one, other.stretched(&network, "family").unwrap());
    }

    #[test]
    fn a_shared_key_is_read_as_it_is_written() {
        let key: GroupKey = "aB".repeat(32).parse().unwrap();
        assert_eq!(*key.reveal(), "AB".repeat(32));
        assert_eq!(key.reveal().parse(), Ok(key));
        for text in ["", "AB", &"AB".repeat(31), &"AB".repeat(33), &"XY".repeat(32)] {
            assert_eq!(text.parse::<GroupKey>(), Err(InvalidGroupKey), "{text}");
        }
    }

    #[test]
    fn a_shared_key_does_not_reach_a_log() {
        let key: GroupKey = "AB".repeat(32).parse().unwrap();
        assert_eq!(format!("{key:?}"), "GroupKey(hidden)");
    }
}
