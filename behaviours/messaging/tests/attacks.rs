//! Hostile peers and contacts, and clocks that are wrong (I14 to I17).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

#[allow(dead_code)]
mod pair;

use covey_kernel::{
    Bounded, Bytes, Domain, GossipId, GossipVerdict, Hash, Input, Keypair, NetworkId, Peer, Span,
    Topic,
};
use covey_messaging::{
    Command, Event, MessageId, Progress, Relation,
    limits::{AHEAD, CLOCK_FIRST, RESEALS},
    ratchet::SessionTag,
    wire::{Delivery, Envelope, Outcome, Refusal, Request, Response, Undecryptable},
};
use pair::{Parcel, World};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

fn two() -> World {
    let mut world = World::new(&["ann", "bob", "eve"]);
    world.befriend(A, B);
    world
}

/// Bob's next message as a delivery that has not arrived, and its id.
fn caught(world: &mut World, text: &str) -> (Parcel, Delivery, MessageId) {
    let id = world.send(B, "ann", text);
    let parcel = world.parcels.pop_front().unwrap();
    let Parcel::Request { bytes, .. } = &parcel else { panic!() };
    match covey_messaging::decode_request(bytes).unwrap() {
        Request::Deliver(delivery) => (parcel, delivery, id),
        other => panic!("{other:?}"),
    }
}

fn deliver(world: &mut World, from: Peer, delivery: Delivery) -> Vec<Outcome> {
    match world.request(from, A, &Request::Deliver(delivery)) {
        Response::Delivered(outcomes) => outcomes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn with(delivery: &Delivery, change: impl Fn(&mut Envelope)) -> Delivery {
    let mut envelopes = delivery.envelopes.to_vec();
    envelopes.iter_mut().for_each(change);
    Delivery { from: delivery.from, envelopes: Bounded::new(envelopes).unwrap() }
}

#[test]
fn i14_nobody_delivers_in_anothers_name() {
    let mut world = two();
    let (parcel, delivery, _) = caught(&mut world, "mine");
    let eve = world.nodes[C].peer;
    // Eve has captured the envelope and delivers it herself, as bob and as eve.
    let as_bob = Request::Deliver(delivery.clone());
    assert_eq!(world.turned_away(eve, A, &as_bob), Refusal::NotContact(()));
    let from = world.whoami(C).identity;
    let as_eve = Request::Deliver(Delivery { from, ..delivery.clone() });
    assert_eq!(world.turned_away(eve, A, &as_eve), Refusal::NotContact(()));
    // As a contact of ann she fares no better: the ciphertext names bob.
    world.befriend(A, C);
    let before = world.texts(A, "eve");
    let taken = deliver(&mut world, eve, Delivery { from, ..delivery.clone() });
    assert!(matches!(taken[..], [Outcome::Undecryptable(_) | Outcome::Stored(())]));
    assert_eq!(world.texts(A, "eve"), before);
    // A node that claims an identity which does not live there.
    let bob = world.nodes[B].peer;
    let crossed = Request::Deliver(Delivery { from, ..delivery });
    assert_eq!(world.turned_away(bob, A, &crossed), Refusal::NotContact(()));
    world.deliver(parcel);
    world.settle();
    assert_eq!(world.texts(A, "bob"), ["mine"]);
}

#[test]
fn i14_altered_envelopes_are_not_taken_and_do_no_harm() {
    let mut world = two();
    world.send(B, "ann", "first");
    world.settle();
    let (parcel, delivery, id) = caught(&mut world, "second");
    let bob = world.nodes[B].peer;
    let length = delivery.envelopes[0].body.len();
    for at in (0..length).step_by(7) {
        let altered = with(&delivery, |envelope| {
            let mut body = envelope.body.to_vec();
            body[at] ^= 1;
            envelope.body = Bytes::new(body).unwrap();
        });
        let taken = deliver(&mut world, bob, altered);
        assert!(matches!(taken[..], [Outcome::Undecryptable(_)]), "byte {at}");
    }
    let session = with(&delivery, |envelope| envelope.session = SessionTag([1; 8]));
    assert!(matches!(deliver(&mut world, bob, session)[..], [Outcome::Undecryptable(_)]));
    let kind = with(&delivery, |envelope| envelope.prekey = !envelope.prekey);
    assert!(matches!(deliver(&mut world, bob, kind)[..], [Outcome::Undecryptable(_)]));
    let cut = with(&delivery, |envelope| envelope.body = Bytes::default_cut(&envelope.body));
    assert!(matches!(deliver(&mut world, bob, cut)[..], [Outcome::Undecryptable(_)]));
    assert_eq!(world.texts(A, "bob"), ["first"]);
    world.deliver(parcel);
    world.settle();
    assert_eq!(world.texts(A, "bob"), ["first", "second"]);
    assert_eq!(world.progress(B, id), Progress::Delivered);
}

trait Cut {
    fn default_cut(body: &[u8]) -> Self;
}

impl<const N: usize> Cut for Bytes<N> {
    fn default_cut(body: &[u8]) -> Self {
        Self::new(body[..body.len() / 2].to_vec()).unwrap()
    }
}

#[test]
fn i14_a_counter_that_the_ciphertext_does_not_repeat_is_never_taken() {
    let mut world = two();
    let (_, delivery, _) = caught(&mut world, "text");
    let bob = world.nodes[B].peer;
    let moved = with(&delivery, |envelope| envelope.counter += 1);
    assert_eq!(deliver(&mut world, bob, moved), [Outcome::Never(())]);
    assert!(world.texts(A, "bob").is_empty());
}

#[test]
fn i14_counters_far_ahead_wait() {
    let mut world = two();
    let (_, delivery, _) = caught(&mut world, "text");
    let bob = world.nodes[B].peer;
    for counter in [delivery.envelopes[0].counter + AHEAD as u64, u64::MAX] {
        let before = world.nodes[A].disk.0.clone();
        let far = with(&delivery, |envelope| envelope.counter = counter);
        assert_eq!(deliver(&mut world, bob, far), [Outcome::Later(())]);
        assert!(texts_unchanged(&before, &world));
    }
    let zero = with(&delivery, |envelope| envelope.counter = 0);
    assert_eq!(deliver(&mut world, bob, zero), [Outcome::Stored(())]);
    assert!(world.texts(A, "bob").is_empty());
}

fn texts_unchanged(before: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>, world: &World) -> bool {
    let messages = |disk: &std::collections::BTreeMap<Vec<u8>, Vec<u8>>| {
        disk.iter().filter(|(key, _)| key[0] == 0x13).count()
    };
    messages(before) == messages(&world.nodes[A].disk.0)
}

#[test]
fn i15_only_the_recipient_acknowledges() {
    let mut world = two();
    let (parcel, _, id) = caught(&mut world, "text");
    let eve = world.nodes[C].peer;
    let stored = Response::Delivered(Bounded::new(vec![Outcome::Stored(())]).unwrap());
    world.answer(&parcel, eve, &stored);
    assert_eq!(world.progress(B, id), Progress::Sent);
    // Of an answer to a request that nobody made, nothing comes.
    let ask = covey_kernel::AskId(4);
    let ann = world.nodes[A].peer;
    let before = world.nodes[B].disk.0.clone();
    let outcome = Ok(covey_kernel::cbor::encode(&stored));
    world.input(B, covey_kernel::Input::Answer { from: ann, ask, outcome });
    assert!(before == world.nodes[B].disk.0);
    // Too many or too few outcomes acknowledge nothing.
    for count in [0, 2] {
        world.pass(Span::secs(400));
        let id = world.send(B, "ann", "more");
        let parcel = world.parcels.pop_front().unwrap();
        let all = Bounded::new(vec![Outcome::Stored(()); count]).unwrap();
        world.answer(&parcel, ann, &Response::Delivered(all));
        assert_eq!(world.progress(B, id), Progress::Sent);
        world.parcels.clear();
    }
    world.pass(Span::secs(400));
    world.pass(Span::secs(400));
    assert_eq!(world.texts(A, "bob"), ["text", "more", "more"]);
}

/// A report of an envelope by whoever holds a key.
fn report(signer: &Keypair, hash: Hash, sender: covey_kernel::PublicKey) -> Response {
    let signature = signer.sign(
        Domain::new("covey/messaging/undecryptable/v1"),
        &NetworkId::open(),
        &(hash, sender),
    );
    let report = Outcome::Undecryptable(Undecryptable { hash, signature });
    Response::Delivered(Bounded::new(vec![report]).unwrap())
}

#[test]
fn i15_a_forged_report_changes_nothing() {
    let mut world = two();
    let (parcel, delivery, _) = caught(&mut world, "text");
    let ann = world.nodes[A].peer;
    let eve = Keypair::from_secret(&[5; 32]);
    world.answer(&parcel, ann, &report(&eve, delivery.envelopes[0].hash(), delivery.from));
    for _ in 0..3 {
        world.pass(Span::secs(400));
    }
    assert_eq!(world.texts(A, "bob"), ["text"]);
    // It went out with the bytes that it had.
    let counter = delivery.envelopes[0].counter;
    let bob = delivery.from;
    let sent = world.envelopes().into_iter();
    let sent: Vec<_> = sent.filter(|(from, e)| *from == bob && e.counter == counter).collect();
    assert!(sent.len() > 1 && sent.iter().all(|(_, e)| *e == delivery.envelopes[0]));
}

#[test]
fn i15_what_cannot_be_decrypted_is_encrypted_anew() {
    let mut world = two();
    // Ann loses her sessions, as a restored backup would.
    world.nodes[A].disk.0.retain(|key, _| key[0] != 0x12);
    let conversation: Vec<u8> = [&[0x11], &1u32.to_be_bytes()[..]].concat();
    assert!(!world.nodes[A].disk.0.contains_key(&[0x12][..]));
    assert!(world.nodes[A].disk.0.keys().any(|key| key[0] == conversation[0]));
    let id = world.send(B, "ann", "again");
    for _ in 0..4 {
        world.pass(Span::secs(400));
    }
    assert_eq!(world.texts(A, "bob"), ["again"]);
    assert_eq!(world.progress(B, id), Progress::Delivered);
}

#[test]
fn i15_reports_are_believed_a_few_times_an_hour() {
    let mut world = two();
    let bob = world.whoami(B).identity;
    let ann = world.nodes[A].peer;
    // Ann's identity is hostile: she signs a report for everything.
    let secret: [u8; 32] = secret_of(&world, A);
    let signer = Keypair::from_secret(&secret);
    assert_eq!(signer.public(), world.whoami(A).identity);
    for _ in 0..RESEALS + 5 {
        world.send(B, "ann", "x");
    }
    let mut anew = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let Some(parcel) = world.parcels.pop_front() else {
            world.now = world.now.plus(Span::secs(31));
            world.input(B, covey_kernel::Input::Wake);
            continue;
        };
        match &parcel {
            Parcel::Request { from: B, bytes, .. } => {
                match covey_messaging::decode_request(bytes).unwrap() {
                    Request::Deliver(delivery) => {
                        let first = &delivery.envelopes[0];
                        anew.insert((first.counter, first.session));
                        let reports = delivery.envelopes.iter().map(|envelope| {
                            match report(&signer, envelope.hash(), bob) {
                                Response::Delivered(outcomes) => outcomes[0].clone(),
                                other => panic!("{other:?}"),
                            }
                        });
                        let reports = Bounded::new(reports.collect()).unwrap();
                        world.answer(&parcel, ann, &Response::Delivered(reports));
                    }
                    _ => world.deliver(parcel),
                }
            }
            _ => world.deliver(parcel),
        }
    }
    assert!(anew.len() <= 1 + RESEALS as usize, "{}", anew.len());
}

/// The identity's secret from a node's disk: the first field of its own record.
fn secret_of(world: &World, at: usize) -> [u8; 32] {
    // [5 fields][bytes(32) ...
    world.nodes[at].disk.0[&[0x01][..]][3..35].try_into().unwrap()
}

/// Alters the record of the conversation's clock on somebody's own disk: they are hostile.
fn set_clock(world: &mut World, at: usize, clock: u64) {
    let disk = &mut world.nodes[at].disk.0;
    let key: Vec<u8> = disk.keys().find(|key| key[0] == 0x11).unwrap().clone();
    let mut record: Vec<u8> = disk[&key].clone();
    // [14 fields][next][clock ...: replace the one-byte clock by a far one.
    assert!(record[0] == 0x8e && record[1] < 24 && record[2] < 24);
    record.splice(2..3, [&[0x1b], clock.to_be_bytes().as_slice()].concat());
    disk.insert(key, record);
}

#[test]
fn i16_only_the_yes_may_begin_far_ahead() {
    for (clock, taken) in [(CLOCK_FIRST - 8, true), (CLOCK_FIRST + 8, false)] {
        let mut world = World::new(&["ann", "bob"]);
        let target = world.by_code(B);
        world.invite(A, target, Some("bob"));
        world.settle();
        set_clock(&mut world, B, clock);
        world.accept(B, "ann");
        world.settle();
        let accepted = world.contacts(A).iter().any(|c| c.relation == Relation::Accepted);
        assert_eq!(accepted, taken);
    }
}

#[test]
fn i16_a_clock_pushed_too_far_is_refused_and_cannot_be_pushed_to_the_end() {
    let mut world = two();
    set_clock(&mut world, B, 0xffff_ffff_ffff_0000);
    let id = world.send(B, "ann", "from the end of time");
    world.settle();
    assert_eq!(world.progress(B, id), Progress::Refused);
    assert!(world.texts(A, "bob").is_empty());
    // Ann can still write, and is read.
    world.send(A, "bob", "hello");
    world.settle();
    assert_eq!(world.texts(A, "bob"), ["hello"]);
}

#[test]
fn i17_wrong_clocks_change_no_order_and_lose_nothing() {
    const DAY: i64 = 24 * 3_600_000;
    for (a, b) in [(DAY, 0), (0, DAY), (-DAY, DAY), (365 * DAY, 0), (-365 * DAY, 0), (0, 365 * DAY)]
    {
        let mut world = World::new(&["ann", "bob"]);
        world.nodes[A].skew = a;
        world.nodes[B].skew = b;
        let target = covey_messaging::Target::Peer(world.nodes[A].peer, vec![]);
        world.invite(B, target, None);
        world.settle();
        world.accept(A, "bob");
        world.settle();
        for round in 0..4 {
            world.send(A, "bob", &format!("a{round}"));
            world.settle();
            world.send(B, "ann", &format!("b{round}"));
            world.settle();
        }
        let expected: Vec<String> =
            (0..4).flat_map(|n| [format!("a{n}"), format!("b{n}")]).collect();
        assert_eq!(world.texts(A, "bob"), expected);
        assert_eq!(world.texts(B, "ann"), expected);
    }
}

#[test]
fn i17_a_clock_that_jumps_loses_nothing() {
    const YEAR: i64 = 365 * 24 * 3_600_000;
    for (first, second) in [(YEAR, 0), (0, YEAR), (0, -YEAR), (YEAR, -YEAR)] {
        let mut world = two();
        world.nodes[A].skew = first;
        world.send(A, "bob", "one");
        world.send(B, "ann", "two");
        world.pass(Span::secs(400));
        world.nodes[A].skew = second;
        world.restart(A);
        world.send(A, "bob", "three");
        world.send(B, "ann", "four");
        for _ in 0..3 {
            world.pass(Span::secs(400));
        }
        assert_eq!(world.texts(A, "bob").len(), 4, "{first} {second}");
        assert_eq!(world.texts(A, "bob"), world.texts(B, "ann"));
    }
}

#[test]
fn i14_what_does_not_decode_is_refused() {
    let mut world = two();
    let bob = world.nodes[B].peer;
    let refused = Response::Refused(Refusal::Invalid(()));
    let good = covey_kernel::cbor::encode(&Request::Claim(()));
    let cases: [Vec<u8>; 5] = [
        vec![],
        vec![0xff; 300_000],
        [good.as_slice(), &[0]].concat(),
        vec![0x82, 0x18, 0, 0x80],
        vec![0x82, 9, 0x80],
    ];
    for bytes in cases {
        let before = world.nodes[A].disk.0.clone();
        assert_eq!(world.raw_request(bob, A, bytes), refused);
        assert!(before == world.nodes[A].disk.0);
    }
}

#[test]
fn i14_edits_and_deletions_of_what_one_did_not_write_do_nothing() {
    let mut world = two();
    world.befriend(A, C);
    let id = world.send(A, "bob", "ann's own");
    world.settle();
    // Bob's interface refuses; and if his node sent it all the same, ann's would not obey: the
    // same holds for a message of another conversation, which eve cannot name.
    for command in [Command::Delete(id), Command::Edit { id, text: "x".into() }] {
        let error = world.refused(B, command);
        assert_eq!(error, covey_messaging::Error::NotYours(id.to_string()));
    }
    let unknown = world.refused(C, Command::Delete(id));
    assert_eq!(unknown, covey_messaging::Error::UnknownMessage(id.to_string()));
    let told = |event: &Event| matches!(event, Event::Changed(_));
    assert!(!world.nodes[A].events.iter().any(told));
}

#[test]
fn gossip_is_ignored_and_nobody_is_to_blame() {
    let mut world = two();
    let disk = world.nodes[A].disk.0.clone();
    let from = world.nodes[B].peer;
    let topic = Topic(Hash::of(b"anything"));
    world.input(A, Input::Gossip { from, topic, id: GossipId(7), bytes: vec![1, 2, 3] });
    assert_eq!(world.nodes[A].judged, [GossipVerdict::Ignore]);
    assert_eq!(world.nodes[A].disk.0, disk);
}
