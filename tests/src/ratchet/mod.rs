//! A small ratchet for simulations. **It is no cryptography**: whoever sees a message can
//! compute its key. It keeps Olm's rules about which message can be decrypted when, which is
//! what messaging relies on, and it draws every byte from the given randomness, so that a seed
//! replays.
//!
//! As in Olm: a one-time key is used up by the session that it starts; messages carry the
//! session's keys until the first reply; each turn of the conversation starts a new chain, and
//! the last five of the other side's are kept; a chain keeps 40 skipped message keys and jumps
//! at most 2,000 ahead; a message key works once; after an error nothing has changed.

mod keys;
mod session;

use covey_kernel::{CryptoRng, Fault, Hash, cbor};
use covey_messaging::ratchet::{CurveKey, Opening, Ratchet, RatchetError, Sealed, SessionTag};

pub use keys::Account;
pub use session::Session;

/// Skipped message keys that a chain keeps.
pub const SKIPPED: usize = 40;
/// How far a chain can jump ahead.
pub const GAP: u64 = 2000;
/// Chains of the other side that a session keeps.
pub const CHAINS: usize = 5;

/// The ratchet of simulations; see the module.
#[derive(Debug, Clone, Copy)]
pub struct Toy;

impl Ratchet for Toy {
    type Account = Account;
    type Session = Session;

    fn account(rng: &mut dyn CryptoRng) -> Account {
        Account::new(rng)
    }

    fn identity(account: &Account) -> CurveKey {
        account.identity()
    }

    fn one_time_keys(
        account: &mut Account,
        rng: &mut dyn CryptoRng,
        count: usize,
    ) -> Vec<CurveKey> {
        account.one_time_keys(rng, count)
    }

    fn forget(account: &mut Account, key: &CurveKey) {
        account.forget(key);
    }

    fn rotate_fallback(account: &mut Account, rng: &mut dyn CryptoRng) -> CurveKey {
        account.rotate_fallback(rng)
    }

    fn open(
        account: &Account,
        rng: &mut dyn CryptoRng,
        identity: &CurveKey,
        prekey: &CurveKey,
    ) -> Result<Session, RatchetError> {
        Ok(Session::open(account, rng, identity, prekey))
    }

    fn accept(
        account: &mut Account,
        identity: &CurveKey,
        sealed: &Sealed,
    ) -> Result<(Session, Vec<u8>), RatchetError> {
        Session::accept(account, identity, sealed)
    }

    fn opening(sealed: &Sealed) -> Option<Opening> {
        session::opening(sealed)
    }

    fn tag(session: &Session) -> SessionTag {
        session.tag()
    }

    fn seal(
        session: &mut Session,
        rng: &mut dyn CryptoRng,
        plaintext: &[u8],
    ) -> Result<Sealed, RatchetError> {
        session.seal(rng, plaintext)
    }

    fn unseal(session: &mut Session, sealed: &Sealed) -> Result<Vec<u8>, RatchetError> {
        session.unseal(sealed)
    }

    fn export_account(account: &Account) -> Vec<u8> {
        cbor::encode(account)
    }

    fn import_account(bytes: &[u8]) -> Result<Account, Fault> {
        cbor::decode_stored(bytes)
    }

    fn export_session(session: &Session) -> Vec<u8> {
        cbor::encode(session)
    }

    fn import_session(bytes: &[u8]) -> Result<Session, Fault> {
        cbor::decode_stored(bytes)
    }
}

/// What both sides of a pair of keys can compute; here, so can everybody else.
fn shared(secret: &Hash, public: &CurveKey) -> Hash {
    let own = keys::public(secret);
    let (first, second) = if own < *public { (own, *public) } else { (*public, own) };
    covey_kernel::Hasher::new("toy/shared").field(&first.0).field(&second.0).finish()
}
