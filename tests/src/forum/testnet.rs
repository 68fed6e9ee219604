//! The testnet's topology: 24 links, degree 1 to 4, cycles, a longest path of 10 nodes.

/// Its nodes.
pub(super) const NODES: usize = 21;

/// Nodes that come late: the end of the longest path, one of a triangle, one of a cycle. The others
/// stay connected without them.
pub(super) const LATE: [usize; 3] = [9, 11, 19];

/// Rows of neighbours, counted from 1.
const ROWS: [&[usize]; 5] = [
    &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    &[2, 11, 12, 2],
    &[6, 13, 14, 15, 16, 7],
    &[6, 17, 18, 19, 7],
    &[19, 20, 21, 8],
];

/// Who is whose neighbour, counted from 0.
pub(super) fn links() -> Vec<(usize, usize)> {
    ROWS.iter().flat_map(|row| row.windows(2).map(|pair| (pair[0] - 1, pair[1] - 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_testnets() {
        let links = links();
        let degree = |node| links.iter().filter(|(a, b)| *a == node || *b == node).count();
        assert_eq!(links.len(), 24);
        assert!((0..NODES).all(|node| (1..=4).contains(&degree(node))));
        assert_eq!(degree(9), 1);
    }
}
