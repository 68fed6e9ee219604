use rand_core::CryptoRng;

use crate::{
    AskFailure, AskId, CommandId, Effect, Effects, Fault, GossipId, GossipVerdict, Peer, RequestId,
    Store, Time, Topic, View, store::Write,
};

/// How large a protocol's frames may be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// One encoded request.
    pub request: usize,
    /// One encoded response.
    pub response: usize,
}

/// Whose fault an error is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blame {
    /// The peer broke a rule.
    Peer,
    /// The local user asked for something that cannot be.
    User,
    /// Nobody: the same may work later.
    Later,
    /// The store: the machine halts.
    Store(Fault),
}

/// What a machine's error type must tell.
pub trait MachineError: std::error::Error + From<Fault> + Send + 'static {
    /// Whose fault it is.
    fn blame(&self) -> Blame;
}

/// What happens to a machine.
#[derive(Debug)]
pub enum Input<M: Machine> {
    /// The node has started; the machine asks again for everything it still owes, for the
    /// connections that it wants kept ([`Effect::Seek`]) and the topics that it hears
    /// ([`Effect::Join`]): of these nothing is left from before.
    Start,
    /// A time that was asked for has come. It may come early or without having been asked for.
    Wake,
    /// The local user wants something.
    Command {
        /// Where the reply goes.
        id: CommandId,
        /// What is wanted.
        command: M::Command,
    },
    /// A peer wants something.
    Request {
        /// Who asks; proven by the transport.
        from: Peer,
        /// Where the answer goes.
        id: RequestId,
        /// The encoded request.
        bytes: Vec<u8>,
    },
    /// What came of an own request. It may come twice, or for a request made before a restart.
    Answer {
        /// Who was asked; proven by the transport.
        from: Peer,
        /// Which request.
        ask: AskId,
        /// The encoded response, or why there is none.
        outcome: Result<Vec<u8>, AskFailure>,
    },
    /// Somebody has said something on a topic that the machine has joined. It is judged with one
    /// [`Effect::Judge`]; an error judges it too, by whom it blames. It may come twice, late, on a
    /// topic that the machine has just left, and be the machine's own.
    Gossip {
        /// Who passed it on, which is rarely who said it; proven by the transport.
        from: Peer,
        /// Where.
        topic: Topic,
        /// Which message the verdict is on.
        id: GossipId,
        /// What was said; at most [`crate::limits::GOSSIP_BYTES`].
        bytes: Vec<u8>,
    },
    /// A connection with this peer now exists.
    Connected(Peer),
    /// The last connection with this peer is gone.
    Disconnected(Peer),
}

impl<M: Machine> Input<M> {
    /// Where a refusal of this input goes.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self {
            Self::Command { id, .. } => Origin::Command(*id),
            Self::Request { id, .. } => Origin::Request(*id),
            Self::Gossip { id, .. } => Origin::Gossip(*id),
            _ => Origin::Nobody,
        }
    }
}

/// Who waits for what comes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The local user.
    Command(CommandId),
    /// A peer.
    Request(RequestId),
    /// Whoever passes gossip on.
    Gossip(GossipId),
    /// Nobody waits.
    Nobody,
}

/// A checked input, or why it failed the check, and who waits for what comes of it.
pub type Checks<M> = Vec<(Origin, Result<<M as Machine>::Checked, <M as Machine>::Error>)>;

/// A protocol as a deterministic state machine without I/O.
///
/// A driver runs it in turns: [`Machine::check`] many inputs at once, then for each
/// [`Machine::decide`] and [`Machine::apply`] in order, then commit all writes in one batch, and
/// only then carry out the effects.
pub trait Machine: Sized + Send + 'static {
    /// Its column family, protocol name and RPC namespace.
    const NAME: &'static str;
    /// How large its frames may be.
    const FRAMES: Frames;

    /// What a local user asks for.
    type Command: std::fmt::Debug + Send + 'static;
    /// What a local user gets back.
    type Reply: std::fmt::Debug + Send + 'static;
    /// What a local user may subscribe to.
    type Event: Clone + std::fmt::Debug + Send + 'static;
    /// What can go wrong.
    type Error: MachineError;
    /// What never changes while the machine runs: network, own peer, settings.
    type Rules: Clone + Send + Sync + 'static;
    /// An input that is decoded, within bounds and correctly signed.
    type Checked: Send;
    /// What changes in memory.
    type Delta;

    /// Rebuilds the memory from the store; writes what a new store needs.
    fn open(
        rules: Self::Rules,
        now: Time,
        rng: &mut dyn CryptoRng,
        view: &mut View<'_>,
    ) -> Result<Self, Self::Error>;

    /// Decodes, checks bounds and signatures; many inputs at once, one answer each. It sees the
    /// committed store only, so what it finds there must be final.
    fn check(
        rules: &Self::Rules,
        base: &dyn Store,
        now: Time,
        inputs: Vec<Input<Self>>,
    ) -> Vec<Result<Self::Checked, Self::Error>>;

    /// Decides. It cannot touch memory, and after an error its writes and effects are gone.
    fn decide(
        &self,
        cx: &mut Context<'_, '_, Self>,
        input: Self::Checked,
    ) -> Result<Self::Delta, Self::Error>;

    /// Brings memory up to date. Cannot fail.
    fn apply(&mut self, delta: Self::Delta);

    /// Ends a turn after its last input, before the commit: what is done once for all inputs of a
    /// turn, such as one signature over all that was decided in it.
    fn close(&self, _cx: &mut Context<'_, '_, Self>) -> Result<Option<Self::Delta>, Fault> {
        Ok(None)
    }

    /// The response that tells a peer why its request was refused.
    fn refusal(error: &Self::Error) -> Vec<u8>;
}

/// What a decision may use.
pub struct Context<'a, 'v, M: Machine> {
    /// The time of this turn.
    pub now: Time,
    /// Randomness; seeded in simulations.
    pub rng: &'a mut dyn CryptoRng,
    /// The store with this turn's writes.
    pub view: &'a mut View<'v>,
    /// What is to be done after the commit.
    pub effects: &'a mut Effects<M>,
}

/// What a turn wants committed, and done after that.
#[derive(Debug)]
pub struct Turn<M: Machine> {
    /// To be written in one synced batch.
    pub writes: Vec<Write>,
    /// To be carried out only when the writes are durable.
    pub effects: Vec<Effect<M>>,
    /// Errors that are a peer's fault or the user's, for logs and counters.
    pub refused: usize,
}

/// Decides and applies checked inputs in order. A fault of the store ends the turn: nothing of
/// it may be committed, and the machine must be dropped.
pub fn decide_all<M: Machine>(
    machine: &mut M,
    base: &dyn Store,
    now: Time,
    rng: &mut dyn CryptoRng,
    inputs: Checks<M>,
) -> Result<Turn<M>, Fault> {
    let mut view = View::new(base);
    let mut effects = Effects::default();
    let mut refused = 0usize;
    for (origin, checked) in inputs {
        view.savepoint();
        let mark = effects.len();
        let mut cx = Context { now, rng, view: &mut view, effects: &mut effects };
        match checked.and_then(|checked| machine.decide(&mut cx, checked)) {
            Ok(delta) => machine.apply(delta),
            Err(error) => {
                view.rollback();
                effects.truncate(mark);
                if let Blame::Store(fault) = error.blame() {
                    return Err(fault);
                }
                refused = refused.saturating_add(1);
                refuse(&mut effects, origin, error);
            }
        }
    }
    view.savepoint();
    if let Some(delta) =
        machine.close(&mut Context { now, rng, view: &mut view, effects: &mut effects })?
    {
        machine.apply(delta);
    }
    Ok(Turn { writes: view.into_writes(), effects: effects.into_vec(), refused })
}

fn refuse<M: Machine>(effects: &mut Effects<M>, origin: Origin, error: M::Error) {
    match origin {
        Origin::Command(to) => effects.push(Effect::Reply { to, reply: Err(error) }),
        Origin::Request(to) => effects.push(Effect::Answer { to, bytes: M::refusal(&error) }),
        Origin::Gossip(gossip) => {
            let verdict = match error.blame() {
                Blame::Peer => GossipVerdict::Reject,
                Blame::User | Blame::Later | Blame::Store(_) => GossipVerdict::Ignore,
            };
            effects.push(Effect::Judge { gossip, verdict });
        }
        Origin::Nobody => {}
    }
}
