//! Who may write to whom, and what the other side sees of it (I3 to I6).
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
use covey_messaging::{
    Command, Error, Event, Progress, Relation, Target,
    limits::{INVITE_TEXT_BYTES, NAME_BYTES, OPEN_INVITES, STRANGERS, TEXT_BYTES},
    wire::{Refusal, Request},
};
use pair::World;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn peer(world: &World, at: usize) -> Target {
    Target::Peer(world.nodes[at].peer, vec![])
}

fn invite(target: Target) -> Command {
    Command::Invite { target, name: None, text: String::new() }
}

fn text(who: &str, text: &str) -> Command {
    Command::Send { who: who.into(), text: text.into(), reply: None }
}

#[test]
fn i3_an_invite_by_peer_becomes_a_conversation() {
    let mut world = World::new(&["ann", "bob"]);
    let target = peer(&world, A);
    world.invite(B, target, Some("Annie"));
    world.settle();
    let seen = world.invites(A).remove(0);
    assert!(seen.incoming && !seen.by_code && seen.text == "hello");
    assert!(world.invites(B)[0].delivered);
    world.accept(A, "bob");
    world.settle();
    assert_eq!(world.contacts(B)[0].name, "Annie");
    world.send(A, "bob", "hi");
    world.settle();
    assert_eq!(world.texts(B, "annie"), ["hi"]);
}

#[test]
fn i3_nobody_is_invited_twice() {
    let mut world = World::new(&["ann", "bob"]);
    let target = peer(&world, A);
    world.nodes[A].up = false;
    world.invite(B, target.clone(), Some("ann"));
    assert_eq!(world.refused(B, invite(target.clone())), Error::AlreadyInvited("ann".into()));
    world.settle();
    world.restart(A);
    world.pass(Span::secs(60));
    assert_eq!(world.refused(B, invite(target.clone())), Error::AlreadyInvited("ann".into()));
    let back = peer(&world, B);
    assert_eq!(world.refused(A, invite(back)), Error::NotYetAccepted("bob".into()));
    world.accept(A, "bob");
    world.settle();
    assert_eq!(world.refused(B, invite(target)), Error::AlreadyContact("ann".into()));
    let code = world.by_code(B);
    assert_eq!(world.refused(A, invite(code)), Error::AlreadyContact("bob".into()));
    let own = peer(&world, A);
    assert_eq!(world.refused(A, invite(own)), Error::OwnCode);
}

#[test]
fn i3_invites_that_cross_make_a_contact_without_further_ado() {
    let mut world = World::new(&["ann", "bob"]);
    let (to_a, to_b) = (peer(&world, A), peer(&world, B));
    world.invite(A, to_b, None);
    world.invite(B, to_a, None);
    world.settle();
    world.pass(Span::secs(60));
    for (at, who) in [(A, "bob"), (B, "ann")] {
        let contacts = world.contacts(at);
        assert_eq!((contacts.len(), contacts[0].relation), (1, Relation::Accepted));
        world.send(at, who, who);
    }
    world.settle();
    assert_eq!(world.texts(A, "bob").len(), 2);
    assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
}

#[test]
fn i3_open_invites_keep_names_apart() {
    let mut world = World::new(&["ann", "bob", "cas"]);
    let (to_a, to_b) = (peer(&world, A), peer(&world, B));
    world.nodes[A].up = false;
    world.nodes[B].up = false;
    world.invite(C, to_a, Some("Pat"));
    let twice = Command::Invite { target: to_b.clone(), name: Some("pat".into()), text: "".into() };
    assert_eq!(world.refused(C, twice), Error::NameTaken("pat".into()));
    world.invite(C, to_b, None);
    world.settle();
    world.restart(A);
    world.restart(B);
    world.pass(Span::secs(60));
    let mut names: Vec<_> = world.contacts(C).into_iter().map(|contact| contact.name).collect();
    names.sort();
    assert_eq!(names, ["Pat", "bob"]);
}

#[test]
fn i3_an_open_invite_can_be_taken_back_by_key() {
    let mut world = World::new(&["ann", "bob"]);
    world.nodes[A].up = false;
    let target = peer(&world, A);
    world.command(B, invite(target.clone())).unwrap();
    let key = world.nodes[A].peer.to_string();
    world.command(B, Command::Reject(key)).unwrap();
    assert!(world.invites(B).is_empty());
    world.command(B, invite(target)).unwrap();
}

/// What the inviter can see: its view, its events, and the sizes of what it was answered.
fn seen_by_inviter(reject: bool) -> (String, usize, Vec<usize>) {
    let mut world = World::new(&["ann", "bob"]);
    let target = world.by_code(A);
    world.invite(B, target, None);
    world.settle();
    if reject {
        world.command(A, Command::Reject("bob".into())).unwrap();
    }
    for _ in 0..5 {
        world.pass(Span::secs(400));
    }
    world.restart(B);
    world.settle();
    let deliver = Request::Deliver(covey_messaging::wire::Delivery {
        from: world.whoami(B).identity,
        envelopes: Default::default(),
    });
    let bob = world.nodes[B].peer;
    assert_eq!(world.turned_away(bob, A, &deliver), Refusal::NotContact(()));
    let view = format!("{:?}{:?}", world.contacts(B)[0].relation, world.invites(B)[0].delivered);
    (view, world.nodes[B].events.len(), world.wire.iter().map(Vec::len).collect())
}

#[test]
fn i4_a_rejection_is_silent() {
    assert_eq!(seen_by_inviter(false), seen_by_inviter(true));
}

#[test]
fn i4_who_was_rejected_can_be_invited() {
    let mut world = World::new(&["ann", "bob"]);
    let target = world.by_code(A);
    world.invite(B, target, None);
    world.settle();
    world.command(A, Command::Reject("bob".into())).unwrap();
    assert!(world.contacts(A).is_empty());
    let back = world.by_code(B);
    world.invite(A, back, None);
    world.settle();
    assert_eq!(world.contacts(B)[0].relation, Relation::Accepted);
    assert_eq!(world.contacts(A)[0].relation, Relation::Accepted);
    assert_eq!(world.refused(A, Command::Reject("bob".into())), Error::NoInvite("bob".into()));
}

#[test]
fn i5_a_block_is_silent_and_unblocking_brings_what_waited() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    world.command(A, Command::Block("bob".into())).unwrap();
    let events = world.nodes[B].events.len();
    let id = world.send(B, "ann", "are you there?");
    world.settle();
    world.pass(Span::secs(1000));
    // As if ann were away: the own message as an event, and nothing else.
    assert_eq!(world.nodes[B].events.len(), events + 1);
    assert_eq!(world.progress(B, id), Progress::Sent);
    assert_eq!(world.contacts(B)[0].relation, Relation::Accepted);
    assert!(world.texts(A, "bob").is_empty());
    assert_eq!(world.refused(A, text("bob", "no")), Error::Blocked("bob".into()));
    assert_eq!(world.refused(A, Command::Block("bob".into())), Error::Blocked("bob".into()));
    let target = peer(&world, B);
    assert_eq!(world.refused(A, invite(target)), Error::Blocked("bob".into()));

    world.command(A, Command::Unblock("bob".into())).unwrap();
    world.pass(Span::secs(1000));
    assert_eq!(world.texts(A, "bob"), ["are you there?"]);
    assert_eq!(world.progress(B, id), Progress::Delivered);
    assert_eq!(world.refused(A, Command::Unblock("bob".into())), Error::NotBlocked("bob".into()));
}

#[test]
fn i5_a_blocked_stranger_knocks_in_vain() {
    let mut world = World::new(&["ann", "bob"]);
    let target = world.by_code(A);
    world.invite(B, target, None);
    world.settle();
    world.command(A, Command::Block("bob".into())).unwrap();
    world.command(B, Command::Reject("ann".into())).unwrap();
    let again = world.by_code(A);
    world.invite(B, again, None);
    world.settle();
    assert!(world.invites(B)[0].delivered);
    assert_eq!(world.contacts(A)[0].relation, Relation::Blocked);
    let invites = |event: &&Event| matches!(event, Event::Invite(_));
    assert_eq!(world.nodes[A].events.iter().filter(invites).count(), 1);
    // Never a contact before: once unblocked, a stranger again.
    world.command(A, Command::Unblock("bob".into())).unwrap();
    assert!(world.contacts(A).is_empty());
}

#[test]
fn i6_strangers_have_one_small_queue_and_codes_another() {
    let names: Vec<String> = (0..=STRANGERS + 1).map(|n| format!("n{n}")).collect();
    let mut world = World::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let target = peer(&world, A);
    for at in 1..=STRANGERS + 1 {
        world.invite(at, target.clone(), None);
        world.settle();
    }
    assert_eq!(world.invites(A).len(), STRANGERS);
    let last = STRANGERS + 1;
    assert!(!world.invites(last)[0].delivered);
    // A code gets in nevertheless; and when there is room again, the stranger does too.
    world.command(last, Command::Reject("n0".into())).unwrap();
    let code = world.by_code(A);
    world.invite(last, code, None);
    world.settle();
    assert_eq!(world.invites(A).len(), STRANGERS + 1);
}

#[test]
fn i6_open_invites_are_bounded() {
    let mut world = World::new(&["ann"]);
    for _ in 0..OPEN_INVITES {
        let peer = covey_kernel::Keypair::generate(world.rng()).public();
        world.command(A, invite(Target::Peer(peer, vec![]))).unwrap();
    }
    let peer = covey_kernel::Keypair::generate(world.rng()).public();
    assert_eq!(world.refused(A, invite(Target::Peer(peer, vec![]))), Error::TooManyInvites);
}

#[test]
fn i6_what_is_too_long_or_empty_is_refused() {
    let mut world = World::new(&["ann", "bob", "cas"]);
    world.befriend(A, B);
    let long = "x".repeat(TEXT_BYTES + 1);
    assert_eq!(world.refused(A, text("bob", &long)), Error::TextTooLong(TEXT_BYTES + 1));
    assert_eq!(world.refused(A, text("bob", " \n")), Error::EmptyText);
    let longest = "x".repeat(TEXT_BYTES);
    for _ in 0..10 {
        world.send(A, "bob", &longest);
    }
    world.settle();
    assert_eq!(world.texts(B, "ann"), vec![longest; 10]);
    let target = peer(&world, C);
    let command = Command::Invite { target, name: None, text: "x".repeat(INVITE_TEXT_BYTES + 1) };
    assert_eq!(world.refused(A, command), Error::InviteTooLong(INVITE_TEXT_BYTES + 1));
    let rename = |name: String| Command::Rename { who: "bob".into(), name };
    for name in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}", "\u{3164}", "a\u{61c}b", "\u{e0041}"]
    {
        assert_eq!(world.refused(A, rename(name.into())), Error::InvalidName, "{name:?}");
    }
    assert_eq!(world.refused(A, rename("n".repeat(NAME_BYTES + 1))), Error::InvalidName);
}

#[test]
fn i6_hidden_characters_in_a_strangers_name_are_not_shown_and_names_stay_apart() {
    let mut world = World::new(&["ann", "bob", "b\u{202e}\u{200b}o\u{3164}b"]);
    world.befriend(A, B);
    let target = peer(&world, A);
    world.invite(C, target, None);
    world.settle();
    let invite = world.invites(A).remove(0);
    let key: String = world.whoami(C).identity.to_string().chars().take(8).collect();
    assert_eq!(invite.name, format!("bob-{key}"));
    let contact = world.contacts(A).into_iter().find(|c| c.name == invite.name).unwrap();
    assert_eq!(contact.display_name, "bob");
}

#[test]
fn i6_a_reaction_of_several_code_points_arrives_whole() {
    let mut world = World::new(&["ann", "bob"]);
    world.befriend(A, B);
    let id = world.send(A, "bob", "we are three");
    world.settle();
    let family = "👨\u{200d}👩\u{200d}👧";
    world.command(B, Command::React { id, emoji: family.into() }).unwrap();
    world.settle();
    assert_eq!(world.history(A, "bob")[0].their_reaction.as_deref(), Some(family));
    let hidden = Command::React { id, emoji: "👍\u{200d}\u{202e}".into() };
    assert_eq!(world.refused(B, hidden), Error::InvalidReaction);
}

#[test]
fn i3_a_contact_with_a_new_identity_is_no_second_person() {
    for confirmed in [false, true] {
        let mut world = World::new(&["ann", "bob"]);
        world.befriend(A, B);
        world.rotate(B, true);
        if confirmed {
            world.settle();
        } else {
            world.parcels.clear();
        }
        let code = world.by_code(B);
        assert_eq!(world.refused(A, invite(code)), Error::AlreadyContact("bob".into()));
    }
}
