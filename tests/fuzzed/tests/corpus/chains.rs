//! Seeds of what is fuzzed of chains.

use covey_chains::{
    Block, BlockId, Payload, SignedBlock, Vote,
    envelope::{Attachment, Content, Message, Profile},
    genesis::{Genesis, Group, Owner, Rules},
    wire::{
        Asker, ChainRef, Chunk, Item, News, Page, Part, Pull, Refusal, Request, Response, Tally,
        Want,
    },
};
use covey_kernel::{Bounded, Bytes, Hash, Keypair, NetworkId, Text, Time, cbor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

type Seeds = Vec<(&'static str, Vec<u8>)>;

/// What decodes, for a target.
pub(super) fn seeds(target: &str) -> Seeds {
    match target {
        "chains_request" => requests(),
        "chains_response" => responses(),
        "chains_news" => {
            let item = items().remove(0);
            vec![("news", News { chain: reference(), item }.encode())]
        }
        "chains_records" => records(),
        "chains_content" => contents(),
        "chains_words" => words(),
        other => panic!("no seeds for {other}"),
    }
}

fn key(seed: u8) -> Keypair {
    Keypair::from_secret(&[seed; 32])
}

fn name<const BYTES: usize>(text: &str) -> Text<BYTES> {
    Text::new(text).unwrap()
}

fn forum() -> Genesis {
    Genesis::forum(NetworkId::open(), name("chat"), Rules::Paper(()))
}

fn reference() -> ChainRef {
    ChainRef { genesis: forum().id().hash, first: Some(Hash::of(b"first post")) }
}

fn id(height: u64) -> BlockId {
    BlockId { height, hash: Hash::of(&height.to_be_bytes()) }
}

/// A first post, and a like of it.
fn blocks() -> [SignedBlock; 2] {
    let post = Block {
        time: Time::from_millis(1_800_000_000_000),
        payload: Payload { hash: Hash::of(b"Bom dia!"), size: 8, sealed: false },
        vote: None,
        backs: Bounded::first([forum().id()]),
        author: Some(key(1).public()),
    };
    let first = post.clone().sign(&NetworkId::open(), Some(&key(1)));
    let target = first.block.id();
    let vote = Some(Vote { like: true, target });
    let like =
        Block { vote, backs: Bounded::first([target]), author: Some(key(2).public()), ..post };
    [first, like.sign(&NetworkId::open(), Some(&key(2)))]
}

fn items() -> Vec<Item> {
    let payload = Some(Bytes::new(b"Bom dia!".to_vec()).unwrap());
    let [first, like] = blocks();
    vec![Item { block: first, payload }, Item { block: like, payload: None }]
}

fn requests() -> Seeds {
    let asker = Asker { chain: reference(), proof: Some(Hash::of(b"proof")) };
    let (tips, aside) = (Bounded::first([id(7), id(8)]), Bounded::first([id(6)]));
    let cut = || Bounded::first([id(5), id(4)]);
    let cuts = Bounded::first([cut(), cut()]);
    let part = Part::Named(Bounded::first([id(6)]));
    let pull = Pull { asker, tips, aside, cuts, after: 9, part };
    vec![
        ("pull", Request::Pull(pull).encode()),
        ("want", Request::Want(Want { asker, block: id(7), first: 8 }).encode()),
        ("held", Request::Held(Asker { proof: None, ..asker }).encode()),
        ("nudge", Request::Nudge(asker).encode()),
        ("names", Request::Names(()).encode()),
    ]
}

fn responses() -> Seeds {
    let chunk = Chunk {
        bytes: Bytes::new(b"Bom dia!".to_vec()).unwrap(),
        path: Bounded::first([Hash::of(b"left"), Hash::of(b"right")]),
    };
    let page = Page { items: Bounded::first(items()), next: Some(9) };
    let names = Bounded::first([name("#chat"), name("@!KEY")]);
    let tally = Tally { accepted: 1, offered: 2 };
    vec![
        ("page", Response::Page(page).encode()),
        ("cuts", Response::Cuts(()).encode()),
        ("chunks", Response::Chunks(Bounded::first([chunk])).encode()),
        ("held", Response::Held(Bounded::first(items())).encode()),
        ("tally", Response::Tally(tally).encode()),
        ("names", Response::Names(names).encode()),
        ("other-first", Response::Refused(Refusal::OtherFirst(Hash::of(b"other"))).encode()),
        ("later", Response::Refused(Refusal::Later(())).encode()),
    ]
}

fn records() -> Seeds {
    let network = NetworkId::open();
    let [first, like] = blocks();
    let marked = SignedBlock { mark: Some(Hash::of(b"mark")), ..first.clone() };
    let group = Group { name: name("family"), stretched: Hash::of(b"stretched") };
    let pioneers = [1, 2].map(|seed| key(seed).public()).into();
    let v10 = Genesis::forum(network, name("chat"), Rules::v10(&pioneers).unwrap());
    let owner = Owner { key: key(1).public(), only: true };
    vec![
        ("first", cbor::encode(&first)),
        ("like", cbor::encode(&like)),
        ("marked", cbor::encode(&marked)),
        ("forum", cbor::encode(&forum())),
        ("v10", cbor::encode(&v10)),
        ("group", cbor::encode(&Genesis::group(network, group))),
        ("identity", cbor::encode(&Genesis::identity(network, owner))),
    ]
}

fn contents() -> Seeds {
    let file = Attachment { name: name("a.txt"), bytes: Bytes::new(vec![1, 2, 3]).unwrap() };
    let message = Content::Message(Message {
        title: Some(name("Hello")),
        reply: Some(id(3)),
        body: Bytes::new(b"World".to_vec()).unwrap(),
        attachments: Bounded::first([file]),
    });
    let bare = Content::plain(message.encode()).unwrap();
    let profile = Content::Profile(Profile { name: name("Ann"), about: name("me") });
    vec![
        ("plain", b"Bom dia!".to_vec()),
        ("message", message.encode()),
        ("in-itself", bare.encode()),
        ("profile", profile.encode()),
    ]
}

fn words() -> Seeds {
    let identity = format!("@{}", key(1).public());
    vec![
        ("forum", b"#chat".to_vec()),
        ("group", "$família".into()),
        ("identity", identity.clone().into_bytes()),
        ("only-owner", identity.replace('@', "@!").to_uppercase().into_bytes()),
        ("block", id(12).to_string().into_bytes()),
        ("genesis", id(0).to_string().to_lowercase().into_bytes()),
    ]
}

/// Chains of each kind, grown by chance.
pub(super) fn graphs() -> Vec<(String, Vec<u8>)> {
    let grown = |seed: u8| {
        let mut bytes = vec![0; 2 + 5 * (4 + usize::from(seed % 8))];
        ChaCha12Rng::seed_from_u64(u64::from(seed)).fill_bytes(&mut bytes);
        bytes[0] = seed;
        (format!("grown-{seed}"), bytes)
    };
    (0..24).map(grown).chain([("empty".into(), vec![])]).collect()
}

/// Operations on each kind of chain, by chance.
pub(super) fn operations() -> Vec<(String, Vec<u8>)> {
    let run = |seed: u8| {
        let mut bytes = vec![0; 1 + 12 * (8 + 4 * usize::from(seed))];
        ChaCha12Rng::seed_from_u64(u64::from(seed)).fill_bytes(&mut bytes);
        bytes[0] = seed;
        (format!("run-{seed}"), bytes)
    };
    (0..8).map(run).chain([("empty".into(), vec![])]).collect()
}
