//! What is known of each author: an array of which many versions are kept, each at the cost of what
//! differs.

use std::sync::Arc;

use super::Who;

/// Bits of a number that choose among the children of a node.
const BITS: u32 = 4;
const WIDTH: usize = 1 << BITS;

/// By the authors' numbers, which are given from 0 on.
#[derive(Clone, Debug)]
pub(super) struct Accounts<T> {
    root: Arc<Node<T>>,
    /// Of nodes above the leaves.
    levels: u32,
}

#[derive(Clone, Debug)]
enum Node<T> {
    Branch([Option<Arc<Node<T>>>; WIDTH]),
    Leaf([T; WIDTH]),
}

impl<T: Default> Node<T> {
    fn new(level: u32) -> Self {
        match level {
            0 => Self::Leaf(Default::default()),
            _ => Self::Branch(Default::default()),
        }
    }
}

impl<T: Default> Default for Accounts<T> {
    fn default() -> Self {
        Self { root: Arc::new(Node::new(0)), levels: 0 }
    }
}

impl<T: Clone + Default> Accounts<T> {
    /// None if nothing was ever said of this author or of one near.
    pub(super) fn get(&self, who: Who) -> Option<&T> {
        if self.is_beyond(who) {
            return None;
        }
        let mut node = &*self.root;
        let mut level = self.levels;
        loop {
            match node {
                Node::Leaf(accounts) => return accounts.get(slot(who, level)),
                Node::Branch(children) => node = children.get(slot(who, level))?.as_deref()?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// Changes what is known of an author.
    pub(super) fn update(&mut self, who: Who, change: impl FnOnce(&mut T)) {
        while self.is_beyond(who) {
            let mut children: [_; WIDTH] = Default::default();
            let [first, ..] = &mut children;
            *first = Some(self.root.clone());
            self.root = Arc::new(Node::Branch(children));
            self.levels = self.levels.saturating_add(1);
        }
        let mut node = Arc::make_mut(&mut self.root);
        let mut level = self.levels;
        loop {
            match node {
                Node::Leaf(accounts) => {
                    return accounts.get_mut(slot(who, level)).map_or((), change);
                }
                Node::Branch(children) => {
                    level = level.saturating_sub(1);
                    let Some(child) = children.get_mut(slot(who, level.saturating_add(1))) else {
                        return;
                    };
                    node = Arc::make_mut(child.get_or_insert_with(|| Arc::new(Node::new(level))));
                }
            }
        }
    }

    fn is_beyond(&self, who: Who) -> bool {
        let bits = BITS.saturating_mul(self.levels.saturating_add(1));
        who.0.checked_shr(bits).is_some_and(|rest| rest > 0)
    }
}

/// Which child leads to an author.
fn slot(who: Who, level: u32) -> usize {
    (who.0.checked_shr(BITS.saturating_mul(level)).unwrap_or_default() as usize) % WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_what_they_were_whatever_their_copies_become() {
        let numbers = [0, 1, 15, 16, 17, 255, 256, 4095, 4096, 70_000, u32::MAX];
        let mut now = Accounts::<u32>::default();
        let mut versions = vec![now.clone()];
        for (value, number) in (1..).zip(numbers) {
            now.update(Who(number), |account| *account = value);
            versions.push(now.clone());
        }
        for (at, version) in (0u32..).zip(&versions) {
            for (value, number) in (1..).zip(numbers) {
                let expected = if value <= at { value } else { 0 };
                let known = version.get(Who(number)).copied().unwrap_or_default();
                assert_eq!(known, expected, "{number} in version {at}");
            }
        }
    }
}
