//! Setting up a data directory on a network that has a genesis.

use std::{
    fs,
    path::{Path, PathBuf},
};

use covey_ledger::{Genesis, Member};

use super::{FoundingError, GenesisError, GenesisFile, ValidatorFile, ValidatorKeyError, founding};
use crate::datadir::{DataDir, DataError};

/// Why a data directory cannot be set up so.
#[derive(Debug, thiserror::Error)]
pub enum JoiningError {
    /// The genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The validator's key file.
    #[error(transparent)]
    Key(#[from] ValidatorKeyError),
    /// It is on another network already.
    #[error(
        "{} is set up for another network: choose another data directory with --data DIR",
        data.display()
    )]
    OtherNetwork {
        /// The data directory.
        data: PathBuf,
    },
    /// The key is no validator's of this network.
    #[error(
        "{} is no key of a validator of this network: use one that was written with its genesis",
        path.display()
    )]
    OtherKey {
        /// The key file.
        path: PathBuf,
    },
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] FoundingError),
}

/// Copies a genesis into a data directory, after checking it.
pub fn adopt(genesis: &Path, data: &DataDir) -> Result<Genesis, JoiningError> {
    let checked = GenesisFile::read(genesis)?;
    let text = GenesisFile::of(&checked).text();
    match fs::read_to_string(data.genesis()) {
        Ok(before) if before == text => Ok(checked),
        Ok(_) => Err(JoiningError::OtherNetwork { data: data.path().into() }),
        Err(_) => {
            founding::write(&data.genesis(), &text, 0o644)?;
            Ok(checked)
        }
    }
}

/// Makes the node of a data directory ready to become a validator.
pub fn stand(data: &DataDir) -> Result<(), JoiningError> {
    Ok(data.become_candidate()?)
}

/// Makes the node of a data directory one of the network's first validators.
pub fn validate(
    key: &Path,
    genesis: &Genesis,
    data: &DataDir,
) -> Result<ValidatorFile, JoiningError> {
    let file = ValidatorFile::read(key)?;
    let other = || JoiningError::OtherKey { path: key.into() };
    let (node, vote) = file.keys().ok_or_else(other)?;
    let named = |member: &&Member| member.peer == node.public() && member.vote == vote.public();
    genesis.members.iter().find(named).ok_or_else(other)?;
    data.become_validator(&node, &vote)?;
    Ok(file)
}
