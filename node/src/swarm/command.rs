use std::time::{Duration, SystemTime};

use covey_kernel::{Address, AskId, GossipId, GossipVerdict, Peer, RequestId, Topic};
use libp2p::Multiaddr;
use tokio::sync::{mpsc, oneshot};

use super::{
    Line,
    error::{DialFailure, Refusal},
};

/// What the swarm is told to do.
#[derive(Debug)]
pub enum Command {
    /// Send a request. Its outcome comes as [`News::Answer`](super::News::Answer).
    Ask {
        /// Whose.
        line: Line,
        /// To whom.
        to: Peer,
        /// Under which id.
        ask: AskId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// Answer a peer's request.
    Answer {
        /// Who answers.
        line: Line,
        /// Which.
        to: RequestId,
        /// The encoded response.
        bytes: Vec<u8>,
    },
    /// Stay connected with a peer, and try these addresses besides those already known.
    Seek {
        /// Who wants it.
        line: Line,
        /// Which of several machines on that line, by the mark on its questions.
        mark: u64,
        /// With whom.
        peer: Peer,
        /// Where it may be: the binary form of multiaddresses.
        addresses: Vec<Address>,
    },
    /// This machine has no need to stay connected; another may have.
    Release {
        /// Which machine.
        line: Line,
        /// Which of several machines on that line.
        mark: u64,
        /// With whom.
        peer: Peer,
    },
    /// A peer broke a rule of some machine.
    Strike(Peer),
    /// Hear what is said on a topic, and pass it on.
    Join {
        /// Whose.
        line: Line,
        /// Which.
        topic: Topic,
    },
    /// Hear it no longer.
    Leave {
        /// Whose.
        line: Line,
        /// Which.
        topic: Topic,
    },
    /// Say something to all who have joined a topic. What fails is not told.
    Publish {
        /// Whose.
        line: Line,
        /// Where.
        topic: Topic,
        /// What.
        bytes: Vec<u8>,
    },
    /// What becomes of a [`News::Gossip`](super::News::Gossip). Without one it is ignored after
    /// a while.
    Judge {
        /// Who judges.
        line: Line,
        /// Which.
        gossip: GossipId,
        /// What becomes of it.
        verdict: GossipVerdict,
    },
    /// Who is connected.
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    /// Who has been refused of late.
    Refusals(oneshot::Sender<Vec<Refusal>>),
    /// Where this node is reached.
    Addresses(oneshot::Sender<Addresses>),
    /// Who is on the local network.
    Nearby(oneshot::Sender<Vec<NearbyPeer>>),
    /// Connect with an address. The outcome comes once the peer has said who it is.
    Dial(Multiaddr, oneshot::Sender<Result<Peer, DialFailure>>),
    /// Close all connections with a peer.
    Disconnect(Peer),
    /// Refuse a peer until further notice.
    Ban(Peer),
    /// Refuse it no longer.
    Unban(Peer),
}

/// A connected peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub peer: Peer,
    /// The remote ends of its connections.
    pub addresses: Vec<Multiaddr>,
    /// What it says it runs; none before it has identified itself.
    pub agent: Option<String>,
    /// Who dialed the oldest connection.
    pub direction: Direction,
    /// The last measured round trip.
    pub ping: Option<Duration>,
    /// Since when it is connected.
    pub since: SystemTime,
    /// Whether its connections are kept.
    pub sought: bool,
    /// Whether it has proved to be of this network.
    pub admitted: bool,
}

/// Who dialed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer.
    Inbound,
    /// We.
    Outbound,
}

/// Where this node is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Addresses it listens on.
    pub listen: Vec<Multiaddr>,
    /// Addresses known to work from outside.
    pub external: Vec<Multiaddr>,
}

/// A peer that has announced itself on the local network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearbyPeer {
    /// Who.
    pub peer: Peer,
    /// Where.
    pub addresses: Vec<Multiaddr>,
    /// Whether it is connected.
    pub connected: bool,
}

/// The swarm's task has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the swarm has ended")]
pub struct Ended;

/// Speaks to the swarm's task, which ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    /// Apart from the commands, which wait while a machine is full, or gone.
    stop: mpsc::Sender<Stop>,
}

/// Asks the task to end; it drops the sender when that is done.
pub(super) type Stop = oneshot::Sender<()>;

impl Handle {
    pub(super) fn new(commands: mpsc::Sender<Command>, stop: mpsc::Sender<Stop>) -> Self {
        Self { commands, stop }
    }

    /// Gives a command, waiting while the queue is full.
    pub async fn send(&self, command: Command) -> Result<(), Ended> {
        self.commands.send(command).await.map_err(|_| Ended)
    }

    /// Gives a command from a thread outside the runtime, waiting while the queue is full. A
    /// machine's thread may: the swarm stops reading commands only when `OVERDUE` inputs wait,
    /// more than one turn can ask for.
    pub fn blocking_send(&self, command: Command) -> Result<(), Ended> {
        self.commands.blocking_send(command).map_err(|_| Ended)
    }

    /// Who is connected.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Ended> {
        self.ask(Command::Peers).await
    }

    /// Who has been refused of late.
    pub async fn refusals(&self) -> Result<Vec<Refusal>, Ended> {
        self.ask(Command::Refusals).await
    }

    /// Where this node is reached.
    pub async fn addresses(&self) -> Result<Addresses, Ended> {
        self.ask(Command::Addresses).await
    }

    /// Who is on the local network.
    pub async fn nearby(&self) -> Result<Vec<NearbyPeer>, Ended> {
        self.ask(Command::Nearby).await
    }

    /// Connects with an address.
    pub async fn dial(&self, address: Multiaddr) -> Result<Result<Peer, DialFailure>, Ended> {
        self.ask(|reply| Command::Dial(address, reply)).await
    }

    /// Ends the swarm and waits until its sockets are closed.
    pub async fn shutdown(&self) {
        let (reply, done) = oneshot::channel();
        if self.stop.send(reply).await.is_ok() {
            // It answers by dropping the sender.
            done.await.unwrap_or_default();
        }
    }

    async fn ask<T>(&self, make: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Ended> {
        let (reply, answer) = oneshot::channel();
        self.send(make(reply)).await?;
        answer.await.map_err(|_| Ended)
    }
}
