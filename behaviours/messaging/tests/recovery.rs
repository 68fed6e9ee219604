//! Sessions and invites that went wrong on one side only.
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
use covey_messaging::Command;
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn two() -> World {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world
}

/// Long enough for whatever was put off.
fn wait(world: &mut World) {
    for _ in 0..20 {
        world.pass(Span::secs(100));
    }
}

fn confirm(world: &mut World, at: usize, who: &str) {
    world.command(at, Command::Verify { who: who.into(), confirm: true }).unwrap();
    world.settle();
}

#[test]
fn who_claims_again_gets_a_prekey_that_is_not_used_up() {
    let mut world = two();
    for round in ["one", "two", "three"] {
        // New keys: Bob has no session any more, and claims from Ann as he did for his invite.
        world.command(B, Command::Rotate { identity: false }).unwrap();
        world.settle();
        confirm(&mut world, A, "bob");
        world.send(B, "ann", round);
        wait(&mut world);
    }
    assert_eq!(world.texts(A, "bob"), ["one", "two", "three"]);
}

#[test]
fn each_of_several_who_were_away_is_tried_again() {
    let mut world = World::new(&["ann", "bob", "cat"]);
    world.befriend(A, B);
    world.befriend(A, C);
    (world.nodes[B].up, world.nodes[C].up) = (false, false);
    world.send(A, "bob", "to bob");
    world.pass_asleep(Span::millis(100));
    world.send(A, "cat", "to cat");
    world.pass_asleep(Span::millis(100));
    // They come back without a connection that Ann would hear of.
    (world.nodes[B].up, world.nodes[C].up) = (true, true);
    world.pass_asleep(Span::secs(10));
    assert_eq!(world.texts(B, "ann"), ["to bob"]);
    assert_eq!(world.texts(C, "ann"), ["to cat"]);
}
