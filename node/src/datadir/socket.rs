//! Where the control socket is.
//!
//! A Unix socket's path has room for 107 bytes. When the data directory's own is too long, the
//! socket stands in `/tmp/covey-<uid>/`, under a name made from the data path alone, so that a
//! client finds it without asking. The uid is the directory's owner, not the caller.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use covey_kernel::Hasher;

use super::DataError;

/// The longest path that is used as it is; a socket is bound under a slightly longer name and
/// renamed, so this stays below the system's 107.
pub const SOCKET_PATH_BYTES: usize = 100;

const NAME: &str = "covey.sock";
const NAME_DIGITS: usize = 16;

/// The control socket of a data directory, for the node and its clients alike.
pub fn socket_path(data: &Path) -> Result<PathBuf, DataError> {
    let data = data.canonicalize().map_err(DataError::io("find", data))?;
    let near = data.join(NAME);
    if near.as_os_str().len() <= SOCKET_PATH_BYTES {
        return Ok(near);
    }
    let owner = fs::metadata(&data).map_err(DataError::io("inspect", &data))?.uid();
    let hash = Hasher::new("covey/node/socket/v1").field(data.as_os_str().as_bytes()).finish();
    let name: String = hash.to_string().chars().take(NAME_DIGITS).collect();
    Ok(PathBuf::from(format!("/tmp/covey-{owner}/{name}.sock")))
}

/// Makes the directory, or checks that the one that is there is ours alone: anybody can make
/// directories in `/tmp`.
pub(super) fn make_private(directory: &Path) -> Result<(), DataError> {
    match fs::DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(DataError::io("create", directory)(error));
        }
        _ => {}
    }
    let metadata = fs::symlink_metadata(directory).map_err(DataError::io("inspect", directory))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if !metadata.is_dir() || !ours {
        let reason = "it belongs to somebody else; remove it, or use a shorter data path";
        return Err(DataError::Damaged { path: directory.into(), reason: reason.into() });
    }
    if mode & 0o077 != 0 {
        return Err(DataError::TooOpen { path: directory.into(), mode, wanted: 0o700 });
    }
    Ok(())
}
