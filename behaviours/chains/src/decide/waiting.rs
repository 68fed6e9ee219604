//! Blocks that came with others, and are taken only with some of them.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::Hash;

use crate::{BlockId, limits::PAGE_BLOCKS, loaded::Loaded, wire::Item};

/// How many places were sought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sought {
    /// For what was then not taken.
    pub(super) wasted: u64,
    /// For what was then taken after all.
    pub(super) used: u64,
}

/// How blocks have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// By itself: gossiped, or as a held post.
    #[default]
    Alone,
    /// On a page, each after what it builds on, a held post right before its like.
    Page,
    /// It was made here: whoever made it hears why it is not taken, and nothing is kept of it.
    Own,
}

/// A block that is not taken by itself.
struct Kept {
    id: BlockId,
    item: Item,
    /// How many places were sought for it.
    sought: u64,
}

/// What has come until now.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) way: Way,
    /// Held posts, which wait for their likes.
    held: BTreeMap<Hash, Kept>,
    /// Blocks that were refused: they come in only with one that builds on them.
    refused: BTreeMap<Hash, Kept>,
    /// In the order in which they came.
    in_turn: Vec<Hash>,
    /// What was taken and is to be told.
    pub(super) taken: Vec<BlockId>,
    /// What was sought since that was last asked.
    sought: Sought,
}

/// Blocks that are taken with another, those before others first.
#[derive(Default)]
pub(super) struct Before {
    pub(super) items: Vec<(BlockId, Item)>,
    ids: BTreeSet<BlockId>,
}

impl Before {
    pub(super) fn push(&mut self, id: BlockId, item: Item) {
        self.ids.insert(id);
        self.items.push((id, item));
    }
}

impl Waiting {
    pub(super) fn on(way: Way) -> Self {
        Self { way, ..Self::default() }
    }

    /// A block has no reps of its author's behind it.
    pub(super) fn hold(&mut self, id: BlockId, item: &Item) {
        let sought = self.sought.wasted;
        self.held.insert(id.hash, Kept { id, item: item.clone(), sought });
    }

    /// A block is refused. It was looked at by itself: what builds on it trusts that.
    pub(super) fn refuse(&mut self, id: BlockId, item: &Item) {
        let kept = Kept { id, item: item.clone(), sought: 0 };
        if self.refused.insert(id.hash, kept).is_none() {
            self.in_turn.push(id.hash);
        }
    }

    /// What was refused of the page before.
    pub(super) fn go_on(&mut self, carried: Vec<Item>) {
        carried.into_iter().for_each(|item| self.refuse(item.block.block.id(), &item));
    }

    /// What is refused still, for the next page: the latest of it, as much as can come with one block.
    pub(super) fn carry(&mut self, loaded: &Loaded) -> Vec<Item> {
        let in_turn = std::mem::take(&mut self.in_turn);
        let kept = in_turn.iter().filter_map(|hash| self.refused.remove(hash));
        let mut carried: Vec<Item> = kept
            .filter(|kept| loaded.find(&kept.id).is_none())
            .map(|kept| Item { payload: None, ..kept.item })
            .collect();
        carried.drain(..carried.len().saturating_sub(PAGE_BLOCKS));
        carried
    }

    /// A held post that has come.
    pub(super) fn held(&self, id: &BlockId) -> Option<&Item> {
        self.held.get(&id.hash).filter(|kept| kept.id == *id).map(|kept| &kept.item)
    }

    /// So many places were sought for nothing.
    pub(super) fn set_wasted(&mut self, places: u64) {
        self.sought.wasted = places;
    }

    /// What was sought since that was last asked.
    pub(super) fn sought(&mut self) -> Sought {
        std::mem::take(&mut self.sought)
    }

    /// A held post was taken after all.
    pub(super) fn give_back(&mut self, id: &BlockId) {
        let sought = self.held.get(&id.hash).map_or(0, |kept| kept.sought);
        self.sought.used = self.sought.used.saturating_add(sought);
    }

    /// Collects a block that is not in the graph, after those before it. False if one is nowhere.
    pub(super) fn collect(&self, loaded: &Loaded, id: &BlockId, before: &mut Before) -> bool {
        if before.ids.contains(id) || loaded.find(id).is_some() {
            return true;
        }
        if before.items.len() >= PAGE_BLOCKS {
            return false;
        }
        let kept = self.refused.get(&id.hash).or(self.held.get(&id.hash));
        let Some(Kept { item, .. }) = kept.filter(|kept| kept.id == *id) else { return false };
        let there = item.block.block.backs.iter().all(|back| self.collect(loaded, back, before));
        before.push(*id, item.clone());
        there
    }
}
