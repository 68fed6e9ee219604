//! Accepting connections, within bounds, until told to stop.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jsonrpsee::server::{ServerHandle, stop_channel};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use super::{
    Api, BindError, Limits, RpcError, bind, codes,
    connection::Shared,
    connections::{Connections, Place, Way},
};

/// How long to wait when the system has no more files to open.
const NO_FILES_PAUSE: Duration = Duration::from_millis(50);
/// How often a stopping server looks whether its connections are gone.
const STOP_INTERVAL: Duration = Duration::from_millis(5);

/// Where to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The Unix socket.
    pub socket: PathBuf,
    /// Its permissions.
    pub file_mode: u32,
    /// HTTP and WebSocket on a loopback port as well.
    pub http: Option<Http>,
    /// Bounds.
    pub limits: Limits,
}

/// HTTP and WebSocket on a loopback port.
#[derive(Clone)]
pub struct Http {
    /// The address; port 0 is any free port.
    pub address: SocketAddr,
    /// What clients must know.
    pub token: String,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The control socket, while it is served.
#[derive(Debug)]
pub struct Server {
    stop: ServerHandle,
    accepting: JoinSet<()>,
    connections: Arc<Connections>,
    socket: PathBuf,
    http: Option<SocketAddr>,
}

impl Server {
    /// Starts to serve. The caller holds the lock of the data directory.
    pub async fn start(api: Api, settings: Settings) -> Result<Self, BindError> {
        let Settings { socket, file_mode, http, limits } = settings;
        // The address first: if it is refused, no socket is left behind.
        let http = match http {
            Some(http) => Some((bind_http(http.address).await?, Arc::from(http.token))),
            None => None,
        };
        let address = http.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        let listener = bind::bind(&socket, file_mode)?;
        let (stop_handle, stop) = stop_channel();
        let connections = Connections::new(limits);
        let shared = Shared::new(api.methods, limits, stop_handle);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_unix(listener, shared.clone(), connections.clone()));
        if let Some((listener, token)) = http {
            accepting.spawn(accept_http(listener, token, shared, connections.clone()));
        }
        accepting.spawn(sweep(connections.clone()));
        Ok(Self { stop, accepting, connections, socket, http: address })
    }

    /// Where HTTP is served, if it is.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// How many clients are connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.count()
    }

    /// Accepts no more, lets running calls finish for a while, then ends what is left.
    pub async fn stop(mut self) {
        self.accepting.shutdown().await;
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::warn!(%error, socket = %self.socket.display(), "cannot remove the socket");
        }
        self.stop.stop().ok();
        let patience = self.connections.limits().stop;
        if timeout(patience, self.emptied()).await.is_err() {
            self.connections.end_all();
            drop(timeout(patience, self.emptied()).await);
        }
    }

    async fn emptied(&self) {
        while self.connections.count() > 0 {
            sleep(STOP_INTERVAL).await;
        }
    }
}

async fn bind_http(address: SocketAddr) -> Result<TcpListener, BindError> {
    if !address.ip().is_loopback() {
        return Err(BindError::NotLoopback { address });
    }
    TcpListener::bind(address).await.map_err(|source| BindError::Http { address, source })
}

async fn accept_unix(listener: UnixListener, shared: Shared, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match connections.admit(Way::Socket) {
                Some(place) => drop(tokio::spawn(shared.clone().unix(stream, place))),
                None => refuse_unix(&stream),
            },
            Err(error) => recover(&error, &connections).await,
        }
    }
}

async fn accept_http(
    listener: TcpListener,
    token: Arc<str>,
    shared: Shared,
    connections: Arc<Connections>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => match connections.admit(Way::Http) {
                Some(place) => serve_http(stream, token.clone(), shared.clone(), place),
                None => refuse_http(&stream),
            },
            Err(error) => recover(&error, &connections).await,
        }
    }
}

fn serve_http(stream: TcpStream, token: Arc<str>, shared: Shared, place: Place) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a local client has left already");
        return;
    }
    drop(tokio::spawn(shared.http(stream, None, Some(token), place)));
}

/// A listener that fails goes on: most likely there are too many open files.
async fn recover(error: &io::Error, connections: &Connections) {
    tracing::warn!(%error, "cannot accept a local client");
    connections.make_room();
    sleep(NO_FILES_PAUSE).await;
}

/// One line fits into a new socket's buffer, so nothing waits here.
fn refuse_unix(stream: &UnixStream) {
    let line = format!("{}\n", too_many());
    if let Err(error) = stream.try_write(line.as_bytes()) {
        tracing::debug!(%error, "cannot tell a local client that there are too many");
    }
}

fn refuse_http(stream: &TcpStream) {
    let body = too_many();
    let response = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    if let Err(error) = stream.try_write(response.as_bytes()) {
        tracing::debug!(%error, "cannot tell a local client that there are too many");
    }
}

fn too_many() -> String {
    RpcError::from(codes::TOO_MANY_CONNECTIONS).to_response().to_string()
}

async fn sweep(connections: Arc<Connections>) {
    let mut ticks = interval(connections.sweep_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        connections.sweep();
    }
}
