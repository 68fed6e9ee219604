//! The end of a past, back to the last block that everything else in it stands before or after.

use std::{collections::BinaryHeap, sync::atomic::Ordering};

use super::{Graph, Ix, Verdict};

/// A set of blocks with all their ancestors, as the last block that can be compared with every
/// other (its *base*) and the blocks that are later. The order of the set begins with the order of
/// the base's past and the base; no decision before it depends on what is later.
pub(super) struct Past {
    pub(super) base: Ix,
    /// Backs first.
    pub(super) region: Vec<Ix>,
}

impl Graph {
    /// The blocks from which `heads` can be reached, and the heads. A base must fulfil `known`.
    pub(super) fn past(&self, heads: &[Ix], known: impl Fn(Ix) -> bool) -> Past {
        let past = self.past_within(usize::MAX, heads, known);
        past.unwrap_or(Past { base: Ix::GENESIS, region: Vec::new() })
    }

    /// The same; none if there are more than `most`.
    pub(super) fn past_within(
        &self,
        most: usize,
        heads: &[Ix],
        known: impl Fn(Ix) -> bool,
    ) -> Option<Past> {
        let key = |ix: &Ix| (self.node(*ix).map_or(0, |node| node.height), *ix);
        // What is not looked at yet, the highest last. If it is one block, everything seen builds
        // on it, and everything else is its past.
        let mut open: BinaryHeap<(u64, Ix)> = heads.iter().map(key).collect();
        let mut region = Vec::new();
        while let Some((height, ix)) = open.pop() {
            while open.peek() == Some(&(height, ix)) {
                open.pop();
            }
            if open.is_empty() && self.is_base(ix) && known(ix) {
                region.sort_unstable();
                return Some(Past { base: ix, region });
            }
            if region.len() >= most {
                return None;
            }
            region.push(ix);
            open.extend(self.node(ix).into_iter().flat_map(|node| node.backs.iter().map(key)));
        }
        region.sort_unstable();
        Some(Past { base: Ix::GENESIS, region })
    }

    /// A block that was held is placed together with a like, so the order cannot be cut after it.
    fn is_base(&self, ix: Ix) -> bool {
        self.node(ix).is_some_and(|node| node.verdict == Verdict::Admitted)
    }

    /// Whether one block is among the ancestors of others, or one of them.
    pub(super) fn reaches(&self, heads: &[Ix], target: Ix) -> bool {
        let Some(floor) = self.node(target).map(|node| node.height) else { return false };
        let mut open: BinaryHeap<(u64, Ix)> = BinaryHeap::new();
        let add = |open: &mut BinaryHeap<(u64, Ix)>, backs: &[Ix]| {
            let heights = backs.iter().filter_map(|ix| Some((self.node(*ix)?.height, *ix)));
            open.extend(heights.filter(|(height, _)| *height >= floor));
        };
        add(&mut open, heads);
        while let Some((height, ix)) = open.pop() {
            while open.peek() == Some(&(height, ix)) {
                open.pop();
            }
            if ix == target {
                return true;
            }
            // To walk costs about as much as to place.
            self.sought.fetch_add(1, Ordering::Relaxed);
            add(&mut open, self.node(ix).map_or(&[], |node| &node.backs));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::Time;

    use crate::graph::{Accepts, Entry, Graph, Ix, Params, Rules};

    fn add(graph: &mut Graph, number: u8, back: Ix) -> Ix {
        let (id, time) = ([number; 32], Time::from_millis(u64::from(number)));
        let (height, backs) = (graph.node(back).unwrap().height + 1, vec![back]);
        graph.insert(&Entry { id, height, time, author: None, backs, vote: None }).0
    }

    /// A line of 99 blocks, and its last one.
    fn line() -> (Graph, Ix) {
        let params = Params { accepts: Accepts::Everybody, rules: Rules::Paper, first: None };
        let mut graph = Graph::new(params, [0; 32]);
        let last = (1..100).fold(Ix::GENESIS, |back, number| add(&mut graph, number, back));
        (graph, last)
    }

    #[test]
    fn a_walk_to_where_all_comes_together_ends_after_so_many() {
        let (mut graph, last) = line();
        let early = add(&mut graph, 100, Ix(9));
        let past = |most| graph.past_within(most, &[last, early], |_| true);
        assert_eq!(past(91).map(|past| past.base), Some(Ix(9)));
        assert!(past(90).is_none());
    }

    #[test]
    fn a_walk_to_an_ancestor_counts() {
        let (graph, back) = line();
        let before = graph.sought();
        assert!(graph.is_in_past(Ix(1), &[back]));
        assert!(graph.sought() - before >= 97);
    }
}
