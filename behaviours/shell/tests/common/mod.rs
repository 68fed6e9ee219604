//! Protocols without machines, and swarms that carry them.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::{future::Future, time::Duration};

use covey_kernel::{Frames, NetworkId, Peer};
use covey_shell::{Budget, Config, Event, Protocol, Shell};
use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, swarm::SwarmEvent, tcp, yamux};

const FRAMES: Frames = Frames { request: 1024, response: 8192 };
pub const ECHO: Protocol = Protocol { name: "echo", frames: FRAMES };
pub const OTHER: Protocol = Protocol { name: "other", frames: FRAMES };

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

pub fn network() -> NetworkId {
    NetworkId::named("test")
}

pub fn swarm_of(protocol: Protocol, config: Config) -> Swarm<Shell> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Shell::new(protocol, &network(), config, Budget::default()))
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(PATIENCE))
        .build()
}

pub fn me(swarm: &Swarm<Shell>) -> Peer {
    covey_shell::peer(swarm.local_peer_id()).unwrap()
}

pub async fn listen(swarm: &mut Swarm<Shell>) -> Multiaddr {
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = soon(swarm.select_next_some()).await {
            return address;
        }
    }
}

/// Two swarms; the first knows where the second listens.
pub async fn pair(config: Config) -> (Swarm<Shell>, Swarm<Shell>) {
    let (mut a, mut b) = (swarm_of(ECHO, config), swarm_of(ECHO, config));
    let address = listen(&mut b).await;
    a.add_peer_address(*b.local_peer_id(), address);
    (a, b)
}

/// The next event of the shell.
pub async fn next(swarm: &mut Swarm<Shell>) -> Event {
    loop {
        if let SwarmEvent::Behaviour(event) = swarm.select_next_some().await {
            return event;
        }
    }
}

/// Runs `b` as an echo until `a` has `count` answers.
pub async fn echo_until(a: &mut Swarm<Shell>, b: &mut Swarm<Shell>, count: usize) -> Vec<Event> {
    let mut answers = Vec::new();
    soon(async {
        while answers.len() < count {
            tokio::select! {
                event = next(a) => answers.push(event),
                event = next(b) => if let Event::Request { id, bytes, .. } = event {
                    b.behaviour_mut().answer(id, bytes);
                },
            }
        }
    })
    .await;
    answers
}
