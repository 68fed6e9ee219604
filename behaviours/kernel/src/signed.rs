use serde::Serialize;

use crate::{NetworkId, cbor};

/// What kind of thing is signed, as in `covey/ledger/vote/v1`. One a type, so that a signature
/// for one purpose is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain(&'static str);

impl Domain {
    /// Names a domain.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }
}

/// The bytes under every signature: `domain ‖ network id ‖ canonical bytes`. The domain goes in
/// with its length, so that no domain can be the beginning of another.
#[must_use]
pub fn signing_bytes<T: Serialize>(domain: Domain, network: &NetworkId, value: &T) -> Vec<u8> {
    let mut bytes = cbor::encode(&domain.0);
    bytes.extend_from_slice(network.as_bytes());
    bytes.extend(cbor::encode(value));
    bytes
}
