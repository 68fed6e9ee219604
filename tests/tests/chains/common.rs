//! A small builder of worlds.

use covey_tests::{chains, naive::*};
use std::collections::BTreeSet;

pub(crate) const MS: u64 = 1;
pub(crate) const H: u64 = 3_600_000;
pub(crate) const D: u64 = 24 * H;

// Authors.
pub(crate) const A: Author = 1;
pub(crate) const B: Author = 2;
pub(crate) const C: Author = 3;
pub(crate) const E: Author = 5;

#[derive(Debug)]
pub(crate) struct Make {
    pub(crate) w: World,
}

impl Make {
    fn new(kind: Kind, rules: Rules, first: Option<usize>) -> Make {
        let genesis =
            Block { id: [0; 32], height: 0, time: 0, author: None, backs: vec![], vote: None };
        Make { w: World { chain: Chain { kind, rules, first }, blocks: vec![genesis] } }
    }
    /// A paper forum whose first post will be block 1.
    pub(crate) fn forum() -> Make {
        Make::new(Kind::Forum, Rules::Paper, Some(1))
    }
    pub(crate) fn private() -> Make {
        Make::new(Kind::Private, Rules::Paper, None)
    }
    pub(crate) fn identity(owner: Author, only_owner: bool) -> Make {
        Make::new(Kind::Identity { owner, only_owner }, Rules::Paper, None)
    }
    pub(crate) fn v10(pioneers: &[Author]) -> Make {
        Make::new(Kind::Forum, Rules::V10 { pioneers: pioneers.to_vec() }, None)
    }
    pub(crate) fn push(
        &mut self,
        author: Option<Author>,
        time: u64,
        backs: &[usize],
        vote: Option<Vote>,
    ) -> usize {
        let n = self.w.blocks.len();
        let mut id = [0; 32];
        id[1] = n as u8; // by default a later block has the larger id
        let height = 1 + backs.iter().map(|&b| self.w.blocks[b].height).max().unwrap();
        self.w.blocks.push(Block { id, height, time, author, backs: backs.to_vec(), vote });
        n
    }
    pub(crate) fn post(&mut self, author: Author, time: u64, backs: &[usize]) -> usize {
        self.push(Some(author), time, backs, None)
    }
    pub(crate) fn unsigned(&mut self, time: u64, backs: &[usize]) -> usize {
        self.push(None, time, backs, None)
    }
    pub(crate) fn like(
        &mut self,
        author: Author,
        time: u64,
        target: usize,
        backs: &[usize],
    ) -> usize {
        self.push(Some(author), time, backs, Some(Vote { like: true, target }))
    }
    pub(crate) fn dislike(
        &mut self,
        author: Author,
        time: u64,
        target: usize,
        backs: &[usize],
    ) -> usize {
        self.push(Some(author), time, backs, Some(Vote { like: false, target }))
    }
    /// Makes the id larger than all default ones (byte > 0).
    pub(crate) fn late_id(&mut self, b: usize, byte: u8) {
        self.w.blocks[b].id[0] = byte;
    }

    pub(crate) fn all(&self) -> BTreeSet<usize> {
        (0..self.w.blocks.len()).collect()
    }
    pub(crate) fn without(&self, out: &[usize]) -> BTreeSet<usize> {
        self.all().into_iter().filter(|b| !out.contains(b)).collect()
    }
    /// The graph agrees with the model; every look at the model makes sure of it.
    fn same(&self) {
        if chains::known_to(&self.w) {
            chains::assert_same(&self.w, &self.all().into_iter().collect::<Vec<_>>());
        }
    }
    pub(crate) fn order(&self) -> Vec<usize> {
        self.same();
        self.w.order(&self.all())
    }
    pub(crate) fn reps(&self, author: Author, at: u64) -> i64 {
        self.same();
        self.w.reps(&self.all(), author, at)
    }
    pub(crate) fn status(&self, b: usize) -> Status {
        self.same();
        self.w.statuses(&self.all())[&b]
    }
    pub(crate) fn admitted(&self, b: usize) -> bool {
        self.w.admitted(&self.all(), b)
    }
    pub(crate) fn revoked(&self, b: usize) -> bool {
        self.same();
        self.w.revoked(&self.all(), b)
    }
    pub(crate) fn effective(&self) -> Vec<u64> {
        self.same();
        self.w.effective(&self.all())
    }
}

/// A forum: A's first post at 0, and at 1 h newcomer B's post admitted by A's like.
/// Blocks: 1 first, 2 B's, 3 the like.
pub(crate) fn forum_with_b() -> Make {
    let mut m = Make::forum();
    let first = m.post(A, 0, &[0]);
    let b = m.post(B, H, &[first]);
    m.like(A, H, b, &[b]);
    m
}
