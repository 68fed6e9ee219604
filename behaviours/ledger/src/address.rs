//! Addresses as people see them: bech32m (BIP-350) with the network's own prefix.

use std::fmt;

use bech32::{
    Bech32m, ByteIterExt, Fe32IterExt, Hrp,
    primitives::decode::{ChecksumError, UncheckedHrpstring},
};
use covey_kernel::{PublicKey, Text};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest prefix, in characters.
pub(crate) const PREFIX_CHARS: usize = 16;

/// The longest text that is looked at, in characters: the limit of BIP-173.
const ADDRESS_CHARS: usize = 90;

/// The only version so far: an Ed25519 key follows.
const VERSION: u8 = 0;

/// What a network's addresses begin with, so that none is paid on another network: 1 to 16 of
/// `a` to `z` and `0` to `9`, a letter first. The digit `1` is left out, because it separates the
/// prefix from the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix(Hrp);

/// Why a text is not a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrefix {
    /// Empty, or too long.
    #[error("an address prefix has 1 to {PREFIX_CHARS} characters")]
    Length,
    /// It begins with a digit.
    #[error("an address prefix begins with a letter")]
    Start,
    /// A character that it may not have.
    #[error("an address prefix has only the letters a to z and the digits 0 and 2 to 9")]
    Character,
}

/// Why a text is not an address of this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// The address is good, on another network.
    #[error(
        "this is an address of another network: it begins with \"{found}1\", here addresses \
         begin with \"{wanted}1\""
    )]
    OtherNetwork {
        /// Its prefix.
        found: String,
        /// The prefix of this network.
        wanted: Prefix,
    },
    /// The checksum is wrong.
    #[error("the address is incomplete or mistyped: copy it again")]
    Checksum,
    /// The checksum is right, but this version cannot read it.
    #[error("the address is of version {0}, which is not known here: update covey")]
    UnknownVersion(u8),
    /// The bytes are of small order or not canonical: nobody could spend what is paid there.
    #[error("the address has no valid key: ask the payee for another one")]
    InvalidKey,
    /// Upper and lower case together.
    #[error("the address mixes upper and lower case: copy it again")]
    MixedCase,
    /// It does not have the form of an address.
    #[error("this is not an address: an address here begins with \"{wanted}1\"")]
    Malformed {
        /// The prefix of this network.
        wanted: Prefix,
    },
}

impl Prefix {
    /// Takes the text if it is a prefix.
    pub fn new(text: &str) -> Result<Self, InvalidPrefix> {
        if text.is_empty() || text.chars().count() > PREFIX_CHARS {
            return Err(InvalidPrefix::Length);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(InvalidPrefix::Start);
        }
        if !text.chars().all(|c| matches!(c, 'a'..='z' | '0' | '2'..='9')) {
            return Err(InvalidPrefix::Character);
        }
        Hrp::parse(text).map(Self).map_err(|_| InvalidPrefix::Character)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The address of a key, in lower case: the prefix, `1`, and in bech32m a version byte and the 32
/// bytes of the key.
#[must_use]
pub fn address_text(prefix: &Prefix, key: &PublicKey) -> String {
    let bytes = std::iter::once(VERSION).chain(key.as_bytes().iter().copied());
    bytes.bytes_to_fes().with_checksum::<Bech32m>(&prefix.0).chars().collect()
}

/// The key of an address of this network. It may be all in upper case, as in QR codes; spaces
/// around it are ignored. A key has exactly one text otherwise.
pub fn parse_address(prefix: &Prefix, text: &str) -> Result<PublicKey, InvalidAddress> {
    let malformed = || InvalidAddress::Malformed { wanted: *prefix };
    let text = text.trim();
    if text.len() > ADDRESS_CHARS {
        return Err(malformed());
    }
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) {
        return Err(InvalidAddress::MixedCase);
    }
    let checked = UncheckedHrpstring::new(text)
        .map_err(|_| malformed())?
        .validate_and_remove_checksum::<Bech32m>()
        .map_err(|error| match error {
            ChecksumError::InvalidResidue(_) => InvalidAddress::Checksum,
            _ => malformed(),
        })?;
    // After the checksum: a slip in the prefix is a typing mistake, not another network.
    if checked.hrp() != prefix.0 {
        let found = checked.hrp().to_lowercase();
        return Err(InvalidAddress::OtherNetwork { found, wanted: *prefix });
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    let (version, key) = bytes.split_first().ok_or_else(malformed)?;
    if *version != VERSION {
        return Err(InvalidAddress::UnknownVersion(*version));
    }
    let key = key.try_into().map_err(|_| malformed())?;
    let key = PublicKey::from_bytes(key).map_err(|_| InvalidAddress::InvalidKey)?;
    // The last symbol has a bit to spare: set, it would give the key a second text.
    if !address_text(prefix, &key).eq_ignore_ascii_case(text) {
        return Err(malformed());
    }
    Ok(key)
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::<PREFIX_CHARS>::deserialize(deserializer)?;
        Self::new(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use bech32::{Bech32, Fe32};
    use covey_kernel::{Keypair, cbor};
    use proptest::prelude::*;

    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::new(text).unwrap()
    }

    fn key(seed: u8) -> PublicKey {
        Keypair::from_secret(&[seed; 32]).public()
    }

    fn with_version(version: u8, key: &[u8]) -> Vec<u8> {
        [&[version], key].concat()
    }

    fn encoded(hrp: &str, bytes: &[u8]) -> String {
        bech32::encode::<Bech32m>(Hrp::parse(hrp).unwrap(), bytes).unwrap()
    }

    #[test]
    fn prefixes_are_letters_and_digits_without_1() {
        for text in ["a", "covey", "tcv", "a234567890bcdefg"] {
            assert_eq!(prefix(text).to_string(), text);
        }
        for (text, error) in [
            ("", InvalidPrefix::Length),
            ("abcdefghijklmnopq", InvalidPrefix::Length),
            ("2a", InvalidPrefix::Start),
            ("a1", InvalidPrefix::Character),
            ("Covey", InvalidPrefix::Character),
            ("co vey", InvalidPrefix::Character),
            ("\u{e9}", InvalidPrefix::Character),
        ] {
            assert_eq!(Prefix::new(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_a_text_and_checked_when_decoded() {
        let bytes = cbor::encode(&prefix("covey"));
        assert_eq!(bytes, cbor::encode(&"covey"));
        assert_eq!(cbor::decode(&bytes, 64), Ok(prefix("covey")));
        assert!(cbor::decode::<Prefix>(&cbor::encode(&"a1"), 64).is_err());
        assert!(cbor::decode::<Prefix>(&cbor::encode(&"abcdefghijklmnopq"), 64).is_err());
    }

    #[test]
    fn the_text_of_an_address_is_fixed() {
        let text = address_text(&prefix("covey"), &key(1));
        assert_eq!(text, "covey1qz9g3c7awsylr90a2tdj6096t4ev5ecfhuwegysm7d6gsqd5pah4c06rw83");
        assert_eq!(text, encoded("covey", &with_version(0, key(1).as_bytes())));
    }

    #[test]
    fn reads_upper_case_and_spaces_but_not_mixed_case() {
        let prefix = prefix("covey");
        let text = address_text(&prefix, &key(1));
        assert_eq!(parse_address(&prefix, &text.to_ascii_uppercase()), Ok(key(1)));
        assert_eq!(parse_address(&prefix, &format!(" {text}\n")), Ok(key(1)));
        let mixed = text.replacen('c', "C", 1);
        assert_eq!(parse_address(&prefix, &mixed), Err(InvalidAddress::MixedCase));
    }

    #[test]
    fn tells_another_network_from_a_typing_mistake() {
        let wanted = prefix("covey");
        let text = address_text(&prefix("other"), &key(1));
        let error = InvalidAddress::OtherNetwork { found: "other".to_owned(), wanted };
        assert_eq!(parse_address(&wanted, &text), Err(error.clone()));
        assert_eq!(parse_address(&wanted, &text.to_ascii_uppercase()), Err(error));
        let mistyped = address_text(&wanted, &key(1)).replacen("covey", "cover", 1);
        assert_eq!(parse_address(&wanted, &mistyped), Err(InvalidAddress::Checksum));
    }

    #[test]
    fn refuses_the_checksum_of_bech32() {
        let bytes = with_version(0, key(1).as_bytes());
        let text = bech32::encode::<Bech32>(Hrp::parse("covey").unwrap(), &bytes).unwrap();
        assert_eq!(parse_address(&prefix("covey"), &text), Err(InvalidAddress::Checksum));
    }

    #[test]
    fn refuses_versions_keys_and_lengths() {
        let prefix = prefix("covey");
        let malformed = InvalidAddress::Malformed { wanted: prefix };
        let mut identity = [0; 32];
        identity[0] = 1;
        // y = p + 1: the identity once more, not reduced.
        let mut unreduced = [0xff; 32];
        (unreduced[0], unreduced[31]) = (0xee, 0x7f);
        let long = [key(1).as_bytes().as_slice(), &[0]].concat();
        for (version, bytes, error) in [
            (1, key(1).as_bytes().as_slice(), InvalidAddress::UnknownVersion(1)),
            (255, &[], InvalidAddress::UnknownVersion(255)),
            (0, &identity, InvalidAddress::InvalidKey),
            (0, &unreduced, InvalidAddress::InvalidKey),
            (0, &key(1).as_bytes()[1..], malformed.clone()),
            (0, &long, malformed.clone()),
        ] {
            let text = encoded("covey", &with_version(version, bytes));
            assert_eq!(parse_address(&prefix, &text), Err(error));
        }
        for text in ["", "covey", "covey1", "covey1qqqqq", "1", &encoded("covey", &[])] {
            assert_eq!(parse_address(&prefix, text), Err(malformed.clone()), "{text}");
        }
        let text = encoded("covey", &[0; 60]);
        assert_eq!(parse_address(&prefix, &text), Err(malformed));
    }

    #[test]
    fn refuses_a_set_bit_of_padding() {
        let prefix = prefix("covey");
        let bytes = with_version(0, key(1).as_bytes());
        let mut symbols: Vec<Fe32> = bytes.iter().copied().bytes_to_fes().collect();
        let last = symbols.pop().unwrap();
        symbols.push(Fe32::try_from(last.to_u8() | 1).unwrap());
        let text: String =
            symbols.into_iter().with_checksum::<Bech32m>(&prefix.0).chars().collect();
        let error = InvalidAddress::Malformed { wanted: prefix };
        assert_eq!(parse_address(&prefix, &text), Err(error));
    }

    proptest! {
        #[test]
        fn addresses_come_back(secret: [u8; 32], prefix in "[a-z][a-z02-9]{0,15}") {
            let prefix = Prefix::new(&prefix).unwrap();
            let key = Keypair::from_secret(&secret).public();
            let text = address_text(&prefix, &key);
            prop_assert!(text.len() <= ADDRESS_CHARS);
            prop_assert_eq!(parse_address(&prefix, &text), Ok(key));
        }

        #[test]
        fn any_changed_character_is_refused(
            secret: [u8; 32],
            at: proptest::sample::Index,
            to in "[ -~]|[qpzry9x8gf2tvdw0s3jn54khce6mua7l]|\\PC",
        ) {
            let prefix = prefix("covey");
            let text = address_text(&prefix, &Keypair::from_secret(&secret).public());
            let mut changed = text.clone();
            let at = at.index(text.len());
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != text);
            prop_assert!(parse_address(&prefix, &changed).is_err());
        }

        #[test]
        fn any_other_text_is_refused(text in "(covey1)?\\PC{0,100}") {
            prop_assert!(parse_address(&prefix("covey"), &text).is_err());
        }
    }
}
