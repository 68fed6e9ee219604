//! The data directory: everything a node keeps, held by one process at a time.
//!
//! ```text
//! <data>/            0700
//!   lock             held while a node runs; tells its process id
//!   node.key         0600, the node's Ed25519 secret in hexadecimal
//!   genesis.json     how the network began, if it has a ledger
//!   validator.key    0600, the secret that a validator first votes with, in hexadecimal, until its
//!                    first start
//!   validator.starts 0600, how often the node was started as a validator, or to become one
//!   keys/            0700, named Ed25519 secrets in hexadecimal, 0600 each
//!   covey.toml       settings, if there are any
//!   covey.sock       the control socket (see [`socket_path`] for long paths)
//!   rpc.cookie       0600, the token for HTTP, new at each start
//!   db/              the store
//! ```

mod keystore;
mod private;
mod socket;

use std::{
    env,
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use covey_kernel::{CryptoRng, Keypair};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

pub use keystore::{InvalidKeyName, KEYS, KeyName, Keystore, KeystoreError, OWNER};
pub use socket::{SOCKET_PATH_BYTES, socket_path};

const LOCK: &str = "lock";
const KEY: &str = "node.key";
const COOKIE: &str = "rpc.cookie";
const SETTINGS: &str = "covey.toml";
/// The genesis file of a data directory.
pub const GENESIS: &str = "genesis.json";
const VALIDATOR: &str = "validator.key";
const STARTS: &str = "validator.starts";
const SECRET_LENGTH: usize = 32;
/// Digits of the largest process id, with room to spare.
const PID_BYTES: u64 = 20;

/// Why a data directory cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// There is no home directory to derive the default from.
    #[error("there is no home directory: name a data directory with --data DIR or COVEY_DATA")]
    NoHome,
    /// It cannot be made.
    #[error(
        "cannot create the data directory {}: {source}; choose another with --data DIR",
        path.display()
    )]
    Create {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing can be written in it.
    #[error(
        "the data directory {} is not writable ({source}); make it writable for this user or \
         choose another with --data DIR",
        path.display()
    )]
    ReadOnly {
        /// Which directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process holds it.
    #[error(
        "another node{} uses the data directory {}; stop it (covey stop --data {}) or choose \
         another with --data DIR",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        path.display(),
        path.display()
    )]
    Locked {
        /// Which directory.
        path: PathBuf,
        /// Who holds it, if it said so.
        pid: Option<u32>,
    },
    /// Others could read or change what must be private.
    #[error(
        "{} is open to other users (mode {mode:04o}); run: chmod {wanted:o} {}",
        path.display(),
        path.display()
    )]
    TooOpen {
        /// Which file or directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// A file does not hold what it should.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Anything else the system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataError {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }
}

/// Where data goes when no option says: `$COVEY_DATA`, `$XDG_DATA_HOME/covey`, or
/// `~/.local/share/covey`.
pub fn default_path() -> Result<PathBuf, DataError> {
    use etcetera::BaseStrategy as _;
    if let Some(path) = env::var_os("COVEY_DATA").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let base = etcetera::choose_base_strategy().map_err(|_| DataError::NoHome)?;
    Ok(base.data_dir().join("covey"))
}

/// A data directory that this process holds. Dropping it lets go.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Holds the lock as long as it is open.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if there is none, and takes its lock.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        create(path)?;
        let path = path.canonicalize().map_err(DataError::io("find", path))?;
        check_mode(&path)?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory, absolute and without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the control socket is.
    pub fn socket(&self) -> Result<PathBuf, DataError> {
        let path = socket_path(&self.path)?;
        if !path.starts_with(&self.path)
            && let Some(directory) = path.parent()
        {
            socket::make_private(directory)?;
        }
        Ok(path)
    }

    /// The node's key; made at the first call.
    pub fn key(&self, rng: &mut dyn CryptoRng) -> Result<Keypair, DataError> {
        let path = self.path.join(KEY);
        match private::read(&path)? {
            Some(bytes) => parse_key(&path, &bytes, "start under a new identity"),
            None => {
                let key = Keypair::generate(rng);
                let mut text = data_encoding::HEXLOWER.encode(key.secret().as_ref());
                text.push('\n');
                private::write(&path, text.as_bytes())?;
                Ok(key)
            }
        }
    }

    /// The genesis file, whether it exists or not.
    #[must_use]
    pub fn genesis(&self) -> PathBuf {
        self.path.join(GENESIS)
    }

    /// Makes the node a validator, before it has a key of its own.
    pub fn become_validator(&self, node: &Keypair, vote: &Keypair) -> Result<(), DataError> {
        let key = |key: &Keypair| {
            zeroize::Zeroizing::new(format!("{}\n", HEXLOWER.encode(key.secret().as_ref())))
        };
        let path = self.path.join(KEY);
        if let Some(bytes) = private::read(&path)?
            && parse_key(&path, &bytes, "start under a new identity")?.public() != node.public()
        {
            return Err(DataError::Damaged {
                path,
                reason:
                    "it is another node's key than the validator's; set the validator up in a new \
                         data directory"
                        .into(),
            });
        }
        private::write(&path, key(node).as_bytes())?;
        private::write(&self.path.join(VALIDATOR), key(vote).as_bytes())
    }

    /// Makes the node ready to become a validator, unless it is one.
    pub fn become_candidate(&self) -> Result<(), DataError> {
        if self.validator()?.is_some() {
            return Ok(());
        }
        self.count_start(0)
    }

    /// As what a validator the node was set up; none if as none.
    pub fn validator(&self) -> Result<Option<ValidatorSetup>, DataError> {
        let path = self.path.join(VALIDATOR);
        let key = private::read(&path)?
            .map(|bytes| parse_key(&path, &bytes, "be no validator any more"))
            .transpose()?;
        let path = self.path.join(STARTS);
        let Some(bytes) = private::read(&path)? else {
            return Ok(key.map(|key| ValidatorSetup { key: Some(key), starts: 0 }));
        };
        let text = String::from_utf8_lossy(&bytes);
        let starts = text.trim().parse().map_err(|_| DataError::Damaged {
            path,
            reason: "it is no number; without it an old copy of the validator's locks may go \
                     unnoticed, so have the validator replaced by one with a new key"
                .into(),
        })?;
        Ok(Some(ValidatorSetup { key, starts }))
    }

    /// Removes the key that a validator first votes with: it is in the store now, which erases it when
    /// the epoch ends.
    pub fn forget_voting_key(&self) -> Result<(), DataError> {
        remove(&self.path.join(VALIDATOR))
    }

    /// Notes, apart from the store, how often the validator was started.
    pub fn count_start(&self, starts: u64) -> Result<(), DataError> {
        private::write(&self.path.join(STARTS), format!("{starts}\n").as_bytes())
    }

    /// A new token for HTTP, which clients read from `rpc.cookie`.
    pub fn new_cookie(&self) -> Result<String, DataError> {
        let token = data_encoding::HEXLOWER.encode(&rand::random::<[u8; SECRET_LENGTH]>());
        private::write(&self.path.join(COOKIE), token.as_bytes())?;
        Ok(token)
    }

    /// Removes the token, so that no client finds a stale one.
    pub fn remove_cookie(&self) -> Result<(), DataError> {
        remove(&self.path.join(COOKIE))
    }
}

fn remove(path: &Path) -> Result<(), DataError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DataError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// What a data directory says of its validator.
pub struct ValidatorSetup {
    /// The key that it first votes with; none of one that is to join later.
    pub key: Option<Keypair>,
    /// How often it was started.
    pub starts: u64,
}

/// The settings file of a data directory, whether it exists or not.
#[must_use]
pub fn settings_path(data: &Path) -> PathBuf {
    data.join(SETTINGS)
}

/// The token that a running node wrote, for clients that come by HTTP.
pub fn read_cookie(data: &Path) -> Result<Option<String>, DataError> {
    let path = data.join(COOKIE);
    let Some(bytes) = private::read(&path)? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|_| DataError::Damaged {
        path,
        reason: "it is not text; restart the node to renew it".into(),
    })
}

fn create(path: &Path) -> Result<(), DataError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| DataError::Create { path: path.into(), source })
}

/// Refuses a directory that everybody may write to: it could be emptied, or its key replaced.
pub fn check_mode(path: &Path) -> Result<(), DataError> {
    let metadata = fs::metadata(path).map_err(DataError::io("inspect", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o002 != 0 {
        return Err(DataError::TooOpen { path: path.into(), mode, wanted: 0o700 });
    }
    Ok(())
}

fn lock(data: &Path) -> Result<File, DataError> {
    let path = data.join(LOCK);
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|source| DataError::ReadOnly { path: data.into(), source })?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DataError::Locked { path: data.into(), pid: read_pid(&file) });
        }
        Err(TryLockError::Error(error)) => return Err(DataError::io("lock", &path)(error)),
    }
    write_pid(&mut file)
        .map_err(|source| DataError::ReadOnly { path: data.into(), source })
        .map(|()| file)
}

fn read_pid(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// A key is 32 bytes, or 64 hexadecimal digits.
fn parse_key(path: &Path, bytes: &[u8], without: &str) -> Result<Keypair, DataError> {
    let raw = <[u8; SECRET_LENGTH]>::try_from(bytes).ok();
    let hex = || HEXLOWER_PERMISSIVE.decode(bytes.trim_ascii()).ok()?.try_into().ok();
    let secret: [u8; SECRET_LENGTH] = raw.or_else(hex).ok_or_else(|| DataError::Damaged {
        path: path.into(),
        reason: format!(
            "a key is 32 bytes or 64 hexadecimal digits; restore it from a backup, or remove it to \
             {without}"
        ),
    })?;
    Ok(Keypair::from_secret(&secret))
}

#[cfg(test)]
mod tests;
