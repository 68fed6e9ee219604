use covey_kernel::{CryptoRng, Fault, Hash, cbor};
use vodozemac::{
    Curve25519PublicKey,
    olm::{Account, OlmMessage, PreKeyMessage, Session, SessionConfig, SessionCreationError},
};

use super::{CurveKey, Opening, Ratchet, RatchetError, Sealed, SessionTag};

/// Olm by vodozemac, with full-length MACs (session version 2) on both sides.
#[derive(Debug, Clone, Copy)]
pub struct Olm;

fn curve(key: &CurveKey) -> Curve25519PublicKey {
    Curve25519PublicKey::from_bytes(key.0)
}

fn bytes(key: Curve25519PublicKey) -> CurveKey {
    CurveKey(key.to_bytes())
}

fn message(sealed: &Sealed) -> Result<OlmMessage, RatchetError> {
    let kind = if sealed.prekey { 0 } else { 1 };
    OlmMessage::from_parts(kind, &sealed.body).map_err(|_| RatchetError::Malformed)
}

/// The message that starts a session. Its keys stand outside the MAC, and X25519 takes several
/// encodings of a key for the same one: with another encoding, a message that was seen would
/// start a session of another name. So only the canonical one counts.
fn prekey_message(sealed: &Sealed) -> Result<PreKeyMessage, RatchetError> {
    let OlmMessage::PreKey(message) = message(sealed)? else {
        return Err(RatchetError::Malformed);
    };
    let keys = [message.base_key(), message.identity_key(), message.one_time_key()];
    if keys.iter().all(is_canonical) { Ok(message) } else { Err(RatchetError::Malformed) }
}

/// Whether the number is below 2^255 - 19; the bytes are in little-endian order.
fn is_canonical(key: &Curve25519PublicKey) -> bool {
    let [low, middle @ .., high] = key.to_bytes();
    let near = high == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    high <= 0x7f && !(near && low >= 0xed)
}

/// Session ids are text over the three keys; the tag is the beginning of their hash.
fn tag(session_id: &str) -> SessionTag {
    let mut tag = [0; 8];
    tag.iter_mut()
        .zip(Hash::of(session_id.as_bytes()).as_bytes())
        .for_each(|(to, from)| *to = *from);
    SessionTag(tag)
}

impl Ratchet for Olm {
    type Account = Account;
    type Session = Session;

    fn account(_rng: &mut dyn CryptoRng) -> Account {
        Account::new()
    }

    fn identity(account: &Account) -> CurveKey {
        bytes(account.curve25519_key())
    }

    fn one_time_keys(
        account: &mut Account,
        _rng: &mut dyn CryptoRng,
        count: usize,
    ) -> Vec<CurveKey> {
        let made = account.generate_one_time_keys(count).created;
        account.mark_keys_as_published();
        made.into_iter().map(bytes).collect()
    }

    fn forget(account: &mut Account, key: &CurveKey) {
        // Already used up is as good as forgotten.
        drop(account.remove_one_time_key(curve(key)));
    }

    fn rotate_fallback(account: &mut Account, _rng: &mut dyn CryptoRng) -> CurveKey {
        account.generate_fallback_key();
        let key = account.fallback_key().into_values().next().map(bytes);
        account.mark_keys_as_published();
        // The key was made two lines above: it is there.
        key.unwrap_or_else(|| bytes(account.curve25519_key()))
    }

    fn open(
        account: &Account,
        _rng: &mut dyn CryptoRng,
        identity: &CurveKey,
        prekey: &CurveKey,
    ) -> Result<Session, RatchetError> {
        account
            .create_outbound_session(SessionConfig::version_2(), curve(identity), curve(prekey))
            .map_err(|_| RatchetError::BadKey)
    }

    fn accept(
        account: &mut Account,
        identity: &CurveKey,
        sealed: &Sealed,
    ) -> Result<(Session, Vec<u8>), RatchetError> {
        let message = prekey_message(sealed)?;
        account
            .create_inbound_session(SessionConfig::version_2(), curve(identity), &message)
            .map(|created| (created.session, created.plaintext))
            .map_err(|error| match error {
                SessionCreationError::MissingOneTimeKey(_) => RatchetError::UnknownPrekey,
                SessionCreationError::NonContributoryKey => RatchetError::BadKey,
                _ => RatchetError::Undecryptable,
            })
    }

    fn opening(sealed: &Sealed) -> Option<Opening> {
        let message = prekey_message(sealed).ok()?;
        Some(Opening {
            tag: tag(&message.session_id()),
            identity: bytes(message.identity_key()),
            prekey: bytes(message.one_time_key()),
        })
    }

    fn tag(session: &Session) -> SessionTag {
        tag(&session.session_id())
    }

    fn seal(
        session: &mut Session,
        _rng: &mut dyn CryptoRng,
        plaintext: &[u8],
    ) -> Result<Sealed, RatchetError> {
        let message = session.encrypt(plaintext).map_err(|_| RatchetError::BadKey)?;
        let (kind, body) = message.to_parts();
        Ok(Sealed { prekey: kind == 0, body })
    }

    fn unseal(session: &mut Session, sealed: &Sealed) -> Result<Vec<u8>, RatchetError> {
        let message = message(sealed)?;
        // A message of an unknown chain begins our own next one before its MAC is checked.
        let before = session.pickle();
        session.decrypt(&message).map_err(|_| {
            *session = Session::from_pickle(before);
            RatchetError::Undecryptable
        })
    }

    fn export_account(account: &Account) -> Vec<u8> {
        cbor::encode(&account.pickle())
    }

    fn import_account(bytes: &[u8]) -> Result<Account, Fault> {
        cbor::decode_stored(bytes).map(Account::from_pickle)
    }

    fn export_session(session: &Session) -> Vec<u8> {
        cbor::encode(&session.pickle())
    }

    fn import_session(bytes: &[u8]) -> Result<Session, Fault> {
        cbor::decode_stored(bytes).map(Session::from_pickle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_field_prime_and_above_are_not_canonical() {
        let key = |low, middle, high| {
            let mut bytes = [middle; 32];
            (bytes[0], bytes[31]) = (low, high);
            Curve25519PublicKey::from_bytes(bytes)
        };
        assert!(is_canonical(&key(0xec, 0xff, 0x7f)));
        assert!(is_canonical(&key(0xff, 0xfe, 0x7f)));
        assert!(is_canonical(&key(9, 0, 0)));
        for other in [key(0xed, 0xff, 0x7f), key(0xff, 0xff, 0x7f), key(9, 0, 0x80)] {
            assert!(!is_canonical(&other));
        }
    }
}
