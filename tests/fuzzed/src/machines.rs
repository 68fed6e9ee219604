//! Sequences of operations on two messaging nodes, with a network and disks that the input
//! controls.

use std::collections::BTreeSet;

use covey_kernel::{AskFailure, CommandId, Input, Span};
use covey_messaging::{Command, HistoryQuery, MessageId, Reply, Target};

use crate::pair::{Crash, Parcel, World};

/// Operations of one run.
const OPERATIONS: usize = 96;

/// What was sent, and whether both have always wanted to hear of each other.
#[derive(Default)]
struct Account {
    sent: Vec<MessageId>,
    /// Nobody rejected, blocked or forged: everything must arrive.
    fair: bool,
}

/// Each pair of bytes is an operation and its argument. Whatever happens: no node halts, no
/// message appears twice or from nowhere, and when the network is whole again and nobody has
/// refused anybody, both histories are the same and nothing waits.
pub fn machines(bytes: &[u8]) {
    let mut world = World::new(&["ann", "bob"]);
    let mut account = Account { sent: Vec::new(), fair: true };
    for step in bytes.chunks_exact(2).take(OPERATIONS) {
        operate(&mut world, &mut account, step[0], step[1]);
        world.crash = None;
    }
    heal(&mut world);
    let (ann, bob) = (history(&mut world, 0), history(&mut world, 1));
    for texts in [&ann, &bob] {
        let once: BTreeSet<&MessageId> = texts.iter().collect();
        assert_eq!(once.len(), texts.len(), "a message twice");
        assert!(texts.iter().all(|id| account.sent.contains(id)), "a message from nowhere");
    }
    if account.fair {
        assert_eq!(ann, bob, "histories differ");
        assert_eq!(ann.len(), account.sent.len(), "a message was lost");
        let waiting = [world.contacts(0), world.contacts(1)].concat();
        assert!(waiting.iter().all(|contact| contact.waiting == 0), "something waits");
    }
}

fn operate(world: &mut World, account: &mut Account, operation: u8, argument: u8) {
    let at = usize::from(argument & 1);
    let who = if at == 0 { "bob" } else { "ann" };
    match operation % 24 {
        0..=4 => send(world, account, at, who, argument),
        5 | 6 => deliver(world, usize::from(argument)),
        7 => world.settle(),
        8 => lose(world, usize::from(argument)),
        9 => double(world, usize::from(argument)),
        10 => alter(world, account, argument),
        11 => world.restart(at),
        12 => crash(world, argument),
        13 => world.nodes[at].up = !world.nodes[at].up,
        14 => world.pass(Span::secs(u64::from(argument) * 7)),
        15 => world.pass(Span::hours(u64::from(argument))),
        16 => world.befriend_or_not(at, 1 - at),
        17 => change(world, account, at, argument),
        18 => obey(world, at, Command::Read { who: who.into() }),
        19 => obey(world, at, Command::Rotate { identity: argument & 2 == 2 }),
        20 => obey(world, at, Command::Verify { who: who.into(), confirm: true }),
        21 => {
            world.nodes[at].skew = (i64::from(argument) - 128) * 10_000_000;
        }
        22 => refuse(world, account, at, who, argument),
        _ => forge(world, at, argument),
    }
}

/// A command that may be refused, but never halts the node.
fn obey(world: &mut World, at: usize, command: Command) {
    let up = world.nodes[at].up;
    if up {
        world.input(at, Input::Command { id: CommandId(0), command });
    }
}

fn send(world: &mut World, account: &mut Account, at: usize, who: &str, argument: u8) {
    if !world.nodes[at].up {
        return;
    }
    let command = Command::Send { who: who.into(), text: format!("{argument}"), reply: None };
    let reply = world.input(at, Input::Command { id: CommandId(0), command });
    if let Some(Ok(Reply::Queued(id))) = reply {
        account.sent.push(id);
    }
}

fn take(world: &mut World, which: usize) -> Option<Parcel> {
    let count = world.parcels.len();
    if count == 0 { None } else { world.parcels.remove(which % count) }
}

fn deliver(world: &mut World, which: usize) {
    if let Some(parcel) = take(world, which) {
        world.deliver(parcel);
    }
}

fn lose(world: &mut World, which: usize) {
    if let Some(Parcel::Request { from, to, ask, .. }) = take(world, which)
        && which & 64 == 64
    {
        let outcome = Err(AskFailure::Closed);
        world.deliver(Parcel::Answer { from: to, to: from, ask, outcome });
    }
}

fn double(world: &mut World, which: usize) {
    if let Some(parcel) = take(world, which) {
        world.parcels.push_back(parcel.clone());
        world.deliver(parcel);
    }
}

/// A bit of a parcel is flipped, as only a broken peer can: the link would notice. It may then
/// have acknowledged what it never took.
fn alter(world: &mut World, account: &mut Account, argument: u8) {
    let Some(mut parcel) = take(world, 0) else { return };
    account.fair = false;
    if let Parcel::Request { bytes, .. } | Parcel::Answer { outcome: Ok(bytes), .. } = &mut parcel {
        let bit = usize::from(argument) * 37 % (bytes.len() * 8).max(1);
        if let Some(byte) = bytes.get_mut(bit / 8) {
            *byte ^= 1 << (bit % 8);
        }
    }
    world.deliver(parcel);
}

/// The node that handles the next parcel crashes at it.
fn crash(world: &mut World, argument: u8) {
    let crash = if argument & 2 == 0 { Crash::BeforeCommit } else { Crash::BeforeSpeaking };
    world.crash = Some((world.steps + 1, crash));
    deliver(world, usize::from(argument >> 2));
}

fn change(world: &mut World, account: &Account, at: usize, argument: u8) {
    let count = account.sent.len();
    if count == 0 {
        return;
    }
    let id = account.sent[usize::from(argument) % count];
    let command = match argument % 3 {
        0 => Command::Edit { id, text: "edited".into() },
        1 => Command::React { id, emoji: "👍".into() },
        _ => Command::Delete(id),
    };
    obey(world, at, command);
}

fn refuse(world: &mut World, account: &mut Account, at: usize, who: &str, argument: u8) {
    account.fair = false;
    let who = who.to_owned();
    let command = match argument % 5 {
        0 => Command::Reject(who),
        1 => Command::Block(who),
        2 => Command::Unblock(who),
        3 => Command::Rename { who, name: format!("n{argument}") },
        _ => Command::Accept { who, name: None },
    };
    obey(world, at, command);
}

/// Bytes of an earlier parcel, from the other side or as an answer.
fn forge(world: &mut World, at: usize, argument: u8) {
    let count = world.wire.len();
    if count == 0 || !world.nodes[at].up {
        return;
    }
    let bytes = world.wire[usize::from(argument) % count].clone();
    let from = world.nodes[1 - at].peer;
    world.raw_request(from, at, bytes);
}

impl World {
    /// `b` invites `a`, who accepts if the invite is there.
    fn befriend_or_not(&mut self, a: usize, b: usize) {
        if !self.nodes[a].up || !self.nodes[b].up {
            return;
        }
        let code = self.code(a);
        let target = Target::Code(Box::new(code));
        obey(self, b, Command::Invite { target, name: None, text: String::new() });
        self.settle();
        let who = if b == 0 { "ann" } else { "bob" };
        obey(self, a, Command::Accept { who: who.into(), name: None });
    }
}

/// Everybody is up, clocks are right, changed keys are confirmed, and there is time enough.
fn heal(world: &mut World) {
    for at in 0..2 {
        world.nodes[at].skew = 0;
        world.restart(at);
    }
    for _ in 0..12 {
        for at in 0..2 {
            let who = if at == 0 { "bob" } else { "ann" };
            obey(world, at, Command::Accept { who: who.into(), name: None });
            obey(world, at, Command::Verify { who: who.into(), confirm: true });
        }
        world.pass(Span::secs(3700));
    }
}

/// The conversation's messages in order; empty without one.
fn history(world: &mut World, at: usize) -> Vec<MessageId> {
    let Some(contact) = world.contacts(at).into_iter().next() else { return Vec::new() };
    let query = HistoryQuery { who: contact.name, limit: 1000, ..Default::default() };
    match world.command(at, Command::History(query)) {
        Ok(Reply::History(page)) => page.messages.into_iter().map(|message| message.id).collect(),
        other => panic!("{other:?}"),
    }
}
