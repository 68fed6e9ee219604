//! Files that only their owner may read, written whole or not at all.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::DataError;

/// No private file comes near this.
const LARGEST: u64 = 4096;

/// What the file holds; none if there is no such file. Refuses one that others may read.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, DataError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DataError::io("read", path)(error)),
    };
    let metadata = file.metadata().map_err(DataError::io("inspect", path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(DataError::TooOpen { path: path.into(), mode, wanted: 0o600 });
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(DataError::io("read", path))?;
    Ok(Some(bytes))
}

/// Replaces the file: a crash leaves the old one or the new one, and after this returns, the
/// new one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let temporary = unfinished(path);
    replace(path, &temporary, bytes).map_err(|source| {
        // The rename did not happen, so what is left over is only the temporary file.
        drop(fs::remove_file(&temporary));
        DataError::Io { doing: "write", path: path.into(), source }
    })
}

/// Where a file is written before it takes its place.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Removes what a crash in the middle of writing a file may have left.
pub(super) fn remove_unfinished(path: &Path) -> Result<(), DataError> {
    let temporary = unfinished(path);
    remove(&temporary).map_err(DataError::io("remove", &temporary))
}

fn remove(temporary: &Path) -> io::Result<()> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// After this returns, what was made or removed in a directory is so after a power cut, too.
pub(super) fn sync(directory: &Path) -> Result<(), DataError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(DataError::io("sync", directory))
}

fn replace(path: &Path, temporary: &Path, bytes: &[u8]) -> io::Result<()> {
    // One from an earlier crash may have other permissions.
    remove(temporary)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
