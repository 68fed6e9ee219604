//! Invites that begin again: somebody took theirs back, forgot it, or has new keys.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use covey_kernel::{Keypair, Span};
use covey_messaging::{
    Command, Relation, Target,
    limits::{FALLBACK_SESSIONS, ONE_TIME_KEYS},
    wire::Request,
};
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
/// Where what waits lies in the store.
const OUTBOX: u8 = 0x15;

fn invite(world: &mut World, text: &str) {
    let target = Target::Peer(world.nodes[B].peer, vec![]);
    world.command(A, Command::Invite { target, name: None, text: text.into() }).unwrap();
    world.settle();
}

fn take_back(world: &mut World) {
    world.command(A, Command::Reject("bob".into())).unwrap();
}

/// Bob has said yes and more, but Ann has taken her invite back before she heard of it.
fn forgotten(texts: &[&str]) -> World {
    let mut world = World::new(&["ann", "bob"]);
    invite(&mut world, "hello");
    world.nodes[A].up = false;
    world.accept(B, "ann");
    for text in texts {
        world.send(B, "ann", text);
    }
    world.settle();
    take_back(&mut world);
    world.restart(A);
    world.pass(Span::secs(400));
    assert!(world.contacts(A).is_empty());
    world
}

fn talk(world: &mut World, texts: &[&str]) {
    world.pass(Span::secs(400));
    assert_eq!(world.contacts(A)[0].relation, Relation::Accepted);
    world.send(A, "bob", "last");
    world.pass(Span::secs(400));
    let all: Vec<&str> = texts.iter().copied().chain(["last"]).collect();
    assert_eq!(world.texts(A, "bob"), all);
    assert_eq!(world.texts(B, "ann"), all);
    assert_eq!((world.contacts(A)[0].waiting, world.contacts(B)[0].waiting), (0, 0));
}

#[test]
fn i19_who_forgot_a_contact_and_invites_again_gets_the_yes_and_what_waited() {
    for texts in [&[][..], &["one", "two"]] {
        let mut world = forgotten(texts);
        invite(&mut world, "hello again");
        talk(&mut world, texts);
    }
}

#[test]
fn i19_also_when_the_contact_has_a_new_identity_by_then() {
    let mut world = forgotten(&["one", "two"]);
    world.rotate(B, true);
    world.settle();
    invite(&mut world, "hello again");
    talk(&mut world, &["one", "two"]);
}

#[test]
fn i19_who_forgot_a_contact_and_has_a_new_identity_is_no_stranger() {
    let mut world = forgotten(&["one", "two"]);
    world.rotate(A, true);
    invite(&mut world, "hello again");
    world.pass(Span::secs(400));
    assert!(world.invites(B).is_empty());
    assert!(world.contacts(B)[0].changed);
    world.verify(B, "ann", true);
    talk(&mut world, &["one", "two"]);
}

#[test]
fn i19_a_new_invite_takes_the_place_of_the_old_also_under_a_new_identity() {
    for identity in [false, true] {
        let mut world = World::new(&["ann", "bob"]);
        invite(&mut world, "first");
        take_back(&mut world);
        world.rotate(A, identity);
        invite(&mut world, "second");
        let invites = world.invites(B);
        assert_eq!(invites.len(), 1);
        assert_eq!(invites[0].text, "second");
        world.accept(B, "ann");
        talk(&mut world, &[]);
    }
}

#[test]
fn i10_nobody_uses_up_the_fallback_key_for_others() {
    let mut world = World::new(&["ann", "bob", "cat"]);
    for seed in 0..ONE_TIME_KEYS as u8 {
        let stranger = Keypair::from_secret(&[seed; 32]).public();
        world.request(stranger, B, &Request::Claim(()));
    }
    for round in 0..=FALLBACK_SESSIONS {
        invite(&mut world, &round.to_string());
        take_back(&mut world);
    }
    assert_eq!(world.invites(B)[0].text, (FALLBACK_SESSIONS - 1).to_string());
    let target = world.by_code(B);
    world.invite(C, target, None);
    world.settle();
    assert_eq!(world.invites(B).len(), 2);
}

#[test]
fn i8_new_keys_with_an_invite_that_waits_are_not_verified() {
    for announced in [false, true] {
        let mut world = World::new(&["ann", "bob"]);
        invite(&mut world, "first");
        assert!(world.verify(B, "ann", true).verified);
        if !announced {
            take_back(&mut world);
        }
        world.rotate(A, false);
        world.settle();
        if !announced {
            invite(&mut world, "second");
        }
        world.pass(Span::secs(400));
        assert!(!world.contacts(B)[0].verified);
        world.accept(B, "ann");
        talk(&mut world, &[]);
    }
}

#[test]
fn i19_the_yes_is_taken_however_much_was_said_before() {
    let mut world = forgotten(&[]);
    for number in 0..1100 {
        world.send(B, "ann", &number.to_string());
    }
    // All but the last were acknowledged, as far as Bob's disk knows: his counting is far beyond
    // what may be missing in a conversation.
    let outbox: Vec<Vec<u8>> =
        world.nodes[B].disk.0.keys().filter(|key| key[0] == OUTBOX).cloned().collect();
    let (last, earlier) = outbox.split_last().unwrap();
    earlier.iter().for_each(|key| drop(world.nodes[B].disk.0.remove(key)));
    assert!(world.nodes[B].disk.0.contains_key(last));
    invite(&mut world, "hello again");
    world.pass(Span::secs(400));
    assert_eq!(world.contacts(A)[0].relation, Relation::Accepted);
    assert_eq!(world.texts(A, "bob"), ["1099"]);
}

#[test]
fn i3_a_new_invite_takes_the_place_of_one_that_failed() {
    let mut world = World::new(&["ann", "bob"]);
    let used_up = |world: &mut World| {
        let reset = Command::Code { addresses: vec![], once: false, reset: true };
        world.command(B, reset).unwrap();
    };
    let target = world.by_code(B);
    used_up(&mut world);
    world.invite(A, target, Some("Bobby"));
    world.settle();
    assert!(world.invites(A)[0].failed.is_some());
    let target = world.by_code(B);
    world.invite(A, target, Some("Bobby"));
    world.settle();
    assert_eq!(world.invites(A).len(), 1);
    assert_eq!(world.invites(A)[0].failed, None);
    world.accept(B, "ann");
    world.settle();
    assert_eq!(world.contacts(A)[0].name, "Bobby");
    assert_eq!(world.contacts(A)[0].relation, Relation::Accepted);
}

#[test]
fn what_was_deleted_before_it_was_sent_is_never_sent_nor_its_edit() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    let id = world.send(A, "bob", "said");
    world.settle();
    world.nodes[B].up = false;
    world.pass(Span::secs(100));
    let filler = world.send(A, "bob", "filler that is under way");
    world.settle();
    world.command(A, Command::Edit { id, text: "edited secret".into() }).unwrap();
    let holds = |world: &World, what: &str| {
        let values = &mut world.nodes[A].disk.0.values();
        values.any(|value| value.windows(what.len()).any(|part| part == what.as_bytes()))
    };
    assert!(holds(&world, "edited secret"));
    world.command(A, Command::Delete(id)).unwrap();
    assert!(!holds(&world, "edited secret"), "the edit waits still");
    world.restart(B);
    world.pass(Span::secs(400));
    let history = world.history(B, "ann");
    assert!(history.iter().any(|message| message.id == id && message.deleted));
    assert!(history.iter().any(|message| message.id == filler));
}
