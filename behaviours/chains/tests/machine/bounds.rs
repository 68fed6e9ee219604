//! What is remembered of hard forks, and told of them, has an end.

use std::ops::Range;

use covey_chains::{
    BlockId, SignedBlock,
    command::{Command, Reply, State, Which},
    genesis::{Genesis, Rules},
    limits::{ASIDE_TIPS, FORK_TIPS, FORKED, FORKED_SHARE, FORKS_SHOWN, HELD, PIONEERS},
};
use covey_kernel::{Span, Text, Time};

use crate::{
    apart::{POSTS, forum, together, write},
    made::{block, give, like, old_block},
    net::{Net, key, network, which},
};

/// Pioneers beside the one who writes at node 0.
const OTHERS: Range<u8> = 2..PIONEERS as u8 + 1;

/// Node 0 has frozen what it wrote since the first post, which 1 has too.
struct Frozen {
    net: Net,
    chain: Genesis,
    first: BlockId,
    begun: Time,
}

fn frozen() -> Frozen {
    let pioneers = OTHERS.chain([1]).map(|seed| key(seed).public()).collect();
    let rules = Rules::v10(&pioneers).unwrap();
    let name = Text::new("chat").unwrap();
    let chain = Genesis { freeze: forum().freeze, ..Genesis::forum(network(), name, rules) };
    let mut net = Net::new(3);
    let first = together(&mut net, &chain);
    net.cut(0, 1);
    let begun = net.now;
    net.wait(Span::days(365));
    write(&mut net, 0, &chain, POSTS, Span::hours(30));
    net.tolerant = true;
    Frozen { net, chain, first, begun }
}

impl Frozen {
    /// Somebody's block, so many days after the first post.
    fn old(&mut self, author: u8, back: BlockId, days: usize) -> SignedBlock {
        self.old_at(author, back, Span::hours(25 * days as u64))
    }

    /// Somebody's block, so long after the first post.
    fn old_at(&mut self, author: u8, back: BlockId, later: Span) -> SignedBlock {
        let ago = Span::millis(self.net.now.since(self.begun).as_millis() - later.as_millis());
        old_block(&mut self.net, ago, author, &[back], 0)
    }

    /// So many of somebody's blocks, one on the other.
    fn line(&mut self, author: u8, count: usize) -> Vec<SignedBlock> {
        let mut back = self.first;
        let mut next = |days| {
            let block = self.old(author, back, days);
            back = block.block.id();
            block
        };
        (1..=count).map(&mut next).collect()
    }

    /// So many blocks of several authors by turns, one on the other.
    fn line_of(
        &mut self,
        authors: Range<u8>,
        begin: BlockId,
        numbers: Range<usize>,
    ) -> Vec<SignedBlock> {
        let (authors, mut back) = (Vec::from_iter(authors), begin);
        // Each has earned again when it is their turn.
        let step = 25 * 3600 / authors.len() as u64;
        let mut next = |number| {
            let author = authors[number % authors.len()];
            let block = self.old_at(author, back, Span::secs(step * (number as u64 + 1)));
            back = block.block.id();
            block
        };
        numbers.map(&mut next).collect()
    }

    fn give(&mut self, blocks: &[SignedBlock]) {
        give(&mut self.net, 0, blocks);
    }

    /// How many of some blocks are left aside.
    fn aside(&mut self, blocks: &[SignedBlock]) -> usize {
        blocks.iter().filter(|block| self.is_aside(block)).count()
    }

    /// As many of somebody's blocks on another as are left aside.
    fn siblings(&mut self, author: u8, back: BlockId) -> Vec<SignedBlock> {
        (2..2 + HELD).map(|days| self.old(author, back, days)).collect()
    }

    fn is_aside(&mut self, block: &SignedBlock) -> bool {
        match self.net.call(0, Command::Block(which(&self.chain), block.block.id())) {
            Ok(Reply::Block(info)) => {
                assert_eq!(info.state, State::Forked);
                true
            }
            _ => false,
        }
    }
}

#[test]
fn forks_of_all_authors_together_have_an_end() {
    let mut frozen = frozen();
    let each = FORKED / OTHERS.len() + 1;
    let order = frozen.net.order(0, &frozen.chain);
    let mut lines = Vec::new();
    for author in OTHERS {
        let line = frozen.line(author, each);
        give(&mut frozen.net, 0, &line);
        lines.extend(line);
    }
    assert!(lines.len() > FORKED);
    assert_eq!(frozen.aside(&lines), FORKED);
    frozen.net.restart(0);
    assert_eq!(frozen.aside(&lines), FORKED);
    assert_eq!(frozen.net.order(0, &frozen.chain), order);
}

#[test]
fn so_many_forks_are_shown_and_so_many_tips_named() {
    let mut frozen = frozen();
    for author in OTHERS {
        let siblings = frozen.siblings(author, frozen.first);
        give(&mut frozen.net, 0, &siblings);
    }
    let tips = frozen.net.heads(0, &frozen.chain, Which::Forked);
    assert_eq!(tips.len(), OTHERS.len() * HELD);
    assert_eq!(frozen.net.status(0, &frozen.chain).forks.len(), FORKS_SHOWN);
    frozen.net.restart(0);
    frozen.net.join(2, &frozen.chain);
    frozen.net.pulls.clear();
    frozen.net.link(0, 2);
    let named = frozen.net.pulls.iter().map(|pull| pull.aside.len()).max();
    assert_eq!(named, Some(ASIDE_TIPS));
}

#[test]
fn a_fork_names_so_many_tips() {
    let mut frozen = frozen();
    let mut fork = vec![frozen.old(OTHERS.start, frozen.first, 1)];
    let begin = fork[0].block.id();
    fork.extend(frozen.siblings(OTHERS.start + 1, begin));
    give(&mut frozen.net, 0, &fork);
    assert_eq!(frozen.net.heads(0, &frozen.chain, Which::Forked).len(), HELD);
    let forks = frozen.net.status(0, &frozen.chain).forks;
    assert_eq!(forks.len(), 1);
    assert_eq!((forks[0].first, forks[0].tips.len()), (begin, FORK_TIPS));
}

#[test]
fn the_side_that_was_left_last_is_shown_before_others() {
    let mut frozen = frozen();
    let own = frozen.net.order(0, &frozen.chain)[2];
    let theirs = write(&mut frozen.net, 1, &frozen.chain, POSTS, Span::hours(30));
    frozen.net.link(0, 1);
    frozen.net.cut(0, 1);
    for author in OTHERS {
        let siblings = frozen.siblings(author, frozen.first);
        give(&mut frozen.net, 0, &siblings);
    }
    frozen.net.wait(Span::secs(1));
    let (_, left) = frozen.net.choose(0, &frozen.chain, theirs[POSTS - 1]).unwrap();
    assert_eq!(left, POSTS);
    let forks = frozen.net.status(0, &frozen.chain).forks;
    assert_eq!(forks.len(), FORKS_SHOWN);
    let fork = forks.iter().find(|fork| fork.first == own).expect("the own side is not shown");
    assert_eq!(fork.tips.len(), 1);
}

#[test]
fn what_is_taken_together_needs_room_together() {
    let mut frozen = frozen();
    let mut room = FORKED - 1;
    for author in OTHERS {
        let line = frozen.line(author, room.min(FORKED / OTHERS.len() + 1));
        room -= line.len();
        give(&mut frozen.net, 0, &line);
    }
    assert_eq!(room, 0);
    let hello = frozen.old(100, frozen.first, 1);
    let pair = [hello.clone(), like(&hello, OTHERS.start)];
    give(&mut frozen.net, 0, &pair);
    assert!(!pair.iter().any(|block| frozen.is_aside(block)));
    let one = frozen.old(OTHERS.start, frozen.first, 1);
    give(&mut frozen.net, 0, std::slice::from_ref(&one));
    assert!(frozen.is_aside(&one), "there is room for one");
}

/// A fork that one author began, and on which many write.
const FULL: usize = FORKED_SHARE + 50;

impl Frozen {
    fn full(&mut self) -> Vec<SignedBlock> {
        let fork = self.line_of(OTHERS.start..OTHERS.start + 8, self.first, 0..FULL);
        self.give(&fork);
        assert_eq!(self.aside(&fork), FORKED_SHARE);
        fork
    }
}

#[test]
fn who_began_a_fork_has_no_more_room_with_others_who_write_on_it() {
    let mut frozen = frozen();
    let fork = frozen.full();
    frozen.net.restart(0);
    assert_eq!(frozen.aside(&fork), FORKED_SHARE);
    // The same after it was followed, and is followed no longer: what came then is left aside beside it.
    let own = *frozen.net.order(0, &frozen.chain).last().unwrap();
    let more = frozen.old(OTHERS.start, frozen.first, 100);
    frozen.give(std::slice::from_ref(&more));
    assert!(!frozen.is_aside(&more), "one more of who began it");
    frozen.net.choose(0, &frozen.chain, fork[FORKED_SHARE - 1].block.id()).unwrap();
    frozen.give(&fork);
    frozen.net.choose(0, &frozen.chain, own).unwrap();
    assert_eq!(frozen.aside(&fork), FULL);
    frozen.give(std::slice::from_ref(&more));
    assert!(frozen.is_aside(&more), "what was once followed counts");
}

#[test]
fn what_joins_two_forks_is_in_the_share_that_has_room() {
    let mut frozen = frozen();
    let fork = frozen.full();
    let other = frozen.old_at(OTHERS.end - 1, frozen.first, Span::hours(1));
    frozen.give(std::slice::from_ref(&other));
    let mut backs = [fork[FORKED_SHARE - 1].block.id(), other.block.id()];
    backs.sort_unstable();
    let join = block(&frozen.net, OTHERS.start, &backs, 1);
    frozen.give(std::slice::from_ref(&join));
    assert!(frozen.is_aside(&join));
    // It is in the share of the author of the other one: of that one there are two now.
    let rest = frozen.line_of(OTHERS.end - 9..OTHERS.end - 1, other.block.id(), 0..FORKED_SHARE);
    frozen.give(&rest);
    assert_eq!(frozen.aside(&rest), FORKED_SHARE - 2);
}

#[test]
fn a_held_post_is_in_the_share_of_who_likes_it() {
    let mut frozen = frozen();
    frozen.full();
    let [one, other] = [100, 101].map(|author| frozen.old(author, frozen.first, 1));
    frozen.give(&[one.clone(), like(&one, OTHERS.start)]);
    assert!(!frozen.is_aside(&one), "who likes it has no more room");
    frozen.give(&[other.clone(), like(&other, OTHERS.end - 1)]);
    assert!(frozen.is_aside(&other));
}

#[test]
fn what_comes_of_a_side_that_was_left_is_in_the_share_of_who_began_it() {
    let mut frozen = frozen();
    let own = *frozen.net.order(0, &frozen.chain).last().unwrap();
    let fork = frozen.line_of(OTHERS.start..OTHERS.start + 8, frozen.first, 0..8);
    frozen.give(&fork);
    let tip = fork[7].block.id();
    frozen.net.choose(0, &frozen.chain, tip).unwrap();
    frozen.net.choose(0, &frozen.chain, own).unwrap();
    frozen.net.restart(0);
    let more = frozen.line_of(OTHERS.start..OTHERS.start + 8, tip, 8..FULL);
    frozen.give(&more);
    assert_eq!(frozen.aside(&more), FORKED_SHARE);
}

#[test]
fn a_held_post_that_is_followed_no_longer_is_in_the_share_of_who_likes_it() {
    let mut frozen = frozen();
    let own = *frozen.net.order(0, &frozen.chain).last().unwrap();
    let hello = frozen.old(100, frozen.first, 1);
    let liked = like(&hello, OTHERS.start);
    let begin = liked.block.id();
    let pair = [hello, liked];
    frozen.give(&pair);
    assert_eq!(frozen.aside(&pair), 2);
    frozen.net.choose(0, &frozen.chain, begin).unwrap();
    frozen.net.choose(0, &frozen.chain, own).unwrap();
    assert_eq!(frozen.aside(&pair), 2);
    let more = frozen.line_of(OTHERS.start + 1..OTHERS.start + 9, begin, 8..8 + FULL);
    frozen.give(&more);
    assert_eq!(frozen.aside(&more), FORKED_SHARE);
    let other = frozen.old(OTHERS.start, frozen.first, 100);
    frozen.give(std::slice::from_ref(&other));
    assert!(!frozen.is_aside(&other), "who liked it has no more room");
}
