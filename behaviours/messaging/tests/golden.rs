//! The wire format and everything signed, frozen (I18). A change of a single byte fails here;
//! `COVEY_GOLDEN=update` writes the files anew, which is a new protocol version.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{fmt::Write, fs, path::Path, str::FromStr};

use covey_kernel::{
    Bounded, Bytes, Domain, Keypair, NetworkId, Text, Time, cbor, merkle, signing_bytes,
};
use covey_messaging::{
    Body, Bundle, CodeSecret, ContactCode, Content, Edit, Handout, KeySet, MessageId, OneTime,
    Plaintext, Prekey, Reaction, SafetyNumber, SignedBundle, SignedKeySet, Succession, TextBody,
    decode_request, decode_response,
    ratchet::{CurveKey, SessionTag},
    wire::{
        Announcement, Delivery, Envelope, Knock, Outcome, Refusal, Request, Response, Undecryptable,
    },
};

const NOW: Time = Time::from_millis(1_800_000_000_000);

fn key(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

fn network() -> NetworkId {
    NetworkId::open()
}

/// Compares with the file, or writes it.
fn golden(file: &str, entries: &[(&str, String)]) {
    let path = Path::new("golden").join(file);
    let mut text = String::new();
    for (name, value) in entries {
        writeln!(text, "{name} {value}").unwrap();
    }
    if std::env::var("COVEY_GOLDEN").as_deref() == Ok("update") {
        fs::write(&path, &text).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap_or_default();
    for (new, old) in text.lines().zip(frozen.lines()) {
        assert_eq!(new, old, "{file} has changed");
    }
    assert_eq!(text, frozen, "{file} has changed");
}

fn hex<T: serde::Serialize>(value: &T) -> String {
    data_encoding::HEXLOWER.encode(&cbor::encode(value))
}

fn set() -> KeySet {
    KeySet {
        peer: key(2).public(),
        ratchet: CurveKey([3; 32]),
        sealing: CurveKey([4; 32]),
        name: Text::new("ann").unwrap(),
        sequence: 1,
    }
}

fn signed_set() -> SignedKeySet {
    SignedKeySet::sign(&key(1), &network(), set())
}

fn succession() -> Succession {
    Succession::sign(&key(1), &network(), key(9).public())
}

fn bundle() -> Bundle {
    let leaves = [merkle::leaf(&[6; 32]), merkle::leaf(&[7; 32])];
    Bundle {
        fallback: CurveKey([5; 32]),
        root: merkle::root(&leaves),
        count: 2,
        sequence: 300,
        expires: NOW,
    }
}

fn handout(prekey: Prekey) -> Handout {
    let bundle = SignedBundle::sign(&key(1), &network(), bundle());
    Handout { set: signed_set(), bundle, prekey }
}

fn one_time() -> Prekey {
    let path = Bounded::new(vec![merkle::leaf(&[7; 32])]).unwrap();
    Prekey::OneTime(OneTime { key: CurveKey([6; 32]), index: 0, path })
}

fn envelope() -> Envelope {
    Envelope {
        counter: 24,
        session: SessionTag([8; 8]),
        prekey: true,
        body: Bytes::new(vec![1, 2, 3]).unwrap(),
    }
}

fn report() -> Undecryptable {
    let hash = envelope().hash();
    let signed = Undecryptable::signed(hash, key(2).public());
    let domain = Domain::new("covey/messaging/undecryptable/v1");
    Undecryptable { hash, signature: key(1).sign(domain, &network(), &signed) }
}

fn content(body: Body) -> Plaintext {
    let id = MessageId([0xcd; 16]);
    let content = Content { counter: 7, lamport: 1000, time: NOW, id, body };
    Plaintext::new(&network(), key(1).public(), key(2).public(), content)
}

fn code() -> ContactCode {
    ContactCode {
        network: network(),
        identity: key(1).public(),
        peer: key(2).public(),
        addresses: Bounded::new(vec![Bytes::new(vec![4, 127, 0, 0, 1]).unwrap()]).unwrap(),
        secret: CodeSecret([0xab; 16]),
        expires: NOW,
        once: true,
    }
}

#[test]
fn i18_what_is_signed_is_frozen() {
    golden(
        "signed.hex",
        &[
            ("key-set", hex(&set())),
            ("key-set/signed-bytes", signed_bytes("covey/messaging/key-set/v1", &set())),
            ("signed-key-set", hex(&signed_set())),
            ("succession", hex(&succession())),
            ("bundle", hex(&bundle())),
            ("bundle/signed-bytes", signed_bytes("covey/messaging/prekeys/v1", &bundle())),
            ("signed-bundle", hex(&SignedBundle::sign(&key(1), &network(), bundle()))),
            ("undecryptable", hex(&report())),
        ],
    );
    assert_eq!(signed_set().verify(&network()), Ok(()));
    assert_eq!(succession().verify(&network()), Ok(()));
    assert_eq!(handout(one_time()).verify(&network()), Ok(CurveKey([6; 32])));
}

/// The bytes under a signature.
fn signed_bytes<T: serde::Serialize>(domain: &'static str, value: &T) -> String {
    data_encoding::HEXLOWER.encode(&signing_bytes(Domain::new(domain), &network(), value))
}

#[test]
fn i18_requests_are_frozen() {
    let knock = |proof| Request::Knock(Knock { set: signed_set(), proof, envelope: envelope() });
    let proof = CodeSecret([0xab; 16]).proof(&key(1).public(), &key(2).public());
    let successions = Bounded::new(vec![succession()]).unwrap();
    let envelopes = Bounded::new(vec![envelope(), envelope()]).unwrap();
    let requests = [
        ("claim", Request::Claim(())),
        ("knock", knock(None)),
        ("knock-by-code", knock(Some(proof))),
        ("deliver", Request::Deliver(Delivery { from: key(1).public(), envelopes })),
        ("announce", Request::Announce(Announcement { set: signed_set(), successions })),
    ];
    let entries: Vec<_> = requests.iter().map(|(name, value)| (*name, hex(value))).collect();
    golden("requests.hex", &entries);
    for (_, request) in requests {
        assert_eq!(decode_request(&cbor::encode(&request)), Ok(request));
    }
}

#[test]
fn i18_responses_are_frozen() {
    let outcomes = vec![
        Outcome::Stored(()),
        Outcome::Undecryptable(report()),
        Outcome::Later(()),
        Outcome::Never(()),
    ];
    let responses = [
        ("keys", Response::Keys(handout(one_time()))),
        ("keys-fallback", Response::Keys(handout(Prekey::Fallback(())))),
        ("delivered", Response::Delivered(Bounded::new(outcomes).unwrap())),
        ("noted", Response::Noted(())),
        ("refused-invalid", Response::Refused(Refusal::Invalid(()))),
        ("refused-not-contact", Response::Refused(Refusal::NotContact(()))),
        ("refused-code", Response::Refused(Refusal::Code(()))),
        ("refused-later", Response::Refused(Refusal::Later(()))),
        ("refused-unconfirmed", Response::Refused(Refusal::Unconfirmed(()))),
    ];
    let entries: Vec<_> = responses.iter().map(|(name, value)| (*name, hex(value))).collect();
    golden("responses.hex", &entries);
    for (_, response) in responses {
        assert_eq!(decode_response(&cbor::encode(&response)), Ok(response));
    }
}

#[test]
fn i18_contents_and_their_ids_are_frozen() {
    let target = MessageId([0x11; 16]);
    let text = || Text::new("grüße 👋").unwrap();
    let emoji = Text::new("👍").unwrap();
    let bodies = [
        ("invite", Body::Invite(Text::new("hello").unwrap())),
        ("accept", Body::Accept(())),
        ("text", Body::Text(TextBody { text: text(), reply: None })),
        ("reply", Body::Text(TextBody { text: text(), reply: Some(target) })),
        ("edit", Body::Edit(Edit { target, text: text() })),
        ("delete", Body::Delete(target)),
        ("react", Body::React(Reaction { target, emoji })),
        ("read", Body::Read(300)),
    ];
    let entries: Vec<_> =
        bodies.iter().map(|(name, body)| (*name, hex(&content(body.clone())))).collect();
    golden("contents.hex", &entries);
    for (_, body) in bodies {
        let content = content(body);
        assert_eq!(cbor::decode(&cbor::encode(&content), 1 << 16), Ok(content));
    }
}

#[test]
fn i18_the_contact_code_and_the_safety_number_are_frozen() {
    let other =
        SignedKeySet::sign(&key(11), &network(), KeySet { peer: key(12).public(), ..set() });
    let proof = code().secret.proof(&key(1).public(), &key(2).public());
    golden(
        "texts.hex",
        &[
            ("contact-code", code().to_string()),
            ("code-proof", proof.to_string()),
            ("envelope-hash", envelope().hash().to_string()),
            ("safety-number", SafetyNumber::of(&network(), &signed_set(), &other).groups()),
        ],
    );
    assert_eq!(ContactCode::from_str(&code().to_string()), Ok(code()));
}
