use std::{net::Ipv4Addr, time::Duration};

use libp2p::{Multiaddr, multiaddr::Protocol};

/// How the swarm is reached, and how it finds others.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Addresses at which others reach this node, known from outside.
    pub external: Vec<Multiaddr>,
    /// Nodes that introduce others; dialed until a few peers are connected. Each ends in
    /// `/p2p/<peer id>`.
    pub bootstrap: Vec<Multiaddr>,
    /// Nodes to stay connected with. Each ends in `/p2p/<peer id>`.
    pub peers: Vec<Multiaddr>,
    /// Whether to look for peers on the local network.
    pub mdns: bool,
    /// Whether Kademlia serves others without a confirmed external address, as isolated
    /// networks need it.
    pub kad_server: bool,
    /// Connections in all.
    pub connections: u32,
    /// Bytes of memory of the process above which no connection is accepted.
    pub memory: usize,
    /// How long a connection lives that nobody uses.
    pub idle: Duration,
    /// Name and version told to peers.
    pub agent: String,
    /// Times of the shells.
    pub shell: covey_shell::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: everywhere(0),
            external: Vec::new(),
            bootstrap: Vec::new(),
            peers: Vec::new(),
            mdns: true,
            kad_server: false,
            connections: 1024,
            memory: 1 << 30,
            idle: Duration::from_secs(60),
            agent: format!("covey/{}", env!("CARGO_PKG_VERSION")),
            shell: covey_shell::Config::default(),
        }
    }
}

/// QUIC and TCP on all addresses of this host, on one port; 0 takes any free ones.
#[must_use]
pub fn everywhere(port: u16) -> Vec<Multiaddr> {
    let hosts =
        [Protocol::Ip4(Ipv4Addr::UNSPECIFIED), Protocol::Ip6(std::net::Ipv6Addr::UNSPECIFIED)];
    hosts.into_iter().flat_map(|host| on(&host, port)).collect()
}

fn on(host: &Protocol<'_>, port: u16) -> Vec<Multiaddr> {
    let host = Multiaddr::empty().with(host.clone().acquire());
    vec![
        host.clone().with(Protocol::Udp(port)).with(Protocol::QuicV1),
        host.with(Protocol::Tcp(port)),
    ]
}
