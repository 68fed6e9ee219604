//! Merkle trees over lists of hashes, as in RFC 6962: leaves and nodes are hashed under
//! different prefixes, and a tree of `n` leaves splits at the largest power of two below `n`.

use crate::{Bounded, Hash, record};
use sha2::{Digest, Sha256};

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The hash of one leaf's contents.
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    Hash::from_bytes(Sha256::new().chain_update([LEAF]).chain_update(bytes).finalize().into())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let digest = Sha256::new()
        .chain_update([NODE])
        .chain_update(left.as_bytes())
        .chain_update(right.as_bytes())
        .finalize();
    Hash::from_bytes(digest.into())
}

/// Where a tree of `n > 1` leaves splits.
fn split(n: usize) -> usize {
    n.checked_next_power_of_two().map_or(0, |power| power / 2).max(1)
}

/// The root over `leaves` (each made by [`leaf`]). The root of no leaves is the hash of nothing.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The sibling hashes from the leaf at `index` up to the root; `None` if there is no such leaf.
#[must_use]
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    if leaves.len() == 1 {
        return Some(Vec::new());
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut below, sibling) = if index < at {
        (path(left, index)?, root(right))
    } else {
        (path(right, index.checked_sub(at)?)?, root(left))
    };
    below.push(sibling);
    Some(below)
}

/// The root over `leaves` and the path of each, as [`path`] gives them, in one go.
#[must_use]
pub fn paths(leaves: &[Hash]) -> (Hash, Vec<Vec<Hash>>) {
    match leaves {
        [] => (root(leaves), Vec::new()),
        [only] => (*only, vec![Vec::new()]),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            let ((left, mut all), (right, mut others)) = (paths(left), paths(right));
            all.iter_mut().for_each(|path| path.push(right));
            others.iter_mut().for_each(|path| path.push(left));
            all.append(&mut others);
            (node(&left, &right), all)
        }
    }
}

/// Whether `leaf` stands at `index` of a tree of `count` leaves with this root.
#[must_use]
pub fn verify(root: &Hash, count: usize, index: usize, leaf: Hash, path: &[Hash]) -> bool {
    climb(count, index, leaf, path).as_ref() == Some(root)
}

/// The root of the tree of `count` leaves in which `leaf` stands at `index` with this path; `None`
/// if there is no such place, or the path is not exactly as long as the place wants.
#[must_use]
pub fn climb(count: usize, index: usize, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    if count == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (sibling, below) = path.split_last()?;
    let at = split(count);
    if index < at {
        Some(node(&climb(at, index, leaf, below)?, sibling))
    } else {
        let right = climb(count.checked_sub(at)?, index.checked_sub(at)?, leaf, below)?;
        Some(node(sibling, &right))
    }
}

/// Levels of the largest tree that a [`Builder`] builds.
const LEVELS: usize = 64;

record! {
    /// The tree of a list that grows, of which only the roots of its complete subtrees are kept: one
    /// more leaf costs the same however many there are.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Builder {
        count: u64,
        /// The largest first: one for each bit of `count`.
        peaks: Bounded<Hash, LEVELS>,
    }
}

impl Builder {
    /// Adds a leaf (made by [`leaf`]) behind the others.
    pub fn push(&mut self, leaf: Hash) {
        let mut peaks = std::mem::take(&mut self.peaks).into_vec();
        let mut last = leaf;
        for _ in 0..self.count.trailing_ones() {
            let Some(left) = peaks.pop() else { break };
            last = node(&left, &last);
        }
        peaks.push(last);
        self.peaks = Bounded::first(peaks);
        self.count = self.count.saturating_add(1);
    }

    /// Leaves so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What [`root`] gives for all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let Some((last, before)) = self.peaks.split_last() else { return root(&[]) };
        before.iter().rev().fold(*last, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_grows_has_the_root_of_the_whole_list() {
        let mut builder = Builder::default();
        assert_eq!(builder.root(), root(&[]));
        for n in 1..70 {
            builder.push(leaf(&(n - 1_usize).to_be_bytes()));
            assert_eq!(builder.root(), root(&leaves(n)), "of {n}");
            assert_eq!(builder.count(), n as u64);
            let bytes = crate::cbor::encode(&builder);
            assert_eq!(crate::cbor::decode(&bytes, 4096), Ok(builder.clone()));
        }
    }

    fn leaves(n: usize) -> Vec<Hash> {
        (0..n).map(|i| leaf(&i.to_be_bytes())).collect()
    }

    #[test]
    fn every_leaf_of_every_small_tree_verifies_and_no_other_does() {
        for n in 1..40 {
            let leaves = leaves(n);
            let root = root(&leaves);
            assert_eq!(paths(&leaves).0, root);
            for (index, one) in leaves.iter().enumerate() {
                let path = path(&leaves, index).unwrap();
                assert_eq!(paths(&leaves).1[index], path);
                assert!(verify(&root, n, index, *one, &path));
                assert!(!verify(&root, n, (index + 1) % n, *one, &path) || n == 1);
                assert!(!verify(&root, n, index, leaf(b"other"), &path));
                let mut longer = path.clone();
                longer.push(root);
                assert!(!verify(&root, n, index, *one, &longer));
            }
            assert_eq!(path(&leaves, n), None);
        }
    }

    #[test]
    fn leaves_and_nodes_are_told_apart() {
        let two = leaves(2);
        let mut bytes = two[0].as_bytes().to_vec();
        bytes.extend(two[1].as_bytes());
        assert_ne!(root(&two), leaf(&bytes));
    }
}
