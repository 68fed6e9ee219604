//! A node as people write it who know its machine: an IP address, or one with a port.

use std::net::{IpAddr, SocketAddr};

use libp2p::{Multiaddr, multiaddr::Protocol};

/// Where a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// On this machine; on which port is known if it is connected.
    Machine(IpAddr),
    /// At this TCP port.
    Port(SocketAddr),
}

impl Host {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let machine = || text.parse().ok().map(Self::Machine);
        machine().or_else(|| text.parse().ok().map(Self::Port))
    }
}

/// The address to dial for a TCP port.
pub(super) fn tcp(at: SocketAddr) -> Multiaddr {
    Multiaddr::from(at.ip()).with(Protocol::Tcp(at.port()))
}

/// Whether an address is on a machine.
pub(super) fn is_on(address: &Multiaddr, machine: IpAddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => machine == ip,
        Some(Protocol::Ip6(ip)) => machine == ip,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_ports_are_told_from_other_names() {
        let machine: IpAddr = "10.0.0.2".parse().unwrap();
        assert_eq!(Host::parse("10.0.0.2"), Some(Host::Machine(machine)));
        assert_eq!(Host::parse("::1"), Some(Host::Machine("::1".parse().unwrap())));
        let Some(Host::Port(at)) = Host::parse("10.0.0.2:4001") else { panic!() };
        assert_eq!(tcp(at).to_string(), "/ip4/10.0.0.2/tcp/4001");
        let Some(Host::Port(at)) = Host::parse("[::1]:4001") else { panic!() };
        assert_eq!(tcp(at).to_string(), "/ip6/::1/tcp/4001");
        for other in ["", "10.0.0", "bob", "10.0.0.2:", "/ip4/10.0.0.2/tcp/4001", "10.0.0.2:70000"]
        {
            assert_eq!(Host::parse(other), None, "{other}");
        }
        let quic: Multiaddr = "/ip4/10.0.0.2/udp/4001/quic-v1".parse().unwrap();
        assert!(is_on(&quic, machine));
        assert!(!is_on(&quic, "10.0.0.3".parse().unwrap()));
        assert!(!is_on(&"/dns/localhost/tcp/1".parse().unwrap(), machine));
    }
}
