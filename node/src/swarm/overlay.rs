//! What the swarm is made of. Every default of libp2p that matters is set here.

use std::{num::NonZeroUsize, time::Duration};

use covey_kernel::NetworkId;
use covey_shell::{Budget, Shell};
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, allow_block_list, connection_limits, identify,
    identity::Keypair,
    kad, mdns, memory_connection_limits, noise, ping,
    swarm::{NetworkBehaviour, behaviour::toggle::Toggle},
    tcp, yamux,
};

use super::{
    Carried, Config, Line, SwarmError,
    gate::Gate,
    gossip::{self, Gossip},
    limits::{
        CONNECTIONS_PER_PEER, KAD_RECORD_BYTES, KAD_RECORDS, NEGOTIATING_STREAMS, PENDING_INCOMING,
        PENDING_OUTGOING, QUERY_WITHIN, REBOOTSTRAP,
    },
    topics::Topics,
};

/// All behaviours of a node. Those that refuse connections stand first, so that none of the
/// others has noted a connection that is then refused.
#[derive(NetworkBehaviour)]
pub struct Overlay {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) memory: memory_connection_limits::Behaviour,
    pub(super) bans: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(super) gate: Gate,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) kad: kad::Behaviour<kad::store::MemoryStore>,
    pub(super) mdns: Toggle<mdns::tokio::Behaviour>,
    pub(super) gossip: Gossip,
    /// The shells of the machines that this node carries.
    pub(super) messaging: Toggle<Shell>,
    pub(super) chains: Toggle<Shell>,
    pub(super) ledger: Toggle<Shell>,
}

impl Overlay {
    /// A machine's shell, if this node carries it.
    pub(super) fn shell(&mut self, line: Line) -> Option<&mut Shell> {
        let shell = match line {
            Line::Messaging => &mut self.messaging,
            Line::Chains => &mut self.chains,
            Line::Ledger => &mut self.ledger,
        };
        shell.as_mut()
    }
}

/// What identify calls this network.
pub(super) fn identify_name(network: &NetworkId) -> String {
    format!("/covey/{}/id/1", network.short())
}

/// What Kademlia is called on this network.
pub(super) fn kad_name(network: &NetworkId) -> String {
    format!("/covey/{}/kad/1", network.short())
}

/// Puts the swarm together; it does not listen yet.
pub(super) fn build(
    config: &Config,
    keypair: Keypair,
    network: &NetworkId,
    machines: &[Carried],
    topics: Topics,
) -> Result<Swarm<Overlay>, SwarmError> {
    let overlay = overlay(config, &keypair, network, machines, topics)?;
    let idle = config.idle;
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| setup("Noise", error))?
        .with_quic()
        .with_dns()
        .map_err(|error| setup("name resolution", error))?
        .with_behaviour(|_| overlay)
        .map_err(|error| setup("behaviours", error))?
        .with_swarm_config(|settings| {
            settings
                .with_idle_connection_timeout(idle)
                .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS)
        })
        .build();
    Ok(swarm)
}

pub(super) fn setup(what: &'static str, why: impl ToString) -> SwarmError {
    SwarmError::Setup { what, why: why.to_string() }
}

fn overlay(
    config: &Config,
    keypair: &Keypair,
    network: &NetworkId,
    machines: &[Carried],
    topics: Topics,
) -> Result<Overlay, SwarmError> {
    let id = keypair.public().to_peer_id();
    let mdns = if config.mdns {
        let found = mdns::tokio::Behaviour::new(mdns::Config::default(), id);
        // Without multicast there is still everything else.
        found.inspect_err(|error| tracing::warn!(%error, "no discovery on the local network")).ok()
    } else {
        None
    };
    let identity = identify::Config::new(identify_name(network), keypair.public())
        .with_agent_version(config.agent.clone())
        .with_interval(Duration::from_secs(300))
        .with_push_listen_addr_updates(true)
        .with_cache_size(256);
    let pings = ping::Config::new()
        .with_interval(Duration::from_secs(15))
        .with_timeout(Duration::from_secs(20));
    let budget = Budget::default();
    let shell = |line| {
        let carried = machines.iter().find(|carried| carried.line == line);
        let shell =
            |carried: &Carried| Shell::new(carried.protocol, network, config.shell, budget.clone());
        Toggle::from(carried.map(shell))
    };
    Ok(Overlay {
        limits: connection_limits::Behaviour::new(limits(config)),
        memory: memory_connection_limits::Behaviour::with_max_bytes(config.memory),
        bans: allow_block_list::Behaviour::default(),
        gate: Gate::default(),
        identify: identify::Behaviour::new(identity),
        ping: ping::Behaviour::new(pings),
        kad: kademlia(config, keypair, network)?,
        mdns: mdns.into(),
        gossip: gossip::build(keypair, network, topics)?,
        messaging: shell(Line::Messaging),
        chains: shell(Line::Chains),
        ledger: shell(Line::Ledger),
    })
}

fn limits(config: &Config) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_INCOMING))
        .with_max_pending_outgoing(Some(PENDING_OUTGOING))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER))
        // A quarter stays free for those we dial ourselves.
        .with_max_established_incoming(Some(
            config.connections.saturating_sub(config.connections / 4),
        ))
        .with_max_established_outgoing(Some(config.connections))
        .with_max_established(Some(config.connections))
}

fn kademlia(
    config: &Config,
    keypair: &Keypair,
    network: &NetworkId,
) -> Result<kad::Behaviour<kad::store::MemoryStore>, SwarmError> {
    let name = StreamProtocol::try_from_owned(kad_name(network))
        .map_err(|error| setup("Kademlia", error))?;
    let mut settings = kad::Config::new(name);
    settings
        // Records go nowhere unless this node stores them itself, and it stores none: nothing
        // here has a use for them, so nobody can fill our memory with them.
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_replication_factor(NonZeroUsize::new(20).unwrap_or(NonZeroUsize::MIN))
        .set_query_timeout(QUERY_WITHIN)
        .set_max_packet_size(KAD_RECORD_BYTES)
        .set_periodic_bootstrap_interval(Some(REBOOTSTRAP))
        .set_replication_interval(None)
        .set_publication_interval(None)
        .set_provider_publication_interval(None)
        // Only what identify has confirmed for this network comes in, by our code.
        .set_kbucket_inserts(kad::BucketInserts::OnConnected);
    let id = keypair.public().to_peer_id();
    let store = kad::store::MemoryStoreConfig {
        max_records: KAD_RECORDS,
        max_value_bytes: KAD_RECORD_BYTES,
        max_providers_per_key: 20,
        max_provided_keys: KAD_RECORDS,
    };
    let store = kad::store::MemoryStore::with_config(id, store);
    let mut kademlia = kad::Behaviour::with_config(id, store, settings);
    if config.kad_server {
        kademlia.set_mode(Some(kad::Mode::Server));
    }
    Ok(kademlia)
}
