//! The task that owns the swarm: its loop, its commands and its clock.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, SystemTime},
};

use covey_kernel::{Address, AskFailure, AskId, GossipVerdict, NetworkId, Peer, RequestId};
use covey_shell::peer_id;
use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm,
    kad::QueryId,
    swarm::dial_opts::{DialOpts, PeerCondition},
};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{
    Carried, Config, Line, News, Overlay, SwarmError,
    command::{Addresses, Command, Stop},
    dials::{Dials, Reply, tell},
    error::{DialFailure, Refusal},
    gate::Refused,
    limits::{
        ADDRESSES_PER_PEER, COMMANDS_PER_TURN, ENOUGH_PEERS, LOOKUPS, OFFER_AGAIN, REFUSAL_GRACE,
        REFUSALS, REFUSED_FOR, TICK,
    },
    named::{named, without_peer},
    nearby::Nearby,
    own::OwnAsks,
    peers::Peers,
    port::{Outlet, Undelivered},
    seek::{Backoff, By, Seeker},
    topics::Topics,
    unjudged::Unjudged,
};

pub(super) struct Task {
    pub(super) swarm: Swarm<Overlay>,
    commands: mpsc::Receiver<Command>,
    /// The ways to the machines that this node carries.
    outlets: BTreeMap<Line, Outlet>,
    pub(super) network: NetworkId,
    pub(super) topics: Topics,
    pub(super) unjudged: Unjudged,
    pub(super) peers: Peers,
    pub(super) seeker: Seeker,
    pub(super) nearby: Nearby,
    pub(super) dials: Dials,
    pub(super) lookups: HashMap<QueryId, Peer>,
    pub(super) refusals: BTreeMap<Peer, Refusal>,
    pub(super) bootstrap: Bootstrap,
    own: OwnAsks,
    idle: Duration,
}

/// The nodes that introduce others, and when to dial them again.
pub(super) struct Bootstrap {
    nodes: Vec<(Peer, Multiaddr)>,
    backoff: Backoff,
    next: Instant,
}

impl Bootstrap {
    /// Nobody is connected any longer.
    pub(super) fn alone(&mut self, now: Instant) {
        self.backoff.reset();
        self.next = now.checked_add(self.backoff.next()).unwrap_or(now);
    }
}

/// Addresses of a setting, with the peers that they must name.
fn with_peers(
    setting: &'static str,
    addresses: &[Multiaddr],
) -> Result<Vec<(Peer, Multiaddr)>, SwarmError> {
    let with_peer = |address: &Multiaddr| {
        let peer = named(address).and_then(|id| covey_shell::peer(&id));
        peer.map(|peer| (peer, address.clone()))
            .ok_or_else(|| SwarmError::NoPeerId { setting, address: address.clone() })
    };
    addresses.iter().map(with_peer).collect()
}

impl Task {
    pub(super) fn new(
        swarm: Swarm<Overlay>,
        config: &Config,
        me: Peer,
        network: NetworkId,
        machines: Vec<Carried>,
        topics: Topics,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Self, SwarmError> {
        let nodes = with_peers("network.bootstrap", &config.bootstrap)?;
        let pinned = with_peers("network.static_peers", &config.peers)?;
        let backoff = Backoff::default();
        let outlet = |carried: Carried| (carried.line, Outlet::new(carried.port));
        let mut task = Self {
            swarm,
            commands,
            outlets: machines.into_iter().map(outlet).collect(),
            network,
            topics,
            unjudged: Unjudged::default(),
            peers: Peers::default(),
            seeker: Seeker::default(),
            nearby: Nearby::default(),
            dials: Dials::default(),
            lookups: HashMap::new(),
            refusals: BTreeMap::new(),
            bootstrap: Bootstrap { nodes, backoff, next: Instant::now() },
            own: OwnAsks::new(me),
            idle: config.idle,
        };
        for address in &config.external {
            task.swarm.add_external_address(without_peer(address.clone()));
        }
        for (peer, address) in pinned {
            task.seek(By::Settings, peer, vec![address]);
        }
        Ok(task)
    }

    /// Runs until it is stopped or the last handle is gone.
    pub(super) async fn run(mut self, mut stop: mpsc::Receiver<Stop>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stopped = loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(command) = self.commands.recv(), if !self.is_full() => {
                    self.on_commands(command);
                }
                _ = tick.tick() => self.on_tick(Instant::now()),
                () = sleep(OFFER_AGAIN), if self.is_overdue() => self.offer(),
                stopped = stop.recv() => break stopped,
            }
        };
        // The sockets close first, and then the sender falls.
        drop(self);
        drop(stopped);
    }

    /// Whether a machine has so much waiting that nothing should be started that ends in more.
    fn is_full(&self) -> bool {
        self.outlets.values().any(Outlet::is_full)
    }

    fn is_overdue(&self) -> bool {
        self.outlets.values().any(Outlet::is_overdue)
    }

    /// Offers the machines once more what waits for them.
    fn offer(&mut self) {
        self.outlets.values_mut().for_each(Outlet::offer);
    }

    /// Carries out what is queued, up to a bound.
    fn on_commands(&mut self, first: Command) {
        self.on_command(first);
        for _ in 1..COMMANDS_PER_TURN {
            match self.commands.try_recv() {
                Ok(command) => self.on_command(command),
                Err(_) => return,
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Ask { line, to, ask, bytes } => self.ask(line, to, ask, bytes),
            Command::Answer { to, bytes, .. } if OwnAsks::is_own(to) => {
                self.answer_own(to, Ok(bytes));
            }
            Command::Answer { line, to, bytes } => {
                if let Some(shell) = self.swarm.behaviour_mut().shell(line) {
                    shell.answer(to, bytes);
                }
            }
            Command::Seek { line, mark, peer, addresses } => {
                self.seek(By::Machine(line, mark), peer, decode(&addresses));
            }
            Command::Release { line, mark, peer } => {
                if self.seeker.release(By::Machine(line, mark), &peer) {
                    self.swarm.behaviour_mut().gate.keep(peer_id(&peer), false);
                }
            }
            Command::Strike(peer) => self.strike(peer),
            Command::Join { line, topic } => self.join(line, topic),
            Command::Leave { line, topic } => self.leave(line, topic),
            Command::Publish { line, topic, bytes } => self.publish(line, topic, bytes),
            Command::Judge { line, gossip, verdict } => self.judge(line, gossip, verdict),
            Command::Peers(reply) => tell(reply, self.peers.list(&self.seeker)),
            Command::Refusals(reply) => tell(reply, self.refusals.values().cloned().collect()),
            Command::Addresses(reply) => tell(reply, self.addresses()),
            Command::Nearby(reply) => tell(reply, self.nearby.list(&self.peers)),
            Command::Dial(address, reply) => self.dial(address, reply),
            Command::Disconnect(peer) => self.disconnect(&peer),
            Command::Ban(peer) => {
                self.swarm.behaviour_mut().bans.block_peer(peer_id(&peer));
            }
            Command::Unban(peer) => {
                self.swarm.behaviour_mut().bans.unblock_peer(peer_id(&peer));
            }
        }
    }

    fn ask(&mut self, line: Line, to: Peer, ask: AskId, bytes: Vec<u8>) {
        if to == self.own.me {
            return self.ask_own(line, ask, bytes);
        }
        self.peers.used(&to);
        let Some(shell) = self.swarm.behaviour_mut().shell(line) else { return };
        if let Err(why) = shell.ask(to, ask, bytes) {
            self.deliver(line, News::Answer { from: to, ask, outcome: Err(why) });
        }
    }

    /// What a node asks itself comes back on the same line.
    fn ask_own(&mut self, line: Line, ask: AskId, bytes: Vec<u8>) {
        let from = self.own.me;
        let news = match self.own.begin(line, ask, Instant::now()) {
            Some(id) => News::Request { from, id, bytes },
            None => News::Answer { from, ask, outcome: Err(AskFailure::Busy) },
        };
        self.deliver(line, news);
    }

    fn answer_own(&mut self, to: RequestId, outcome: Result<Vec<u8>, AskFailure>) {
        let from = self.own.me;
        if let Some((line, ask)) = self.own.end(to) {
            self.deliver(line, News::Answer { from, ask, outcome });
        }
    }

    /// Hands a machine its news. A request that it has no room for is answered busy, and gossip
    /// ignored.
    pub(super) fn deliver(&mut self, line: Line, news: News) {
        let Some(outlet) = self.outlets.get_mut(&line) else { return };
        match outlet.deliver(news) {
            None => {}
            Some(Undelivered::Request(id)) if OwnAsks::is_own(id) => {
                self.answer_own(id, Err(AskFailure::Busy));
            }
            Some(Undelivered::Request(id)) => {
                if let Some(shell) = self.swarm.behaviour_mut().shell(line) {
                    shell.busy(id);
                }
            }
            Some(Undelivered::Gossip(id)) => self.judge(line, id, GossipVerdict::Ignore),
        }
    }

    /// Tells every machine.
    pub(super) fn deliver_all(&mut self, news: impl Fn() -> News) {
        for line in self.outlets.keys().copied().collect::<Vec<_>>() {
            self.deliver(line, news());
        }
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            listen: self.swarm.listeners().cloned().collect(),
            external: self.swarm.external_addresses().cloned().collect(),
        }
    }

    fn seek(&mut self, by: By, peer: Peer, addresses: Vec<Multiaddr>) {
        let id = peer_id(&peer);
        if id == *self.swarm.local_peer_id() {
            return;
        }
        for address in &addresses {
            self.swarm.add_peer_address(id, address.clone());
        }
        let connected = self.peers.contains(&peer);
        if self.seeker.seek(by, peer, addresses, connected) {
            self.swarm.behaviour_mut().gate.keep(id, true);
        } else {
            tracing::warn!(%peer, "too many peers are sought");
        }
    }

    fn dial(&mut self, address: Multiaddr, reply: Reply) {
        if self.dials.is_full() {
            return tell(reply, Err(DialFailure::Busy));
        }
        let expected = named(&address);
        // There are only so many connections with one peer, and one is enough.
        let met = match expected {
            Some(id) => covey_shell::peer(&id).filter(|peer| self.peers.is_there(peer)),
            None => self.peers.dialed(&address),
        };
        if let Some(peer) = met {
            return tell(reply, Ok(peer));
        }
        // The swarm would only say that it knows no address but our own.
        if expected.is_none() && self.swarm.listeners().any(|own| *own == address) {
            return tell(reply, Err(DialFailure::Itself { address }));
        }
        let options = match expected {
            // Always: the user wants to know of this address, whatever else is under way.
            Some(id) => DialOpts::peer_id(id)
                .condition(PeerCondition::Always)
                .addresses(vec![address])
                .build(),
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => self.dials.start(id, expected, reply),
            Err(error) => tell(reply, Err(DialFailure::of(&error, expected))),
        }
    }

    fn disconnect(&mut self, peer: &Peer) {
        if self.swarm.disconnect_peer_id(peer_id(peer)).is_err() {
            tracing::debug!(%peer, "was not connected");
        }
    }

    /// Refuses a peer for a while. It keeps its connection for a moment, to learn why.
    pub(super) fn refuse(&mut self, peer: Peer, why: Refused) {
        let now = Instant::now();
        let id = peer_id(&peer);
        let behaviour = self.swarm.behaviour_mut();
        behaviour.gate.refuse(id, why.clone(), now.checked_add(REFUSED_FOR).unwrap_or(now));
        behaviour.kad.remove_peer(&id);
        // Each of its connections says who it is, and each may be refused.
        if self.peers.dismiss(&peer, now.checked_add(REFUSAL_GRACE).unwrap_or(now)) {
            tracing::warn!(%peer, reason = %why, "disconnecting a peer");
        }
        self.nearby.done(&peer);
        self.dials.end_all(peer, &Err(DialFailure::Refused(why.clone())));
        if self.refusals.len() >= REFUSALS && !self.refusals.contains_key(&peer) {
            let oldest = self.refusals.values().min_by_key(|refusal| refusal.since);
            if let Some(oldest) = oldest.map(|refusal| refusal.peer) {
                self.refusals.remove(&oldest);
            }
        }
        self.refusals.insert(peer, Refusal { peer, why, since: SystemTime::now() });
    }

    fn on_tick(&mut self, now: Instant) {
        for peer in self.peers.leaving(now) {
            self.disconnect(&peer);
        }
        self.close_idle(now);
        self.close_superseded(now);
        self.expire_gossip(now);
        self.dials.expire(now);
        for (line, ask) in self.own.expire(now) {
            let (from, outcome) = (self.own.me, Err(AskFailure::Timeout));
            self.deliver(line, News::Answer { from, ask, outcome });
        }
        self.swarm.behaviour_mut().gate.tidy();
        for (peer, addresses) in self.seeker.due(now) {
            if !self.try_peer(&peer, addresses) {
                self.missed(&peer, now);
            }
        }
        for (peer, addresses) in self.nearby.due(now) {
            if !self.peers.contains(&peer) {
                self.try_peer(&peer, addresses);
            }
        }
        self.try_bootstrap(now);
    }

    /// Closes connections that nobody uses. libp2p's own timeout does not do it: gossipsub holds
    /// a stream open with everybody, and streams keep connections alive.
    fn close_idle(&mut self, now: Instant) {
        for peer in self.peers.idle(now, self.idle) {
            let id = peer_id(&peer);
            let meshed = self.swarm.behaviour().gossip.all_mesh_peers().any(|other| *other == id);
            if !meshed && !self.seeker.contains(&peer) {
                self.disconnect(&peer);
            }
        }
    }

    /// A peer that connects anew is taken to have lost what it had, as after a crash; over QUIC we
    /// might not notice for ten seconds, and meanwhile every second request would go there.
    fn close_superseded(&mut self, now: Instant) {
        for (peer, connection) in self.peers.superseded(now) {
            tracing::debug!(%peer, "connected anew: giving up its older connection");
            self.swarm.close_connection(connection);
        }
    }

    /// Dials a peer at these addresses and all others that are known. False if it cannot.
    fn try_peer(&mut self, peer: &Peer, addresses: Vec<Multiaddr>) -> bool {
        let options = DialOpts::peer_id(peer_id(peer))
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(addresses)
            .extend_addresses_through_behaviour()
            .build();
        let dialed = self.swarm.dial(options);
        dialed.inspect_err(|error| tracing::debug!(%peer, %error, "cannot dial")).is_ok()
    }

    /// A sought peer could not be reached: asks the others where it is.
    pub(super) fn missed(&mut self, peer: &Peer, now: Instant) {
        let ours = self.seeker.failed(peer, now);
        let searched = self.lookups.values().any(|other| other == peer);
        if ours && !searched && self.lookups.len() < LOOKUPS {
            let query = self.swarm.behaviour_mut().kad.get_closest_peers(peer_id(peer));
            self.lookups.insert(query, *peer);
        }
    }

    fn try_bootstrap(&mut self, now: Instant) {
        if now < self.bootstrap.next || self.peers.admitted() >= ENOUGH_PEERS {
            return;
        }
        self.bootstrap.next = now.checked_add(self.bootstrap.backoff.next()).unwrap_or(now);
        for (peer, address) in self.bootstrap.nodes.clone() {
            let id = peer_id(&peer);
            if self.swarm.is_connected(&id) {
                continue;
            }
            let options = DialOpts::peer_id(id).addresses(vec![address]).build();
            if let Err(error) = self.swarm.dial(options) {
                tracing::debug!(%error, "cannot dial a bootstrap address");
            }
        }
    }
}

/// The multiaddresses among these; a machine stores them as they came.
fn decode(addresses: &[Address]) -> Vec<Multiaddr> {
    let decoded = addresses.iter().filter_map(|bytes| Multiaddr::try_from(bytes.to_vec()).ok());
    decoded.take(ADDRESSES_PER_PEER).collect()
}
