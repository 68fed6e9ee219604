//! Which coins there are, which may be spent, and what they add up to.

use covey_kernel::{Fault, Scan, Store};

use super::{
    desk::Desk,
    layout,
    records::{self, Balance, Coin, Use},
    select::Pool,
};
use crate::{
    amount::Amount,
    output::{Asset, Outpoint, TxId},
};

/// The coins of one asset that may be spent, as coin selection reads them.
pub(super) struct Free<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) asset: Asset,
}

impl Free<'_> {
    fn scan(&self, scan: &Scan) -> Result<Vec<(Amount, Outpoint)>, Fault> {
        let coins = self.store.scan(scan)?.into_iter().map(|(key, _)| {
            layout::read_free(&key).ok_or_else(|| Fault::Corrupt("a coin's key".into()))
        });
        coins.collect()
    }

    /// The smallest ones.
    pub(super) fn smallest(&self, limit: usize) -> Result<Vec<(Amount, Outpoint)>, Fault> {
        self.scan(&Scan::prefix(&layout::free_of(&self.asset)).limit(limit))
    }
}

impl Pool for Free<'_> {
    type Coin = (Amount, Outpoint);

    fn amount(coin: &Self::Coin) -> Amount {
        coin.0
    }

    fn at_least(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
        let mut scan = Scan::prefix(&layout::free_of(&self.asset)).limit(limit);
        scan.from = layout::free_from(&self.asset, amount);
        self.scan(&scan)
    }

    fn below(&self, amount: Amount, limit: usize) -> Result<Vec<Self::Coin>, Fault> {
        let scan = Scan::prefix(&layout::free_of(&self.asset)).limit(limit);
        self.scan(&scan.before(&layout::free_from(&self.asset, amount)).backwards())
    }
}

fn overflow() -> Fault {
    Fault::Corrupt("the coins add up to more, or less, than can be counted".into())
}

impl Desk<'_, '_, '_> {
    pub(super) fn coin(&self, outpoint: &Outpoint) -> Result<Option<Coin>, Fault> {
        records::read(self.store(), &layout::coin(outpoint))
    }

    pub(super) fn balance(&self, asset: &Asset) -> Result<Balance, Fault> {
        Ok(records::read(self.store(), &layout::balance(asset))?.unwrap_or_default())
    }

    /// Whether an output is, or ever was, a coin of ours.
    pub(super) fn is_known(&self, outpoint: &Outpoint) -> Result<bool, Fault> {
        Ok(self.store().get(&layout::coin(outpoint))?.is_some()
            || self.store().get(&layout::spent(outpoint))?.is_some())
    }

    /// Puts a coin down, or takes it up, in the index and the balance.
    fn count(&mut self, outpoint: &Outpoint, coin: &Coin, comes: bool) -> Result<(), Fault> {
        let Coin { output, used, .. } = coin;
        let mut balance = self.balance(&output.asset)?;
        let part = match used {
            Use::Free(()) => &mut balance.free,
            Use::Reserved(_) => &mut balance.reserved,
            Use::Held(()) | Use::Lost(_) => &mut balance.held,
        };
        let sum =
            if comes { part.checked_add(output.amount) } else { part.checked_sub(output.amount) };
        *part = sum.ok_or_else(overflow)?;
        if matches!(used, Use::Free(())) {
            let key = layout::free(&output.asset, output.amount, outpoint);
            let coins = if comes {
                self.view().put(key, Vec::new());
                balance.coins.checked_add(1)
            } else {
                self.view().delete(key);
                balance.coins.checked_sub(1)
            };
            balance.coins = coins.ok_or_else(overflow)?;
        }
        records::write(self.view(), layout::balance(&output.asset), &balance);
        Ok(())
    }

    /// Adds a coin, or changes what may be done with it.
    pub(super) fn keep(&mut self, outpoint: &Outpoint, coin: &Coin) -> Result<(), Fault> {
        if let Some(before) = self.coin(outpoint)? {
            self.count(outpoint, &before, false)?;
        }
        self.count(outpoint, coin, true)?;
        records::write(self.view(), layout::coin(outpoint), coin);
        Ok(())
    }

    /// Sets what may be done with a coin.
    pub(super) fn set_use(&mut self, outpoint: &Outpoint, used: Use) -> Result<(), Fault> {
        let Some(coin) = self.coin(outpoint)? else { return Ok(()) };
        self.keep(outpoint, &Coin { used, ..coin })
    }

    /// A coin is spent for good.
    pub(super) fn spent(&mut self, outpoint: &Outpoint, by: TxId) -> Result<(), Fault> {
        if let Some(coin) = self.coin(outpoint)? {
            self.count(outpoint, &coin, false)?;
            self.view().delete(layout::coin(outpoint));
        }
        records::write(self.view(), layout::spent(outpoint), &by);
        Ok(())
    }
}
