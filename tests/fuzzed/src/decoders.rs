use std::{fmt::Debug, str::FromStr};

use covey_kernel::{
    Bounded, Bytes, Hash, NetworkId, PublicKey, Signature, Text, Time,
    cbor::{self, DecodeError},
    serde::{Serialize, de::DeserializeOwned},
    verify_batch,
};
use covey_messaging::{
    ContactCode, MessageId, Plaintext,
    limits::{REQUEST_BYTES, RESPONSE_BYTES, SEALED_BYTES},
    ratchet::{Olm, Ratchet},
    wire::{Request, Response},
};
use covey_shell::frame;
use rand::SeedableRng;

/// What decodes encodes to the same bytes, within the bound; nothing else decodes.
pub(super) fn canonical<T: Serialize + DeserializeOwned + Debug>(
    bytes: &[u8],
    limit: usize,
) -> Option<T> {
    match cbor::decode::<T>(bytes, limit) {
        Ok(value) => {
            assert!(bytes.len() <= limit);
            assert_eq!(cbor::encode(&value), bytes);
            // Printing must not fail either: errors and logs do it.
            assert!(!format!("{value:?}").is_empty());
            Some(value)
        }
        Err(DecodeError::TooLarge { length, .. }) => {
            assert!(length > limit);
            None
        }
        Err(DecodeError::Malformed(_) | DecodeError::NotCanonical) => None,
    }
}

/// The kernel's types, each alone.
pub fn kernel_cbor(bytes: &[u8]) {
    const LIMIT: usize = 1 << 12;
    canonical::<u64>(bytes, LIMIT);
    canonical::<Option<bool>>(bytes, LIMIT);
    canonical::<Time>(bytes, LIMIT);
    canonical::<Hash>(bytes, LIMIT);
    canonical::<NetworkId>(bytes, LIMIT);
    canonical::<Text<16>>(bytes, LIMIT);
    canonical::<Bytes<16>>(bytes, LIMIT);
    canonical::<Bounded<Bounded<u16, 4>, 4>>(bytes, LIMIT);
    canonical::<Bounded<(Hash, Text<8>), 3>>(bytes, LIMIT);
    if let Some(key) = canonical::<PublicKey>(bytes, LIMIT) {
        assert_eq!(PublicKey::from_str(&key.to_string()), Ok(key));
    }
    if let Some((key, signature)) = canonical::<(PublicKey, Signature)>(bytes, LIMIT) {
        let rng = &mut rand_chacha::ChaCha12Rng::seed_from_u64(1);
        let single = key.verify_bytes(b"message", &signature);
        assert_eq!(verify_batch(rng, &[(key, b"message".to_vec(), signature)]), [single]);
    }
}

/// Requests between messaging nodes, and the signatures in them.
pub fn request(bytes: &[u8]) {
    let network = NetworkId::open();
    match canonical::<Request>(bytes, REQUEST_BYTES) {
        Some(Request::Knock(knock)) => {
            knock.set.verify(&network).ok();
            assert_eq!(knock.envelope.hash(), knock.envelope.clone().hash());
        }
        Some(Request::Announce(announcement)) => {
            for link in announcement.successions.iter() {
                link.verify(&network).ok();
            }
        }
        Some(Request::Deliver(delivery)) => {
            for envelope in delivery.envelopes.iter() {
                let opening = Olm::opening(&envelope.sealed());
                assert!(opening.is_none() || envelope.prekey);
            }
        }
        Some(Request::Claim(())) | None => {}
    }
}

/// Responses between messaging nodes.
pub fn response(bytes: &[u8]) {
    if let Some(Response::Keys(handout)) = canonical::<Response>(bytes, RESPONSE_BYTES) {
        handout.verify(&NetworkId::open()).ok();
    }
}

/// What stands inside a ciphertext.
pub fn content(bytes: &[u8]) {
    if let Some(plaintext) = canonical::<Plaintext>(bytes, SEALED_BYTES) {
        let id = plaintext.content.id;
        assert_eq!(MessageId::from_str(&id.to_string()), Ok(id));
    }
}

/// Contact codes as people type them.
pub fn contact_code(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(code) = ContactCode::from_str(text) {
        let written = code.to_string();
        assert_eq!(written, text.trim().to_ascii_lowercase());
        assert_eq!(ContactCode::from_str(&written), Ok(code));
    }
}

/// Frames of requests and of answers; the first byte is the bound of an item.
pub fn shell_frame(bytes: &[u8]) {
    let Some((limit, frame)) = bytes.split_first() else { return };
    let limit = usize::from(*limit);
    if let Ok(requests) = frame::decode_requests(frame, limit) {
        assert!(requests.iter().all(|request| request.len() <= limit));
        assert_eq!(frame::encode_requests(&requests), frame);
    }
    if let Ok(answers) = frame::decode_answers(frame, limit) {
        assert_eq!(frame::encode_answers(&answers), frame);
    }
}
