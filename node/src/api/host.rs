//! A node as people write it who know its machine: an IP address, or one with a port.

use std::net::{IpAddr, SocketAddr};

use covey_kernel::Peer;
use libp2p::{Multiaddr, multiaddr::Protocol};

use super::swarm_ended;
use crate::{
    node::State,
    rpc::{RpcError, codes},
};

/// The address to dial for an IP address with a TCP port; none if it is something else.
pub(super) fn tcp(text: &str) -> Option<Multiaddr> {
    let at: SocketAddr = text.parse().ok()?;
    Some(Multiaddr::from(at.ip()).with(Protocol::Tcp(at.port())))
}

/// The one node that is connected from a machine.
pub(super) async fn connected_on(state: &State, machine: IpAddr) -> Result<Peer, RpcError> {
    let mut peers = state.swarm.peers().await.map_err(swarm_ended)?;
    let is_on = |address: &Multiaddr| is_on(address, machine);
    peers.retain(|peer| peer.admitted && peer.addresses.iter().any(is_on));
    match peers.as_slice() {
        [peer] => Ok(peer.peer),
        [] => {
            let why = format!("no node is connected from {machine}");
            Err(RpcError::new(codes::UNREACHABLE, why).help(
                "write its port, too, as in 192.0.2.1:4001 or [2001:db8::1]:4001 (net_addresses on that machine shows it), \
                 or its peer id (net_peers here shows who is connected)",
            ))
        }
        many => {
            let why = format!("{} nodes are connected from {machine}", many.len());
            Err(RpcError::new(codes::INVALID_PARAMS, why)
                .help("name one by its peer id; net_peers shows them"))
        }
    }
}

fn is_on(address: &Multiaddr, machine: IpAddr) -> bool {
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
    fn an_ip_address_with_a_port_is_an_address_of_tcp() {
        let address = |text| tcp(text).map(|address| address.to_string());
        assert_eq!(address("10.0.0.2:4001").as_deref(), Some("/ip4/10.0.0.2/tcp/4001"));
        assert_eq!(address("[::1]:4001").as_deref(), Some("/ip6/::1/tcp/4001"));
        for other in
            ["", "10.0.0.2", "::1", "bob", "10.0.0.2:", "/ip4/10.0.0.2/tcp/4001", "10.0.0.2:70000"]
        {
            assert_eq!(address(other), None, "{other}");
        }
    }

    #[test]
    fn an_address_is_on_the_machine_that_it_begins_with() {
        let machine: IpAddr = "10.0.0.2".parse().unwrap();
        let quic: Multiaddr = "/ip4/10.0.0.2/udp/4001/quic-v1".parse().unwrap();
        assert!(is_on(&quic, machine));
        assert!(!is_on(&quic, "10.0.0.3".parse().unwrap()));
        assert!(!is_on(&"/dns/localhost/tcp/1".parse().unwrap(), machine));
    }
}
