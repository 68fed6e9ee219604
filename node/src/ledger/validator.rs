//! A validator's key file, as `network new` writes it.

use std::{fs, io, path::Path};

use covey_kernel::Keypair;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The secrets of one validator: whoever has them can vote in its name.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
pub struct ValidatorFile {
    /// What the genesis calls it.
    #[zeroize(skip)]
    pub validator: String,
    /// The secret of its node, in hexadecimal.
    node: String,
    /// The secret that it votes with in epoch 0, in hexadecimal.
    vote: String,
    /// The port that others look for it at.
    pub port: Option<u16>,
}

/// Why a validator's key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ValidatorKeyError {
    /// It cannot be read.
    #[error("cannot read the validator's key file {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It does not hold what it should.
    #[error("{path} is no validator's key file: use the one that `covey network new` wrote")]
    Malformed {
        /// Which file.
        path: String,
    },
}

fn hex(key: &Keypair) -> String {
    HEXLOWER.encode(key.secret().as_ref())
}

fn key(text: &str) -> Option<Keypair> {
    let bytes = Zeroizing::new(HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?);
    Some(Keypair::from_secret(&Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)))
}

impl ValidatorFile {
    /// For a validator with these keys.
    #[must_use]
    pub fn new(name: &str, node: &Keypair, vote: &Keypair, port: Option<u16>) -> Self {
        Self { validator: name.to_owned(), node: hex(node), vote: hex(vote), port }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, ValidatorKeyError> {
        let shown = path.display().to_string();
        let text = fs::read(path)
            .map_err(|source| ValidatorKeyError::Read { path: shown.clone(), source })?;
        let text = Zeroizing::new(text);
        let file: Option<Self> = serde_json::from_slice(&text).ok();
        file.filter(|file| file.keys().is_some())
            .ok_or(ValidatorKeyError::Malformed { path: shown })
    }

    /// As JSON.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        Zeroizing::new(text)
    }

    /// The keys of its node and of its votes.
    #[must_use]
    pub fn keys(&self) -> Option<(Keypair, Keypair)> {
        Some((key(&self.node)?, key(&self.vote)?))
    }
}
