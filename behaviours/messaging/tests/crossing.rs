//! Invites that cross each other, a change of keys, or a refusal.
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
use covey_messaging::{Command, Relation, Reply, Target};
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn two() -> World {
    World::new(&["ann", "bob"])
}

/// Long enough for whatever was put off.
fn wait(world: &mut World) {
    for _ in 0..20 {
        world.pass(Span::secs(100));
    }
}

/// `from` invites whoever lives at `to`.
fn invite(world: &mut World, from: usize, to: usize, name: Option<&str>) {
    let target = Target::Peer(world.nodes[to].peer, vec![]);
    let name = name.map(str::to_owned);
    world.command(from, Command::Invite { target, name, text: String::new() }).unwrap();
}

fn accept(world: &mut World, at: usize, who: &str) {
    world.command(at, Command::Accept { who: who.into(), name: None }).unwrap();
}

fn confirm(world: &mut World, at: usize, who: &str) {
    world.command(at, Command::Verify { who: who.into(), confirm: true }).unwrap();
}

fn known(world: &mut World, at: usize) -> Vec<(String, Relation, bool)> {
    match world.command(at, Command::Contacts).unwrap() {
        Reply::Contacts(known) => {
            let line = |one: covey_messaging::ContactView| (one.name, one.relation, one.changed);
            known.into_iter().map(line).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn assert_friends(world: &mut World) {
    assert_eq!(known(world, A), [("bob".to_owned(), Relation::Accepted, false)]);
    assert_eq!(known(world, B), [("ann".to_owned(), Relation::Accepted, false)]);
    world.send(A, "bob", "from ann");
    wait(world);
    world.send(B, "ann", "from bob");
    wait(world);
    assert_eq!(world.texts(A, "bob"), ["from ann", "from bob"]);
    assert_eq!(world.texts(B, "ann"), ["from ann", "from bob"]);
}

#[test]
fn both_who_invite_at_once_become_contacts() {
    let mut world = two();
    invite(&mut world, A, B, None);
    invite(&mut world, B, A, None);
    wait(&mut world);
    assert_friends(&mut world);
}

/// Who has changed identities announces that before inviting. The refusal comes after the
/// other's invite, and must not put off the yes.
#[test]
fn a_refused_announcement_that_crosses_an_invite_delays_nothing() {
    let mut world = two();
    world.rotate(A, true);
    invite(&mut world, A, B, None);
    for _claim_keys_announcement in 0..3 {
        let parcel = world.parcels.pop_front().unwrap();
        world.deliver(parcel);
    }
    let refusal = world.parcels.pop_front().unwrap();
    invite(&mut world, B, A, None);
    world.settle();
    world.deliver(refusal);
    world.pass(Span::secs(5));
    assert_eq!(known(&mut world, B), [("ann".to_owned(), Relation::Accepted, false)]);
    assert_friends(&mut world);
}

#[test]
fn an_invite_that_comes_while_ours_has_no_keys_yet_is_a_yes() {
    let mut world = two();
    world.nodes[B].up = false;
    invite(&mut world, A, B, None);
    world.settle();
    world.nodes[B].up = true;
    invite(&mut world, B, A, None);
    // Bob's claim and knock come first; Ann's claim only when it is due again.
    world.settle();
    wait(&mut world);
    assert_friends(&mut world);
}

#[test]
fn who_was_refused_under_old_keys_can_be_invited_by_the_other() {
    let mut world = two();
    invite(&mut world, A, B, None);
    world.settle();
    world.command(B, Command::Reject("ann".into())).unwrap();
    world.command(B, Command::Rotate { identity: false }).unwrap();
    invite(&mut world, B, A, None);
    world.settle();
    assert_eq!(known(&mut world, A), [("bob".to_owned(), Relation::Invited, true)]);
    confirm(&mut world, A, "bob");
    wait(&mut world);
    assert_friends(&mut world);
}

#[test]
fn a_name_that_was_taken_meanwhile_is_not_given_twice() {
    let mut world = World::new(&["ann", "bob", "bob"]);
    world.nodes[B].up = false;
    invite(&mut world, A, B, Some("bob"));
    world.settle();
    invite(&mut world, C, A, None);
    world.settle();
    world.nodes[B].up = true;
    wait(&mut world);
    let names: Vec<String> = known(&mut world, A).into_iter().map(|one| one.0).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_yes_survives_an_invite_that_was_taken_back() {
    let mut world = two();
    invite(&mut world, A, B, None);
    world.settle();
    // Ann takes it back before Bob's yes arrives, and invites again.
    world.nodes[A].up = false;
    accept(&mut world, B, "ann");
    world.settle();
    world.nodes[A].up = true;
    world.command(A, Command::Reject("bob".into())).unwrap();
    invite(&mut world, A, B, None);
    wait(&mut world);
    assert_friends(&mut world);
}

/// Bob's own invite fails on a code that is void; then Ann invites him.
#[test]
fn a_failed_invite_does_not_silence_a_contact() {
    let mut world = two();
    let code = world.code(A);
    let reset = Command::Code { addresses: vec![], once: false, reset: true };
    world.command(A, reset).unwrap();
    let target = Target::Code(Box::new(code));
    world.command(B, Command::Invite { target, name: None, text: String::new() }).unwrap();
    world.settle();
    invite(&mut world, A, B, None);
    wait(&mut world);
    assert_friends(&mut world);
}

#[test]
fn who_is_invited_hears_of_a_new_identity() {
    for identity in [false, true] {
        let mut world = two();
        invite(&mut world, A, B, None);
        world.settle();
        world.command(A, Command::Rotate { identity }).unwrap();
        world.settle();
        accept(&mut world, B, "ann");
        wait(&mut world);
        assert_friends(&mut world);
    }
}
