//! Blocks that are admitted, and left out of what is followed: those of hard forks. They are judged like all
//! others, because that depends on their own past alone; no order that is shown contains them.

use std::collections::BTreeMap;

use covey_kernel::PublicKey;

use crate::rules::Who;

use super::{Entry, Graph, Ix, Verdict, Vote};

impl Graph {
    /// Adds a block that was judged before, and is left aside.
    pub fn insert_aside(&mut self, entry: &Entry, verdict: Verdict) -> Ix {
        let ix = self.push(entry);
        self.set_aside(ix, true);
        self.judged(ix, verdict);
        ix
    }

    /// Whether a block is left aside.
    #[must_use]
    pub fn is_aside(&self, ix: Ix) -> bool {
        self.node(ix).is_some_and(|node| node.aside)
    }

    /// The blocks that are left aside, backs first.
    pub fn asides(&self) -> impl ExactSizeIterator<Item = Ix> {
        self.aside.iter().copied()
    }

    /// Those of them on which none builds, by their numbers.
    pub fn aside_tips(&self) -> impl DoubleEndedIterator<Item = Ix> {
        self.aside_tips.iter().copied()
    }

    /// Those of them that build on none: where hard forks begin.
    pub fn aside_roots(&self) -> impl Iterator<Item = Ix> {
        self.asides().filter(|ix| !self.backs_of(*ix).iter().any(|back| self.is_aside(*back)))
    }

    /// To which tips each of some blocks that are left aside leads, the latest first; for the first 64 of them.
    #[must_use]
    pub fn leads_to(&self, roots: &[Ix]) -> Vec<Vec<Ix>> {
        let bits = (0..u64::BITS).map(|bit| 1u64 << bit);
        let mut masks: BTreeMap<Ix, u64> = roots.iter().copied().zip(bits).collect();
        // What they lead to is left aside, too.
        for ix in self.asides() {
            let of = |ix: &Ix| masks.get(ix).copied().unwrap_or(0);
            let mask = self.backs_of(ix).iter().fold(of(&ix), |mask, back| mask | of(back));
            if mask != 0 {
                masks.insert(ix, mask);
            }
        }
        let leads = |bit: u32| {
            let is_led = |tip: &Ix| masks.get(tip).is_some_and(|mask| mask >> bit & 1 == 1);
            self.aside_tips().rev().filter(is_led).collect()
        };
        (0..u64::BITS).zip(roots).map(|(bit, _)| leads(bit)).collect()
    }

    /// A held block that is left aside since the like that admits it is, though what it builds on is not:
    /// another like would bring it back.
    #[must_use]
    pub fn would_come_back(&self, vote: Option<Vote>, backs: &[Ix]) -> Option<Ix> {
        let target = vote.filter(|vote| vote.like && *backs == [vote.target])?.target;
        let node = self.node(target).filter(|node| node.aside && node.verdict == Verdict::Liked)?;
        (!node.backs.iter().any(|back| self.is_aside(*back))).then_some(target)
    }

    /// The held block that is admitted by a like, of several such likes by the one that came first.
    #[must_use]
    pub fn comes_with(&self, like: Ix, such: impl Fn(Ix) -> bool) -> Option<Ix> {
        let held = self.node(like)?.vouches_for()?;
        let is_liked = self.verdict(held) == Some(Verdict::Liked) && !self.is_aside(held);
        let vouches = |ix: &Ix| {
            let node =
                self.node(*ix).filter(|node| node.verdict == Verdict::Admitted && !node.aside);
            node.is_some_and(|node| node.vouches_for() == Some(held)) && such(*ix)
        };
        let first = self.children(held).iter().copied().find(vouches);
        (is_liked && first == Some(like)).then_some(held)
    }

    /// Who has reps for a block: its author, or of a held one who admits it with a like.
    #[must_use]
    pub fn answers_for(&self, ix: Ix) -> Option<PublicKey> {
        self.keys.get(self.answering(ix)?.0 as usize).copied()
    }

    pub(super) fn answering(&self, ix: Ix) -> Option<Who> {
        let author = |ix: Ix| self.node(ix)?.author;
        let is_aside = self.is_aside(ix);
        if self.verdict(ix) != Some(Verdict::Liked) {
            return author(ix);
        }
        let vouches = |child: &&Ix| {
            let node = self.node(**child).filter(|node| node.verdict == Verdict::Admitted);
            // A like of another side says nothing of this one.
            let node = node.filter(|node| is_aside || !node.aside);
            node.is_some_and(|node| node.vouches_for() == Some(ix))
        };
        self.children(ix).iter().find(vouches).and_then(|like| author(*like))
    }

    pub(super) fn builds_aside(&self, entry: &Entry) -> bool {
        self.would_come_back(entry.vote, &entry.backs).is_none()
            && entry.backs.iter().any(|back| self.is_aside(*back))
    }

    pub(super) fn set_aside(&mut self, ix: Ix, aside: bool) {
        let Some(node) = self.nodes.get_mut(ix.at()) else { return };
        if node.aside == aside {
            return;
        }
        node.aside = aside;
        match aside {
            true => self.aside.insert(ix),
            false => self.aside.remove(&ix),
        };
        self.tend_aside_tips(ix, &self.backs(ix));
    }

    /// A block that is no longer there was left aside.
    pub(super) fn forget_aside(&mut self, ix: Ix, backs: &[Ix]) {
        self.aside.remove(&ix);
        self.tend_aside_tips(ix, backs);
    }

    /// Something about this block has changed, and so which of it and those before it are tips.
    fn tend_aside_tips(&mut self, ix: Ix, backs: &[Ix]) {
        for ix in backs.iter().copied().chain([ix]) {
            let is_built_on = self.children(ix).iter().any(|child| self.is_aside(*child));
            match self.is_aside(ix) && !is_built_on {
                true => self.aside_tips.insert(ix),
                false => self.aside_tips.remove(&ix),
            };
        }
    }
}
