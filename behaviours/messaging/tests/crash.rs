//! A crash at every step of a whole conversation (I12, I13).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use std::collections::BTreeMap;

use covey_kernel::Span;
use covey_messaging::{Command, Progress, Reply, Target};
use pair::{Crash, World};

const A: usize = 0;
const B: usize = 1;

/// A command that its user repeats if the node crashed before it was stored. The answer may be
/// lost nevertheless.
fn insist(world: &mut World, at: usize, command: Command) -> Option<Reply> {
    for _ in 0..2 {
        let before = world.nodes[at].disk.0.clone();
        let input = covey_kernel::Input::Command {
            id: covey_kernel::CommandId(0),
            command: command.clone(),
        };
        match world.input(at, input) {
            Some(reply) => return Some(reply.unwrap()),
            None if before == world.nodes[at].disk.0 => {}
            None => return None,
        }
    }
    panic!("two crashes")
}

fn send(text: &str, who: &str) -> Command {
    Command::Send { who: who.into(), text: text.into(), reply: None }
}

/// Everything from the invite to the last receipt; returns the inputs that it took.
fn conversation(crash: Option<(usize, Crash)>) -> (World, usize) {
    let mut world = World::new(&["ann", "bob"]);
    let code = world.code(A);
    world.steps = 0;
    world.crash = crash;
    let target = Target::Code(Box::new(code));
    insist(&mut world, B, Command::Invite { target, name: None, text: "hello".into() });
    world.settle();
    for _ in 0..3 {
        world.pass(Span::secs(31));
    }
    insist(&mut world, A, Command::Accept { who: "bob".into(), name: None });
    for _ in 0..3 {
        world.pass(Span::secs(31));
    }
    for round in 0..3 {
        insist(&mut world, A, send(&format!("a{round}"), "bob"));
        insist(&mut world, B, send(&format!("b{round}"), "ann"));
        insist(&mut world, A, send(&format!("a{round}'"), "bob"));
        world.settle();
    }
    for _ in 0..3 {
        world.pass(Span::secs(400));
    }
    insist(&mut world, A, Command::Read { who: "bob".into() });
    for _ in 0..6 {
        world.pass(Span::secs(400));
    }
    let steps = world.steps;
    (world, steps)
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// One counter never goes out with two different ciphertexts.
fn same_bytes(world: &World, when: &str) {
    let mut seen = BTreeMap::new();
    for (from, envelope) in world.envelopes() {
        let first = seen.entry((from, envelope.counter)).or_insert_with(|| envelope.clone());
        assert_eq!(*first, envelope, "{when}");
    }
}

#[test]
fn i12_a_crash_at_any_step_loses_nothing_and_doubles_nothing() {
    let (mut world, steps) = conversation(None);
    let expected = sorted(world.texts(A, "bob"));
    assert_eq!(expected.len(), 9);
    assert!(steps > 40, "{steps}");
    for step in 1..=steps {
        for crash in [Crash::BeforeCommit, Crash::BeforeSpeaking] {
            let when = format!("{crash:?} at {step} of {steps}");
            let (mut world, _) = conversation(Some((step, crash)));
            world.crash = None;
            assert_eq!(sorted(world.texts(A, "bob")), expected, "{when}");
            assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"), "{when}");
            same_bytes(&world, &when);
            for message in world.history(B, "ann").iter().filter(|message| message.mine) {
                assert_eq!(message.progress, Progress::Read, "{when}");
            }
            for contact in [world.contacts(A).remove(0), world.contacts(B).remove(0)] {
                assert_eq!(contact.waiting, 0, "{when}");
            }
        }
    }
}

#[test]
fn i12_a_failed_commit_leaves_the_node_as_it_was() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world.send(A, "bob", "one");
    let parcel = world.parcels.pop_front().unwrap();
    for _ in 0..3 {
        // Decided, never committed: the next decision begins where this one did.
        let pair::Parcel::Request { from, ref bytes, .. } = parcel else { panic!() };
        let from = world.nodes[from].peer;
        let id = covey_kernel::RequestId(77);
        let turn = world.turn(B, covey_kernel::Input::Request { from, id, bytes: bytes.clone() });
        assert!(!turn.writes.is_empty());
        world.restart(B);
    }
    world.deliver(parcel);
    world.settle();
    assert_eq!(world.texts(B, "ann"), ["one"]);
}

#[test]
fn i13_the_same_bytes_go_out_until_they_are_acknowledged() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    let sent = world.envelopes().len();
    world.send(A, "bob", "one");
    for _ in 0..5 {
        world.parcels.clear();
        world.now = world.now.plus(Span::secs(400));
        world.input(A, covey_kernel::Input::Wake);
        world.now = world.now.plus(Span::secs(400));
        world.restart(A);
    }
    assert!(world.envelopes().len() > sent + 5);
    same_bytes(&world, "lost requests");
    world.settle();
    world.pass(Span::secs(400));
    assert_eq!(world.texts(B, "ann"), ["one"]);
}

#[test]
fn i13_lost_doubled_and_late_parcels_change_nothing() {
    // Each request and each answer in turn is lost, doubled, or comes at the very end.
    for fault in 0..3 {
        for which in 0..12 {
            let mut world = World::new(&["ann", "bob"]);
            world.befriend(A, B);
            for round in 0..3 {
                world.send(A, "bob", &format!("a{round}"));
                world.send(B, "ann", &format!("b{round}"));
            }
            let (mut count, mut late) = (0, Vec::new());
            while let Some(parcel) = world.parcels.pop_front() {
                if count == which {
                    match fault {
                        0 => {}
                        1 => {
                            world.deliver(parcel.clone());
                            world.deliver(parcel);
                        }
                        _ => late.push(parcel),
                    }
                } else {
                    world.deliver(parcel);
                }
                count += 1;
            }
            world.pass(Span::secs(31));
            world.pass(Span::secs(31));
            late.into_iter().for_each(|parcel| world.deliver(parcel));
            world.pass(Span::secs(400));
            assert_eq!(world.texts(A, "bob").len(), 6, "{fault} {which}");
            assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
            same_bytes(&world, "lost parcels");
        }
    }
}
