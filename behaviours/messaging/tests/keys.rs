//! The safety number, verification and changed keys (I7 to I9).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use covey_kernel::{Bounded, Keypair, NetworkId, Span, Text, cbor};
use covey_messaging::{
    Command, Error, Event, KeySet, Progress, SafetyNumber, SignedKeySet, Succession,
    ratchet::CurveKey,
    wire::{Announcement, Refusal, Request, Response},
};
use pair::World;

const A: usize = 0;
const B: usize = 1;

fn two() -> World {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world
}

fn text(who: &str) -> Command {
    Command::Send { who: who.into(), text: "hi".into(), reply: None }
}

fn set(seed: u8, name: &str) -> SignedKeySet {
    let set = KeySet {
        peer: Keypair::from_secret(&[seed + 1; 32]).public(),
        ratchet: CurveKey([seed + 2; 32]),
        sealing: CurveKey([seed + 3; 32]),
        name: Text::new(name).unwrap(),
        sequence: 1,
    };
    SignedKeySet::sign(&Keypair::from_secret(&[seed; 32]), &NetworkId::open(), set)
}

#[test]
fn i7_the_safety_number_is_frozen() {
    let (a, b) = (set(1, "ann"), set(11, "bob"));
    let number = SafetyNumber::of(&NetworkId::open(), &a, &b);
    assert_eq!(number, SafetyNumber::of(&NetworkId::open(), &b, &a));
    assert_eq!(number.digits().len(), 60);
    assert!(number.digits().chars().all(|digit| digit.is_ascii_digit()));
    assert_eq!(
        number.groups(),
        "09301 26330 22261 81465 75424 31282 26365 46600 68146 21346 86117 43280"
    );
    // The display name is no key; everything else is.
    assert_eq!(number, SafetyNumber::of(&NetworkId::open(), &a, &set(11, "eve")));
    assert_ne!(number, SafetyNumber::of(&NetworkId::named("x"), &a, &b));
    for change in 0..3 {
        let mut keys = b.set.clone();
        match change {
            0 => keys.peer = a.set.peer,
            1 => keys.ratchet = a.set.ratchet,
            _ => keys.sealing = a.set.sealing,
        }
        let other = SignedKeySet::sign(&Keypair::from_secret(&[11; 32]), &NetworkId::open(), keys);
        assert_ne!(number, SafetyNumber::of(&NetworkId::open(), &a, &other));
    }
    assert_ne!(number, SafetyNumber::of(&NetworkId::open(), &a, &set(12, "bob")));
}

#[test]
fn i7_both_sides_see_the_same_number_and_it_changes_with_the_keys() {
    let mut world = two();
    let number = world.verify(A, "bob", false);
    assert!(!number.verified && !number.changed);
    assert_eq!(number.number, world.verify(B, "ann", false).number);
    for identity in [false, true] {
        world.rotate(B, identity);
        world.settle();
        let new = world.verify(A, "bob", false);
        assert!(new.changed && new.number != number.number);
        assert_eq!(new.number, world.verify(B, "ann", false).number);
        assert!(world.verify(A, "bob", true).verified);
        assert_eq!(new.number, world.verify(A, "bob", false).number);
    }
}

#[test]
fn i8_changed_keys_block_sending_until_confirmed() {
    let mut world = two();
    world.verify(A, "bob", true);
    world.rotate(B, false);
    world.settle();
    let told = |event: &Event| matches!(event, Event::KeysChanged(view) if view.changed);
    assert_eq!(world.nodes[A].events.iter().filter(|event| told(event)).count(), 1);
    let contact = world.contacts(A).remove(0);
    assert!(contact.changed && !contact.verified);
    assert_eq!(world.refused(A, text("bob")), Error::KeysChanged("bob".into()));
    // What the other says with new keys waits too.
    let id = world.send(B, "ann", "from new keys");
    world.settle();
    assert!(world.texts(A, "bob").is_empty());
    assert_ne!(world.progress(B, id), Progress::Delivered);
    world.verify(A, "bob", true);
    world.send(A, "bob", "to new keys");
    world.pass(Span::secs(400));
    let mut texts = world.texts(A, "bob");
    texts.sort();
    assert_eq!(texts, ["from new keys", "to new keys"]);
    assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
}

#[test]
fn i8_only_the_number_that_was_compared_is_confirmed() {
    let mut world = two();
    world.verify(A, "bob", false);
    world.rotate(B, false);
    world.settle();
    let confirm = || Command::Verify { who: "bob".into(), confirm: true };
    assert_eq!(world.refused(A, confirm()), Error::NumberChanged("bob".into()));
    assert!(world.contacts(A).remove(0).changed);
    world.verify(A, "bob", false);
    assert!(!world.verify(A, "bob", true).changed);
}

#[test]
fn i8_what_was_queued_before_a_change_arrives_after_it() {
    for identity in [false, true] {
        for inviter in [A, B] {
            let mut world = World::new(&["ann", "bob"]);
            world.befriend(1 - inviter, inviter);
            world.nodes[B].up = false;
            world.send(A, "bob", "queued");
            world.settle();
            world.restart(B);
            world.rotate(B, identity);
            world.settle();
            world.verify(A, "bob", true);
            world.pass(Span::secs(400));
            assert_eq!(world.texts(B, "ann"), ["queued"], "{identity} {inviter}");
            world.send(B, "ann", "answered");
            world.pass(Span::secs(400));
            assert_eq!(world.texts(A, "bob"), ["queued", "answered"]);
        }
    }
}

#[test]
fn i8_who_rotated_can_still_write() {
    for identity in [false, true] {
        for inviter in [A, B] {
            let mut world = World::new(&["ann", "bob"]);
            world.befriend(1 - inviter, inviter);
            for round in 0..3 {
                world.rotate(A, identity);
                world.settle();
                world.verify(B, "ann", true);
                world.send(A, "bob", &format!("round {round}"));
                world.pass(Span::secs(400));
                world.pass(Span::secs(400));
                assert_eq!(world.texts(B, "ann").len(), round + 1, "{identity} {inviter}");
            }
        }
    }
}

#[test]
fn i9_a_chain_of_successions_is_followed_and_too_long_a_one_is_a_stranger() {
    for (times, followed) in [(8, true), (9, false)] {
        let mut world = two();
        let before = world.contacts(A)[0].identity;
        world.nodes[A].up = false;
        for _ in 0..times {
            world.rotate(B, true);
        }
        world.settle();
        world.restart(A);
        world.pass(Span::secs(400));
        world.pass(Span::secs(400));
        assert_eq!(world.contacts(A)[0].changed, followed, "{times}");
        if followed {
            world.verify(A, "bob", true);
            assert_ne!(world.contacts(A)[0].identity, before);
            world.send(B, "ann", "still me");
            world.pass(Span::secs(400));
            assert_eq!(world.texts(A, "bob"), ["still me"]);
        }
    }
}

fn announcement(
    identity: &Keypair,
    world: &World,
    sequence: u64,
    links: Vec<Succession>,
) -> Request {
    let set = KeySet {
        peer: world.nodes[B].peer,
        ratchet: CurveKey([9; 32]),
        sealing: CurveKey([8; 32]),
        name: Text::new("bob").unwrap(),
        sequence,
    };
    Request::Announce(Announcement {
        set: SignedKeySet::sign(identity, &NetworkId::open(), set),
        successions: Bounded::new(links).unwrap(),
    })
}

#[test]
fn i9_a_set_that_nobody_vouches_for_is_a_strangers() {
    let mut world = two();
    let bob = world.nodes[B].peer;
    let eve = Keypair::from_secret(&[66; 32]);
    let stranger = Refusal::NotContact(());
    let request = announcement(&eve, &world, 99, vec![]);
    assert_eq!(world.turned_away(bob, A, &request), stranger);
    // Eve vouches for herself; or the chain leads elsewhere.
    let own = Succession::sign(&eve, &NetworkId::open(), eve.public());
    let request = announcement(&eve, &world, 99, vec![own]);
    assert_eq!(world.turned_away(bob, A, &request), stranger);
    let away = Succession::sign(&eve, &NetworkId::open(), world.whoami(B).identity);
    let request = announcement(&eve, &world, 99, vec![away]);
    assert_eq!(world.turned_away(bob, A, &request), stranger);
    // A link that the known identity did not sign.
    let mut forged = cbor::encode(&Succession::sign(&eve, &NetworkId::open(), eve.public()));
    let old = world.whoami(B).identity;
    forged[3..35].copy_from_slice(old.as_bytes());
    let forged: Succession = cbor::decode(&forged, 1000).unwrap();
    assert_eq!((forged.old, forged.new), (old, eve.public()));
    let request = announcement(&eve, &world, 99, vec![forged]);
    assert_eq!(world.turned_away(bob, A, &request), stranger);
    // A set for another node than the one that speaks.
    let request = announcement(&eve, &world, 99, vec![]);
    let other = eve.public();
    assert_eq!(world.turned_away(other, A, &request), Refusal::Invalid(()));
    assert!(!world.contacts(A)[0].changed);
}

#[test]
fn i9_an_older_set_is_ignored() {
    let mut world = two();
    let bob = world.nodes[B].peer;
    world.rotate(B, false);
    let old = world.parcels.pop_front().unwrap();
    world.parcels.clear();
    world.rotate(B, false);
    world.pass(Span::secs(60));
    world.pass(Span::secs(60));
    world.verify(A, "bob", true);
    let pair::Parcel::Request { bytes, .. } = old else { panic!() };
    let before = world.nodes[A].disk.0.clone();
    assert_eq!(world.raw_request(bob, A, bytes), Response::Noted(()));
    assert!(before == world.nodes[A].disk.0);
    assert!(!world.contacts(A)[0].changed);
}

#[test]
fn i9_a_new_display_name_needs_no_confirmation() {
    let mut world = two();
    world.verify(A, "bob", true);
    world.nodes[B].rules.name = Text::new("Robert").unwrap();
    world.restart(B);
    world.settle();
    let contact = world.contacts(A).remove(0);
    assert_eq!((contact.name.as_str(), contact.display_name.as_str()), ("bob", "Robert"));
    assert!(contact.verified && !contact.changed);
}
