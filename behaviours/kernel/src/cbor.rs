//! The one encoding of everything that is stored, sent or signed: deterministic CBOR
//! (RFC 8949, section 4.2) of tuple structs, fixed arrays, byte strings and text.
//!
//! `cbor4ii` alone accepts long integers, indefinite lengths and trailing bytes. [`decode`]
//! makes it canonical: a value that does not encode back to the same bytes is refused.

use serde::{Serialize, de::DeserializeOwned};

use crate::Fault;

/// Why bytes are not the encoding of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than the bound; nothing was parsed.
    #[error("{length} bytes are over the limit of {limit}")]
    TooLarge {
        /// Bytes that came.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not CBOR, or not of the expected shape.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Decodes, but is not the one canonical encoding of its value.
    #[error("not in canonical form")]
    NotCanonical,
}

/// Encodes a value. The types of this project always encode; a failure is a fault in the code
/// and gives an empty string, which no decoder accepts.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(Vec::new(), value).unwrap_or_default()
}

/// Decodes the canonical encoding of a value of at most `limit` bytes.
pub fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLarge { length: bytes.len(), limit });
    }
    let value: T = cbor4ii::serde::from_slice(bytes)
        .map_err(|error| DecodeError::Malformed(error.to_string()))?;
    if encode(&value) != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok(value)
}

/// Decodes what this node itself has stored. It is not held to the canonical form, because
/// libraries' own types need not have one; it never sees a peer's bytes.
pub fn decode_stored<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    cbor4ii::serde::from_slice(bytes).map_err(|error| Fault::Corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bounded, Bytes, Hash, Text};

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    struct Sample(u64, Text<8>, Bytes<4>, Bounded<u8, 2>, Option<Hash>);

    fn sample() -> Sample {
        Sample(
            7,
            Text::new("abc").unwrap(),
            Bytes::new(vec![1, 2]).unwrap(),
            Bounded::new(vec![1, 2]).unwrap(),
            None,
        )
    }

    #[test]
    fn comes_back_the_same() {
        let bytes = encode(&sample());
        assert_eq!(bytes, [0x85, 7, 0x63, b'a', b'b', b'c', 0x42, 1, 2, 0x82, 1, 2, 0xf6]);
        assert_eq!(decode::<Sample>(&bytes, 64), Ok(sample()));
    }

    #[test]
    fn refuses_over_the_limit_before_parsing() {
        let error = decode::<Sample>(&[0xff; 65], 64).unwrap_err();
        assert_eq!(error, DecodeError::TooLarge { length: 65, limit: 64 });
    }

    #[test]
    fn refuses_trailing_bytes() {
        let mut bytes = encode(&sample());
        bytes.push(0);
        assert_eq!(decode::<Sample>(&bytes, 64), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn refuses_a_long_integer() {
        let mut bytes = encode(&sample());
        bytes.splice(1..2, [0x18, 7]);
        assert_eq!(decode::<Sample>(&bytes, 64), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn refuses_an_indefinite_length() {
        let mut bytes = encode(&sample());
        bytes[0] = 0x9f;
        bytes.push(0xff);
        assert!(matches!(
            decode::<Sample>(&bytes, 64),
            Err(DecodeError::NotCanonical | DecodeError::Malformed(_))
        ));
    }

    #[test]
    fn refuses_a_list_text_or_string_over_its_bound() {
        for (at, head, extra) in [(2, 0x69, 6), (6, 0x45, 3), (9, 0x83, 1)] {
            let mut bytes = encode(&sample());
            bytes[at] = head;
            let end = at + 1;
            bytes.splice(end..end, std::iter::repeat_n(1u8, extra));
            assert!(matches!(decode::<Sample>(&bytes, 64), Err(DecodeError::Malformed(_))));
        }
    }

    #[test]
    fn refuses_a_list_that_claims_to_be_huge() {
        let bytes = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(matches!(decode::<Bounded<u64, 1000>>(&bytes, 64), Err(DecodeError::Malformed(_))));
    }

    #[test]
    fn refuses_deep_nesting() {
        assert!(matches!(
            decode::<Sample>(&[0x81; 60_000], 1 << 20),
            Err(DecodeError::Malformed(_))
        ));
    }
}
