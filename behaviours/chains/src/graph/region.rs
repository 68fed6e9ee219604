//! The blocks after a base, by their places among each other.

use crate::rules::Who;

use super::{Graph, Ix};

/// For each place, some others.
struct Edges {
    /// Where the others of each place begin, and of the last one end.
    starts: Vec<usize>,
    others: Vec<usize>,
}

impl Edges {
    fn new(lists: impl Iterator<Item = Vec<usize>>) -> Self {
        let (mut starts, mut others) = (vec![0], Vec::new());
        for list in lists {
            others.extend(list);
            starts.push(others.len());
        }
        Self { starts, others }
    }

    fn of(&self, at: usize) -> &[usize] {
        let ends = self.starts.get(at).zip(self.starts.get(at.saturating_add(1)));
        ends.and_then(|(from, to)| self.others.get(*from..*to)).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn reversed(&self) -> Self {
        let mut lists = vec![Vec::new(); self.len()];
        for at in 0..self.len() {
            for other in self.of(at) {
                if let Some(list) = lists.get_mut(*other) {
                    list.push(at);
                }
            }
        }
        Self::new(lists.into_iter())
    }
}

/// A region of a graph. Places are in the order of arrival, so backs have smaller ones.
pub(super) struct Region<'g> {
    blocks: &'g [Ix],
    backs: Edges,
    children: Edges,
    /// Each author once, sorted.
    people: Vec<Who>,
    /// Who wrote each block, by place among the people.
    authors: Vec<Option<usize>>,
}

impl<'g> Region<'g> {
    pub(super) fn new(graph: &Graph, blocks: &'g [Ix]) -> Self {
        let backs = Edges::new(blocks.iter().map(|ix| {
            let backs = graph.node(*ix).map_or(&[][..], |node| &node.backs);
            backs.iter().filter_map(|back| blocks.binary_search(back).ok()).collect()
        }));
        let author = |ix: &Ix| graph.node(*ix).and_then(|node| node.author);
        let mut people: Vec<Who> = blocks.iter().filter_map(author).collect();
        people.sort_unstable();
        people.dedup();
        let authors =
            blocks.iter().map(|ix| author(ix).and_then(|who| people.binary_search(&who).ok()));
        let authors = authors.collect();
        Self { blocks, children: backs.reversed(), backs, people, authors }
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn block(&self, at: usize) -> Ix {
        self.blocks.get(at).copied().unwrap_or(Ix::GENESIS)
    }

    pub(super) fn backs(&self, at: usize) -> &[usize] {
        self.backs.of(at)
    }

    pub(super) fn children(&self, at: usize) -> &[usize] {
        self.children.of(at)
    }

    pub(super) fn people(&self) -> &[Who] {
        &self.people
    }

    pub(super) fn author(&self, at: usize) -> Option<usize> {
        self.authors.get(at).copied().flatten()
    }
}
