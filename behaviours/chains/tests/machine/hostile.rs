//! A peer that does not keep to the rules: what it sends costs little, changes nothing, and is held
//! against it.

use covey_chains::{
    Block, BlockId, Payload, SignedBlock, Vote,
    genesis::{Genesis, Rules},
    limits::{REQUEST_BYTES, TIPS},
    wire::{Asker, ChainRef, Item, News, Page, Part, Pull, Request, Response},
};
use covey_kernel::{Bounded, Bytes, Hash, Input, RequestId, Span, Text, Time, Topic};

use crate::net::{Net, key, network};

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

fn block(net: &Net, backs: &[BlockId], author: u8) -> Block {
    Block {
        time: net.now,
        payload: Payload { hash: covey_blobs::hash(b"text"), size: 4, sealed: false },
        vote: None,
        backs: Bounded::new(backs.to_vec()).unwrap(),
        author: Some(key(author).public()),
    }
}

fn signed(block: Block, author: u8) -> SignedBlock {
    block.sign(&network(), Some(&key(author)))
}

/// What the victim makes of a gossiped block: whether the peer is blamed by the verdict.
fn gossip(net: &mut Net, chain: ChainRef, block: SignedBlock, payload: Option<&[u8]>) -> bool {
    let payload = payload.map(|payload| Bytes::new(payload.to_vec()).unwrap());
    let bytes = News { chain, item: Item { block, payload } }.encode();
    net.gossip(0, Topic(chain.topic()), bytes)
}

#[test]
fn blocks_that_break_a_rule_are_rejected_and_change_nothing() {
    let (mut net, genesis, chain) = victim();
    let first = net.order(0, &genesis)[1];
    let before = net.nodes[0].disk.entries.clone();
    net.wait(Span::secs(1));
    let fine = block(&net, &[first], 1);
    let mut forged = signed(fine.clone(), 1);
    forged.signature = signed(block(&net, &[first], 2), 2).signature;
    let early = Block { time: Time::from_millis(1), ..fine.clone() };
    let own = Some(Vote { like: true, target: first });
    let liked = Block { vote: own, ..fine.clone() };
    let huge = Block { payload: Payload { size: 1 << 30, ..fine.payload }, ..fine.clone() };
    let stranger = BlockId { height: 1, hash: Hash::of(b"elsewhere") };
    let elsewhere = Block { vote: Some(Vote { like: false, target: stranger }), ..fine.clone() };
    let bad = [
        ("a forged signature", forged, None),
        ("before its backs", signed(early, 1), None),
        ("a like of one's own", signed(liked, 1), None),
        ("a payload of a GiB", signed(huge, 1), None),
        ("a vote on no ancestor", signed(elsewhere, 1), None),
        ("another payload", signed(fine.clone(), 1), Some(b"else".as_slice())),
        (
            "a vote without reps",
            signed(
                Block {
                    author: Some(key(9).public()),
                    vote: Some(Vote { like: false, target: first }),
                    ..fine.clone()
                },
                9,
            ),
            None,
        ),
    ];
    for (what, block, payload) in bad {
        assert!(gossip(&mut net, chain, block, payload), "{what} is not rejected");
        assert_eq!(net.nodes[0].disk.entries, before, "{what} changed something");
    }
    assert!(!gossip(&mut net, chain, signed(fine, 1), Some(b"text")), "a good one is rejected");
    assert_eq!(net.order(0, &genesis).len(), 3);
}

#[test]
fn what_is_unknown_ahead_or_held_is_not_held_against_who_passes_it_on() {
    let (mut net, genesis, chain) = victim();
    let first = net.order(0, &genesis)[1];
    let unknown = BlockId { height: 7, hash: Hash::of(b"unknown") };
    let ahead = Block { time: net.now.plus(Span::secs(31 * 60)), ..block(&net, &[first], 1) };
    for block in [
        signed(block(&net, &[unknown], 1), 1),
        signed(ahead, 1),
        signed(block(&net, &[first], 5), 5),
        signed(block(&net, &[genesis.id()], 5), 5),
    ] {
        assert!(!gossip(&mut net, chain, block, None));
    }
    assert_eq!(net.order(0, &genesis).len(), 2);
}

#[test]
fn a_flood_of_siblings_takes_no_more_than_its_share() {
    let (mut net, genesis, chain) = victim();
    // An author of one rep.
    let (hello, _) = net.post(0, &genesis, "hello", 2);
    let (like, _) = net.vote(0, &genesis, (true, hello), 1).unwrap();
    net.wait(Span::hours(30));
    let siblings = (0..200u64).map(|number| {
        let time = net.now.plus(Span::millis(number));
        signed(Block { time, ..block(&net, &[like], 2) }, 2)
    });
    let mut siblings: Vec<SignedBlock> = siblings.collect();
    // Each would take the place of the one before, which then is left out.
    siblings.sort_by_key(|block| std::cmp::Reverse(block.block.id()));
    for sibling in siblings {
        gossip(&mut net, chain, sibling, Some(b"text"));
    }
    let blocks = net.nodes[0].disk.entries.keys().filter(|key| key[0] == 0x20).count();
    assert!((5..=5 + 16).contains(&blocks), "{blocks} blocks are kept");
    assert_eq!(net.order(0, &genesis).len(), 1 + 5, "as many are placed as the author has reps");
}

#[test]
fn a_flood_of_held_posts_takes_no_more_than_its_share() {
    let (mut net, genesis, chain) = victim();
    let first = net.order(0, &genesis)[1];
    net.link(0, 1);
    for author in 10..60u8 {
        let items = (0..40u64).map(|number| {
            let time = net.now.plus(Span::millis(number));
            let post = Block { time, ..block(&net, &[first], author) };
            Item { block: signed(post, author), payload: None }
        });
        let held = Response::Held(Bounded::first(items.collect::<Vec<_>>()));
        net.answer_instead = Some(held.encode());
        net.pull_held(0, chain);
    }
    let held = net.nodes[0].disk.entries.keys().filter(|key| key[0] == 0x23).count();
    assert!((16..=256).contains(&held), "{held} are held");
    assert_eq!(net.order(0, &genesis).len(), 2);
}

#[test]
fn nonsense_is_refused_and_counted() {
    let (mut net, genesis, chain) = victim();
    net.link(0, 1);
    let asker = Asker { chain, proof: None };
    let unknown = |number: u64| BlockId { height: 5, hash: Hash::of(&number.to_be_bytes()) };
    let tips = Bounded::first((0..TIPS as u64).map(unknown));
    let pull = Request::Pull(Pull {
        asker,
        tips,
        aside: Bounded::default(),
        cuts: Bounded::default(),
        after: 0,
        part: Part::All(()),
    })
    .encode();
    let mut long = pull.clone();
    long.extend(vec![0; REQUEST_BYTES]);
    let before = net.nodes[0].disk.entries.clone();
    let from = net.nodes[1].peer;
    for (number, bytes) in
        [long, vec![], vec![0xff; 100], pull[..20].to_vec()].into_iter().enumerate()
    {
        let id = RequestId(1_000_000 + number as u64);
        net.expect_answer(id);
        net.feed(0, Input::Request { from, id, bytes });
        net.run();
        assert_eq!(net.strikes.len(), number + 1);
    }
    // Unknown tips alone are no crime: the asker may know more.
    let id = RequestId(2_000_000);
    net.expect_answer(id);
    net.feed(0, Input::Request { from, id, bytes: pull });
    net.run();
    assert_eq!(net.strikes.len(), 4);
    assert_eq!(net.nodes[0].disk.entries, before);
    assert_eq!(net.order(0, &genesis).len(), 2);
}

#[test]
fn a_page_with_a_bad_block_ends_there_and_counts() {
    let (mut net, genesis, _) = victim();
    let first = net.order(0, &genesis)[1];
    net.wait(Span::secs(1));
    let good = signed(block(&net, &[first], 1), 1);
    let mut bad = signed(block(&net, &[good.block.id()], 1), 1);
    bad.block.time = Time::from_millis(1);
    bad.signature = bad.block.clone().sign(&network(), Some(&key(1))).signature;
    let items = [good, bad].map(|block| Item { block, payload: None });
    let page = Response::Page(Page { items: Bounded::first(items), next: Some(9) });
    net.answer_instead = Some(page.encode());
    net.link(0, 1);
    assert_eq!(net.strikes.len(), 1);
    assert_eq!(net.order(0, &genesis).len(), 3);
}

#[test]
fn what_others_build_on_passes_the_share() {
    let (mut net, genesis, chain) = victim();
    let (hello, _) = net.post(0, &genesis, "hello", 2);
    let (like, _) = net.vote(0, &genesis, (true, hello), 1).unwrap();
    net.wait(Span::hours(30));
    let siblings = (0..60u64).map(|number| {
        let time = net.now.plus(Span::millis(number));
        signed(Block { time, ..block(&net, &[like], 2) }, 2)
    });
    let mut siblings: Vec<SignedBlock> = siblings.collect();
    siblings.sort_by_key(|block| std::cmp::Reverse(block.block.id()));
    // The last would be placed, if there were not too many already; elsewhere it came first, and
    // somebody has built on it.
    for sibling in &siblings {
        gossip(&mut net, chain, sibling.clone(), Some(b"text"));
    }
    let last = siblings.last().unwrap().clone();
    net.wait(Span::secs(1));
    // Both a post and a like of it.
    let like = Some(Vote { like: true, target: last.block.id() });
    let liked = signed(Block { vote: like, ..block(&net, &[last.block.id()], 1) }, 1);
    let answer = signed(block(&net, &[liked.block.id()], 1), 1);
    let items = [last, liked, answer.clone()].map(|block| Item { block, payload: None });
    let page = Response::Page(Page { items: Bounded::first(items), next: None });
    net.answer_instead = Some(page.encode());
    net.link(0, 1);
    assert!(net.order(0, &genesis).contains(&answer.block.id()));
    let before = net.order(0, &genesis);
    net.restart(0);
    assert_eq!(net.order(0, &genesis), before);
}

#[test]
fn a_peer_that_wants_cuts_for_ever_is_given_up() {
    let (mut net, _, _) = victim();
    net.answer_instead = Some(Response::Cuts(()).encode());
    net.answers_for_ever = true;
    net.link(0, 1);
    assert_eq!(net.strikes.len(), 1);
}

#[test]
fn pages_of_nothing_new_come_to_an_end() {
    let (mut net, genesis, _) = victim();
    net.endless_pages = Some(0);
    net.link(0, 1);
    let pages = net.endless_pages.unwrap();
    assert!((2..=70).contains(&pages), "{pages} pages were asked for");
    assert_eq!(net.order(0, &genesis).len(), 2);
}
