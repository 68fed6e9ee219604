//! Named private keys: one file each under `keys/`, readable by its owner alone.

use std::{
    fmt, fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use covey_kernel::{Keypair, PublicKey};
use data_encoding::HEXLOWER;

use super::{DataError, parse_key, private};

const DIRECTORY: &str = "keys";
/// How many keys a keystore holds.
pub const KEYS: usize = 1000;

/// Where a key is asked for it means somebody else's: the owner of an identity's chain.
pub const OWNER: &str = "owner";

/// What a key is called: a file name, and never an option, a key or a block's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

/// No key can be called so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key's name has 1 to {} of a to z, 0 to 9 and -, does not begin with -, and is not {OWNER:?}",
    KeyName::LENGTH
)]
pub struct InvalidKeyName;

/// What can go wrong with named keys.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Names are not given twice: the first key would be lost.
    #[error("there is a key {0} already")]
    Exists(KeyName),
    /// There is none of this name.
    #[error("there is no key {0}")]
    Unknown(KeyName),
    /// No room.
    #[error("the keystore holds {KEYS} keys, which is the limit")]
    Full,
    /// A file cannot be read or written.
    #[error(transparent)]
    Files(#[from] DataError),
}

impl KeyName {
    /// Much shorter than a key in hexadecimal digits, so that neither is taken for the other, not
    /// even a key of which some digits are missing.
    pub const LENGTH: usize = 32;
}

impl FromStr for KeyName {
    type Err = InvalidKeyName;

    fn from_str(text: &str) -> Result<Self, InvalidKeyName> {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let fits = (1..=KeyName::LENGTH).contains(&text.len())
            && text.bytes().all(fits)
            && !text.starts_with('-');
        match fits && text != OWNER {
            true => Ok(Self(text.to_owned())),
            false => Err(InvalidKeyName),
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The named keys of a data directory.
#[derive(Debug)]
pub struct Keystore {
    directory: PathBuf,
    /// Held while the directory changes, so that no name is given twice at a time.
    changes: Mutex<()>,
}

impl Keystore {
    /// The keys in this data directory.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { directory: data.join(DIRECTORY), changes: Mutex::default() }
    }

    /// Keeps a key under a new name.
    pub fn add(&self, name: &KeyName, key: &Keypair) -> Result<(), KeystoreError> {
        let _changing = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.directory);
        made.map_err(DataError::io("create", &self.directory))?;
        self.sync_parent()?;
        if self.path(name).exists() {
            return Err(KeystoreError::Exists(name.clone()));
        }
        if self.names()?.len() >= KEYS {
            return Err(KeystoreError::Full);
        }
        let mut text = zeroize::Zeroizing::new(HEXLOWER.encode(key.secret().as_ref()));
        text.push('\n');
        Ok(private::write(&self.path(name), text.as_bytes())?)
    }

    /// The key of this name.
    pub fn get(&self, name: &KeyName) -> Result<Keypair, KeystoreError> {
        let path = self.path(name);
        let bytes = private::read(&path)?.map(zeroize::Zeroizing::new);
        let bytes = bytes.ok_or_else(|| KeystoreError::Unknown(name.clone()))?;
        Ok(parse_key(&path, &bytes, "do without it")?)
    }

    /// All names with their public keys, by name.
    pub fn list(&self) -> Result<Vec<(KeyName, PublicKey)>, KeystoreError> {
        let named = |name: KeyName| match self.get(&name) {
            Ok(key) => Some(Ok((name, key.public()))),
            // It was forgotten meanwhile.
            Err(KeystoreError::Unknown(_)) => None,
            Err(error) => Some(Err(error)),
        };
        self.names()?.into_iter().filter_map(named).collect()
    }

    /// Deletes a key for good.
    pub fn forget(&self, name: &KeyName) -> Result<(), KeystoreError> {
        let _changing = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.path(name);
        // A crash while the key was being kept may have left it here.
        private::remove_unfinished(&path)?;
        match fs::remove_file(&path) {
            Ok(()) => Ok(private::sync(&self.directory)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(KeystoreError::Unknown(name.clone()))
            }
            Err(error) => Err(DataError::io("remove", &path)(error).into()),
        }
    }

    /// A key that was kept is there after a power cut, with its directory.
    fn sync_parent(&self) -> Result<(), DataError> {
        self.directory.parent().map_or(Ok(()), private::sync)
    }

    fn path(&self, name: &KeyName) -> PathBuf {
        self.directory.join(&name.0)
    }

    /// What else lies there is no key: a file that was being written at a crash, for one.
    fn names(&self) -> Result<Vec<KeyName>, DataError> {
        let failed = || DataError::io("list", &self.directory);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed())?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed())?.file_name();
            names.extend(name.to_str().and_then(|name| name.parse().ok()));
        }
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn name(text: &str) -> KeyName {
        text.parse().unwrap()
    }

    #[test]
    fn keys_come_back_by_name_and_no_name_is_given_twice() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keystore::of(data.path());
        assert!(keys.list().unwrap().is_empty());
        let (ann, bob) = (Keypair::from_secret(&[1; 32]), Keypair::from_secret(&[2; 32]));
        keys.add(&name("bob"), &bob).unwrap();
        keys.add(&name("ann"), &ann).unwrap();
        assert!(matches!(keys.add(&name("ann"), &bob), Err(KeystoreError::Exists(_))));
        let again = Keystore::of(data.path());
        let all = [(name("ann"), ann.public()), (name("bob"), bob.public())];
        assert_eq!(again.list().unwrap(), all);
        assert_eq!(again.get(&name("ann")).unwrap().public(), ann.public());
        again.forget(&name("ann")).unwrap();
        assert!(matches!(again.forget(&name("ann")), Err(KeystoreError::Unknown(_))));
        assert!(matches!(again.get(&name("ann")), Err(KeystoreError::Unknown(_))));
    }

    #[test]
    fn what_is_no_key_is_not_listed_and_there_is_an_end() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keystore::of(data.path());
        let key = Keypair::from_secret(&[1; 32]);
        keys.add(&name("ann"), &key).unwrap();
        // As a crash in the middle of writing leaves it.
        fs::write(data.path().join("keys/bob.new"), "12").unwrap();
        assert_eq!(keys.list().unwrap(), [(name("ann"), key.public())]);
        keys.add(&name("bob"), &key).unwrap();
        for number in 2..KEYS {
            fs::write(data.path().join(format!("keys/key-{number}")), "").unwrap();
        }
        assert!(matches!(keys.add(&name("one-more"), &key), Err(KeystoreError::Full)));
        fs::write(data.path().join("keys/bob.new"), "12").unwrap();
        keys.forget(&name("bob")).unwrap();
        assert!(!data.path().join("keys/bob.new").exists(), "its secret is still there");
        keys.add(&name("one-more"), &key).unwrap();
    }

    #[test]
    fn a_key_is_its_owners_alone() {
        let data = tempfile::tempdir().unwrap();
        let keys = Keystore::of(data.path());
        keys.add(&name("ann"), &Keypair::from_secret(&[1; 32])).unwrap();
        let path = data.path().join("keys/ann");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = keys.get(&name("ann")).unwrap_err().to_string();
        assert!(refused.contains("chmod 600"), "{refused}");
    }

    #[test]
    fn no_name_leads_out_of_the_keystore_or_looks_like_a_key() {
        for bad in [
            "",
            ".",
            "..",
            "../node.key",
            "a/b",
            "Ann",
            "ann.new",
            "1_ff",
            "owner",
            "-",
            "-x",
            &"a".repeat(33),
        ] {
            assert_eq!(bad.parse::<KeyName>(), Err(InvalidKeyName), "{bad:?}");
        }
        assert!("a".repeat(32).parse::<KeyName>().is_ok());
    }
}
