//! The coins that may be spent, in memory. The store's index of them has the same, but a store that is
//! written as a log keeps what was deleted for a while, and coin selection always begins where coins
//! were spent last: its cost would grow with the number of payments.

use std::collections::BTreeSet;

use covey_kernel::{Fault, Hash, Scan, Store};

use super::{layout, select::Pool};
use crate::{
    amount::Amount,
    limits::PURSE,
    output::{Asset, Outpoint, TxId},
};

type Free = (Asset, Amount, Outpoint);

/// The first of all outpoints.
const FIRST: Outpoint = Outpoint { tx: TxId(Hash::from_bytes([0; 32])), index: 0 };

/// The coins that may be spent; of too many none, and the store's index is read instead.
#[derive(Debug, Default)]
pub(super) struct Purse(Option<BTreeSet<Free>>);

impl Purse {
    /// Those in the store.
    pub(super) fn read(store: &dyn Store) -> Result<Self, Fault> {
        let mut coins = BTreeSet::new();
        let mut scan = Scan::prefix(layout::FREE);
        loop {
            let page = store.scan(&scan)?;
            let Some((last, _)) = page.last() else { return Ok(Self(Some(coins))) };
            scan = scan.after(last);
            for (key, _) in page {
                let coin = layout::read_free(&key);
                coins.insert(coin.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?);
            }
            if coins.len() > PURSE {
                return Ok(Self(None));
            }
        }
    }

    pub(super) fn put(&mut self, coin: Free) {
        let Some(coins) = &mut self.0 else { return };
        coins.insert(coin);
        if coins.len() > PURSE {
            self.0 = None;
        }
    }

    pub(super) fn take(&mut self, coin: &Free) {
        if let Some(coins) = &mut self.0 {
            coins.remove(coin);
        }
    }
}

/// The coins of one asset that may be spent, as coin selection reads them: of the purse as it was before
/// this decision, or of the store.
pub(super) struct Coins<'p> {
    pub(super) purse: &'p Purse,
    pub(super) store: &'p dyn Store,
    pub(super) asset: Asset,
}

impl Coins<'_> {
    fn scan(&self, scan: &Scan) -> Result<Vec<(Amount, Outpoint)>, Fault> {
        let coins = self.store.scan(scan)?.into_iter().map(|(key, _)| {
            let coin = layout::read_free(&key);
            let (_, amount, outpoint) =
                coin.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?;
            Ok((amount, outpoint))
        });
        coins.collect()
    }

    /// The smallest ones.
    pub(super) fn smallest(&self, limit: usize) -> Result<Vec<(Amount, Outpoint)>, Fault> {
        self.at_least(Amount::ZERO, limit)
    }
}

impl Pool for Coins<'_> {
    type Coin = (Amount, Outpoint);

    fn amount(coin: &Self::Coin) -> Amount {
        coin.0
    }

    fn at_least(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
        if let Some(coins) = &self.purse.0 {
            let from = coins.range((self.asset, amount, FIRST)..);
            let own = from.take_while(|(asset, ..)| *asset == self.asset);
            return Ok(own.take(limit).map(|(_, amount, outpoint)| (*amount, *outpoint)).collect());
        }
        let mut scan = Scan::prefix(&layout::free_of(&self.asset)).limit(limit);
        scan.from = layout::free_from(&self.asset, amount);
        self.scan(&scan)
    }

    fn below(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
        if let Some(coins) = &self.purse.0 {
            let all = (self.asset, Amount::ZERO, FIRST)..(self.asset, amount, FIRST);
            let down = coins.range(all).rev().take(limit);
            return Ok(down.map(|(_, amount, outpoint)| (*amount, *outpoint)).collect());
        }
        let scan = Scan::prefix(&layout::free_of(&self.asset)).limit(limit);
        self.scan(&scan.before(&layout::free_from(&self.asset, amount)).backwards())
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::View;
    use proptest::prelude::*;

    use super::*;
    use crate::output::AssetId;

    /// A store in which nothing is.
    struct Nothing;

    impl Store for Nothing {
        fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
            Ok(None)
        }

        fn scan(&self, _: &Scan) -> Result<Vec<covey_kernel::Entry>, Fault> {
            Ok(Vec::new())
        }
    }

    fn coin(asset: bool, amount: u64, number: u16) -> Free {
        let asset = Asset(asset.then(|| AssetId(Hash::of(b"token"))));
        let tx = TxId(Hash::of(&number.to_be_bytes()));
        (asset, Amount::new(amount), Outpoint { tx, index: number })
    }

    proptest! {
        #[test]
        fn memory_and_store_give_the_same(
            coins in prop::collection::vec((any::<bool>(), 0u64..8, 0u16..64), 0..64),
            spent in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
            (asset, amount, limit) in (any::<bool>(), 0u64..9, 0usize..5),
        ) {
            let store = Nothing;
            let mut view = View::new(&store);
            let mut purse = Purse::read(&view).unwrap();
            let coins: Vec<Free> = coins.into_iter().map(|(asset, amount, number)| coin(asset, amount, number)).collect();
            for (asset, amount, outpoint) in &coins {
                view.put(layout::free(asset, *amount, outpoint), Vec::new());
                purse.put((*asset, *amount, *outpoint));
            }
            for at in spent.iter().filter(|_| !coins.is_empty()) {
                let (asset, amount, outpoint) = coins[at.index(coins.len())];
                view.delete(layout::free(&asset, amount, &outpoint));
                purse.take(&(asset, amount, outpoint));
            }
            let (asset, amount, _) = coin(asset, amount, 0);
            let again = Purse::read(&view).unwrap();
            let none = Purse(None);
            let read = |purse: &Purse| {
                let pool = Coins { purse, store: &view, asset };
                let (up, down) = (pool.at_least(amount, limit), pool.below(amount, limit));
                (up.unwrap(), down.unwrap(), pool.smallest(limit).unwrap())
            };
            prop_assert_eq!(read(&purse), read(&none));
            prop_assert_eq!(read(&again), read(&none));
        }
    }

    #[test]
    fn too_many_are_left_in_the_store() {
        let mut purse = Purse(Some(BTreeSet::new()));
        for number in 0..=u64::try_from(PURSE).unwrap() {
            assert!(purse.0.is_some());
            purse.put((Asset::COIN, Amount::new(number), FIRST));
        }
        assert!(purse.0.is_none());
        purse.put(coin(false, 1, 1));
        assert!(purse.0.is_none());
    }
}
