//! What somebody lacks who has some blocks with all their ancestors. Numbers are given in the order
//! of arrival, so every ancestor of a block has a smaller one.

use std::collections::BTreeSet;

use super::{Graph, Ix};

/// What somebody lacks.
pub struct Missing<'g> {
    graph: &'g Graph,
    /// Of the smaller numbers, which are known.
    known: Vec<bool>,
    /// And which are wanted; none if all are.
    wanted: Option<Vec<bool>>,
}

impl Missing<'_> {
    /// All of it, backs first. It is found as it is asked for.
    pub fn all(&self) -> impl Iterator<Item = Ix> {
        let all = 1..u32::try_from(self.graph.nodes.len()).unwrap_or(u32::MAX);
        all.map(Ix).filter(|ix| self.has(*ix))
    }

    /// Whether a block is part of it.
    #[must_use]
    pub fn has(&self, ix: Ix) -> bool {
        let is_in = |marks: &Vec<bool>| marks.get(ix.at()).copied().unwrap_or_default();
        !is_in(&self.known) && self.wanted.as_ref().is_none_or(is_in) && !self.graph.is_aside(ix)
    }
}

impl Graph {
    /// The blocks that are none of `known` nor their ancestors; or only those among them that are `wanted`, and their
    /// ancestors. What is left aside is not among them.
    #[must_use]
    pub fn missing(&self, known: &[Ix], wanted: Option<&[Ix]>) -> Missing<'_> {
        let wanted = wanted.map(|wanted| self.marked(wanted));
        Missing { graph: self, known: self.marked(known), wanted }
    }

    /// Some blocks and their ancestors, backs first.
    #[must_use]
    pub fn past_of(&self, known: &[Ix]) -> BTreeSet<Ix> {
        let marked = (0..).map(Ix).zip(self.marked(known));
        marked.filter(|(_, is_in)| *is_in).map(|(ix, _)| ix).collect()
    }

    /// Which of the smaller numbers are ancestors of some blocks, or these blocks.
    fn marked(&self, known: &[Ix]) -> Vec<bool> {
        let known = || known.iter().filter(|ix| ix.at() < self.nodes.len());
        let length = known().map(|ix| ix.at().saturating_add(1)).max().unwrap_or(0);
        let mut past = vec![false; length];
        let mark = |past: &mut Vec<bool>, ix: &Ix| {
            if let Some(known) = past.get_mut(ix.at()) {
                *known = true;
            }
        };
        known().for_each(|ix| mark(&mut past, ix));
        for at in (0..length).rev() {
            if past.get(at).copied().unwrap_or_default() {
                let backs = self.nodes.get(at).map_or(&[][..], |node| &node.backs);
                backs.iter().for_each(|back| mark(&mut past, back));
            }
        }
        past
    }

    /// The latest blocks among the first `length` on which none of them builds: if they are no more than
    /// `most`, they say that the first `length` are known.
    #[must_use]
    pub fn tips_of_first(&self, length: usize, most: usize) -> Vec<Ix> {
        let is_tip = |at: &usize| {
            let Some(node) = self.nodes.get(*at).filter(|node| !node.aside) else { return false };
            let first = node.children.iter().find(|child| !self.is_aside(**child));
            first.is_none_or(|child| child.at() >= length)
        };
        let length = length.min(self.nodes.len());
        let tips = (0..length).rev().filter(is_tip).take(most);
        tips.filter_map(|at| u32::try_from(at).ok().map(Ix)).collect()
    }
}
