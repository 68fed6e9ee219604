//! Contact codes (I1, I2).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use std::str::FromStr;

use covey_kernel::{NetworkId, Span};
use covey_messaging::{
    Command, ContactCode, Error, Event, Expired, InvalidCode, Relation, Reply, Target,
    limits::{CODE_LIFE, CODES},
};
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn code(world: &mut World, once: bool, reset: bool) -> ContactCode {
    let command = Command::Code { addresses: vec![], once, reset };
    match world.command(A, command).unwrap() {
        Reply::Code(code) => *code,
        other => panic!("{other:?}"),
    }
}

fn invite(code: ContactCode) -> Command {
    Command::Invite { target: Target::Code(Box::new(code)), name: None, text: String::new() }
}

#[test]
fn i1_a_code_comes_back_however_it_is_copied() {
    let mut world = World::new(&["ann"]);
    let code = code(&mut world, false, false);
    let text = code.to_string();
    assert_eq!(ContactCode::from_str(&text), Ok(code.clone()));
    assert_eq!(ContactCode::from_str(&format!("  {}\n", text.to_uppercase())), Ok(code));
}

#[test]
fn i1_every_mistyped_character_is_noticed() {
    let mut world = World::new(&["ann"]);
    let text = code(&mut world, false, false).to_string();
    for at in 0..text.len() {
        for other in ['a', 'q', '7', '1', '-'] {
            let mut typed: Vec<char> = text.chars().collect();
            if typed[at] == other {
                continue;
            }
            typed[at] = other;
            let error = ContactCode::from_str(&typed.iter().collect::<String>()).unwrap_err();
            let expected = match (at, other) {
                (0..6, _) => InvalidCode::Scheme,
                (_, '1' | '-') => InvalidCode::Alphabet,
                _ => InvalidCode::Checksum,
            };
            assert_eq!(error, expected, "{other} at {at}");
        }
    }
}

#[test]
fn i1_an_incomplete_code_is_noticed() {
    let mut world = World::new(&["ann"]);
    let text = code(&mut world, false, false).to_string();
    for end in 0..text.len() {
        let error = ContactCode::from_str(text.get(..end).unwrap()).unwrap_err();
        let expected = if end < 6 { InvalidCode::Scheme } else { InvalidCode::Checksum };
        assert_eq!(error, expected, "{end} characters");
    }
    let long = format!("covey:{}", "a".repeat(5000));
    assert_eq!(ContactCode::from_str(&long), Err(InvalidCode::Unreadable));
}

#[test]
fn i1_codes_of_another_network_or_ones_own_or_expired_are_refused() {
    let mut world = World::on(&[("ann", NetworkId::open()), ("bob", NetworkId::named("x"))]);
    let code = code(&mut world, false, false);
    let refused = world.refused(B, invite(code.clone()));
    let (own, other) = (NetworkId::named("x").short(), NetworkId::open().short());
    assert_eq!(refused, Error::OtherNetwork { code: other, own });
    assert_eq!(world.refused(A, invite(code)), Error::OwnCode);

    let mut world = World::new(&["ann", "bob"]);
    let code = self::code(&mut world, false, false);
    world.now = world.now.plus(CODE_LIFE).plus(Span::millis(7));
    let refused = world.refused(B, invite(code));
    assert_eq!(refused, Error::CodeExpired(Expired(Span::millis(7))));
}

/// The inviter learns that the code is no good, and nothing appears on the other side.
fn fails(world: &mut World, at: usize) {
    let invites = world.invites(at);
    let why = "their contact code is used up, expired or taken back: ask for a new one";
    assert_eq!(invites[0].failed.as_deref(), Some(why));
    let told =
        |event: &Event| matches!(event, Event::InviteFailed { why: told, .. } if told == why);
    assert_eq!(world.nodes[at].events.iter().filter(|event| told(event)).count(), 1);
}

#[test]
fn i2_a_code_that_expired_for_its_owner_lets_nobody_in() {
    let mut world = World::new(&["ann", "bob"]);
    let code = code(&mut world, false, false);
    world.nodes[A].skew = 31 * 24 * 3_600_000;
    world.command(B, invite(code)).unwrap();
    world.settle();
    fails(&mut world, B);
    assert!(world.invites(A).is_empty());
}

#[test]
fn i2_a_code_for_one_invite_is_good_for_one() {
    let mut world = World::new(&["ann", "bob", "cas"]);
    let code = code(&mut world, true, false);
    assert!(code.once);
    world.command(B, invite(code.clone())).unwrap();
    world.settle();
    world.command(C, invite(code)).unwrap();
    world.settle();
    fails(&mut world, C);
    let invites = world.invites(A);
    assert_eq!(invites.len(), 1);
    assert!(invites[0].name == "bob" && invites[0].by_code);
    world.accept(A, "bob");
    world.settle();
    assert_eq!(world.contacts(B)[0].relation, Relation::Accepted);
}

#[test]
fn i2_reset_voids_what_was_given_out() {
    let mut world = World::new(&["ann", "bob"]);
    let old = code(&mut world, false, false);
    assert_eq!(code(&mut world, false, false), old);
    let new = code(&mut world, false, true);
    assert_ne!(new.secret, old.secret);
    world.command(B, invite(old)).unwrap();
    world.settle();
    fails(&mut world, B);
    assert!(world.invites(A).is_empty());
    world.command(B, Command::Reject("ann".into())).unwrap();
    world.command(B, invite(new)).unwrap();
    world.settle();
    assert_eq!(world.invites(A).len(), 1);
}

#[test]
fn i2_codes_are_bounded_and_expired_ones_make_room() {
    let mut world = World::new(&["ann"]);
    for _ in 0..CODES {
        code(&mut world, true, false);
    }
    let command = || Command::Code { addresses: vec![], once: true, reset: false };
    assert_eq!(world.refused(A, command()), Error::TooManyCodes);
    world.now = world.now.plus(CODE_LIFE);
    world.command(A, command()).unwrap();
}

#[test]
fn i2_a_proof_is_good_for_one_pair_of_nodes() {
    let mut world = World::new(&["ann", "bob", "cas"]);
    let secret = code(&mut world, false, false).secret;
    let peers: Vec<_> = world.nodes.iter().map(|node| node.peer).collect();
    let proof = secret.proof(&peers[B], &peers[A]);
    assert_ne!(proof, secret.proof(&peers[C], &peers[A]));
    assert_ne!(proof, secret.proof(&peers[B], &peers[C]));
    assert_ne!(proof, secret.proof(&peers[A], &peers[B]));
}
