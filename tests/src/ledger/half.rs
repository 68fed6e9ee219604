//! What a node's two machines have in common, and the part of its store that each of them sees.

use covey_kernel::{
    AskId, Context, Effect, Effects, Entry, Fault, Input, Machine, Scan, Store, View, Write,
};
use covey_ledger::{Validator, Wallet, validator, wallet};

use super::{
    flaw::Flaw,
    machine::{Command, Error, Event, LedgerNode, Reply},
};

/// One of the two machines of a node.
pub(super) trait Half: Machine<Error = covey_ledger::Error> {
    /// What its keys begin with in the store of the node.
    const TAG: u8;
    /// What its questions are marked with.
    const MARK: u64;

    fn command(command: Command) -> Option<Self::Command>;
    fn reply(reply: Self::Reply) -> Reply;
    fn event(event: Self::Event) -> Event;
    fn error(error: covey_ledger::Error) -> Error;
}

impl Half for Validator {
    const TAG: u8 = 1;
    const MARK: u64 = 0;

    fn command(command: Command) -> Option<validator::Command> {
        match command {
            Command::Validator(command) => Some(command),
            Command::Wallet(_) => None,
        }
    }

    fn reply(reply: validator::Reply) -> Reply {
        Reply::Validator(reply)
    }

    fn event(event: validator::Event) -> Event {
        Event::Validator(event)
    }

    fn error(error: covey_ledger::Error) -> Error {
        Error::Validator(error)
    }
}

impl Half for Wallet {
    const TAG: u8 = 2;
    const MARK: u64 = 1 << 63;

    fn command(command: Command) -> Option<wallet::Command> {
        match command {
            Command::Wallet(command) => Some(command),
            Command::Validator(_) => None,
        }
    }

    fn reply(reply: wallet::Reply) -> Reply {
        Reply::Wallet(reply)
    }

    fn event(event: wallet::Event) -> Event {
        Event::Wallet(event)
    }

    fn error(error: covey_ledger::Error) -> Error {
        Error::Wallet(error)
    }
}

/// The part of a node's store that belongs to one machine.
pub(super) struct Part<'s> {
    pub(super) base: &'s dyn Store,
    pub(super) tag: u8,
    pub(super) flaw: Option<Flaw>,
}

impl<'s> Part<'s> {
    pub(super) fn of<H: Half>(base: &'s dyn Store, flaw: Option<Flaw>) -> Self {
        Self { base, tag: H::TAG, flaw }
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        [&[self.tag], key].concat()
    }
}

impl Store for Part<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let key = self.key(key);
        match self.flaw {
            Some(flaw) if flaw.hides(&key) => Ok(None),
            _ => self.base.get(&key),
        }
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        let to = scan.to.as_ref().map_or_else(|| vec![self.tag + 1], |to| self.key(to));
        let inside = Scan { from: self.key(&scan.from), to: Some(to), ..scan.clone() };
        let found = self.base.scan(&inside)?.into_iter();
        Ok(found.map(|(key, value)| (key[1..].to_vec(), value)).collect())
    }
}

/// Lets one machine do something on its part of the store. What it has written is in the node's view
/// only if it succeeds.
pub(super) fn within<H: Half, R, E>(
    cx: &mut Context<'_, '_, LedgerNode>,
    flaw: Option<Flaw>,
    run: impl FnOnce(&mut Context<'_, '_, H>) -> Result<R, E>,
) -> Result<(R, Vec<Effect<H>>), E> {
    let mut effects = Effects::default();
    let (done, writes) = {
        let part = Part::of::<H>(&*cx.view, flaw);
        let mut view = View::new(&part);
        let mut inner =
            Context { now: cx.now, rng: cx.rng, view: &mut view, effects: &mut effects };
        (run(&mut inner)?, view.into_writes())
    };
    write::<H>(cx.view, flaw, writes);
    Ok((done, effects.into_vec()))
}

/// Copies what a machine has written.
pub(super) fn write<H: Half>(view: &mut View<'_>, flaw: Option<Flaw>, writes: Vec<Write>) {
    for Write { key, value } in writes {
        let key = [&[H::TAG], key.as_slice()].concat();
        if flaw.is_some_and(|flaw| flaw.drops(&key, value.is_none())) {
            continue;
        }
        match value {
            Some(value) => view.put(key, value),
            None => view.delete(key),
        }
    }
}

/// The same input for one machine of the node.
pub(super) fn input<H: Half>(input: Input<LedgerNode>) -> Option<Input<H>> {
    Some(match input {
        Input::Start => Input::Start,
        Input::Wake => Input::Wake,
        Input::Command { id, command } => Input::Command { id, command: H::command(command)? },
        Input::Request { from, id, bytes } => Input::Request { from, id, bytes },
        Input::Answer { from, ask, outcome } => {
            Input::Answer { from, ask: AskId(ask.0 & !H::MARK), outcome }
        }
        Input::Gossip { from, topic, id, bytes } => Input::Gossip { from, topic, id, bytes },
        Input::Connected(peer) => Input::Connected(peer),
        Input::Disconnected(peer) => Input::Disconnected(peer),
    })
}

/// The same effect of the node.
pub(super) fn effect<H: Half>(effect: Effect<H>) -> Effect<LedgerNode> {
    match effect {
        Effect::Ask { to, ask, bytes } => Effect::Ask { to, ask: AskId(ask.0 | H::MARK), bytes },
        Effect::Answer { to, bytes } => Effect::Answer { to, bytes },
        Effect::Reply { to, reply } => {
            Effect::Reply { to, reply: reply.map(H::reply).map_err(H::error) }
        }
        Effect::Tell(event) => Effect::Tell(H::event(event)),
        Effect::Wake(at) => Effect::Wake(at),
        Effect::Seek { peer, addresses } => Effect::Seek { peer, addresses },
        Effect::Release(peer) => Effect::Release(peer),
        Effect::Strike(peer) => Effect::Strike(peer),
        Effect::Join(topic) => Effect::Join(topic),
        Effect::Leave(topic) => Effect::Leave(topic),
        Effect::Publish { topic, bytes } => Effect::Publish { topic, bytes },
        Effect::Judge { gossip, verdict } => Effect::Judge { gossip, verdict },
    }
}
