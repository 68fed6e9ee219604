use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
};

use libp2p::{Multiaddr, Swarm, TransportError, multiaddr::Protocol, swarm::NetworkBehaviour};

use super::SwarmError;

/// Listens everywhere it is told to.
pub(super) fn listen<B: NetworkBehaviour>(
    swarm: &mut Swarm<B>,
    addresses: &[Multiaddr],
) -> Result<(), SwarmError> {
    let mut usable = Vec::new();
    // All are tried before the first is taken: a socket of ours would be in the way.
    for address in addresses {
        match probe(address) {
            Ok(()) => usable.push(address),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(SwarmError::InUse { address: address.clone() });
            }
            Err(error) if is_any_ip6(address) => {
                tracing::warn!(%address, %error, "no IPv6 here");
            }
            Err(source) => return Err(SwarmError::Listen { address: address.clone(), source }),
        }
    }
    if usable.is_empty() && !addresses.is_empty() {
        return Err(SwarmError::NoListener);
    }
    for address in usable {
        swarm.listen_on(address.clone()).map_err(|error| match error {
            TransportError::MultiaddrNotSupported(address) => SwarmError::NotListenable { address },
            TransportError::Other(source) => {
                SwarmError::Listen { address: address.clone(), source }
            }
        })?;
    }
    Ok(())
}

/// Binds an address and lets go of it. libp2p sets `SO_REUSEPORT` on its TCP sockets, so two
/// nodes of one user would share a port without either being told.
fn probe(address: &Multiaddr) -> io::Result<()> {
    match socket(address) {
        Some((socket, Layer::Tcp)) if socket.port() != 0 => TcpListener::bind(socket).map(drop),
        Some((socket, Layer::Udp)) if socket.port() != 0 => UdpSocket::bind(socket).map(drop),
        // Any free port is free, though the address may not exist here: libp2p will tell.
        Some((socket, _)) if socket.is_ipv6() => UdpSocket::bind(socket).map(drop),
        _ => Ok(()),
    }
}

enum Layer {
    Tcp,
    Udp,
}

fn socket(address: &Multiaddr) -> Option<(SocketAddr, Layer)> {
    let mut parts = address.iter();
    let host: IpAddr = match parts.next()? {
        Protocol::Ip4(host) => host.into(),
        Protocol::Ip6(host) => host.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(((host, port).into(), Layer::Tcp)),
        Protocol::Udp(port) => Some(((host, port).into(), Layer::Udp)),
        _ => None,
    }
}

fn is_any_ip6(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Ip6(host)) if host.is_unspecified())
}
