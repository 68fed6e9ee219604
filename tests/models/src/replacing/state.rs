//! What the honest validators have on disk. Nothing else needs to be in the state: a liar has
//! signed everything from the start, and what was sent can be shown by anyone, at any time.

use std::hash::{Hash, Hasher};

use super::Tx;
use crate::few::Few;

/// Epochs that there can be.
pub const EPOCHS: usize = 4;
/// Members of a configuration.
pub(super) const MEMBERS: usize = 4;
/// Honest members, if one lies.
pub(super) const HONEST: usize = 3;

/// What one validator has on disk about one epoch of which it is a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stand {
    /// The entries that it imported; none before its import.
    pub entries: Option<Few<Tx>>,
    /// What it has locked in this epoch. It has voted for these, or does when asked.
    pub locks: Few<Tx>,
    /// The lock set that it serves, since it has sealed.
    pub sealed: Option<Few<Tx>>,
}

impl Stand {
    fn bits(&self) -> u32 {
        let of = |set: Option<Few<Tx>>| set.map_or(u8::MAX, Few::bits);
        u32::from_le_bytes([of(self.entries), self.locks.bits(), of(self.sealed), 0])
    }

    /// What it knows of the locks of this epoch and those before.
    pub(super) fn known(&self) -> Few<Tx> {
        self.entries.unwrap_or_default().and(self.locks)
    }
}

/// All honest members of all epochs. A row is one validator if it continues, else three: one in
/// each epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct State([[Stand; EPOCHS]; HONEST]);

/// A row in one piece, since much of a search is hashing.
impl Hash for State {
    fn hash<H: Hasher>(&self, to: &mut H) {
        for row in self.0 {
            to.write_u128(row.iter().fold(0, |all, stand| all << 24 | u128::from(stand.bits())));
        }
    }
}

impl State {
    /// Epoch 0 needs no import.
    pub(super) fn genesis() -> Self {
        let first = Stand { entries: Some(Few::NONE), ..Stand::default() };
        let mut state = Self::default();
        for [place, ..] in &mut state.0 {
            *place = first;
        }
        state
    }

    /// One validator's stand in an epoch.
    #[must_use]
    pub fn stand(&self, who: usize, epoch: usize) -> Stand {
        self.0.get(who).and_then(|row| row.get(epoch)).copied().unwrap_or_default()
    }

    pub(super) fn put(mut self, (who, epoch): (usize, usize), stand: Stand) -> Self {
        if let Some(place) = self.0.get_mut(who).and_then(|row| row.get_mut(epoch)) {
            *place = stand;
        }
        self
    }

    /// Every honest member's stand in an epoch.
    pub(super) fn members(&self, epoch: usize) -> impl Iterator<Item = Stand> {
        self.0.iter().filter_map(move |row| row.get(epoch)).copied()
    }

    /// The stands of a row, by epoch.
    pub(super) fn row(&self, who: usize) -> impl Iterator<Item = Stand> {
        self.0.get(who).into_iter().flatten().copied()
    }

    /// Which validator is which makes no difference: of the states that differ only in this, one
    /// stands for all. The first rows are of validators that continue, and stay together.
    pub(super) fn representative(mut self, continuing: usize, honest: usize) -> Self {
        let rows = self.0.get_mut(..honest).unwrap_or_default();
        let (together, apart) = rows.split_at_mut(continuing.min(honest));
        together.sort_unstable();
        for epoch in 0..EPOCHS {
            sort_column(apart, epoch);
        }
        self
    }
}

fn sort_column(rows: &mut [[Stand; EPOCHS]], epoch: usize) {
    let mut column = [Stand::default(); HONEST];
    let stands = rows.iter().filter_map(|row| row.get(epoch)).copied();
    let taken = column.iter_mut().zip(stands).map(|(place, stand)| *place = stand).count();
    column.get_mut(..taken).unwrap_or_default().sort_unstable();
    let places = rows.iter_mut().filter_map(|row| row.get_mut(epoch));
    for (place, stand) in places.zip(column) {
        *place = stand;
    }
}
