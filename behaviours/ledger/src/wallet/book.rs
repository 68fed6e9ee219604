//! Which coins there are, which may be spent, and what they add up to.

use covey_kernel::Fault;

use super::{
    Change,
    desk::Desk,
    layout,
    purse::Coins,
    records::{self, Balance, Coin, Use},
};
use crate::output::{Asset, Outpoint, TxId};

fn overflow() -> Fault {
    Fault::Corrupt("the coins add up to more, or less, than can be counted".into())
}

impl Desk<'_, '_, '_> {
    /// The coins of an asset that may be spent.
    pub(super) fn pool(&self, asset: Asset) -> Coins<'_> {
        Coins { purse: &self.memory().purse, store: self.store(), asset }
    }

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
            let free = (output.asset, output.amount, *outpoint);
            let coins = if comes {
                self.view().put(key, Vec::new());
                self.change(Change::Free(free));
                balance.coins.checked_add(1)
            } else {
                self.view().delete(key);
                self.change(Change::Taken(free));
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
