//! The blocks after a base, by their places among each other.

use crate::rules::Who;

use super::{Graph, Ix};

/// For each place, some others.
struct Edges {
    /// Where the others of each place begin, and of the last one end.
    starts: Vec<u32>,
    others: Vec<u32>,
}

impl Edges {
    fn of(&self, at: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        let ends = self.starts.get(at).zip(self.starts.get(at.saturating_add(1)));
        let others = ends.and_then(|(from, to)| self.others.get(*from as usize..*to as usize));
        others.unwrap_or_default().iter().map(|other| *other as usize)
    }

    /// The other way round; the others of each place are in order again.
    fn reversed(&self) -> Self {
        let mut starts = vec![0u32; self.starts.len()];
        for other in &self.others {
            if let Some(count) = starts.get_mut((*other as usize).saturating_add(1)) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0u32;
        for count in &mut starts {
            sum = sum.saturating_add(*count);
            *count = sum;
        }
        let mut others = vec![0; self.others.len()];
        let mut next = starts.clone();
        for (at, number) in (0..self.starts.len().saturating_sub(1)).zip(0u32..) {
            for other in self.of(at) {
                let Some(next) = next.get_mut(other) else { continue };
                if let Some(slot) = others.get_mut(*next as usize) {
                    *slot = number;
                }
                *next = next.saturating_add(1);
            }
        }
        Self { starts, others }
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
    authors: Vec<Option<u32>>,
}

impl<'g> Region<'g> {
    pub(super) fn new(graph: &Graph, blocks: &'g [Ix]) -> Self {
        let backs = edges(graph, blocks);
        let author = |ix: &Ix| graph.node(*ix).and_then(|node| node.author);
        let mut people: Vec<Who> = blocks.iter().filter_map(author).collect();
        people.sort_unstable();
        people.dedup();
        let place = |who: Who| u32::try_from(people.binary_search(&who).ok()?).ok();
        let authors = blocks.iter().map(|ix| author(ix).and_then(place)).collect();
        Self { blocks, children: backs.reversed(), backs, people, authors }
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    pub(super) fn block(&self, at: usize) -> Ix {
        self.blocks.get(at).copied().unwrap_or(Ix::GENESIS)
    }

    pub(super) fn backs(&self, at: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.backs.of(at)
    }

    pub(super) fn children(&self, at: usize) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.children.of(at)
    }

    pub(super) fn people(&self) -> &[Who] {
        &self.people
    }

    pub(super) fn author(&self, at: usize) -> Option<usize> {
        self.authors.get(at).copied().flatten().map(|author| author as usize)
    }
}

/// Which of some blocks, which are sorted, each of them builds on.
fn edges(graph: &Graph, blocks: &[Ix]) -> Edges {
    let places = Places::new(blocks);
    let (mut starts, mut others) = (Vec::with_capacity(blocks.len().saturating_add(1)), Vec::new());
    starts.push(0);
    for ix in blocks {
        let backs = graph.node(*ix).map_or(&[][..], |node| &node.backs);
        others.extend(backs.iter().filter_map(|back| places.of(*back)));
        starts.push(u32::try_from(others.len()).unwrap_or(u32::MAX));
    }
    Edges { starts, others }
}

/// Where among some sorted blocks each of them is.
enum Places<'b> {
    /// From the first number to the last. Numbers are given in the order of arrival, so those after
    /// a base mostly follow each other.
    Dense(u32, Vec<Option<u32>>),
    Sparse(&'b [Ix]),
}

impl<'b> Places<'b> {
    fn new(blocks: &'b [Ix]) -> Self {
        let first = blocks.first().map_or(0, |ix| ix.0);
        let span = blocks.last().map_or(0, |ix| ix.0.saturating_sub(first) as usize);
        if span > blocks.len().saturating_mul(8) {
            return Self::Sparse(blocks);
        }
        let mut places = vec![None; span.saturating_add(1)];
        for (ix, place) in blocks.iter().zip(0..) {
            if let Some(slot) = places.get_mut(ix.0.saturating_sub(first) as usize) {
                *slot = Some(place);
            }
        }
        Self::Dense(first, places)
    }

    fn of(&self, ix: Ix) -> Option<u32> {
        match self {
            Self::Dense(first, places) => {
                places.get(ix.0.checked_sub(*first)? as usize).copied().flatten()
            }
            Self::Sparse(blocks) => u32::try_from(blocks.binary_search(&ix).ok()?).ok(),
        }
    }
}
