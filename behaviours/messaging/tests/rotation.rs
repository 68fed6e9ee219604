//! Changed keys: what waits on either side flows as soon as they are confirmed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use covey_kernel::Span;
use covey_messaging::{Command, Error};
use pair::World;

const A: usize = 0;
const B: usize = 1;

/// Ann changes her keys, writes, and is refused; Bob confirms, with nothing to say himself.
fn flows_after_confirmation(world: &mut World, identity: bool) {
    world.command(A, Command::Rotate { identity }).unwrap();
    world.settle();
    let text = format!("after {} messages", world.texts(A, "bob").len());
    world.send(A, "bob", &text);
    world.settle();
    world.pass(Span::secs(10));
    assert!(!world.texts(B, "ann").contains(&text), "not before it is confirmed");
    let early = Command::Send { who: "ann".into(), text: "early".into(), reply: None };
    assert_eq!(world.command(B, early).unwrap_err(), Error::KeysChanged("ann".into()));
    world.command(B, Command::Verify { who: "ann".into(), confirm: true }).unwrap();
    world.settle();
    world.pass(Span::secs(2));
    assert!(world.texts(B, "ann").contains(&text), "identity {identity}: it waits still");
    assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
}

fn two() -> World {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world.send(A, "bob", "before");
    world.settle();
    world
}

#[test]
fn what_waits_for_confirmed_keys_flows_at_once() {
    flows_after_confirmation(&mut two(), false);
}

#[test]
fn what_waits_for_a_confirmed_identity_flows_at_once() {
    flows_after_confirmation(&mut two(), true);
}

#[test]
fn one_change_follows_another() {
    let mut world = two();
    for identity in [false, true, true, false] {
        flows_after_confirmation(&mut world, identity);
    }
}

#[test]
fn what_waits_for_an_unblock_flows_at_once() {
    let mut world = two();
    world.command(B, Command::Block("ann".into())).unwrap();
    world.send(A, "bob", "are you there");
    world.settle();
    world.pass(Span::secs(10));
    world.command(B, Command::Unblock("ann".into())).unwrap();
    world.settle();
    world.pass(Span::secs(2));
    assert_eq!(world.texts(B, "ann"), ["before", "are you there"]);
}
