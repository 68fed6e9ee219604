//! The libp2p swarm and its task.
//!
//! [`spawn`] starts one task that owns the swarm. It takes [`Command`]s from a bounded queue
//! and hands what happens to each machine's [`Port`], and never waits for anything else. Who may
//! connect is decided in `gate`, whether a peer is of this network in `verdict`, whom to keep
//! trying in `seek`.

mod command;
mod config;
mod dials;
mod error;
mod events;
mod gate;
mod gossip;
mod gossiping;
pub mod limits;
mod line;
mod listen;
mod named;
mod nearby;
mod overlay;
mod own;
mod peers;
mod port;
mod seek;
mod task;
mod topics;
mod unjudged;
mod verdict;

use covey_kernel::{Keypair, NetworkId};
use libp2p::identity;
use tokio::sync::mpsc;

pub use command::{Addresses, Command, Direction, Ended, Handle, NearbyPeer, PeerInfo};
pub use config::{Config, everywhere};
pub use error::{DialFailure, Refusal, SwarmError};
pub use gate::Refused;
pub use libp2p::{Multiaddr, PeerId};
pub use line::{Carried, Line, News};
pub use overlay::Overlay;
pub use port::Port;

/// Starts a swarm with this identity on this network, for these machines. It listens when this
/// returns, ends when the last handle is dropped, and must be called within a tokio runtime.
pub fn spawn(
    config: Config,
    keypair: &Keypair,
    network: NetworkId,
    machines: Vec<Carried>,
) -> Result<Handle, SwarmError> {
    let me = keypair.public();
    let mut secret = keypair.secret();
    let keypair = identity::Keypair::ed25519_from_bytes(secret.as_mut_slice())
        .map_err(|error| SwarmError::Setup { what: "the identity", why: error.to_string() })?;
    let topics = topics::Topics::new(&network, &machines);
    let mut swarm = overlay::build(&config, keypair, &network, &machines, topics.clone())?;
    listen::listen(&mut swarm, &config.listen)?;
    let (sender, commands) = mpsc::channel(limits::COMMANDS);
    let (stop, stopped) = mpsc::channel(1);
    let task = task::Task::new(swarm, &config, me, network, machines, topics, commands)?;
    tokio::spawn(task.run(stopped));
    Ok(Handle::new(sender, stop))
}
