//! The contact code: a `covey:` URI that says who somebody is, where, and that its holder may
//! knock.

use std::{fmt, str::FromStr};

use covey_kernel::{
    Address, Bounded, Hash, Hasher, NetworkId, Peer, PublicKey, Time, cbor, record,
};
use data_encoding::{BASE32_NOPAD, Encoding};
use serde::{Deserialize, Serialize};

use crate::limits::{CODE_ADDRESSES, CODE_BYTES};

const SCHEME: &str = "covey:";
const CHECKSUM: usize = 4;
const TEXT: Encoding = BASE32_NOPAD;

/// The secret in a contact code.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeSecret(#[serde(with = "serde_bytes")] pub [u8; 16]);

impl CodeSecret {
    /// Shows the inviter's knowledge of the secret, for this pair of nodes alone.
    #[must_use]
    pub fn proof(&self, inviter: &Peer, invited: &Peer) -> Hash {
        Hasher::new("covey/messaging/code-proof/v1")
            .field(&self.0)
            .field(inviter.as_bytes())
            .field(invited.as_bytes())
            .finish()
    }
}

impl fmt::Debug for CodeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeSecret(..)")
    }
}

record! {
    /// What a contact code says.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ContactCode {
        /// The network on which it is good.
        pub network: NetworkId,
        /// Who.
        pub identity: PublicKey,
        /// On which node.
        pub peer: Peer,
        /// Where that node may be reached.
        pub addresses: Bounded<Address, CODE_ADDRESSES>,
        /// What its holder shows to be let in.
        pub secret: CodeSecret,
        /// Until when.
        pub expires: Time,
        /// Good for one invite only.
        pub once: bool,
    }
}

/// Why a text is not a contact code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCode {
    /// It does not begin with `covey:`.
    #[error("a contact code begins with \"covey:\"")]
    Scheme,
    /// A character that does not belong there.
    #[error("the contact code has a character that does not belong there: copy it again")]
    Alphabet,
    /// The checksum is wrong.
    #[error("the contact code is incomplete or mistyped: copy it again")]
    Checksum,
    /// The checksum is right, but this version cannot read it.
    #[error("the contact code is not one that this version of covey can read")]
    Unreadable,
}

impl fmt::Display for ContactCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = cbor::encode(self);
        let checksum = Hash::of(&bytes);
        bytes.extend(checksum.as_bytes().iter().take(CHECKSUM));
        write!(f, "{SCHEME}{}", TEXT.encode(&bytes).to_ascii_lowercase())
    }
}

impl FromStr for ContactCode {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let text = text.trim().to_ascii_lowercase();
        let body = text.strip_prefix(SCHEME).ok_or(InvalidCode::Scheme)?;
        if body.len() > CODE_BYTES {
            return Err(InvalidCode::Unreadable);
        }
        let bytes =
            TEXT.decode(body.to_ascii_uppercase().as_bytes()).map_err(|error| {
                match error.kind {
                    data_encoding::DecodeKind::Symbol => InvalidCode::Alphabet,
                    _ => InvalidCode::Checksum,
                }
            })?;
        let at = bytes.len().checked_sub(CHECKSUM).ok_or(InvalidCode::Checksum)?;
        let (bytes, checksum) = bytes.split_at(at);
        if !Hash::of(bytes).as_bytes().starts_with(checksum) {
            return Err(InvalidCode::Checksum);
        }
        cbor::decode(bytes, CODE_BYTES).map_err(|_| InvalidCode::Unreadable)
    }
}
