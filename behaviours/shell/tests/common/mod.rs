//! A machine that only has a name, and swarms that carry it.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::{future::Future, time::Duration};

use covey_kernel::{
    Blame, Context, CryptoRng, Fault, Frames, Input, Machine, MachineError, NetworkId, Peer, Store,
    Time, View,
};
use covey_shell::{Budget, Config, Event, Shell};
use futures::StreamExt;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, noise, swarm::SwarmEvent, tcp, yamux};

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub struct Never;

impl From<Fault> for Never {
    fn from(_: Fault) -> Self {
        Self
    }
}

impl MachineError for Never {
    fn blame(&self) -> Blame {
        Blame::Later
    }
}

macro_rules! machine {
    ($name:ident, $text:literal) => {
        #[derive(Debug)]
        pub struct $name;

        impl Machine for $name {
            const NAME: &'static str = $text;
            const FRAMES: Frames = Frames { request: 1024, response: 8192 };
            type Command = ();
            type Reply = ();
            type Event = ();
            type Error = Never;
            type Rules = ();
            type Checked = ();
            type Delta = ();

            fn open(
                _: (),
                _: Time,
                _: &mut dyn CryptoRng,
                _: &mut View<'_>,
            ) -> Result<Self, Never> {
                Ok(Self)
            }

            fn check(
                _: &(),
                _: &dyn Store,
                _: Time,
                inputs: Vec<Input<Self>>,
            ) -> Vec<Result<(), Never>> {
                inputs.iter().map(|_| Ok(())).collect()
            }

            fn decide(&self, _: &mut Context<'_, '_, Self>, (): ()) -> Result<(), Never> {
                Ok(())
            }

            fn apply(&mut self, (): ()) {}

            fn refusal(_: &Never) -> Vec<u8> {
                Vec::new()
            }
        }
    };
}

machine!(Echo, "echo");
machine!(Other, "other");

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

pub fn network() -> NetworkId {
    NetworkId::named("test")
}

pub fn swarm_of<M: Machine>(config: Config) -> Swarm<Shell<M>> {
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Shell::new(&network(), config, Budget::default()))
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(PATIENCE))
        .build()
}

pub fn me<M: Machine>(swarm: &Swarm<Shell<M>>) -> Peer {
    covey_shell::peer(swarm.local_peer_id()).unwrap()
}

pub async fn listen<M: Machine>(swarm: &mut Swarm<Shell<M>>) -> Multiaddr {
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = soon(swarm.select_next_some()).await {
            return address;
        }
    }
}

/// Two swarms; the first knows where the second listens.
pub async fn pair(config: Config) -> (Swarm<Shell<Echo>>, Swarm<Shell<Echo>>) {
    let (mut a, mut b) = (swarm_of(config), swarm_of(config));
    let address = listen(&mut b).await;
    a.add_peer_address(*b.local_peer_id(), address);
    (a, b)
}

/// The next event of the shell.
pub async fn next<M: Machine>(swarm: &mut Swarm<Shell<M>>) -> Event {
    loop {
        if let SwarmEvent::Behaviour(event) = swarm.select_next_some().await {
            return event;
        }
    }
}

/// Runs `b` as an echo until `a` has `count` answers.
pub async fn echo_until(
    a: &mut Swarm<Shell<Echo>>,
    b: &mut Swarm<Shell<Echo>>,
    count: usize,
) -> Vec<Event> {
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
