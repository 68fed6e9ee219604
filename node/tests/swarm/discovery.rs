use std::time::Duration;

use covey::swarm::{Command, Config, Line};

use crate::node::{TCP, quiet, start, until};

#[tokio::test]
async fn a_third_peer_is_found_through_a_bootstrap_node() {
    let hub = start(1, quiet(&[TCP]));
    let bootstrap = vec![hub.address().await];
    let config = || Config { bootstrap: bootstrap.clone(), ..quiet(&[TCP]) };
    let (mut a, mut b) = (start(2, config()), start(3, config()));
    a.connected(hub.peer).await;
    b.connected(hub.peer).await;
    a.seek(b.peer, None).await;
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    let listed = a.handle.peers().await.unwrap();
    assert!(listed.iter().any(|info| info.peer == b.peer && info.sought));
}

#[tokio::test]
async fn a_sought_peer_is_met_again_when_it_comes_back() {
    let mut a = start(1, quiet(&[TCP]));
    let mut b = start(2, quiet(&[TCP]));
    let address = b.address().await;
    a.seek(b.peer, Some(address.clone())).await;
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    b.handle.shutdown().await;
    a.disconnected(b.peer).await;
    let mut listen = address;
    listen.pop();
    let mut b = start(2, quiet(&[&listen.to_string()]));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
}

#[tokio::test]
async fn static_peers_are_sought_even_before_they_are_there() {
    // A port that was free a moment ago.
    let early = start(2, quiet(&[TCP]));
    let address = early.address().await;
    early.handle.shutdown().await;
    let mut a = start(1, Config { peers: vec![address.clone()], ..quiet(&[TCP]) });
    let mut listen = address;
    listen.pop();
    let mut b = start(2, quiet(&[&listen.to_string()]));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    // The configuration holds: a machine cannot release it.
    a.handle.send(Command::Release { line: Line::Messaging, mark: 0, peer: b.peer }).await.unwrap();
    assert!(a.handle.peers().await.unwrap()[0].sought);
}

#[tokio::test]
async fn only_sought_connections_outlive_idleness() {
    let idle = Duration::from_millis(300);
    let short = || Config { idle, kad_server: false, ..quiet(&[TCP]) };
    let (mut a, mut b, mut c) = (start(1, short()), start(2, short()), start(3, short()));
    assert_eq!(a.handle.dial(b.address().await).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    a.seek(c.peer, Some(c.address().await)).await;
    a.connected(c.peer).await;
    c.connected(a.peer).await;
    a.disconnected(b.peer).await;
    until(|| async { b.handle.peers().await.unwrap().is_empty() }).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 1);
    a.handle.send(Command::Release { line: Line::Messaging, mark: 0, peer: c.peer }).await.unwrap();
    a.disconnected(c.peer).await;
}

#[tokio::test]
async fn who_is_dialed_again_at_the_same_address_is_not_connected_once_more() {
    let (a, b) = (start(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    let mut address = b.address().await;
    address.pop();
    for _ in 0..6 {
        assert_eq!(a.handle.dial(address.clone()).await.unwrap(), Ok(b.peer));
    }
    for peers in [a.handle.peers().await.unwrap(), b.handle.peers().await.unwrap()] {
        let connections: Vec<usize> = peers.iter().map(|peer| peer.addresses.len()).collect();
        assert_eq!(connections, [1]);
    }
}
