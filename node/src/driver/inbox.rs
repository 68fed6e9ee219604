use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use covey_kernel::{CommandId, Input, Machine, Time};
use tokio::{
    sync::{Semaphore, broadcast, oneshot},
    time::timeout,
};

use super::{
    Clock, Metrics,
    lanes::Lanes,
    limits::{CALL_WAIT, COMMANDS, EVENTS, WAKE_POLL},
};

/// Why a local command has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError<E> {
    /// Too many commands wait already.
    #[error("too many commands are waiting: try again in a moment")]
    Busy,
    /// The node is stopping. The command may or may not have been carried out.
    #[error("the node is stopping: start it again, then look whether this was done")]
    Stopped,
    /// The machine refused.
    #[error(transparent)]
    Refused(E),
}

/// The way into a machine. Clones lead to the same one.
pub struct Inbox<M: Machine> {
    pub(super) shared: Arc<Shared<M>>,
}

impl<M: Machine> Clone for Inbox<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<M: Machine> Inbox<M> {
    /// Queues an input and never waits; gives it back when its lane is full or the machine has
    /// stopped. Inputs of one lane stay in order: a peer's requests, all commands, all answers
    /// with the news of connections.
    ///
    /// Whoever gets an answer or news of a connection back must keep it and come again: the
    /// machine waits for it.
    pub fn push(&self, input: Input<M>) -> Result<(), Input<M>> {
        let pushed = self.shared.push(input);
        if pushed.is_err() {
            Metrics::count(&self.shared.metrics.busy, 1);
        }
        pushed
    }

    /// Whether the machine takes nothing any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.state().closed
    }

    /// Inputs that wait for their turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.state().lanes.len()
    }

    /// Carries out a local command; the reply comes when what it says is on disk. Dropping the
    /// future does not take the command back.
    pub async fn call(&self, command: M::Command) -> Result<M::Reply, CallError<M::Error>> {
        let calls = &self.shared.calls;
        let _room = match timeout(CALL_WAIT, calls.room.acquire()).await {
            Ok(Ok(room)) => room,
            Ok(Err(_closed)) => return Err(CallError::Stopped),
            Err(_elapsed) => return Err(CallError::Busy),
        };
        let (call, reply) = calls.begin();
        if self.push(Input::Command { id: call.id, command }).is_err() {
            return Err(if self.is_closed() { CallError::Stopped } else { CallError::Busy });
        }
        reply.await.map_err(|_dropped| CallError::Stopped)?.map_err(CallError::Refused)
    }

    /// What the machine tells from now on. A slow subscriber misses the oldest and learns how
    /// many.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<M::Event> {
        let events = lock(&self.shared.events);
        match &*events {
            Some(events) => events.subscribe(),
            None => broadcast::channel(1).1,
        }
    }

    /// What the driver has done so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }
}

/// What the driver's thread and all inboxes share.
pub(super) struct Shared<M: Machine> {
    state: Mutex<State<M>>,
    filled: Condvar,
    pub(super) calls: Calls<M>,
    events: Mutex<Option<broadcast::Sender<M::Event>>>,
    pub(super) metrics: Metrics,
}

struct State<M: Machine> {
    lanes: Lanes<M>,
    closed: bool,
}

/// What a driver does next.
pub(super) enum Next<M: Machine> {
    /// A turn; `woken` says that the wake-up it waited for is among the inputs.
    Turn { inputs: Vec<Input<M>>, woken: bool },
    /// Stop: nothing waits, and nothing will come.
    End,
}

impl<M: Machine> Shared<M> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State { lanes: Lanes::default(), closed: false }),
            filled: Condvar::new(),
            calls: Calls::new(),
            events: Mutex::new(Some(broadcast::channel(EVENTS).0)),
            metrics: Metrics::default(),
        }
    }

    fn push(&self, input: Input<M>) -> Result<(), Input<M>> {
        let mut state = self.state();
        if state.closed {
            return Err(input);
        }
        state.lanes.push(input)?;
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits until there is something to do.
    pub(super) fn next(&self, clock: &dyn Clock, wake_at: Option<Time>) -> Next<M> {
        let mut state = self.state();
        loop {
            if state.closed && state.lanes.is_empty() {
                return Next::End;
            }
            let now = clock.now();
            let woken = wake_at.is_some_and(|at| at <= now);
            if woken {
                state.lanes.wake();
            }
            if !state.lanes.is_empty() {
                return Next::Turn { inputs: state.lanes.take(), woken };
            }
            state = match wake_at {
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let pause = Duration::from_millis(at.since(now).as_millis()).min(WAKE_POLL);
                    let waited = self.filled.wait_timeout(state, pause);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    pub(super) fn tell(&self, event: M::Event) {
        if let Some(events) = &*lock(&self.events) {
            // An error says that nobody listens.
            events.send(event).ok();
        }
    }

    /// Takes nothing more; what is there will still be decided.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.calls.room.close();
        self.filled.notify_all();
    }

    /// Nothing will be decided any more: all who wait learn it.
    pub(super) fn abandon(&self) {
        self.close();
        self.state().lanes = Lanes::default();
        lock(&self.calls.waiting).clear();
        lock(&self.events).take();
    }

    fn state(&self) -> MutexGuard<'_, State<M>> {
        lock(&self.state)
    }
}

/// What a lock guards here is whole between any two statements, so a panic elsewhere does not
/// spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type ReplySender<M> = oneshot::Sender<Result<<M as Machine>::Reply, <M as Machine>::Error>>;
type ReplyReceiver<M> = oneshot::Receiver<Result<<M as Machine>::Reply, <M as Machine>::Error>>;

/// Local commands that wait for their replies.
pub(super) struct Calls<M: Machine> {
    waiting: Mutex<BTreeMap<CommandId, ReplySender<M>>>,
    next: AtomicU64,
    room: Semaphore,
}

impl<M: Machine> Calls<M> {
    fn new() -> Self {
        Self {
            waiting: Mutex::new(BTreeMap::new()),
            next: AtomicU64::new(0),
            room: Semaphore::new(COMMANDS),
        }
    }

    fn begin(&self) -> (Call<'_, M>, ReplyReceiver<M>) {
        let id = CommandId(self.next.fetch_add(1, Ordering::Relaxed));
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(id, sender);
        (Call { calls: self, id }, receiver)
    }

    /// Hands a reply to whoever still waits for it.
    pub(super) fn reply(&self, to: CommandId, reply: Result<M::Reply, M::Error>) {
        let waiting = lock(&self.waiting).remove(&to);
        if let Some(waiting) = waiting {
            // An error says that the caller has given up.
            waiting.send(reply).ok();
        }
    }
}

/// Forgets its command when the caller goes away.
struct Call<'a, M: Machine> {
    calls: &'a Calls<M>,
    id: CommandId,
}

impl<M: Machine> Drop for Call<'_, M> {
    fn drop(&mut self) {
        lock(&self.calls.waiting).remove(&self.id);
    }
}
