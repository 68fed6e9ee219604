//! The double ratchet as messaging sees it. Olm in the product; simulations that compare
//! traces use a small deterministic one, because Olm draws its own randomness.

mod olm;

use covey_kernel::{CryptoRng, Fault};
use serde::{Deserialize, Serialize};

pub use olm::Olm;

/// A Curve25519 public key as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CurveKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

/// Names a session on both sides: the beginning of a hash over the keys that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionTag(#[serde(with = "serde_bytes")] pub [u8; 8]);

/// A ciphertext with its ratchet header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Whether it carries the keys that start a session.
    pub prekey: bool,
    /// The encoded message.
    pub body: Vec<u8>,
}

/// What a prekey message says of the session that it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The session.
    pub tag: SessionTag,
    /// Whose long-term key it claims to come from.
    pub identity: CurveKey,
    /// Which of our prekeys it uses.
    pub prekey: CurveKey,
}

/// Why a ratchet could not do it. The state is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RatchetError {
    /// Not a message of this ratchet.
    #[error("not a ratchet message")]
    Malformed,
    /// The prekey is unknown, or used up.
    #[error("the prekey is unknown or used up")]
    UnknownPrekey,
    /// Wrong keys, altered bytes, or a message key that is used up or too far ahead.
    #[error("cannot be decrypted")]
    Undecryptable,
    /// A key that gives no shared secret.
    #[error("the key is not usable")]
    BadKey,
}

/// Long-term keys, prekeys and sessions. Implementations are stateless; the state is in
/// `Account` and `Session`, which messaging stores.
pub trait Ratchet: Send + Sync + 'static {
    /// The long-term key and the private prekeys.
    type Account;
    /// One double ratchet.
    type Session;

    /// A new account without prekeys.
    fn account(rng: &mut dyn CryptoRng) -> Self::Account;
    /// The public long-term key.
    fn identity(account: &Self::Account) -> CurveKey;
    /// Makes one-time keys and returns their public halves.
    fn one_time_keys(
        account: &mut Self::Account,
        rng: &mut dyn CryptoRng,
        count: usize,
    ) -> Vec<CurveKey>;
    /// Forgets a one-time key.
    fn forget(account: &mut Self::Account, key: &CurveKey);
    /// Makes a new fallback key; the one before it stays usable until the next call.
    fn rotate_fallback(account: &mut Self::Account, rng: &mut dyn CryptoRng) -> CurveKey;
    /// Starts a session towards somebody's long-term key and prekey.
    fn open(
        account: &Self::Account,
        rng: &mut dyn CryptoRng,
        identity: &CurveKey,
        prekey: &CurveKey,
    ) -> Result<Self::Session, RatchetError>;
    /// Accepts a session from its first message, and uses up its one-time key.
    fn accept(
        account: &mut Self::Account,
        identity: &CurveKey,
        sealed: &Sealed,
    ) -> Result<(Self::Session, Vec<u8>), RatchetError>;
    /// What a prekey message says of its session; `None` for others.
    fn opening(sealed: &Sealed) -> Option<Opening>;
    /// The name of a session.
    fn tag(session: &Self::Session) -> SessionTag;
    /// Encrypts and advances.
    fn seal(
        session: &mut Self::Session,
        rng: &mut dyn CryptoRng,
        plaintext: &[u8],
    ) -> Result<Sealed, RatchetError>;
    /// Decrypts and advances.
    fn unseal(session: &mut Self::Session, sealed: &Sealed) -> Result<Vec<u8>, RatchetError>;

    /// For the store.
    fn export_account(account: &Self::Account) -> Vec<u8>;
    /// From the store.
    fn import_account(bytes: &[u8]) -> Result<Self::Account, Fault>;
    /// For the store.
    fn export_session(session: &Self::Session) -> Vec<u8>;
    /// From the store.
    fn import_session(bytes: &[u8]) -> Result<Self::Session, Fault>;
}
