//! What is known of single blocks, by their numbers.

use covey_kernel::{Hash, PublicKey, Time};

use crate::BlockId;

use super::{Graph, Ix, Verdict, node::Node};

impl Graph {
    /// How many blocks there are, with the genesis.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there is always the genesis.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What a block is called.
    #[must_use]
    pub fn id(&self, ix: Ix) -> Option<BlockId> {
        let node = self.node(ix)?;
        Some(BlockId { height: node.height, hash: Hash::from_bytes(node.id) })
    }

    /// A block's own time.
    #[must_use]
    pub fn time(&self, ix: Ix) -> Option<Time> {
        self.node(ix).map(|node| node.time)
    }

    /// Whether this key has signed a block.
    #[must_use]
    pub fn is_by(&self, ix: Ix, key: &PublicKey) -> bool {
        let author = self.node(ix).and_then(|node| node.author);
        author.is_some() && author == self.authors.get(key).copied()
    }

    /// The blocks that build on a block, as they came.
    #[must_use]
    pub fn children(&self, ix: Ix) -> &[Ix] {
        self.node(ix).map_or(&[], |node| &node.children)
    }

    /// The blocks that a block builds on.
    #[must_use]
    pub fn backs_of(&self, ix: Ix) -> &[Ix] {
        self.node(ix).map_or(&[], |node| &node.backs)
    }

    /// Whether `target` is one of `blocks` or of their ancestors.
    #[must_use]
    pub fn is_in_past(&self, target: Ix, blocks: &[Ix]) -> bool {
        self.reaches(blocks, target)
    }

    /// The admitted blocks on which no admitted one builds: what says how much is known. Some may
    /// not be placed.
    pub fn tips(&self) -> impl Iterator<Item = Ix> {
        self.heads.iter().copied()
    }

    /// The first post, where it says which chain this is.
    #[must_use]
    pub fn first_post(&self) -> Option<Ix> {
        self.first
    }

    /// Takes back the block that came last, with everything that it has changed.
    pub fn retract_last(&mut self) {
        let Some(last) = self.nodes.len().checked_sub(1).filter(|last| *last > 0) else { return };
        let ix = Ix(u32::try_from(last).unwrap_or(u32::MAX));
        let was_shown = self.place_of(ix).is_some();
        if was_shown {
            self.unplace();
        }
        let Some(node) = self.nodes.pop() else { return };
        for back in &node.backs {
            if let Some(back) = self.nodes.get_mut(back.at()) {
                back.children.retain(|child| *child != ix);
            }
        }
        if self.first == Some(ix) {
            self.first = None;
        }
        if node.aside {
            self.forget_aside(ix, &node.backs);
        }
        if let Some(who) = node.author.filter(|_| node.brings_author) {
            self.forget_author(who);
        }
        if node.verdict != Verdict::Admitted {
            return;
        }
        self.states.forget(ix);
        self.heads.remove(&ix);
        let held = node.vouches_for().filter(|held| self.verdict(*held) == Some(Verdict::Liked));
        if let Some(held) = held.filter(|held| !self.is_vouched_for(*held, |_| true)) {
            self.hold(held);
        }
        if node.aside {
            return;
        }
        let held = held.filter(|held| !self.is_vouched_for(*held, |like| !like.aside));
        if let Some(held) = held.filter(|held| self.verdict(*held) == Some(Verdict::Liked)) {
            self.set_aside(held, true);
        }
        for back in held.map_or_else(|| node.backs.to_vec(), |held| self.backs(held)) {
            if self.is_tip(back) {
                self.heads.insert(back);
            }
        }
        self.order.outdated();
        if was_shown {
            // What is frozen is compared with what is shown.
            self.refresh();
        }
    }

    /// Nothing admits it any longer.
    fn hold(&mut self, ix: Ix) {
        if let Some(node) = self.nodes.get_mut(ix.at()).filter(|n| n.verdict == Verdict::Liked) {
            node.verdict = Verdict::Held;
        }
    }

    /// Whether one of such likes admits it.
    fn is_vouched_for(&self, held: Ix, such: impl Fn(&Node) -> bool) -> bool {
        let children = self.children(held).iter().filter_map(|child| self.node(*child));
        let mut admitted = children.filter(|child| child.verdict == Verdict::Admitted);
        admitted.any(|child| child.vouches_for() == Some(held) && such(child))
    }

    /// Whether a block is admitted, and nothing admitted builds on it.
    fn is_tip(&self, ix: Ix) -> bool {
        let is_in = |ix: Ix| {
            let verdict = self.node(ix).filter(|node| !node.aside).map(|node| node.verdict);
            matches!(verdict, Some(Verdict::Admitted | Verdict::Liked))
        };
        is_in(ix) && !self.children(ix).iter().any(|child| is_in(*child))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use covey_kernel::Keypair;

    use super::*;
    use crate::graph::{Accepts, Entry, Params, Rules};

    #[test]
    fn a_block_that_is_taken_back_leaves_no_author() {
        let owner = Keypair::from_secret(&[1; 32]).public();
        let rules = Rules::V10(BTreeSet::from([owner]));
        let params = Params { accepts: Accepts::Everybody, rules, first: None };
        let mut graph = Graph::new(params, [0; 32]);
        let entry = |author: u8| Entry {
            id: [author; 32],
            height: 1,
            time: Time::from_millis(1),
            author: Some(Keypair::from_secret(&[author; 32]).public()),
            backs: vec![Ix::GENESIS],
            vote: None,
        };
        for author in 1..100 {
            graph.insert(&entry(author));
            graph.retract_last();
        }
        assert_eq!((graph.keys.len(), graph.authors.len()), (1, 1));
        // The owner is one whatever becomes of a block.
        assert!(graph.authors.contains_key(&owner));
        graph.insert(&entry(5));
        graph.insert(&entry(5));
        graph.retract_last();
        assert_eq!((graph.keys.len(), graph.authors.len()), (2, 2));
    }
}
