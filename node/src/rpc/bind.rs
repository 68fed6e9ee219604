//! Binding the Unix socket where an earlier node may have left one.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use tokio::net::UnixListener;

/// Why the control socket cannot be served. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something answers there.
    #[error(
        "another node answers on {}; stop it (covey stop), or use another data directory",
        path.display()
    )]
    InUse {
        /// Which socket.
        path: PathBuf,
    },
    /// What stands there is no socket, so it is left alone.
    #[error("{} is in the way and is not a socket; move it away", path.display())]
    NotASocket {
        /// Which file.
        path: PathBuf,
    },
    /// The system refuses the socket.
    #[error("cannot serve on {}: {source}", path.display())]
    Socket {
        /// Which socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses the HTTP address.
    #[error("cannot serve HTTP on {address}: {source}; choose another address for rpc.http")]
    Http {
        /// Which address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It is an address that other machines reach.
    #[error("{address} is not a loopback address; choose one such as 127.0.0.1 for rpc.http")]
    NotLoopback {
        /// Which address.
        address: std::net::SocketAddr,
    },
}

/// Binds `path` with these permissions. The caller holds the lock of the data directory, so
/// nobody else does this at the same time.
pub(super) fn bind(path: &Path, mode: u32) -> Result<UnixListener, BindError> {
    remove_stale(path)?;
    bind_new(path, mode).map_err(|source| BindError::Socket { path: path.into(), source })
}

fn remove_stale(path: &Path) -> Result<(), BindError> {
    let socket = |source| BindError::Socket { path: path.into(), source };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(socket(error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(BindError::NotASocket { path: path.into() });
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(BindError::InUse { path: path.into() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(socket)
        }
        // Its queue is full: somebody is there, however busy.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(BindError::InUse { path: path.into() })
        }
        Err(error) => Err(socket(error)),
    }
}

/// Binds under another name first, so that the socket is never there with other permissions.
fn bind_new(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let temporary = path.with_extension("new");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
    fs::rename(&temporary, path)?;
    Ok(listener)
}
