//! The transactions, and what each spends.

use crate::few::{Element, Few};

/// A transaction. Dishonest owners may sign all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tx {
    /// Spends the genesis output.
    T1,
    /// Spends it too.
    T2,
    /// Spends the output of [`Tx::T1`].
    C1,
    /// Spends the output of [`Tx::T2`].
    C2,
    /// Spends the output of [`Tx::T1`] too.
    D1,
}

impl Element for Tx {
    const ALL: &'static [Self] = &[Self::T1, Self::T2, Self::C1, Self::C2, Self::D1];

    fn bit(self) -> u8 {
        match self {
            Self::T1 => 1,
            Self::T2 => 2,
            Self::C1 => 4,
            Self::C2 => 8,
            Self::D1 => 16,
        }
    }
}

impl Tx {
    /// The transaction whose output it spends; none for the genesis output.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::T1 | Self::T2 => None,
            Self::C1 | Self::D1 => Some(Self::T1),
            Self::C2 => Some(Self::T2),
        }
    }

    /// The spend of the genesis output that it comes from.
    pub(super) fn root(self) -> Self {
        self.parent().unwrap_or(self)
    }

    /// Those that spend the same outpoint, itself too.
    #[must_use]
    pub fn spenders(self) -> Few<Self> {
        Few::of(Self::ALL).only(|other| other.parent() == self.parent())
    }

    /// Those that cannot be final beside it: they, or what they come from, spend the same outpoint.
    #[must_use]
    pub fn excludes(self) -> Few<Self> {
        Few::of(Self::ALL).only(|other| {
            other != self && (other.root() != self.root() || other.parent() == self.parent())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_excludes_what_its_parent_does() {
        assert_eq!(Tx::T1.excludes(), Few::of(&[Tx::T2, Tx::C2]));
        assert_eq!(Tx::C1.excludes(), Few::of(&[Tx::T2, Tx::C2, Tx::D1]));
        assert_eq!(Tx::C1.spenders(), Few::of(&[Tx::C1, Tx::D1]));
    }
}
