//! Amounts of money in smallest units, and their decimal text.

use serde::{Deserialize, Serialize};

/// The most decimals that a network's coin may have: 10^18 still fits in 64 bits.
const MOST_DECIMALS: u8 = 18;

/// A number of smallest units, of the coin or of a token. It has no operators: every sum is
/// checked.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many smallest units.
    #[must_use]
    pub const fn new(units: u64) -> Self {
        Self(units)
    }

    /// How many smallest units.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it fits.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference, unless `other` is more.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The sum of all, if it fits.
    pub fn total(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

/// How many decimals an amount has when it is shown: 0 to 18. With 2, one coin is 100 smallest
/// units.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Decimals(u8);

/// More decimals than 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} decimals are too many: choose 0 to 18")]
pub struct InvalidDecimals(pub u8);

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// Nothing is there.
    #[error("the amount is missing: write a number, like 12 or 12.5")]
    Empty,
    /// Something other than digits and one point between digits.
    #[error("the amount is not a plain number: write digits, and a point for decimals, like 12.5")]
    Malformed,
    /// More decimals than the network has: nothing is rounded.
    #[error("the amount has {found} decimals, this network has {most}: write at most {most}")]
    TooManyDecimals {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: u8,
    },
    /// It does not fit in 64 bits of smallest units.
    #[error("the amount is too large: write at most {most}")]
    TooLarge {
        /// The largest amount there is, as a text.
        most: String,
    },
}

impl Decimals {
    /// No decimals: the text is the number of smallest units, as it is for tokens.
    pub const NONE: Self = Self(0);

    /// So many decimals, if they are at most 18.
    #[must_use]
    pub const fn new(decimals: u8) -> Option<Self> {
        if decimals > MOST_DECIMALS { None } else { Some(Self(decimals)) }
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The amount as a decimal number with all its decimals: `12.50` for 1250 units at 2.
    #[must_use]
    pub fn format(self, amount: Amount) -> String {
        let places = usize::from(self.0);
        // One digit always stands in front of the point.
        let mut text = format!("{:0>1$}", amount.0, places.saturating_add(1));
        if places > 0 {
            text.insert(text.len().saturating_sub(places), '.');
        }
        text
    }

    /// Reads a decimal number exactly: digits, and if there is a point digits on both sides of it
    /// and no more decimals than these. No sign, exponent or separator of thousands; spaces around
    /// it are ignored.
    pub fn parse(self, text: &str) -> Result<Amount, InvalidAmount> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidAmount::Empty);
        }
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) if is_number(decimals) => (whole, decimals),
            Some(_) => return Err(InvalidAmount::Malformed),
            None => (text, ""),
        };
        if !is_number(whole) {
            return Err(InvalidAmount::Malformed);
        }
        let missing = usize::from(self.0)
            .checked_sub(decimals.len())
            .ok_or(InvalidAmount::TooManyDecimals { found: decimals.len(), most: self.0 })?;
        let digits =
            whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', missing));
        let too_large = || InvalidAmount::TooLarge { most: self.format(Amount(u64::MAX)) };
        number(digits).map(Amount).ok_or_else(too_large)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that these decimal digits write, if it fits.
fn number(mut digits: impl Iterator<Item = u8>) -> Option<u64> {
    digits.try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0')?))
    })
}

impl TryFrom<u8> for Decimals {
    type Error = InvalidDecimals;

    fn try_from(decimals: u8) -> Result<Self, InvalidDecimals> {
        Self::new(decimals).ok_or(InvalidDecimals(decimals))
    }
}

impl From<Decimals> for u8 {
    fn from(decimals: Decimals) -> Self {
        decimals.0
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::cbor;
    use proptest::prelude::*;

    use super::*;

    fn decimals(decimals: u8) -> Decimals {
        Decimals::new(decimals).unwrap()
    }

    #[test]
    fn sums_are_checked() {
        let (one, most) = (Amount::new(1), Amount::new(u64::MAX));
        assert_eq!(one.checked_add(one), Some(Amount::new(2)));
        assert_eq!(most.checked_add(one), None);
        assert_eq!(one.checked_sub(one), Some(Amount::ZERO));
        assert_eq!(Amount::ZERO.checked_sub(one), None);
        assert_eq!(Amount::total([one, one, one]), Some(Amount::new(3)));
        assert_eq!(Amount::total([]), Some(Amount::ZERO));
        assert_eq!(Amount::total([one, most]), None);
        assert!(Amount::ZERO.is_zero() && !one.is_zero());
    }

    #[test]
    fn shows_all_decimals() {
        for (places, units, text) in [
            (2, 1250, "12.50"),
            (2, 5, "0.05"),
            (2, 0, "0.00"),
            (0, 1250, "1250"),
            (0, 0, "0"),
            (18, 1, "0.000000000000000001"),
            (18, u64::MAX, "18.446744073709551615"),
        ] {
            assert_eq!(decimals(places).format(Amount::new(units)), text);
            assert_eq!(decimals(places).parse(text), Ok(Amount::new(units)));
        }
    }

    #[test]
    fn reads_fewer_decimals_zeros_in_front_and_spaces() {
        for (text, units) in
            [("12.5", 1250), ("12", 1200), (" 12.50\n", 1250), ("0", 0), ("007", 700)]
        {
            assert_eq!(decimals(2).parse(text), Ok(Amount::new(units)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for text in ["", "  "] {
            assert_eq!(decimals(2).parse(text), Err(InvalidAmount::Empty), "{text}");
        }
        let malformed = [
            "-1", "+1", "1e3", "1,5", "1 000", "1'000", ".5", "5.", ".", "1.2.3", "0x10", "١", "½",
        ];
        for text in malformed {
            assert_eq!(decimals(2).parse(text), Err(InvalidAmount::Malformed), "{text}");
        }
        let error = decimals(2).parse("1.234").unwrap_err();
        assert_eq!(error, InvalidAmount::TooManyDecimals { found: 3, most: 2 });
        assert_eq!(
            error.to_string(),
            "the amount has 3 decimals, this network has 2: write at most 2"
        );
        // Nothing is rounded, not even zeros.
        let error = InvalidAmount::TooManyDecimals { found: 1, most: 0 };
        assert_eq!(Decimals::NONE.parse("5.0"), Err(error));
        let error = InvalidAmount::TooLarge { most: "184467440737095516.15".to_owned() };
        assert_eq!(decimals(2).parse("184467440737095516.16"), Err(error.clone()));
        assert_eq!(decimals(2).parse("184467440737095517"), Err(error.clone()));
        assert_eq!(decimals(2).parse(&"9".repeat(1000)), Err(error));
    }

    #[test]
    fn decimals_are_at_most_18_also_when_decoded() {
        assert_eq!(Decimals::new(19), None);
        assert_eq!(decimals(18).get(), 18);
        assert_eq!(cbor::decode(&cbor::encode(&18_u8), 8), Ok(decimals(18)));
        assert_eq!(cbor::encode(&decimals(18)), cbor::encode(&18_u8));
        assert!(cbor::decode::<Decimals>(&cbor::encode(&19_u8), 8).is_err());
        assert_eq!(cbor::encode(&Amount::new(7)), cbor::encode(&7_u64));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(units: u64, places in 0..=MOST_DECIMALS) {
            let (amount, decimals) = (Amount::new(units), decimals(places));
            prop_assert_eq!(decimals.parse(&decimals.format(amount)), Ok(amount));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9. +,e-]{0,30}|\\PC*", places in 0..=MOST_DECIMALS) {
            if let Ok(amount) = decimals(places).parse(&text) {
                let again = decimals(places).format(amount);
                prop_assert_eq!(decimals(places).parse(&again), Ok(amount));
            }
        }
    }
}
