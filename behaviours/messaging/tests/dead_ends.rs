//! States from which a conversation must find its way out again.
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
use covey_messaging::{Command, ContactCode, ContactView, Relation, Reply, Target};
use pair::World;

const A: usize = 0;
const B: usize = 1;

fn invite(world: &mut World, at: usize, code: ContactCode) {
    let target = Target::Code(Box::new(code));
    world.command(at, Command::Invite { target, name: None, text: String::new() }).unwrap();
}

fn contact(world: &mut World, at: usize, name: &str) -> ContactView {
    match world.command(at, Command::Contacts).unwrap() {
        Reply::Contacts(all) => all.into_iter().find(|contact| contact.name == name).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invite_that_failed_by_its_code_does_not_silence_who_invites_back() {
    let mut world = World::new(&["ann", "bob"]);
    let code = world.code(A);
    let reset = Command::Code { addresses: vec![], once: false, reset: true };
    world.command(A, reset).unwrap();
    invite(&mut world, B, code);
    world.settle();
    let code = world.code(B);
    invite(&mut world, A, code);
    world.settle();
    world.pass(Span::secs(400));
    assert_eq!(contact(&mut world, A, "bob").relation, Relation::Accepted);
    assert_eq!(contact(&mut world, B, "ann").relation, Relation::Accepted);
    world.send(B, "ann", "from bob");
    world.settle();
    assert_eq!(world.texts(A, "bob"), ["from bob"]);
}

#[test]
fn a_knock_answers_an_own_invite_that_has_no_keys_yet() {
    let mut world = World::new(&["ann", "bob"]);
    let (of_a, of_b) = (world.code(A), world.code(B));
    // Bob's request for Ann's keys is on its way for a long time.
    invite(&mut world, B, of_a);
    let late = world.parcels.pop_front().unwrap();
    invite(&mut world, A, of_b);
    world.settle();
    assert_eq!(contact(&mut world, A, "bob").relation, Relation::Accepted);
    assert_eq!(contact(&mut world, B, "ann").relation, Relation::Accepted);
    world.deliver(late);
    world.settle();
    world.send(B, "ann", "from bob");
    world.send(A, "bob", "from ann");
    world.settle();
    assert_eq!(world.texts(A, "bob").len(), 2);
    assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
}

#[test]
fn what_is_deleted_before_it_was_sent_never_leaves() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world.nodes[B].up = false;
    world.send(A, "bob", "first");
    // The first is under way, so the second has not been encrypted yet.
    let id = world.send(A, "bob", "regretted");
    world.command(A, Command::Delete(id)).unwrap();
    let stored = world.nodes[A].disk.0.values();
    let found = |needle: &[u8], bytes: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
    assert!(!stored.into_iter().any(|value| found(b"regretted", value)));
    world.restart(B);
    world.pass(Span::secs(60));
    let seen = world.history(B, "ann");
    assert_eq!(seen[0].text, "first");
    assert!(seen[1].deleted);
}
