//! What is known of single blocks, by their numbers.

use covey_kernel::{Hash, PublicKey, Time};

use crate::BlockId;

use super::{Graph, Ix};

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

    /// Who has signed a block.
    #[must_use]
    pub fn author(&self, ix: Ix) -> Option<PublicKey> {
        let who = self.node(ix)?.author?;
        self.keys.get(who.0 as usize).copied()
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
}
