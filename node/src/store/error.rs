use std::path::{Path, PathBuf};

use covey_kernel::{Fault, NetworkId};
use rocksdb::ErrorKind;

/// Why the database cannot be opened, read or written, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No space is left. What was acknowledged before is safe.
    #[error(
        "the disk that holds {path} is full: free some space and start again; \
         everything acknowledged so far is kept ({detail})"
    )]
    Full {
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
    /// The file system, or a directory in it, cannot be written.
    #[error(
        "{path} cannot be written: check that the file system is not read-only and that \
         this user owns the directory ({detail})"
    )]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
    /// Another process has the database open.
    #[error("{path} is in use by another process: stop the other covey, or choose another --data")]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The disk refused.
    #[error(
        "the disk that holds {path} failed: check it (dmesg, smartctl), then start again ({detail})"
    )]
    Io {
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
    /// A checksum failed, or a record does not decode.
    #[error(
        "{path} is damaged, and nothing was changed: keep a copy of it, check the disk, then go \
         on from a backup or with a new --data ({detail})"
    )]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
    /// RocksDB refused for another reason.
    #[error("the database at {path} refused: {detail}")]
    Refused {
        /// The database.
        path: PathBuf,
        /// What RocksDB said.
        detail: String,
    },
    /// A newer release has written this database.
    #[error(
        "the {family} data is in format {found}, written by covey {writer}, which is newer; \
         this is covey {ours} and knows formats up to {known}: install covey {writer} or newer"
    )]
    Newer {
        /// The column family.
        family: String,
        /// The format found.
        found: u32,
        /// The newest format known here; 0 if the family itself is unknown.
        known: u32,
        /// The release that wrote it.
        writer: String,
        /// This release.
        ours: String,
    },
    /// The data directory belongs to another network.
    #[error(
        "this data directory belongs to network {found}, not {wanted}: use another --data for \
         each network, or set network.name to the one that this one was started with"
    )]
    OtherNetwork {
        /// The network that the database was made for.
        found: NetworkId,
        /// The network asked for.
        wanted: NetworkId,
    },
    /// A migration could not read or write.
    #[error("migrating the {family} data to format {to} failed, and changed nothing: {fault}")]
    Migration {
        /// The column family.
        family: String,
        /// The format that the step leads to.
        to: u32,
        /// What went wrong.
        fault: Fault,
    },
}

impl StoreError {
    /// Tells RocksDB's statuses apart. Its Rust binding keeps the text only; full disks and
    /// read-only file systems are I/O errors that carry the words of `strerror`.
    pub(super) fn classify(path: &Path, error: rocksdb::Error) -> Self {
        let path = path.to_path_buf();
        let kind = error.kind();
        let detail = error.into_string();
        let says = |words: &str| detail.contains(words);
        if says("No space left on device") || says("Disk quota exceeded") {
            Self::Full { path, detail }
        } else if says("Read-only file system") || says("Permission denied") {
            Self::ReadOnly { path, detail }
        } else if says("lock file") || says("lock hold by current process") {
            Self::InUse { path }
        } else {
            match kind {
                ErrorKind::IOError => Self::Io { path, detail },
                ErrorKind::Corruption => Self::Corrupt { path, detail },
                _ => Self::Refused { path, detail },
            }
        }
    }

    pub(super) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_path_buf(), detail: detail.into() }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt { .. } => Self::Corrupt(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_keeps_the_advice() {
        let path = PathBuf::from("/data/db");
        let full = StoreError::Full { path: path.clone(), detail: "x".into() };
        assert!(matches!(Fault::from(full), Fault::Io(text) if text.contains("free some space")));
        let corrupt = StoreError::corrupt(&path, "checksum mismatch");
        let fault = Fault::from(corrupt);
        assert!(matches!(fault, Fault::Corrupt(text) if text.contains("keep a copy of it")));
    }
}
