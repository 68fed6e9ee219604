//! Two people from the invite to the last receipt.
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
use covey_messaging::{Command, Error, Progress, Reply, Target};
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn two() -> World {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world
}

fn progress(world: &mut World, at: usize, id: covey_messaging::MessageId) -> Progress {
    match world.command(at, Command::Status(id)).unwrap() {
        Reply::Status(progress) => progress,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_send_and_read_and_history_is_the_same() {
    let mut world = two();
    let first = world.send(A, "bob", "one");
    world.settle();
    world.send(B, "ann", "two");
    world.settle();
    world.send(A, "bob", "three");
    world.settle();
    assert_eq!(world.texts(A, "bob"), ["one", "two", "three"]);
    assert_eq!(world.texts(B, "ann"), ["one", "two", "three"]);
    let (at_a, at_b) = (world.history(A, "bob"), world.history(B, "ann"));
    let ids = |history: &[covey_messaging::MessageView]| {
        history.iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&at_a), ids(&at_b));
    assert_eq!(progress(&mut world, A, first), Progress::Delivered);
    world.command(B, Command::Read { who: "ann".into() }).unwrap();
    world.settle();
    assert_eq!(progress(&mut world, A, first), Progress::Read);
}

/// RocksDB walks over what was deleted until it tidies up: with a scan from the beginning, each
/// message would cost more than the one before.
#[test]
fn what_was_delivered_is_not_walked_over_again() {
    const OUTBOX: u8 = 0x15;
    let mut world = two();
    for number in 0..20 {
        world.send(A, "bob", &format!("{number}"));
        world.settle();
    }
    // A scan of the whole outbox begins before every counter.
    let counter =
        |key: &Vec<u8>| key.get(5..13).map_or(0, |c| u64::from_be_bytes(c.try_into().unwrap()));
    world.nodes[A].disk.1.lock().unwrap().clear();
    world.send(A, "bob", "one more");
    world.settle();
    let scanned = world.nodes[A].disk.1.lock().unwrap().clone();
    let from: Vec<u64> = scanned.iter().filter(|key| key[0] == OUTBOX).map(counter).collect();
    // The yes was 1, the last text 21.
    assert!(!from.is_empty() && from.iter().all(|from| *from >= 21), "{from:?}");
}

#[test]
fn history_is_the_same_when_both_write_at_once() {
    let mut world = two();
    for round in 0..5 {
        world.send(A, "bob", &format!("a{round}"));
        world.send(B, "ann", &format!("b{round}"));
        world.send(A, "bob", &format!("a{round}'"));
    }
    world.settle();
    assert_eq!(world.texts(A, "bob").len(), 15);
    assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
}

#[test]
fn nothing_readable_travels() {
    let mut world = two();
    world.send(A, "bob", "canary-in-the-text");
    world.settle();
    assert_eq!(world.texts(B, "ann"), ["canary-in-the-text"]);
    let found = |needle: &[u8], hay: &[Vec<u8>]| {
        hay.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
    };
    assert!(!found(b"canary", &world.wire));
    // The search does find what is sent in the clear: the inviter's display name.
    assert!(found(b"bob", &world.wire));
}

#[test]
fn a_stranger_cannot_message() {
    let mut world = World::new(&["ann", "bob", "eve"]);
    world.befriend(A, B);
    let error =
        world.command(C, Command::Send { who: "ann".into(), text: "hi".into(), reply: None });
    assert!(matches!(error, Err(Error::UnknownContact { .. })));
}

#[test]
fn who_is_invited_cannot_be_written_to_before_they_accept() {
    let mut world = World::new(&["ann", "bob"]);
    let code = world.code(A);
    let target = Target::Code(Box::new(code));
    world.command(B, Command::Invite { target, name: None, text: String::new() }).unwrap();
    world.settle();
    let send = |who: &str| Command::Send { who: who.into(), text: "hi".into(), reply: None };
    assert_eq!(world.command(B, send("ann")).unwrap_err(), Error::NotAccepted("ann".into()));
    assert_eq!(world.command(A, send("bob")).unwrap_err(), Error::NotYetAccepted("bob".into()));
}

#[test]
fn what_was_sent_while_the_other_was_away_arrives_when_they_return() {
    let mut world = two();
    world.nodes[B].up = false;
    let ids: Vec<_> = (0..50).map(|n| world.send(A, "bob", &format!("text {n}"))).collect();
    world.settle();
    assert_eq!(progress(&mut world, A, ids[0]), Progress::Sent);
    world.restart(A);
    world.settle();
    world.restart(B);
    world.pass(Span::secs(400));
    let expected: Vec<String> = (0..50).map(|n| format!("text {n}")).collect();
    assert_eq!(world.texts(B, "ann"), expected);
    assert_eq!(progress(&mut world, A, ids[49]), Progress::Delivered);
}

#[test]
fn a_lost_acknowledgement_and_a_repeated_delivery_change_nothing() {
    let mut world = two();
    world.send(A, "bob", "once");
    // Keep the request, lose the answer.
    let request = world.parcels.pop_front().unwrap();
    let pair::Parcel::Request { from, to, ask, bytes } = request else { panic!() };
    let again = pair::Parcel::Request { from, to, ask, bytes: bytes.clone() };
    world.deliver(pair::Parcel::Request { from, to, ask, bytes });
    world.parcels.clear();
    world.pass(Span::secs(60));
    world.deliver(again);
    world.settle();
    world.pass(Span::secs(60));
    assert_eq!(world.texts(B, "ann"), ["once"]);
    assert_eq!(world.texts(A, "bob"), ["once"]);
}

#[test]
fn edits_deletions_and_reactions_reach_the_other() {
    let mut world = two();
    let id = world.send(A, "bob", "frist");
    world.settle();
    world.command(A, Command::Edit { id, text: "first".into() }).unwrap();
    world.command(B, Command::React { id, emoji: "👍".into() }).unwrap();
    world.settle();
    let seen = world.history(B, "ann").remove(0);
    assert_eq!((seen.text.as_str(), seen.edited), ("first", true));
    let mine = world.history(A, "bob").remove(0);
    assert_eq!(mine.their_reaction.as_deref(), Some("👍"));
    let refused = world.command(B, Command::Edit { id, text: "other".into() });
    assert_eq!(refused.unwrap_err(), Error::NotYours(id.to_string()));
    world.command(A, Command::Delete(id)).unwrap();
    world.settle();
    let seen = world.history(B, "ann").remove(0);
    assert!(seen.deleted && seen.text.is_empty());
}
