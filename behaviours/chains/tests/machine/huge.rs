//! Lists that are longer than any rule allows: they are not read.

use covey_chains::{
    BlockId, Payload, Vote,
    genesis::{Genesis, Rules},
    limits::{BACKS, REQUEST_BYTES, TIPS},
    wire::{Asker, ChainRef, Part},
};
use covey_kernel::{
    Bounded, Domain, Hash, Input, PublicKey, RequestId, Signature, Text, Time, Topic, cbor, record,
    tagged,
};

use crate::net::{Net, key, network};

const HEADS: usize = 1_000_000;
const MANY_BACKS: usize = 10_000;

record! {
    /// As `Pull`, with room for more.
    struct LongPull {
        asker: Asker,
        tips: Bounded<BlockId, HEADS>,
        aside: Bounded<BlockId, 1>,
        cuts: Bounded<Bounded<BlockId, 1>, 1>,
        after: u32,
        part: Part,
    }
}

tagged! {
    enum LongRequest {
        0 => Pull(LongPull),
    }
}

record! {
    /// As `Block`, with room for more.
    struct LongBlock {
        time: Time,
        payload: Payload,
        vote: Option<Vote>,
        backs: Bounded<BlockId, MANY_BACKS>,
        author: Option<PublicKey>,
    }
}

record! {
    struct LongSigned {
        block: LongBlock,
        signature: Option<Signature>,
        mark: Option<Hash>,
    }
}

record! {
    struct LongItem {
        block: LongSigned,
        payload: Option<Hash>,
    }
}

record! {
    struct LongPage {
        items: Bounded<LongItem, 1>,
        next: Option<u32>,
    }
}

tagged! {
    enum LongResponse {
        0 => Page(LongPage),
    }
}

record! {
    struct LongNews {
        chain: ChainRef,
        item: LongItem,
    }
}

fn id(number: usize) -> BlockId {
    BlockId { height: 5, hash: Hash::of(&number.to_be_bytes()) }
}

/// A node that follows a forum, and a peer that is the test itself.
fn victim() -> (Net, Genesis, ChainRef) {
    let genesis = Genesis::forum(network(), Text::new("chat").unwrap(), Rules::Paper(()));
    let mut net = Net::new(2);
    net.join(0, &genesis);
    let (first, _) = net.post(0, &genesis, "first", 1);
    net.tolerant = true;
    let chain = ChainRef { genesis: genesis.id().hash, first: Some(first.hash) };
    (net, genesis, chain)
}

fn pull(chain: ChainRef, heads: usize) -> Vec<u8> {
    cbor::encode(&LongRequest::Pull(LongPull {
        asker: Asker { chain, proof: None },
        tips: Bounded::first((0..heads).map(id)),
        aside: Bounded::default(),
        cuts: Bounded::default(),
        after: 0,
        part: Part::All(()),
    }))
}

fn item(net: &Net, backs: usize) -> LongItem {
    let mut backs: Vec<BlockId> = (0..backs).map(id).collect();
    backs.sort_unstable();
    let block = LongBlock {
        time: net.now,
        payload: Payload { hash: covey_blobs::hash(b"text"), size: 4, sealed: false },
        vote: None,
        backs: Bounded::new(backs).unwrap(),
        author: Some(key(1).public()),
    };
    let id = BlockId { height: 6, hash: Hash::of(&cbor::encode(&block)) };
    let signature = Some(key(1).sign(Domain::new("covey/chains/block/v1"), &network(), &id));
    LongItem { block: LongSigned { block, signature, mark: None }, payload: None }
}

#[test]
fn a_million_heads_are_not_read() {
    let (mut net, genesis, chain) = victim();
    net.link(0, 1);
    let from = net.nodes[1].peer;
    let all = pull(chain, HEADS);
    assert!(all.len() > 30_000_000);
    let before = net.nodes[0].disk.entries.clone();
    // With a few it is well made; then one too many, a list that only claims to be long, and all of them.
    let pulls = [pull(chain, TIPS), pull(chain, TIPS + 1), all[..500].to_vec(), all];
    assert!(pulls[1].len() < REQUEST_BYTES);
    for (number, bytes) in pulls.into_iter().enumerate() {
        let id = RequestId(1_000_000 + number as u64);
        net.expect_answer(id);
        net.feed(0, Input::Request { from, id, bytes });
        net.run();
        assert_eq!(net.strikes.len(), number);
    }
    assert_eq!(net.nodes[0].disk.entries, before);
    assert_eq!(net.order(0, &genesis).len(), 2);
}

#[test]
fn ten_thousand_backs_are_not_read() {
    let (mut net, genesis, chain) = victim();
    let before = net.nodes[0].disk.entries.clone();
    let gossip = |net: &mut Net, backs| {
        let news = LongNews { chain, item: item(net, backs) };
        net.gossip(0, Topic(chain.topic()), cbor::encode(&news))
    };
    assert!(!gossip(&mut net, 3), "what it builds on is unknown, and no fault of who passes it on");
    for backs in [BACKS + 1, MANY_BACKS] {
        assert!(gossip(&mut net, backs), "{backs} are not rejected");
    }
    for (number, backs) in [3, BACKS + 1, MANY_BACKS].into_iter().enumerate() {
        let page = LongPage { items: Bounded::first([item(&net, backs)]), next: None };
        net.answer_instead = Some(cbor::encode(&LongResponse::Page(page)));
        net.link(0, 1);
        net.cut(0, 1);
        assert_eq!(net.strikes.len(), number, "{backs}");
    }
    assert_eq!(net.nodes[0].disk.entries, before);
    assert_eq!(net.order(0, &genesis).len(), 2);
}
