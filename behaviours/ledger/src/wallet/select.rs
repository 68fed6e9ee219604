//! Which coins a payment spends: pure functions over a pool that is read in bounded windows, so
//! that the cost does not grow with the number of coins.
//!
//! 1. One coin of exactly the target.
//! 2. Several that add up to it exactly, by branch and bound (M. Erhardt, *An Evaluation of Coin
//!    Selection Strategies*, 2016, section 4.2.4): no change is made, so there is no new coin.
//! 3. The fewest coins: the smallest one that suffices alone, else the largest first.

use covey_kernel::Fault;

use crate::amount::Amount;

/// How many coins branch and bound chooses from: the largest below the target.
const WINDOW: usize = 64;

/// How many branches branch and bound looks at before it gives up, some 50 microseconds.
const TRIES: usize = 4096;

/// The coins that may be spent, all of one asset. Their sum fits in an [`Amount`], as the supply
/// of every asset does.
pub(crate) trait Pool {
    /// A coin, or a reference to it.
    type Coin: Clone;

    /// What a coin is worth.
    fn amount(coin: &Self::Coin) -> Amount;

    /// The smallest coins of at least `amount`, ascending, at most `limit`.
    fn at_least(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault>;

    /// The largest coins below `amount`, descending, at most `limit`.
    fn below(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault>;
}

/// The coins to spend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selection<C> {
    /// The coins, each once.
    pub(crate) coins: Vec<C>,
    /// Their sum.
    pub(crate) total: Amount,
    /// What is left over: zero, or at least the smallest output.
    pub(crate) change: Amount,
}

/// Why no coins were selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectError {
    /// There is enough, in more coins than a transaction takes.
    #[error(
        "the coins are too small: {most_inputs} of them, as many as one payment takes, have \
         {} units: consolidate them first", reachable.units()
    )]
    TooFragmented {
        /// How many coins a transaction takes.
        most_inputs: usize,
        /// What so many of the largest add up to.
        reachable: Amount,
    },
    /// There is enough, but whatever is spent, the change would be below the smallest output.
    #[error(
        "{} units would be left over, less than the smallest output of {}: pay that much more, \
         or less, so that enough is left", change.units(), change_min.units()
    )]
    ChangeTooSmall {
        /// What would be left over of the most that can be spent: a target larger by this is
        /// paid without change.
        change: Amount,
        /// The smallest output.
        change_min: Amount,
    },
    /// There is not enough.
    #[error("only {} units were found", found.units())]
    Insufficient {
        /// What the largest `most_inputs + WINDOW` coins add up to, which is all that was read. It
        /// is the balance only if there are no more coins than that; the caller knows the real
        /// one, and if that suffices the coins are too fragmented.
        found: Amount,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// Selects coins worth `target`, or `target` and a change of at least `change_min`, the network's
/// smallest output; at most `most_inputs` of them. A target of zero takes none.
pub(crate) fn select<P: Pool>(
    pool: &P,
    target: Amount,
    change_min: Amount,
    most_inputs: usize,
) -> Result<Selection<P::Coin>, SelectError> {
    if target.is_zero() {
        return selection::<P>(Vec::new(), target, change_min);
    }
    if most_inputs == 0 {
        return Err(SelectError::TooFragmented { most_inputs, reachable: Amount::ZERO });
    }
    let mut coins = pool.at_least(target, 1)?;
    coins.retain(|coin| P::amount(coin) == target);
    if coins.is_empty() {
        coins = exact_sum::<P>(&pool.below(target, WINDOW)?, target, most_inputs);
    }
    if coins.is_empty() {
        coins = fewest(pool, target, change_min, most_inputs)?;
    }
    selection::<P>(coins, target, change_min)
}

/// Checks a choice of coins, and says what is left over.
fn selection<P: Pool>(
    coins: Vec<P::Coin>,
    target: Amount,
    change_min: Amount,
) -> Result<Selection<P::Coin>, SelectError> {
    let total = sum::<P>(&coins)?;
    let change = total.checked_sub(target).ok_or(SelectError::Insufficient { found: total })?;
    if !change.is_zero() && change < change_min {
        return Err(SelectError::ChangeTooSmall { change, change_min });
    }
    Ok(Selection { coins, total, change })
}

/// Coins of the window, which is sorted descending, that add up to the target exactly; none if
/// there are none or they are not found in [`TRIES`].
fn exact_sum<P: Pool>(window: &[P::Coin], target: Amount, most_inputs: usize) -> Vec<P::Coin> {
    let amounts: Vec<u64> = window.iter().map(|coin| P::amount(coin).units()).collect();
    let chosen = branch_and_bound(&amounts, target.units(), most_inputs).unwrap_or_default();
    chosen.into_iter().filter_map(|at| window.get(at).cloned()).collect()
}

/// Where the amounts stand, at most `most` of them, that add up to `target`. Depth first; each
/// amount is first taken and then left out.
fn branch_and_bound(amounts: &[u64], target: u64, most: usize) -> Option<Vec<usize>> {
    // What each amount and all after it add up to.
    let mut rest: Vec<u64> = amounts
        .iter()
        .rev()
        .scan(0_u64, |sum, amount| {
            *sum = sum.saturating_add(*amount);
            Some(*sum)
        })
        .collect();
    rest.reverse();
    let mut chosen: Vec<usize> = Vec::new();
    let (mut missing, mut at) = (target, 0_usize);
    for _ in 0..TRIES {
        if missing == 0 {
            return Some(chosen);
        }
        // What is too large is passed over; the order makes this a search.
        at = at.max(amounts.partition_point(|amount| *amount > missing));
        let slots = u64::try_from(most.saturating_sub(chosen.len())).unwrap_or(u64::MAX);
        match (amounts.get(at), rest.get(at)) {
            (Some(amount), Some(rest))
                if *rest >= missing && amount.saturating_mul(slots) >= missing =>
            {
                missing = missing.saturating_sub(*amount);
                chosen.push(at);
                at = at.saturating_add(1);
            }
            _ => {
                let left_out = *amounts.get(chosen.pop()?)?;
                missing = missing.saturating_add(left_out);
                // Without one of several equal amounts: another of them would try the same again.
                at = amounts.partition_point(|amount| *amount >= left_out);
            }
        }
    }
    None
}

/// The fewest coins that leave a change of at least `change_min`.
fn fewest<P: Pool>(
    pool: &P,
    target: Amount,
    change_min: Amount,
    most_inputs: usize,
) -> Result<Vec<P::Coin>, SelectError> {
    // If the sum does not fit, no coin can leave such a change: `selection` will say so.
    let goal = target.checked_add(change_min).unwrap_or(Amount::new(u64::MAX));
    let single = pool.at_least(goal, 1)?;
    if !single.is_empty() {
        return Ok(single);
    }
    // No coin reaches the goal, so these are the largest of all.
    let mut largest = pool.below(goal, most_inputs)?;
    let mut total = Amount::ZERO;
    for (before, coin) in largest.iter().enumerate() {
        total = add(total, P::amount(coin))?;
        if total >= goal || total == target {
            largest.truncate(before.saturating_add(1));
            return Ok(largest);
        }
    }
    if total >= target {
        // More than the target, less than the goal: `selection` will say so.
        return Ok(largest);
    }
    let found = sum::<P>(&pool.below(goal, most_inputs.saturating_add(WINDOW))?)?;
    if found >= target {
        return Err(SelectError::TooFragmented { most_inputs, reachable: total });
    }
    Err(SelectError::Insufficient { found })
}

fn sum<P: Pool>(coins: &[P::Coin]) -> Result<Amount, Fault> {
    coins.iter().map(P::amount).try_fold(Amount::ZERO, add)
}

fn add(one: Amount, other: Amount) -> Result<Amount, Fault> {
    one.checked_add(other)
        .ok_or_else(|| Fault::Corrupt("coins are worth more than an amount can be".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Coins are their place in the list and their amount.
    struct Coins {
        ascending: Vec<(usize, u64)>,
        read: Cell<usize>,
    }

    impl Coins {
        fn new(amounts: &[u64]) -> Self {
            let mut ascending: Vec<_> = amounts.iter().copied().enumerate().collect();
            ascending.sort_by_key(|(_, amount)| *amount);
            Self { ascending, read: Cell::new(0) }
        }

        fn count(&self, coins: Vec<(usize, u64)>) -> Result<Vec<(usize, u64)>, Fault> {
            self.read.set(self.read.get() + coins.len());
            Ok(coins)
        }
    }

    impl Pool for Coins {
        type Coin = (usize, u64);

        fn amount(coin: &Self::Coin) -> Amount {
            Amount::new(coin.1)
        }

        fn at_least(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
            let coins = self.ascending.iter().copied();
            self.count(coins.filter(|coin| coin.1 >= amount.units()).take(limit).collect())
        }

        fn below(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
            let coins = self.ascending.iter().rev().copied();
            self.count(coins.filter(|coin| coin.1 < amount.units()).take(limit).collect())
        }
    }

    /// A pool whose store has failed.
    struct Broken;

    impl Pool for Broken {
        type Coin = Amount;

        fn amount(coin: &Amount) -> Amount {
            *coin
        }

        fn at_least(&self, _: Amount, _: usize) -> Result<Vec<Amount>, Fault> {
            Err(Fault::Io("gone".to_owned()))
        }

        fn below(&self, _: Amount, _: usize) -> Result<Vec<Amount>, Fault> {
            Err(Fault::Io("gone".to_owned()))
        }
    }

    fn selected(
        amounts: &[u64],
        target: u64,
        change_min: u64,
        most_inputs: usize,
    ) -> Result<Selection<(usize, u64)>, SelectError> {
        let (target, change_min) = (Amount::new(target), Amount::new(change_min));
        select(&Coins::new(amounts), target, change_min, most_inputs)
    }

    /// What the selected coins are worth, and the change.
    fn taken(amounts: &[u64], target: u64, change_min: u64, most: usize) -> (Vec<u64>, u64) {
        let selection = selected(amounts, target, change_min, most).unwrap();
        let coins = selection.coins.iter().map(|coin| coin.1).collect();
        (coins, selection.change.units())
    }

    #[test]
    fn one_coin_of_the_target_comes_first() {
        assert_eq!(taken(&[5, 10, 4, 6, 20], 10, 1, 8), (vec![10], 0));
    }

    #[test]
    fn then_several_that_make_the_target_exactly() {
        assert_eq!(taken(&[7, 1, 20, 3, 5], 8, 1, 8), (vec![7, 1], 0));
        // Largest first would take 9 and 8.
        assert_eq!(taken(&[9, 8, 5, 5], 10, 1, 8), (vec![5, 5], 0));
        // Not with more inputs than allowed.
        assert_eq!(taken(&[1, 1, 1, 1, 10], 4, 1, 3), (vec![10], 6));
    }

    #[test]
    fn then_the_smallest_coin_that_leaves_enough_change() {
        assert_eq!(taken(&[50, 21, 20, 3], 15, 5, 8), (vec![20], 5));
        // 20 alone would leave 4.
        assert_eq!(taken(&[50, 22, 20, 3], 16, 5, 8), (vec![22], 6));
    }

    #[test]
    fn then_the_largest_coins_one_more_if_the_change_is_too_small() {
        assert_eq!(taken(&[10, 9, 8], 25, 1, 8), (vec![10, 9, 8], 2));
        assert_eq!(taken(&[10, 10, 9], 18, 5, 8), (vec![10, 10, 9], 11));
        assert_eq!(taken(&[19, 3], 18, 4, 8), (vec![19, 3], 4));
    }

    #[test]
    fn a_target_of_zero_takes_nothing() {
        assert_eq!(taken(&[1], 0, 5, 8), (vec![], 0));
        assert_eq!(taken(&[], 0, 5, 0), (vec![], 0));
    }

    #[test]
    fn says_why_nothing_is_selected() {
        let amount = Amount::new;
        let found = |found| Err(SelectError::Insufficient { found: amount(found) });
        assert_eq!(selected(&[], 1, 1, 8), found(0));
        assert_eq!(selected(&[3, 4], 8, 1, 8), found(7));
        assert_eq!(selected(&[3, 4], 8, 1, 1), found(7));
        let fragmented = |most_inputs, reachable| {
            Err(SelectError::TooFragmented { most_inputs, reachable: amount(reachable) })
        };
        assert_eq!(selected(&[3, 4, 5], 10, 1, 2), fragmented(2, 9));
        assert_eq!(selected(&[10], 10, 1, 0), fragmented(0, 0));
        let small = |change, change_min| {
            let (change, change_min) = (amount(change), amount(change_min));
            Err(SelectError::ChangeTooSmall { change, change_min })
        };
        assert_eq!(selected(&[12], 10, 5, 8), small(2, 5));
        assert_eq!(selected(&[12, 2], 10, 5, 8), small(4, 5));
        let fault = SelectError::Store(Fault::Io("gone".to_owned()));
        assert_eq!(select(&Broken, amount(1), amount(1), 8), Err(fault));
    }

    #[test]
    fn the_largest_amounts_do_not_overflow() {
        let most = u64::MAX;
        assert_eq!(taken(&[most], most, most, 8), (vec![most], 0));
        assert_eq!(taken(&[most - 1, 1], most, 1, 8), (vec![most - 1, 1], 0));
        let amount = Amount::new;
        let error = SelectError::ChangeTooSmall { change: amount(1), change_min: amount(5) };
        assert_eq!(selected(&[most], most - 1, 5, 8), Err(error));
        let found = amount(most - 1);
        assert_eq!(selected(&[most - 1], most, 5, 8), Err(SelectError::Insufficient { found }));
        let corrupt = selected(&[most - 1, most - 2], most, 5, 8);
        assert!(matches!(corrupt, Err(SelectError::Store(Fault::Corrupt(_)))), "{corrupt:?}");
    }

    #[test]
    fn what_is_found_is_the_sum_of_what_is_read() {
        let ones = vec![1; 1000];
        let found = Amount::new(2 + WINDOW as u64);
        assert_eq!(selected(&ones, 500, 1, 2), Err(SelectError::Insufficient { found }));
        let reachable = Amount::new(2);
        let error = SelectError::TooFragmented { most_inputs: 2, reachable };
        assert_eq!(selected(&ones, found.units(), 1, 2), Err(error));
    }

    #[test]
    fn reads_no_more_of_a_large_pool() {
        let most_inputs = 16;
        for count in [1_000, 100_000] {
            let amounts: Vec<u64> = (0..count).map(|i| 1_000 + 2 * (i % 997)).collect();
            // Odd, and all coins are even: branch and bound finds nothing.
            for target in [1_001, 2_001, 30_001, 1_000_001] {
                let pool = Coins::new(&amounts);
                let selection = select(&pool, Amount::new(target), Amount::new(10), most_inputs);
                assert_eq!(selection.is_ok(), target < 1_000_000);
                assert!(pool.read.get() <= 2 + 2 * (most_inputs + WINDOW));
            }
        }
    }

    /// The sums of all choices of at most `most` amounts, with how many each takes.
    fn choices(amounts: &[u64], most: usize) -> Vec<(u64, usize)> {
        (0..1_usize << amounts.len())
            .map(|set| {
                let chosen = (0..amounts.len()).filter(|at| set >> at & 1 == 1);
                chosen.fold((0, 0), |(sum, count), at| (sum + amounts[at], count + 1))
            })
            .filter(|(_, count)| *count <= most)
            .collect()
    }

    fn assert_best(amounts: &[u64], target: u64, change_min: u64, most: usize) {
        let choices = choices(amounts, most);
        let fits = |sum: u64| sum == target || sum >= target + change_min;
        let fewest = choices.iter().filter(|choice| fits(choice.0)).map(|choice| choice.1).min();
        match selected(amounts, target, change_min, most) {
            Ok(Selection { coins, total, change }) => {
                let distinct: BTreeSet<_> = coins.iter().collect();
                assert_eq!(distinct.len(), coins.len());
                assert!(coins.len() <= most);
                assert_eq!(total.units(), coins.iter().map(|coin| coin.1).sum::<u64>());
                assert_eq!(change.units(), total.units() - target);
                assert!(fits(total.units()));
                if amounts.contains(&target) {
                    assert_eq!((coins.len(), change), (1, Amount::ZERO));
                } else if choices.iter().any(|choice| choice.0 == target) {
                    assert_eq!(change, Amount::ZERO);
                } else {
                    assert_eq!(Some(coins.len()), fewest);
                }
            }
            Err(error) => {
                assert_eq!(fewest, None);
                let reachable = choices.iter().map(|choice| choice.0).max().unwrap_or_default();
                let (found, reachable) = (amounts.iter().sum::<u64>(), Amount::new(reachable));
                let wanted = if let Some(change) = reachable.checked_sub(Amount::new(target)) {
                    SelectError::ChangeTooSmall { change, change_min: Amount::new(change_min) }
                } else if found >= target {
                    SelectError::TooFragmented { most_inputs: most, reachable }
                } else {
                    SelectError::Insufficient { found: Amount::new(found) }
                };
                assert_eq!(error, wanted);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn nothing_better_is_found_by_trying_everything(
            amounts in proptest::collection::vec(1..30_u64, 0..10),
            target in 1..120_u64,
            change_min in 0..12_u64,
            most in 1..7_usize,
        ) {
            assert_best(&amounts, target, change_min, most);
        }

        #[test]
        fn large_pools_are_paid_from_within_the_rules(
            amounts in proptest::collection::vec(1..100_000_u64, 0..300),
            target in 1..2_000_000_u64,
            change_min in 0..1000_u64,
            most in 1..40_usize,
        ) {
            if let Ok(Selection { coins, total, change }) =
                selected(&amounts, target, change_min, most)
            {
                prop_assert!(coins.len() <= most);
                prop_assert_eq!(total.units(), target + change.units());
                prop_assert!(change.is_zero() || change.units() >= change_min);
            }
        }
    }
}
