//! Runs a machine: one thread each, in turns of **check**, **decide and apply**, **commit**,
//! **speak**. What a node has said, it has stored; a failed commit halts the machine with
//! nothing of that turn said.

mod clock;
mod handle;
mod inbox;
mod lanes;
pub mod limits;
mod metrics;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod turns;

use std::{fmt, sync::Arc, thread};

use covey_kernel::{
    Address, AskId, Fault, GossipId, GossipVerdict, Machine, Peer, RequestId, Topic,
};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::watch;

use crate::store::Journal;
pub use clock::{Clock, NotSettable, SettableClock, SystemClock};
pub use handle::{Halt, Handle, JoinError};
pub use inbox::{CallError, Inbox};
pub use metrics::{Counters, Metrics};

use handle::Outcome;
use inbox::Shared;
use turns::Turns;

/// Where a machine's words to other nodes go. Called from the machine's thread, after the
/// commit. It may wait for room, as long as nobody waits for the machine meanwhile: the swarm
/// stops reading commands only when more inputs wait than one turn can ask for.
pub trait Outside: Send + 'static {
    /// Send a request.
    fn ask(&mut self, to: Peer, ask: AskId, bytes: Vec<u8>);
    /// Answer a peer's request.
    fn answer(&mut self, to: RequestId, bytes: Vec<u8>);
    /// Stay connected with a peer.
    fn seek(&mut self, peer: Peer, addresses: Vec<Address>);
    /// No need to stay connected with a peer.
    fn release(&mut self, peer: Peer);
    /// A peer broke a rule.
    fn strike(&mut self, peer: Peer);
    /// Hear what is said on a topic, and pass on what is accepted.
    fn join(&mut self, topic: Topic);
    /// Hear it no longer.
    fn leave(&mut self, topic: Topic);
    /// Say something to all who have joined a topic.
    fn publish(&mut self, topic: Topic, bytes: Vec<u8>);
    /// What becomes of gossip that was heard.
    fn judge(&mut self, gossip: GossipId, verdict: GossipVerdict);
}

/// What all machines of a node share.
#[derive(Clone)]
pub struct Config {
    /// The time of each turn.
    pub clock: Arc<dyn Clock>,
    /// Where inputs are checked.
    pub pool: Arc<ThreadPool>,
}

impl Config {
    /// With this clock, and one thread for each core.
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, ThreadPoolBuildError> {
        let named = |index| format!("covey-check-{index}");
        let pool = ThreadPoolBuilder::new().thread_name(named).build()?;
        Ok(Self { clock, pool: Arc::new(pool) })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({} check threads)", self.pool.current_num_threads())
    }
}

/// Why a machine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum OpenError<E> {
    /// It refused its store or its rules.
    #[error(transparent)]
    Machine(E),
    /// What it wrote could not be committed.
    #[error("the store failed: {0}")]
    Store(Fault),
    /// The system gave no thread.
    #[error("no thread could be started: {0}")]
    Thread(std::io::Error),
}

/// Opens a machine on its part of the store and starts its thread.
pub fn spawn<M: Machine>(
    rules: M::Rules,
    journal: impl Journal,
    outside: impl Outside,
    config: &Config,
) -> Result<(Inbox<M>, Handle), OpenError<M::Error>> {
    let shared = Arc::new(Shared::<M>::new());
    let turns = Turns::open(rules, journal, outside, shared.clone(), config.clone())?;
    let (sender, outcome) = watch::channel(None);
    let halt = Err(Halt::Panicked { name: M::NAME });
    let end = End { shared: shared.clone(), sender, outcome: Some(halt) };
    let body = move || {
        let mut end = end;
        end.outcome = Some(turns.run());
    };
    let named = thread::Builder::new().name(format!("covey-{}", M::NAME));
    let thread = named.spawn(body).map_err(OpenError::Thread)?;
    Ok((Inbox { shared: shared.clone() }, Handle::new(shared, outcome, thread)))
}

/// Tells everyone that the thread has ended, also when it panicked.
struct End<M: Machine> {
    shared: Arc<Shared<M>>,
    sender: watch::Sender<Outcome>,
    outcome: Outcome,
}

impl<M: Machine> Drop for End<M> {
    fn drop(&mut self) {
        self.shared.abandon();
        self.sender.send_replace(self.outcome.take());
    }
}
