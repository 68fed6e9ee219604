//! What the order leaves out takes room, and nobody's junk keeps away what others wrote.

use std::collections::{BTreeMap, BTreeSet};

use covey_chains::{
    Block, BlockId, Error, Payload, SignedBlock,
    command::{Command, Event, Reply, State, Which},
    genesis::Genesis,
    limits::{INLINE_BYTES, LEFT_OUT, MANY, PAGE_BLOCKS, PAGE_BYTES},
    wire::{Item, Page, Response},
};
use covey_kernel::{Bounded, Bytes, Span};

use crate::{
    made::{apart, block, give, like, old_block},
    net::{Net, key, network, which},
};

/// Days for which one can write on what is left out.
const DAYS: u64 = 2 * LEFT_OUT as u64 + 200;
const DAY: u64 = 25 * 3_600_000;

/// A chain that two nodes follow, in which some had reps long ago, and have written siblings at once; those of 2
/// node 0 has alone.
struct Full {
    net: Net,
    chain: Genesis,
    /// What they were written on.
    heads: Vec<BlockId>,
    /// The siblings of each that the order leaves out.
    out: BTreeMap<u8, Vec<SignedBlock>>,
    order: Vec<BlockId>,
}

fn full() -> Full {
    let (mut net, chain) = apart();
    for author in 2..8 {
        let (hello, _) = net.post(0, &chain, "hello", author);
        net.vote(0, &chain, (true, hello), 1).unwrap();
    }
    net.wait(Span::hours(30));
    let heads = net.heads(0, &chain, Which::Placed);
    net.wait(Span::millis(DAY * DAYS));
    net.tolerant = true;
    let mut full = Full { net, chain, heads, out: BTreeMap::new(), order: Vec::new() };
    full.spend(3);
    full.net.link(0, 1);
    full.net.cut(0, 1);
    full.spend(2);
    full.order = full.net.order(0, &full.chain);
    full
}

impl Full {
    /// Node 0 gets siblings of an author. What the owner answers stays placed, whoever writes on the others.
    fn spend(&mut self, author: u8) {
        let siblings = self.siblings(author);
        give(&mut self.net, 0, &siblings);
        let order = self.net.order(0, &self.chain);
        let is_placed = |block: &SignedBlock| order.contains(&block.block.id());
        let (placed, out): (Vec<_>, Vec<_>) = siblings.into_iter().partition(is_placed);
        let ago = Span::millis(DAY * DAYS);
        for sibling in placed {
            let answer = old_block(&mut self.net, ago, 1, &[sibling.block.id()], 10);
            give(&mut self.net, 0, &[answer]);
        }
        self.out.insert(author, out);
    }

    /// More than an author has reps for, by their ids.
    fn siblings(&mut self, author: u8) -> Vec<SignedBlock> {
        let (heads, ago) = (self.heads.clone(), Span::millis(DAY * DAYS));
        let sibling = |number| old_block(&mut self.net, ago, author, &heads, number);
        let mut all: Vec<SignedBlock> = (0..5).map(sibling).collect();
        all.sort_by_key(|block| block.block.id());
        all
    }

    /// What an author may write on something that is left out.
    fn junk(&mut self, author: u8, count: usize) -> Vec<SignedBlock> {
        let begin = self.out[&author][0].block.id();
        self.line(&[author], begin, count as u64)
    }

    /// So many blocks one on the other, one a day, by turns.
    fn line(&mut self, authors: &[u8], begin: BlockId, count: u64) -> Vec<SignedBlock> {
        let mut back = begin;
        let mut next = |number: u64| {
            let ago = Span::millis(DAY * (DAYS - number));
            let author = authors[number as usize % authors.len()];
            let block = old_block(&mut self.net, ago, author, &[back], 0);
            back = block.block.id();
            block
        };
        (1..=count).map(&mut next).collect()
    }

    fn has(&mut self, at: usize, block: &SignedBlock) -> bool {
        let found = self.net.call(at, Command::Block(which(&self.chain), block.block.id()));
        matches!(found, Ok(Reply::Block(info)) if matches!(info.state, State::Placed(_) | State::Blocked))
    }

    fn count(&mut self, at: usize, blocks: &[SignedBlock]) -> usize {
        blocks.iter().filter(|block| self.has(at, block)).count()
    }
}

#[test]
fn one_can_write_only_so_much_on_what_the_order_leaves_out() {
    let mut full = full();
    let begin = full.out[&2][0].block.id();
    let line = full.line(&[2], begin, LEFT_OUT as u64 + 100);
    give(&mut full.net, 0, &line);
    let room = LEFT_OUT - full.out[&2].len();
    assert_eq!(full.count(0, &line), room);
    assert!(full.net.order(0, &full.chain) == full.order);
    // The same after a restart, for all else of the author's that is left out, and whoever has reps there alone.
    full.net.restart(0);
    let gift = old_block(&mut full.net, Span::hours(1), 9, &[line[room - 1].block.id()], 0);
    let gift = [gift.clone(), like(&gift, 2)];
    let other = full.out[&2][1].block.id();
    let more = full.line(&[2], other, 100);
    for blocks in [&line[..], &gift, &more] {
        give(&mut full.net, 0, blocks);
    }
    assert_eq!((full.count(0, &gift), full.count(0, &more)), (0, 0));
    // What is placed is taken, and so is all of the line once it is liked.
    full.net.round();
    let last = *full.order.last().unwrap();
    let good = old_block(&mut full.net, Span::millis(DAY * (DAYS - 1)), 1, &[last], 0);
    give(&mut full.net, 0, std::slice::from_ref(&good));
    assert!(full.net.order(0, &full.chain).contains(&good.block.id()));
    full.net.wait(Span::hours(2));
    give(&mut full.net, 0, &[like(&full.out[&2][0], 1)]);
    give(&mut full.net, 0, &line);
    let order = full.net.order(0, &full.chain);
    assert!(line.iter().all(|block| order.contains(&block.block.id())));
}

#[test]
fn two_who_write_on_each_others_blocks_have_the_room_of_two() {
    let mut full = full();
    let begin = full.out[&2][0].block.id();
    let line = full.line(&[2, 6], begin, DAYS - 1);
    give(&mut full.net, 0, &line);
    assert_eq!(full.count(0, &line), 2 * LEFT_OUT - full.out[&2].len());
}

/// What 2 and 6 have written on one of the siblings.
fn side(full: &mut Full, count: u64) -> Vec<SignedBlock> {
    let begin = full.out[&2][1].block.id();
    let mut side = full.line(&[2], begin, count);
    let ago = Span::millis(DAY * (DAYS - count - 1));
    let back = side.last().unwrap().block.id();
    side.push(old_block(&mut full.net, ago, 6, &[back], 0));
    side
}

#[test]
fn what_builds_on_an_author_who_has_no_room_is_taken_with_it() {
    let mut full = full();
    let junk = full.junk(2, LEFT_OUT);
    give(&mut full.net, 0, &junk);
    let side = side(&mut full, 20);
    give(&mut full.net, 0, &side[..20]);
    assert_eq!(full.count(0, &side), 0, "it has no room");
    full.net.round();
    give(&mut full.net, 0, &side);
    assert_eq!(full.count(0, &side), 21, "6 has room for it");
    assert!(full.net.order(0, &full.chain) == full.order);
}

/// Node 0 is full of what 2 wrote. Node 1 gets some blocks, junk that fills more than a page, and then one more. Both
/// are full of what 3 wrote, other blocks each.
fn with_junk_between(full: &mut Full, first: &[SignedBlock], last: &SignedBlock) {
    give(&mut full.net, 1, first);
    for at in [1, 0] {
        let junk = full.junk(3, LEFT_OUT);
        give(&mut full.net, at, &junk);
        full.net.now = full.net.now.plus(Span::millis(1));
    }
    let junk = full.junk(2, LEFT_OUT);
    give(&mut full.net, 0, &junk);
    full.net.round();
    give(&mut full.net, 1, std::slice::from_ref(last));
    assert!(full.net.order(1, &full.chain).contains(&last.block.id()), "it is placed there");
    let served = full.net.pages.len();
    full.net.link(0, 1);
    full.net.round();
    let pages: Vec<usize> = full.net.pages[served..].iter().map(Vec::len).collect();
    assert!(pages.iter().any(|items| items + 2 > PAGE_BLOCKS), "junk fills a page: {pages:?}");
    assert!(full.has(0, last));
}

#[test]
fn what_builds_on_a_refused_block_comes_with_it_whatever_junk_lies_between() {
    let mut full = full();
    let (heads, ago) = (full.heads.clone(), Span::millis(DAY * DAYS));
    let first = old_block(&mut full.net, ago, 2, &heads, 100);
    let last = old_block(&mut full.net, ago, 6, &[first.block.id()], 200);
    with_junk_between(&mut full, &[first], &last);
    assert!(full.net.order(0, &full.chain) == full.net.order(1, &full.chain));
}

/// Node 0 takes no more of 3, nor what somebody unknown there has written on it: to see that uses up the share of node 1.
#[test]
fn what_is_in_the_order_comes_whatever_is_written_on_junk() {
    let mut full = full();
    let junk = full.junk(3, LEFT_OUT);
    give(&mut full.net, 0, &junk);
    let (begin, ago) = (full.out[&3][1].block.id(), Span::millis(DAY * DAYS));
    let post = old_block(&mut full.net, ago, 9, &[begin], 100);
    let like = like(&post, 3);
    let line = full.line(&[9], like.block.id(), 1_000);
    give(&mut full.net, 1, &[post, like]);
    give(&mut full.net, 1, &line);
    assert_eq!(full.count(1, &line), line.len());
    let last = *full.net.order(1, &full.chain).last().unwrap();
    let good = block(&full.net, 1, &[last], 0);
    give(&mut full.net, 1, std::slice::from_ref(&good));
    assert!(full.net.order(1, &full.chain).contains(&good.block.id()));
    full.net.round();
    full.net.deaf = true;
    full.net.link(0, 1);
    assert!(!full.has(0, &good), "the share is not used up");
    full.net.round();
    assert!(full.has(0, &good));
    assert_eq!(full.net.strikes, []);
}

#[test]
fn a_held_post_comes_with_the_like_that_is_asked_for_if_its_first_one_is_refused() {
    let mut full = full();
    let (heads, ago) = (full.heads.clone(), Span::millis(DAY * DAYS));
    let post = old_block(&mut full.net, ago, 9, &heads, 100);
    let likes = [like(&post, 2), like(&post, 6)];
    let [first, last] = likes;
    with_junk_between(&mut full, &[post.clone(), first.clone()], &last);
    assert!(full.has(0, &post) && !full.has(0, &first));
}

/// A node gets blocks with their payloads from the one that does not follow the chain.
fn give_whole(net: &mut Net, at: usize, blocks: &[SignedBlock], payload: &[u8]) {
    for blocks in blocks.chunks(PAGE_BYTES / payload.len() - 1) {
        let payload = || Some(Bytes::new(payload.to_vec()).unwrap());
        let items = blocks.iter().map(|block| Item { block: block.clone(), payload: payload() });
        let page = Page { items: Bounded::first(items), next: None };
        net.answer_instead = Some(Response::Page(page).encode());
        net.link(at, 2);
        net.cut(at, 2);
    }
}

#[test]
fn what_is_asked_for_by_name_comes_on_one_page_however_large_the_payloads_are() {
    let mut full = full();
    let junk = full.junk(2, LEFT_OUT);
    give(&mut full.net, 0, &junk);
    let text = vec![b'x'; INLINE_BYTES];
    let (mut backs, mut line) = (full.heads.clone(), Vec::new());
    for number in 0..PAGE_BYTES / INLINE_BYTES + 8 {
        full.net.now = full.net.now.minus(Span::millis(DAY * (DAYS - number as u64)));
        let block = block_of(&full.net, 2, &backs, &text);
        full.net.now = full.net.now.plus(Span::millis(DAY * (DAYS - number as u64)));
        backs = vec![block.block.id()];
        line.push(block);
    }
    let last = old_block(&mut full.net, Span::hours(1), 1, &backs, 0);
    full.net.round();
    give_whole(&mut full.net, 1, &line, &text);
    give(&mut full.net, 1, std::slice::from_ref(&last));
    assert!(full.net.order(1, &full.chain).contains(&last.block.id()));
    full.net.link(0, 1);
    assert_eq!(full.count(0, &line), line.len());
    assert!(full.has(0, &last));
}

#[test]
fn payloads_of_too_much_that_is_left_out_give_way() {
    let mut full = full();
    full.net.room = (2 * MANY * 1024) as u64;
    full.net.restart(0);
    let text = vec![b'x'; 1024];
    let mut backs = vec![full.out[&3][1].block.id()];
    let mut line = Vec::new();
    for number in 1..2 * MANY as u64 {
        let now = full.net.now;
        full.net.now = now.minus(Span::millis(DAY * (DAYS - number)));
        let block = block_of(&full.net, 3, &backs, &text);
        full.net.now = now;
        backs = vec![block.block.id()];
        line.push(block);
    }
    let before = full.net.status(0, &full.chain).kept;
    give_whole(&mut full.net, 0, &line, &text);
    assert_eq!(full.count(0, &line), line.len());
    assert!(full.net.status(0, &full.chain).kept > full.net.room / 2);
    full.net.round();
    let kept = full.net.status(0, &full.chain).kept;
    assert!(kept > before && kept <= full.net.room / 2, "{kept}");
    // The latest have gone first, and what was made here stays.
    let lacks = |full: &mut Full, at: usize| {
        full.net.payload(0, &full.chain, line[at].block.id()) == Err(Error::NotArrived)
    };
    assert!(!lacks(&mut full, 0) && lacks(&mut full, line.len() - 1));
}

fn block_of(net: &Net, author: u8, backs: &[BlockId], text: &[u8]) -> SignedBlock {
    let block = Block {
        time: net.now,
        payload: Payload { hash: covey_blobs::hash(text), size: text.len() as u64, sealed: false },
        vote: None,
        backs: Bounded::new(backs.to_vec()).unwrap(),
        author: Some(key(author).public()),
    };
    block.sign(&network(), Some(&key(author)))
}

#[test]
fn junk_that_has_no_room_keeps_nobody_else_away() {
    let mut full = full();
    let last = *full.order.last().unwrap();
    let long = full.line(&[1], last, DAYS - 1);
    give(&mut full.net, 0, &long);
    let junk = full.junk(2, LEFT_OUT + 300);
    let good = block(&full.net, 1, &[long.last().unwrap().block.id()], 0);
    let all: Vec<SignedBlock> = junk.iter().chain([&good]).cloned().collect();
    give(&mut full.net, 0, &all);
    assert!(full.has(0, &good), "what comes after it is not taken");
    assert_eq!(full.net.strikes, []);
    assert_eq!(full.count(0, &junk), LEFT_OUT - full.out[&2].len());
}

#[test]
fn who_is_full_does_not_have_ones_own_give_way() {
    for (junk, fits) in [(LEFT_OUT - 80, true), (LEFT_OUT - 1, false)] {
        let mut full = full();
        let all = full.siblings(7);
        // With two reps the first two are placed, and the last one is not.
        give(&mut full.net, 0, &all[2..]);
        let line = full.line(&[7], all[3].block.id(), 60);
        give(&mut full.net, 0, &line);
        let order = full.net.order(0, &full.chain);
        assert!(line.iter().all(|block| order.contains(&block.block.id())));
        let junk = full.line(&[7], all[4].block.id(), junk as u64);
        give(&mut full.net, 0, &junk);
        assert_eq!(full.count(0, &junk), junk.len());
        // The first of all takes the place of that on which the line is.
        give(&mut full.net, 0, &all[..1]);
        assert_eq!(full.has(0, &all[0]), fits);
        assert_eq!(full.net.order(0, &full.chain) == order, !fits);
    }
}

/// 2 has written at both nodes, and more than they have reps for. At node 1 3 has answered; what the owner has
/// answered at node 0 stays. Gives what is left out: the one of 2, and the answer.
fn parted(net: &mut Net, chain: &Genesis) -> [BlockId; 2] {
    for author in [2, 3] {
        let (hello, _) = net.post(0, chain, "hello", author);
        net.vote(0, chain, (true, hello), 1).unwrap();
    }
    net.link(0, 1);
    net.wait(Span::hours(30));
    net.cut(0, 1);
    for text in ["one", "two"] {
        net.post(0, chain, text, 2);
        net.post(0, chain, "yes", 1);
    }
    net.wait(Span::secs(1));
    let (out, _) = net.post(1, chain, "three", 2);
    let (answer, _) = net.post(1, chain, "no", 3);
    net.link(0, 1);
    net.round();
    [out, answer]
}

#[test]
fn a_block_that_is_left_out_can_be_read_everywhere_and_brought_back() {
    let (mut net, chain) = apart();
    let [out, answer] = parted(&mut net, &chain);
    for at in [0, 1] {
        assert_eq!(net.heads(at, &chain, Which::Blocked), [out]);
        assert_eq!(net.payload(at, &chain, out).unwrap(), "three");
        net.call(at, Command::MarkRead(which(&chain))).unwrap();
    }
    let (like, state) = net.vote(0, &chain, (true, out), 1).unwrap();
    assert!(matches!(state, State::Placed(_)));
    net.round();
    for at in [0, 1] {
        let unread: BTreeSet<BlockId> = net.unread(at, &chain).into_iter().collect();
        assert_eq!(unread, [out, answer, like].into());
        let told = |id: BlockId, event: &Event| {
            let is_placed = |state: &State| matches!(state, State::Placed(_));
            matches!(event, Event::Block { id: of, state, .. } if *of == id && is_placed(state))
        };
        let events = &net.nodes[at].events;
        assert!([out, answer].iter().all(|id| events.iter().any(|event| told(*id, event))));
        assert_eq!(net.heads(at, &chain, Which::Blocked), []);
        assert_eq!(net.payload(at, &chain, answer).unwrap(), "no");
    }
}

/// The answer and what 3 has written on it are left out, too much of it.
#[test]
fn what_was_made_here_stays_where_others_give_way() {
    let (mut net, chain) = apart();
    let [_, answer] = parted(&mut net, &chain);
    let (text, days) = (vec![b'x'; 16], MANY as u64 + 50);
    net.wait(Span::millis(DAY * (days + 10)));
    let (mut backs, mut line) = (vec![answer], Vec::new());
    for number in 0..days {
        let now = net.now;
        net.now = now.minus(Span::millis(DAY * (days - number)));
        let block = block_of(&net, 3, &backs, &text);
        net.now = now;
        backs = vec![block.block.id()];
        line.push(block.block.id());
        give_whole(&mut net, 1, &[block], &text);
    }
    let last = line[line.len() - 1];
    assert!(net.payload(1, &chain, last).is_ok());
    net.room = 2;
    net.restart(1);
    net.round();
    assert_eq!(net.payload(1, &chain, last), Err(Error::NotArrived));
    assert_eq!(net.payload(1, &chain, answer).as_deref(), Ok("no"));
}

#[test]
fn a_like_that_brings_nothing_back_says_what_would() {
    let (mut net, chain) = apart();
    let [out, answer] = parted(&mut net, &chain);
    let liked = net.vote(0, &chain, (true, answer), 1);
    assert!(matches!(liked, Err(Error::LeftOutWith(of, with)) if (of, with) == (answer, out)));
    // Who has no reps where it was left out.
    let poor = net.vote(0, &chain, (true, out), 9);
    assert!(matches!(poor, Err(Error::NoReps { reps: 0, .. })), "{poor:?}");
}
