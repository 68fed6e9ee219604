//! Whoever asks one validator for votes over libp2p, and nothing else: no wallet, no database.

use std::time::Duration;

use covey_kernel::{AskFailure, AskId, NetworkId, Peer};
use covey_ledger::wire::{FRAMES, FromValidator, PROTOCOL};
use covey_shell::{Budget, Config, Event, Protocol, Shell};
use futures::StreamExt as _;
use libp2p::{Multiaddr, Swarm, noise, swarm::SwarmEvent, tcp, yamux};

use crate::bench::BenchError;

/// A connection with one validator.
pub struct Feeder {
    swarm: Swarm<Shell>,
    peer: Peer,
}

impl Feeder {
    /// For the validator with this key at this address, by TCP. It dials when it asks.
    pub fn new(network: &NetworkId, peer: Peer, address: Multiaddr) -> Result<Self, BenchError> {
        let wrong = |error: &dyn std::fmt::Display| BenchError::Wrong(error.to_string());
        let protocol = Protocol { name: PROTOCOL, frames: FRAMES };
        let shell = Shell::new(protocol, network, Config::default(), Budget::default());
        let tcp = tcp::Config::default().nodelay(true);
        let mut swarm = libp2p::SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp, noise::Config::new, yamux::Config::default)
            .map_err(|error| wrong(&error))?
            .with_behaviour(|_| shell)
            .map_err(|error| wrong(&error))?
            .with_swarm_config(|config| {
                config.with_idle_connection_timeout(Duration::from_secs(60))
            })
            .build();
        swarm.add_peer_address(covey_shell::peer_id(&peer), address);
        Ok(Self { swarm, peer })
    }

    /// Asks; the answer comes under the same number.
    pub fn ask(&mut self, number: u64, request: Vec<u8>) -> Result<(), AskFailure> {
        self.swarm.behaviour_mut().ask(self.peer, AskId(number), request)
    }

    /// The next answer, or why there is none. What is no answer counts as none.
    pub async fn next(&mut self) -> (u64, Result<FromValidator, AskFailure>) {
        loop {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::Behaviour(Event::Answer { ask, outcome, .. }) = event {
                let decode =
                    |bytes: Vec<u8>| FromValidator::decode(&bytes).map_err(|_| AskFailure::Broken);
                return (ask.0, outcome.and_then(decode));
            }
        }
    }
}
