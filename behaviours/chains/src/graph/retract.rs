//! Takes back the block that came last: what cannot stay leaves nothing behind.

use super::{Graph, Ix, Verdict, node::Node};

impl Graph {
    /// Takes back the block that came last, with everything that it has changed.
    pub fn retract_last(&mut self) {
        let last = self.nodes.len().saturating_sub(1);
        let ix = Ix(u32::try_from(last).unwrap_or(u32::MAX));
        if ix == Ix::GENESIS {
            return;
        }
        let was_shown = self.place_of(ix).is_some();
        if was_shown {
            self.unplace();
        }
        let Some(node) = self.pop(ix) else { return };
        // A held post is known to the order since its like was, and is taken back after that.
        self.order.forget(ix);
        if node.verdict != Verdict::Admitted {
            return;
        }
        self.states.forget(ix);
        self.heads.remove(&ix);
        let liked = node.vouches_for().filter(|of| self.verdict(*of) == Some(Verdict::Liked));
        if let Some(of) = liked.filter(|of| !self.is_vouched_for(*of, |_| true)) {
            self.hold(of);
        }
        if node.aside {
            return;
        }
        self.unfollow(&node, liked);
        self.order.outdated();
        if was_shown {
            // What is frozen is compared with what is shown.
            self.refresh();
        }
    }

    /// Removes the last block, with what holds whatever its verdict.
    fn pop(&mut self, ix: Ix) -> Option<Node> {
        let node = self.nodes.pop()?;
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
        Some(node)
    }

    /// What it built on is followed to its end again. What only it brought there is left aside: that may
    /// still be admitted by a like of a hard fork.
    fn unfollow(&mut self, node: &Node, liked: Option<Ix>) {
        let alone = liked.filter(|of| !self.is_vouched_for(*of, |like| !like.aside));
        if let Some(of) = alone.filter(|of| self.verdict(*of) == Some(Verdict::Liked)) {
            self.set_aside(of, true);
        }
        for back in alone.map_or_else(|| node.backs.to_vec(), |of| self.backs(of)) {
            if self.is_tip(back) {
                self.heads.insert(back);
            }
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

    use covey_kernel::{Keypair, Time};

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
