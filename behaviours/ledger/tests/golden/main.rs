//! What is sent, signed and shown, frozen. A change of a single byte fails here; `COVEY_GOLDEN=update` writes the
//! files anew, which is a new protocol version. Another implementation can be checked against them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod said;
mod values;

use std::{fmt::Write, fs, path::Path, str::FromStr};

use covey_kernel::{
    Domain, cbor,
    serde::{Serialize, de::DeserializeOwned},
    signing_bytes, verify_all,
};
use covey_ledger::{
    ACCEPT, ACKNOWLEDGE, APPROVE, Branch, CLAIM, Genesis, HEIGHT, KeyTree, PaymentUri, Phrase,
    Prefix, Receipt, SEAL, SPEND, SUCCESSOR, Spend, VOTE, address_text, leaves,
    limits::REQUEST_BYTES,
    parse_address,
    wire::{FromValidator, FromWallet, Request},
};
use values::{ANN, BEN, NODES, decimals, id, key, network, prefix, tx};

type Entries = Vec<(String, String)>;

/// Compares with the file, or writes it.
fn golden(file: &str, entries: &Entries) {
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

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A value's bytes, from which it is read again.
fn value<T>(name: &str, value: &T) -> (String, String)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let bytes = cbor::encode(value);
    assert_eq!(cbor::decode::<T>(&bytes, REQUEST_BYTES).as_ref(), Ok(value), "{name}");
    (name.into(), hex(&bytes))
}

fn shown(name: &str, value: impl ToString) -> (String, String) {
    (name.into(), value.to_string())
}

/// What a signature is over.
fn signed<T: Serialize>(name: &str, domain: Domain, value: &T) -> (String, String) {
    (format!("{name}/signed-bytes"), hex(&signing_bytes(domain, &id(), value)))
}

#[test]
fn what_is_asked_is_as_it_was() {
    let mut entries = Entries::new();
    for (name, request) in said::requests() {
        let bytes = request.encode();
        assert_eq!(Request::is_for_validator(&bytes), name.starts_with("validator/"));
        assert_eq!(Request::decode(&bytes), Ok(request), "{name}");
        entries.push((name, hex(&bytes)));
    }
    golden("requests.hex", &entries);
}

#[test]
fn what_is_answered_is_as_it_was() {
    let mut entries = Entries::new();
    for (name, answer) in said::validators_answers() {
        let bytes = answer.encode();
        assert_eq!(FromValidator::decode(&bytes), Ok(answer), "{name}");
        entries.push((name, hex(&bytes)));
    }
    for (name, answer) in said::wallets_answers() {
        let bytes = answer.encode();
        assert_eq!(FromWallet::decode(&bytes), Ok(answer), "{name}");
        entries.push((name, hex(&bytes)));
    }
    golden("responses.hex", &entries);
}

#[test]
fn what_is_signed_is_as_it_was() {
    let entries = [beginning(), transactions(), votes(), tokens_and_claims(), epochs()];
    golden("signed.hex", &entries.concat());
}

fn beginning() -> Entries {
    vec![
        value("genesis", &values::genesis()),
        shown("genesis/network-id", id()),
        value("configuration-0", network().newest().as_ref()),
        shown("configuration-0/id", network().newest().id(&id())),
    ]
}

fn transactions() -> Entries {
    let mut entries = Entries::new();
    for (name, spend) in [("payment", values::payment()), ("swap", values::swap())] {
        entries.push(value(name, &spend));
        entries.push(value(&format!("{name}/body"), &spend.body));
        entries.push(shown(&format!("{name}/id"), tx(&spend)));
        for (index, (salted, leaf)) in spend.outputs.iter().zip(leaves(&spend.outputs)).enumerate()
        {
            entries.push(value(&format!("{name}/output-{index}"), salted));
            entries.push(shown(&format!("{name}/output-{index}/leaf"), leaf));
        }
        entries.push(signed(&format!("{name}/witness"), SPEND, &spend.body));
        for (index, witness) in spend.witnesses.iter().enumerate() {
            entries.push(value(&format!("{name}/witness-{index}"), witness));
        }
    }
    entries.push(value("evidence", &values::evidence()));
    entries.push(value("paid", &values::paid(0, 0)));
    entries.push(value("receipt", &values::receipt(0)));
    entries.push(value("receipt-of-epoch-1", &values::receipt(1)));
    entries
}

fn votes() -> Entries {
    let leaf = covey_ledger::leaf(&tx(&values::payment()));
    vec![
        shown("ballot/leaf", leaf),
        value("ballot", &values::ballot(0)),
        signed("ballot", VOTE, &values::ballot(0)),
        value("ballot-of-epoch-1", &values::ballot(1)),
        signed("ballot-of-epoch-1", VOTE, &values::ballot(1)),
        value("vote", &values::vote(0, 0)),
        value("certificate", &values::certificate(0)),
        value("certificate-of-epoch-1", &values::certificate(1)),
    ]
}

fn tokens_and_claims() -> Entries {
    let manifest = values::manifest();
    let [genesis, paid] = values::holdings();
    vec![
        value("manifest", &manifest),
        shown("manifest/asset", manifest.id(&id()).0),
        value("manifest/outpoint", &manifest.issue(&id()).0),
        value("height", &values::height()),
        signed("height", HEIGHT, &values::height().height),
        value("claim", &values::claim(None)),
        signed("claim", CLAIM, &key(NODES).public()),
        value("holding-of-genesis", &genesis),
        value("holding", &paid),
    ]
}

fn epochs() -> Entries {
    let (proposal, seal) = (values::proposal(), values::seal());
    let successor = proposal.successor(&id());
    vec![
        value("configuration-1", &values::next()),
        shown("configuration-1/id", proposal.id(&id())),
        value("successor", &successor),
        signed("successor/approve", APPROVE, &successor),
        signed("successor/accept", ACCEPT, &successor),
        signed("successor/acknowledge", ACKNOWLEDGE, &successor),
        signed("successor/vote", SUCCESSOR, &successor),
        value("proposal", &proposal),
        value("candidacy", &values::candidacy()),
        value("link", &values::link()),
        value("lock-set", &seal.set),
        signed("lock-set", SEAL, &seal.set),
        value("seal", &seal),
        value("log-from", &values::log_from()),
        value("log-page", &values::log_page(Some(seal))),
        value("refresh", &values::refresh()),
    ]
}

/// All of it is also right: else it would be no example.
#[test]
fn the_examples_are_valid() {
    assert_eq!(Genesis::decode(&values::genesis().encode()), Ok(values::genesis()));
    for spend in [values::payment(), values::rival(), values::swap()] {
        let judged = spend.judge(&network()).unwrap();
        let all = [judged.votes, judged.owners].concat();
        assert!(verify_all(&all).iter().all(Result::is_ok));
    }
    let Spend { body, witnesses, .. } = values::rival();
    assert_eq!(values::evidence().check(&id(), &body, &witnesses), Ok(()));
    for epoch in [0, 1] {
        let shown = values::receipt(epoch).verify(&network()).unwrap();
        assert_eq!((shown.epoch, shown.newest), (epoch, epoch));
        assert_eq!(shown.output.address, key(BEN).public());
    }
    assert_eq!(values::candidacy().check(&id(), network().newest()), Ok(()));
    let voting = network().newest().members[0].vote;
    assert_eq!(values::seal().verify(&id(), &voting), Ok(()));
    assert_eq!(values::height().verify(&id(), &voting), Ok(()));
    assert_eq!(values::claim(None).verify(&id(), &key(NODES).public()), Ok(()));
}

#[test]
fn what_people_read_is_as_it_was() {
    let mut entries = addresses();
    for (name, uri) in ["uri", "uri-with-all"].into_iter().zip(values::uris()) {
        let text = uri.format(&prefix(), decimals());
        assert_eq!(PaymentUri::parse(&text, &prefix(), decimals()), Ok(uri));
        entries.push(shown(name, text));
    }
    for (name, epoch) in [("receipt", 0), ("receipt-of-epoch-1", 1)] {
        let text = values::receipt(epoch).to_string();
        assert_eq!(Receipt::from_str(&text), Ok(values::receipt(epoch)));
        entries.push(shown(name, text));
    }
    entries.push(shown("outpoint", values::evidence().outpoint));
    golden("texts.txt", &entries);
}

fn addresses() -> Entries {
    let tree = KeyTree::new(&Phrase::from_entropy(&[0; 16]).unwrap());
    let own = |branch, index| tree.key(branch, index).unwrap().public();
    let other = Prefix::new("a234567890bcdefg").unwrap();
    let mut entries = vec![
        shown("key-ann", key(ANN).public()),
        shown("phrase", Phrase::from_entropy(&[0; 16]).unwrap().words().as_str()),
    ];
    for (name, prefix, key) in [
        ("address-ann", prefix(), key(ANN).public()),
        ("address-ann-longest-prefix", other, key(ANN).public()),
        ("address-of-phrase-own-0", prefix(), own(Branch::Own, 0)),
        ("address-of-phrase-own-1", prefix(), own(Branch::Own, 1)),
        ("address-of-phrase-handed-0", prefix(), own(Branch::Handed, 0)),
    ] {
        let text = address_text(&prefix, &key);
        assert_eq!(parse_address(&prefix, &text), Ok(key));
        entries.push(shown(name, text));
    }
    entries
}
