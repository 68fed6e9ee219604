//! The votes on one block, and when they revoke it.

/// How many votes on a block are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// Of others.
    pub likes: u32,
    /// All of them.
    pub dislikes: u32,
    /// Those by the block's own author.
    pub own_dislikes: u32,
}

impl Votes {
    /// A vote is placed, or no longer is.
    pub(crate) fn count(&mut self, like: bool, own: bool, placed: bool) {
        let change = |count: &mut u32| {
            *count = if placed { count.saturating_add(1) } else { count.saturating_sub(1) };
        };
        if like {
            change(&mut self.likes);
        } else {
            change(&mut self.dislikes);
            if own {
                change(&mut self.own_dislikes);
            }
        }
    }

    /// Under the rules of the paper: at least 5 dislikes, and at least twice as many as likes.
    pub(crate) fn revoke_by_paper(&self) -> bool {
        self.dislikes >= 5 && u64::from(self.dislikes) >= u64::from(self.likes).saturating_mul(2)
    }

    /// Under those of version 0.10: the author's own dislike; or at least 3 dislikes, and at least as
    /// many as likes.
    pub(crate) fn revoke_by_v10(&self) -> bool {
        self.own_dislikes > 0 || (self.dislikes >= 3 && self.dislikes >= self.likes)
    }
}
