//! What is stored, sent and signed, frozen. A change of a single byte fails here;
//! `COVEY_GOLDEN=update` writes the file anew, which is a new protocol version.
#![allow(clippy::unwrap_used)]

use std::{fmt::Write, fs};

use covey_chains::{
    Block, Payload, SignedBlock, Vote,
    genesis::{Freeze, Genesis, Group, Owner, PayloadLimits, Rules},
    limits::GENESIS_BYTES,
};
use covey_kernel::{Bounded, Hash, Keypair, NetworkId, Span, Text, Time, cbor};

fn key(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn chains() -> Vec<(&'static str, Genesis)> {
    let network = NetworkId::open();
    let name = |text: &str| Text::new(text).unwrap();
    let pioneers = [1, 2].map(|seed| key(seed).public()).into();
    let forum = Genesis::forum(network, name("chat"), Rules::Paper(()));
    let group = Group { name: name("família"), stretched: Hash::of(b"stretched key") };
    vec![
        ("forum", forum.clone()),
        ("forum-v10", Genesis::forum(network, name("chat"), Rules::v10(&pioneers).unwrap())),
        (
            "forum-other-limits",
            Genesis {
                freeze: Some(Freeze { places: 1, span: Span::hours(1) }),
                payload: PayloadLimits { others: 1, owner: 2 },
                ..forum
            },
        ),
        ("group", Genesis::group(network, group)),
        ("identity", Genesis::identity(network, Owner { key: key(1).public(), only: false })),
        ("identity-only", Genesis::identity(network, Owner { key: key(1).public(), only: true })),
    ]
}

fn blocks(genesis: &Genesis) -> Vec<(&'static str, SignedBlock)> {
    let (network, author) = (NetworkId::open(), key(1));
    let post = Block {
        time: Time::from_millis(1_800_000_000_000),
        payload: Payload { hash: Hash::of(b"Bom dia!"), size: 8, sealed: false },
        vote: None,
        backs: Bounded::new(vec![genesis.id()]).unwrap(),
        author: Some(author.public()),
    };
    let first = post.clone().sign(&network, Some(&author));
    let after = Bounded::new(vec![first.block.id()]).unwrap();
    let unsigned = Block { author: None, backs: after.clone(), ..post.clone() };
    let unsigned = unsigned.sign(&network, None);
    let vote = Some(Vote { like: true, target: first.block.id() });
    let like = Block { vote, backs: after, author: Some(key(2).public()), ..post.clone() };
    let like = like.sign(&network, Some(&key(2)));
    let mut heads = vec![unsigned.block.id(), like.block.id()];
    heads.sort_unstable();
    let payload = Payload { sealed: true, ..post.payload };
    let merge = Block { payload, backs: Bounded::new(heads).unwrap(), ..post };
    let merge = merge.sign(&network, Some(&author));
    vec![("first-post", first), ("unsigned", unsigned), ("like", like), ("merge", merge)]
}

#[test]
fn the_wire_format_is_as_it_was() {
    let mut text = String::new();
    for (name, genesis) in chains() {
        let bytes = cbor::encode(&genesis);
        assert_eq!(cbor::decode(&bytes, GENESIS_BYTES), Ok(genesis.clone()));
        writeln!(text, "{name} {}\n{name}-id {}", hex(&bytes), genesis.id()).unwrap();
    }
    let (_, forum) = chains().remove(0);
    for (name, block) in blocks(&forum) {
        assert_eq!(block.check(&forum), Ok(()));
        let bytes = cbor::encode(&block);
        writeln!(text, "{name} {}\n{name}-id {}", hex(&bytes), block.block.id()).unwrap();
        if let Some((_, signed, _)) = block.signed(&NetworkId::open()) {
            writeln!(text, "{name}-signed-bytes {}", hex(&signed)).unwrap();
        }
    }
    let path = "golden/wire.txt";
    if std::env::var("COVEY_GOLDEN").as_deref() == Ok("update") {
        fs::write(path, &text).unwrap();
    }
    let frozen = fs::read_to_string(path).unwrap_or_default();
    for (new, old) in text.lines().zip(frozen.lines()) {
        assert_eq!(new, old, "{path} has changed");
    }
    assert_eq!(text, frozen, "{path} has changed");
}
