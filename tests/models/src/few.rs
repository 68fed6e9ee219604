//! A set of a few named things in one byte, so that states stay small.

use std::{fmt, marker::PhantomData};

/// A thing that can be in a [`Few`].
pub trait Element: Copy + fmt::Debug + 'static {
    /// Every one there is; at most eight.
    const ALL: &'static [Self];

    /// Its own bit.
    fn bit(self) -> u8;
}

/// Some of the things of one kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Few<T>(u8, PhantomData<T>);

impl<T: Element> Few<T> {
    /// None of them.
    pub const NONE: Self = Self(0, PhantomData);

    /// These.
    #[must_use]
    pub fn of(things: &[T]) -> Self {
        things.iter().fold(Self::NONE, |set, thing| set.with(*thing))
    }

    /// With one more.
    #[must_use]
    pub fn with(self, thing: T) -> Self {
        Self(self.0 | thing.bit(), PhantomData)
    }

    /// With all of another set.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0, PhantomData)
    }

    /// Those that are in another set too.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0, PhantomData)
    }

    /// Those for which something holds.
    #[must_use]
    pub fn only(self, holds: impl Fn(T) -> bool) -> Self {
        self.iter().filter(|thing| holds(*thing)).fold(Self::NONE, Self::with)
    }

    /// Whether one is in it.
    #[must_use]
    pub fn has(self, thing: T) -> bool {
        self.0 & thing.bit() != 0
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Every one's bit.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// How many are in it.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// Each in it, in the order of [`Element::ALL`].
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |thing| self.has(*thing))
    }

    /// Every set of things in it, the empty one too.
    pub fn subsets(self) -> impl Iterator<Item = Self> {
        (0..=self.0).filter(move |bits| bits & !self.0 == 0).map(|bits| Self(bits, PhantomData))
    }
}

impl<T: Element> Default for Few<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T: Element> fmt::Debug for Few<T> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spending::Tx;

    #[test]
    fn subsets_are_each_there_once() {
        let ends = Few::of(&[Tx::Pair, Tx::Right]);
        let found: Vec<_> = ends.subsets().collect();
        let expected = [&[][..], &[Tx::Pair], &[Tx::Right], &[Tx::Pair, Tx::Right]];
        assert_eq!(found, expected.map(Few::of));
    }
}
