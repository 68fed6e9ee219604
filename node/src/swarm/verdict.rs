//! Judges what a peer says of itself.

use covey_kernel::NetworkId;
use libp2p::{Multiaddr, identify, multiaddr::Protocol};

use super::{
    gate::Refused,
    limits::{ADDRESSES_PER_PEER, CLAIM_CHARS},
    overlay::{identify_name, kad_name},
};

/// Whether a peer belongs to this network.
pub(super) fn network(info: &identify::Info, own: &NetworkId) -> Result<(), Refused> {
    let said = info.protocol_version.as_str();
    if said == identify_name(own) {
        return Ok(());
    }
    Err(match said.strip_prefix("/covey/").and_then(|rest| rest.strip_suffix("/id/1")) {
        Some(other) => Refused::OtherNetwork(claim(other)),
        None => Refused::NotCovey(claim(said)),
    })
}

/// Whether it serves Kademlia on this network.
pub(super) fn serves_kad(info: &identify::Info, own: &NetworkId) -> bool {
    let name = kad_name(own);
    info.protocols.iter().any(|protocol| protocol.as_ref() == name)
}

/// What is kept of a peer's own words: short and printable.
pub(super) fn claim(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(CLAIM_CHARS).collect()
}

/// The addresses worth trying among those a peer claims. Loopback is meant for its own host:
/// only a peer that is on ours may send us there.
pub(super) fn usable(claimed: &[Multiaddr], seen_at: &Multiaddr) -> Vec<Multiaddr> {
    let here = is_loopback(seen_at);
    let usable = claimed.iter().filter(|address| here || !is_loopback(address));
    usable.take(ADDRESSES_PER_PEER).cloned().collect()
}

fn is_loopback(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(host)) => host.is_loopback() || host.is_unspecified(),
        Some(Protocol::Ip6(host)) => host.is_loopback() || host.is_unspecified(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_elsewhere_cannot_send_us_to_our_own_host() {
        let claimed: Vec<Multiaddr> =
            ["/ip4/127.0.0.1/tcp/22", "/ip6/::1/tcp/22", "/ip4/10.0.0.9/tcp/1"]
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
        let far = "/ip4/10.0.0.9/tcp/5".parse().unwrap();
        assert_eq!(usable(&claimed, &far), claimed[2..]);
        let near = "/ip4/127.0.0.1/tcp/5".parse().unwrap();
        assert_eq!(usable(&claimed, &near), claimed);
    }

    #[test]
    fn claims_are_short_and_printable() {
        assert_eq!(claim("a\u{1b}[31m\nb"), "a[31mb");
        assert_eq!(claim(&"x".repeat(500)).len(), CLAIM_CHARS);
    }
}
