//! Blocks that are admitted, and left out of what is followed: those of hard forks. They are judged like all
//! others, because that depends on their own past alone; no order that is shown contains them.

use std::collections::BTreeMap;

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

    /// Those of them on which none builds.
    pub fn aside_tips(&self) -> impl Iterator<Item = Ix> {
        self.asides().filter(|ix| !self.children(*ix).iter().any(|child| self.is_aside(*child)))
    }

    /// Of some blocks that are left aside, which of the latest tips, no more than 64, each leads to.
    #[must_use]
    pub fn leads_to(&self, roots: &[Ix], tips: &[Ix]) -> Vec<Vec<Ix>> {
        let mut masks: BTreeMap<Ix, u64> =
            tips.iter().zip(0..u64::BITS).map(|(tip, bit)| (*tip, 1u64 << bit)).collect();
        // What leads to them is left aside, too.
        for ix in self.aside.iter().rev() {
            let mask = masks.get(ix).copied().unwrap_or(0);
            for back in self.backs_of(*ix).iter().filter(|back| self.is_aside(**back)) {
                *masks.entry(*back).or_default() |= mask;
            }
        }
        let of = |root: &Ix| {
            let mask = masks.get(root).copied().unwrap_or(0);
            let led = tips.iter().zip(0..u64::BITS).filter(|(_, bit)| mask >> bit & 1 == 1);
            led.map(|(tip, _)| *tip).collect()
        };
        roots.iter().map(of).collect()
    }

    /// A held block that is left aside since the like that admits it is, though what it builds on is not:
    /// another like would bring it back.
    #[must_use]
    pub fn would_come_back(&self, vote: Option<Vote>, backs: &[Ix]) -> Option<Ix> {
        let target = vote.filter(|vote| vote.like && *backs == [vote.target])?.target;
        let node = self.node(target).filter(|node| node.aside && node.verdict == Verdict::Liked)?;
        (!node.backs.iter().any(|back| self.is_aside(*back))).then_some(target)
    }

    /// The held block that is admitted by a like, of several by the one that came first.
    #[must_use]
    pub fn comes_with(&self, like: Ix) -> Option<Ix> {
        let held = self.node(like)?.vouches_for()?;
        let is_liked = self.verdict(held) == Some(Verdict::Liked) && !self.is_aside(held);
        let vouches = |ix: &Ix| {
            let node =
                self.node(*ix).filter(|node| node.verdict == Verdict::Admitted && !node.aside);
            node.is_some_and(|node| node.vouches_for() == Some(held))
        };
        let first = self.children(held).iter().copied().find(vouches);
        (is_liked && first == Some(like)).then_some(held)
    }

    pub(super) fn builds_aside(&self, entry: &Entry) -> bool {
        self.would_come_back(entry.vote, &entry.backs).is_none()
            && entry.backs.iter().any(|back| self.is_aside(*back))
    }

    pub(super) fn set_aside(&mut self, ix: Ix, aside: bool) {
        let Some(node) = self.nodes.get_mut(ix.at()) else { return };
        node.aside = aside;
        match aside {
            true => self.aside.insert(ix),
            false => self.aside.remove(&ix),
        };
    }
}
