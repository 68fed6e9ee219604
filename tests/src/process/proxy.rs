//! A wire that is tapped: relays TCP or UDP on loopback, and records every byte.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

/// What went over the wire, each direction of each connection on its own, so that what was cut
/// into pieces is found as well.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<Vec<u8>>>>);

impl Capture {
    fn open(&self) -> usize {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.push(Vec::new());
        flows.len() - 1
    }

    fn record(&self, flow: usize, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)[flow].extend_from_slice(bytes);
    }

    /// All bytes so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(Vec::len).sum()
    }

    /// Whether these bytes went over the wire.
    #[must_use]
    pub fn has(&self, needle: &[u8]) -> bool {
        let flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.iter().any(|flow| flow.windows(needle.len()).any(|window| window == needle))
    }
}

/// Relays TCP connections to one port.
pub struct TcpProxy {
    /// Where to connect instead.
    pub port: u16,
    /// What was seen.
    pub capture: Capture,
    task: JoinHandle<()>,
}

impl TcpProxy {
    /// A relay to this port of loopback.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let capture = Capture::default();
        let here = listener.local_addr().expect("it is bound").port();
        let task = tokio::spawn(accept(listener, port, capture.clone()));
        Self { port: here, capture, task }
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, to: u16, capture: Capture) {
    while let Ok((near, _)) = listener.accept().await {
        let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { continue };
        drop((near.set_nodelay(true), far.set_nodelay(true)));
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::spawn(pump(near_read, far_write, capture.clone()));
        tokio::spawn(pump(far_read, near_write, capture.clone()));
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    capture: Capture,
) {
    let flow = capture.open();
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        capture.record(flow, &buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// Relays UDP datagrams to one port, each sender by a socket of its own.
pub struct UdpProxy {
    /// Where to send instead.
    pub port: u16,
    /// What was seen.
    pub capture: Capture,
    task: JoinHandle<()>,
}

impl UdpProxy {
    /// A relay to this port of loopback.
    pub async fn to(port: u16) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
        let capture = Capture::default();
        let here = socket.local_addr().expect("it is bound").port();
        let task = tokio::spawn(relay(socket, port, capture.clone()));
        Self { port: here, capture, task }
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn relay(near: Arc<UdpSocket>, to: u16, capture: Capture) {
    let mut senders: HashMap<SocketAddr, (Arc<UdpSocket>, usize)> = HashMap::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok((read, from)) = near.recv_from(&mut buffer).await else { continue };
        if let std::collections::hash_map::Entry::Vacant(e) = senders.entry(from) {
            let far = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
            far.connect(("127.0.0.1", to)).await.expect("loopback");
            tokio::spawn(back(far.clone(), near.clone(), from, capture.clone()));
            e.insert((far, capture.open()));
        }
        let (far, flow) = &senders[&from];
        capture.record(*flow, &buffer[..read]);
        // A datagram that is lost is lost.
        drop(far.send(&buffer[..read]).await);
    }
}

async fn back(far: Arc<UdpSocket>, near: Arc<UdpSocket>, to: SocketAddr, capture: Capture) {
    let flow = capture.open();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read) = far.recv(&mut buffer).await else { continue };
        capture.record(flow, &buffer[..read]);
        drop(near.send_to(&buffer[..read], to).await);
    }
}
