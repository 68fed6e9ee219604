//! One running node: data directory, database, swarm, machines and control socket, started in
//! an order in which each can fail without leaving anything behind, and stopped in reverse.

mod error;
mod glue;
pub(crate) mod hangup;
mod identity;
mod ledger;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use covey_chains::Chains;
use covey_kernel::{Input, Machine, NetworkId, Peer, Time};
use covey_ledger::{Validator, Wallet};
use covey_messaging::{Messaging, Rules, ratchet::Olm};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use crate::{
    api,
    config::{Config, Loaded},
    datadir::{DataDir, Keystore},
    driver::{self, Clock, Inbox, NotSettable},
    rpc,
    store::{Db, Schema},
    swarm::{self, Carried, Line},
};

pub use error::NodeError;
pub use identity::{parse_peer, peer_id};
pub use ledger::Ledger;

/// Messaging as the product runs it.
pub type Msg = Messaging<Olm>;

// Messaging may seek and ask everybody it knows in one turn. It hears no answer before it has
// spoken, so the swarm must have room for all of them.
const _: () = {
    use covey_chains::limits::{ASKED_PER_TURN, NEIGHBOURS_TOLD};
    use covey_kernel::limits::TURN_INPUTS;
    use covey_ledger::limits::{DELIVERIES, GAP, PASSING, VALIDATORS, WANTED};
    use covey_messaging::limits::{CONTACTS, OPEN_INVITES};
    assert!(swarm::limits::OVERDUE > CONTACTS + OPEN_INVITES);
    // Chains ask a neighbour for the next thing, and tell some others, for each input.
    assert!(swarm::limits::OVERDUE > TURN_INPUTS * (NEIGHBOURS_TOLD + 2) + ASKED_PER_TURN);
    assert!(swarm::limits::SOUGHT > CONTACTS + OPEN_INVITES);
    // A wallet may begin everything at once that waits for validators and payees. A validator has two
    // things to ask of each other one, and shows them what is claimed.
    assert!(
        swarm::limits::OVERDUE
            > WANTED
                + DELIVERIES
                + GAP as usize * VALIDATORS
                + TURN_INPUTS
                + PASSING
                + 3 * VALIDATORS
    );
};

/// How long a stopping node waits for what is under way. With the control socket's own time it
/// stays within ten seconds.
const DRAIN: Duration = Duration::from_secs(5);

/// What the methods of the control socket share.
pub struct State {
    /// The messaging machine.
    pub messaging: Inbox<Msg>,
    /// The chains machine.
    pub chains: Inbox<Chains>,
    /// Wallet and validator, if the network has a ledger.
    pub ledger: Option<Ledger>,
    /// The swarm.
    pub swarm: swarm::Handle,
    /// The network.
    pub network: NetworkId,
    /// The network's name.
    pub network_name: String,
    /// This node.
    pub peer: Peer,
    /// The data directory.
    pub data: PathBuf,
    /// Named keys.
    pub keys: Keystore,
    /// What will be posted.
    pub uploads: api::chains::Uploads,
    /// The time of all machines.
    pub clock: Arc<dyn Clock>,
    /// When the node started.
    pub started: SystemTime,
    /// Ends the node.
    pub stop: Arc<Notify>,
}

impl State {
    /// Sets the time of all machines, and wakes them: what they wait for may be due, or far off.
    pub fn set_clock(&self, to: Time) -> Result<(), NotSettable> {
        self.clock.set(to)?;
        // One that has stopped waits for nothing.
        self.messaging.push(Input::Wake).ok();
        self.chains.push(Input::Wake).ok();
        if let Some(ledger) = &self.ledger {
            ledger.wallet.push(Input::Wake).ok();
            ledger.validator.as_ref().map(|validator| validator.push(Input::Wake));
        }
        Ok(())
    }
}

/// A node that runs.
pub struct Node {
    state: Arc<State>,
    server: rpc::Server,
    machines: Vec<driver::Handle>,
    data: DataDir,
    terminate: Signal,
    interrupt: Signal,
    /// None if hangups are ignored.
    hangup: Option<Signal>,
}

impl Node {
    /// Starts a node on a data directory that is set up. Its machines live by this clock.
    pub async fn start(
        data: DataDir,
        loaded: &Loaded,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NodeError> {
        // From here on a signal waits until the node runs, and then ends it cleanly.
        let terminate = signal(SignalKind::terminate()).map_err(NodeError::Signals)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(NodeError::Signals)?;
        let hangup = hangup::listen().map_err(NodeError::Signals)?;
        let config = &loaded.config;
        let key = data.key(&mut rand::rng())?;
        let founded = ledger::founded(&data)?;
        let network = founded.as_ref().map_or_else(|| network_id(config), ledger::Founded::id);
        let network_name = match &founded {
            Some(founded) => founded.name(),
            None => config.network.name.clone(),
        };
        let db = Db::open(&data.path().join("db"), network, SCHEMAS)?;
        let (to_messaging, to_chains) = <(glue::Door<Msg>, glue::Door<Chains>)>::default();
        let doors = founded.as_ref().map(ledger::Doors::new);
        let mut carried = vec![
            Carried::new::<Msg>(Line::Messaging, to_messaging.clone()),
            Carried::new::<Chains>(Line::Chains, to_chains.clone()),
        ];
        carried.extend(doors.as_ref().map(ledger::Doors::carried));
        let swarm = swarm::spawn(swarm_config(config), &key, network, carried)?;
        let peer = key.public();
        let rules = Rules {
            network,
            peer,
            name: identity::display_name(config, &peer),
            read_receipts: config.messaging.read_receipts,
        };
        let driving = driver::Config::new(clock.clone()).map_err(NodeError::Threads)?;
        let starting = glue::Starting { db: &db, swarm: &swarm, driving: &driving };
        let (messaging, drives_messaging) =
            starting.machine(Line::Messaging, rules, &to_messaging)?;
        let rules = covey_chains::Rules { network, peer, room: config.chains.room() };
        let (chains, drives_chains) = starting.machine(Line::Chains, rules, &to_chains)?;
        let mut machines = vec![drives_messaging, drives_chains];
        let ledger = match (founded, doors) {
            (Some(founded), Some(doors)) => match founded.start(&starting, &data, &key, &doors) {
                Ok((ledger, drives)) => {
                    machines.extend(drives);
                    Some(ledger)
                }
                Err(error) => return Err(give_up(machines, error).await),
            },
            _ => None,
        };
        let state = Arc::new(State {
            messaging,
            chains,
            ledger,
            swarm,
            network,
            network_name,
            peer: key.public(),
            data: data.path().to_path_buf(),
            keys: Keystore::of(data.path()),
            uploads: api::chains::Uploads::default(),
            clock,
            started: SystemTime::now(),
            stop: Arc::default(),
        });
        let server = match serve(&data, config, state.clone()).await {
            Ok(server) => server,
            Err(error) => return Err(give_up(machines, error).await),
        };
        Ok(Self { state, server, machines, data, terminate, interrupt, hangup })
    }

    /// What its methods share.
    #[must_use]
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// The control socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.server.socket()
    }

    /// Runs until a signal, a `node_stop` or a failure ends it.
    pub async fn run(mut self) -> Result<(), NodeError> {
        let ended = tokio::select! {
            _ = self.terminate.recv() => Ok(()),
            _ = self.interrupt.recv() => Ok(()),
            () = hangup::came(&mut self.hangup) => Ok(()),
            () = self.state.stop.notified() => Ok(()),
            outcome = first_ended(&self.machines) => outcome,
        };
        tracing::info!("stopping");
        self.server.stop().await;
        self.state.swarm.shutdown().await;
        let joined = join_all(self.machines).await;
        self.data.remove_cookie()?;
        ended?;
        Ok(joined?)
    }
}

fn network_id(config: &Config) -> NetworkId {
    NetworkId::named(&config.network.name)
}

/// Ends what has been started before something failed: the process may end next, and no thread may
/// still use the database then.
async fn give_up(machines: Vec<driver::Handle>, error: NodeError) -> NodeError {
    if let Err(more) = join_all(machines).await {
        tracing::debug!(%more, "while giving up");
    }
    error
}

/// Waits until one of the machines has ended.
async fn first_ended(machines: &[driver::Handle]) -> Result<(), driver::Halt> {
    let ended = machines.iter().map(|machine| Box::pin(machine.ended()));
    futures::future::select_all(ended).await.0
}

/// Stops all machines, and waits until what was in their inboxes is done. Gives the first error.
async fn join_all(machines: Vec<driver::Handle>) -> Result<(), driver::JoinError> {
    machines.iter().for_each(driver::Handle::stop);
    let joined = machines.into_iter().map(|machine| machine.join(DRAIN));
    futures::future::join_all(joined).await.into_iter().collect()
}

/// One family of the store for each machine.
pub(crate) const SCHEMAS: &[Schema] = &[
    Schema { family: Msg::NAME, migrations: &[], appends: false },
    Schema { family: Chains::NAME, migrations: &[], appends: false },
    Schema { family: Wallet::NAME, migrations: &[], appends: false },
    Schema { family: Validator::NAME, migrations: &[], appends: true },
];

fn swarm_config(config: &Config) -> swarm::Config {
    let network = &config.network;
    swarm::Config {
        listen: network.listen.clone(),
        external: network.external.clone(),
        bootstrap: network.bootstrap.clone(),
        peers: network.static_peers.clone(),
        mdns: network.mdns,
        kad_server: network.isolated,
        connections: network.max_connections,
        ..swarm::Config::default()
    }
}

async fn serve(
    data: &DataDir,
    config: &Config,
    state: Arc<State>,
) -> Result<rpc::Server, NodeError> {
    let http = match &config.rpc.http {
        Some(address) => {
            let token = data.new_cookie()?;
            Some(rpc::Http { address: address.address(), token })
        }
        None => None,
    };
    let limits =
        rpc::Limits { connections: config.rpc.max_connections as usize, ..rpc::Limits::default() };
    let settings = rpc::Settings {
        socket: data.socket()?,
        file_mode: config.rpc.file_mode.bits(),
        http,
        limits,
    };
    Ok(rpc::Server::start(api::methods(state)?, settings).await?)
}
