//! Prekeys: handed out once, forgotten in time, never good for a replay (I10, I11).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use covey_kernel::{Keypair, NetworkId, Peer, Span};
use covey_messaging::{
    BadHandout, Command, Handout, Prekey,
    limits::{BATCH_LIFE, FALLBACK_LIFE, ONE_TIME_KEYS},
    wire::{Refusal, Request, Response},
};
use pair::{Parcel, World};

const A: usize = 0;
const B: usize = 1;

fn peer(number: usize) -> Peer {
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    Keypair::from_secret(&secret).public()
}

fn claim(world: &mut World, from: Peer) -> Handout {
    match world.request(from, A, &Request::Claim(())) {
        Response::Keys(handout) => {
            handout.verify(&NetworkId::open()).unwrap();
            handout
        }
        other => panic!("{other:?}"),
    }
}

fn drain(world: &mut World) -> Vec<Handout> {
    (0..ONE_TIME_KEYS).map(|number| claim(world, peer(number))).collect()
}

#[test]
fn i10_each_peer_gets_its_own_key_and_asking_again_gives_the_same() {
    let mut world = World::new(&["ann"]);
    let handouts = drain(&mut world);
    let keys: std::collections::BTreeSet<_> =
        handouts.iter().map(|handout| handout.verify(&NetworkId::open()).unwrap()).collect();
    assert_eq!(keys.len(), ONE_TIME_KEYS);
    world.restart(A);
    assert_eq!(claim(&mut world, peer(5)), handouts[5]);
}

#[test]
fn i10_a_drained_batch_gives_the_fallback_key_until_an_hour_has_passed() {
    let mut world = World::new(&["ann"]);
    let first = drain(&mut world).remove(0);
    let late = claim(&mut world, peer(1000));
    assert_eq!(late.prekey, Prekey::Fallback(()));
    world.pass(Span::millis(BATCH_LIFE.as_millis() - 1));
    assert_eq!(claim(&mut world, peer(1001)).prekey, Prekey::Fallback(()));
    world.pass(Span::millis(1));
    let fresh = claim(&mut world, peer(1001));
    assert!(matches!(fresh.prekey, Prekey::OneTime(_)));
    assert!(fresh.bundle.bundle.sequence > first.bundle.bundle.sequence);
    assert_eq!(fresh.bundle.bundle.fallback, first.bundle.bundle.fallback);
}

#[test]
fn i10_a_key_that_was_used_is_not_handed_out_again() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    let bob = world.nodes[B].peer;
    let used: Vec<_> = world
        .wire
        .iter()
        .filter_map(|b| covey_messaging::decode_response(b).ok())
        .filter_map(|response| match response {
            Response::Keys(handout) => handout.verify(&NetworkId::open()).ok(),
            _ => None,
        })
        .collect();
    let new = claim(&mut world, bob).verify(&NetworkId::open()).unwrap();
    assert!(!used.contains(&new));
}

#[test]
fn i10_a_bundle_expires_when_its_fallback_key_is_forgotten() {
    let mut world = World::new(&["ann"]);
    let made = world.now;
    drain(&mut world);
    world.pass(Span::days(6));
    let handout = claim(&mut world, peer(500));
    assert_eq!(handout.bundle.bundle.expires, made.plus(FALLBACK_LIFE).plus(FALLBACK_LIFE));
}

#[test]
fn i10_altered_handouts_are_refused() {
    let mut world = World::new(&["ann"]);
    let handout = claim(&mut world, peer(0));
    let other = claim(&mut world, peer(1));
    let network = NetworkId::open();
    assert_eq!(handout.verify(&NetworkId::named("x")), Err(BadHandout::Signature));
    let mut swapped = handout.clone();
    let (Prekey::OneTime(mine), Prekey::OneTime(theirs)) = (&mut swapped.prekey, &other.prekey)
    else {
        panic!()
    };
    mine.key = theirs.key;
    assert_eq!(swapped.verify(&network), Err(BadHandout::Path));
    let mut moved = handout.clone();
    if let Prekey::OneTime(one) = &mut moved.prekey {
        one.index += 1;
    }
    assert_eq!(moved.verify(&network), Err(BadHandout::Path));
    let mut bundle = handout;
    bundle.bundle.bundle.fallback = covey_messaging::ratchet::CurveKey([3; 32]);
    assert_eq!(bundle.verify(&network), Err(BadHandout::Signature));
}

#[test]
fn i11_the_fallback_key_rotates_after_a_week() {
    let mut world = World::new(&["ann"]);
    drain(&mut world);
    let first = claim(&mut world, peer(100)).bundle.bundle.fallback;
    world.pass(Span::millis(FALLBACK_LIFE.as_millis() - 1));
    drain(&mut world);
    assert_eq!(claim(&mut world, peer(100)).bundle.bundle.fallback, first);
    world.pass(Span::millis(1));
    assert_ne!(claim(&mut world, peer(100)).bundle.bundle.fallback, first);
}

/// Bob invites with the fallback key; the captured first message.
fn by_fallback(wait: Span) -> (World, Parcel) {
    let mut world = World::new(&["ann", "bob"]);
    drain(&mut world);
    let target = world.by_code(A);
    world.invite(B, target, None);
    let parcel = world.parcels.pop_front().unwrap();
    world.deliver(parcel);
    let keys = world.parcels.pop_front().unwrap();
    world.deliver(keys);
    let knock = world.parcels.pop_front().unwrap();
    world.pass(wait);
    (world, knock)
}

fn replay(world: &mut World, knock: &Parcel) -> Response {
    let Parcel::Request { bytes, .. } = knock else { panic!() };
    let bob = world.nodes[B].peer;
    let before = world.nodes[A].disk.0.clone();
    let answer = world.raw_request(bob, A, bytes.clone());
    if matches!(answer, Response::Refused(_)) {
        assert!(before == world.nodes[A].disk.0, "a refusal changed the store");
    }
    answer
}

#[test]
fn i11_a_replayed_first_message_is_refused_also_after_a_restart() {
    let (mut world, knock) = by_fallback(Span::ZERO);
    assert_eq!(replay(&mut world, &knock), Response::Noted(()));
    world.command(A, Command::Reject("bob".into())).unwrap();
    let refused = Response::Refused(Refusal::Invalid(()));
    assert_eq!(replay(&mut world, &knock), refused);
    world.restart(A);
    assert_eq!(replay(&mut world, &knock), refused);
    // While the key is still kept, a week later, and when it is forgotten, two weeks later.
    for _ in 0..3 {
        world.now = world.now.plus(FALLBACK_LIFE);
        world.input(A, covey_kernel::Input::Wake);
        assert_eq!(replay(&mut world, &knock), refused);
    }
    assert!(world.invites(A).is_empty());
}

#[test]
fn i11_a_fallback_key_is_usable_for_one_more_week_and_then_forgotten() {
    for (weeks, expected) in
        [(1, Response::Noted(())), (2, Response::Refused(Refusal::Invalid(())))]
    {
        let (mut world, knock) = by_fallback(Span::ZERO);
        for _ in 0..weeks {
            world.now = world.now.plus(FALLBACK_LIFE);
            world.input(A, covey_kernel::Input::Wake);
        }
        assert_eq!(replay(&mut world, &knock), expected, "{weeks} weeks");
    }
}

#[test]
fn i11_an_invite_whose_key_was_forgotten_is_made_anew() {
    let (mut world, _lost) = by_fallback(Span::ZERO);
    world.parcels.clear();
    for _ in 0..2 {
        world.now = world.now.plus(FALLBACK_LIFE);
        world.input(A, covey_kernel::Input::Wake);
    }
    for _ in 0..4 {
        world.pass(Span::secs(400));
    }
    assert_eq!(world.invites(A).len(), 1);
}
