use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Hash, Hasher, hash::HASH_LENGTH};

/// Which community a node belongs to. Networks are separate: it is part of every protocol
/// name, every signature and every contact code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkId(Hash);

impl NetworkId {
    /// The network that a node without a genesis file joins.
    #[must_use]
    pub fn open() -> Self {
        Self::named("open")
    }

    /// A network without validators, told apart by its name alone.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Hasher::new("covey/network/named/v1").field(name.as_bytes()).finish())
    }

    /// A network with validators: the hash of its genesis.
    #[must_use]
    pub const fn of_genesis(genesis: Hash) -> Self {
        Self(genesis)
    }

    /// As a hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.0
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_LENGTH] {
        self.0.as_bytes()
    }

    /// The first eight bytes in hexadecimal, as they stand in protocol names.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NetworkId({})", self.short())
    }
}

/// A network id is 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a network id is 64 hexadecimal digits")]
pub struct InvalidNetworkId;

impl FromStr for NetworkId {
    type Err = InvalidNetworkId;

    fn from_str(text: &str) -> Result<Self, InvalidNetworkId> {
        Ok(Self(text.parse().map_err(|_| InvalidNetworkId)?))
    }
}
