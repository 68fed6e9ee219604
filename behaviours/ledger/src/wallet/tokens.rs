//! Tokens: making them, and knowing what they are called.

use covey_kernel::{Fault, Scan, Text};

use super::{command::PaymentView, desk::Desk, layout, records};
use crate::{
    amount::{Amount, Decimals},
    error::Error,
    limits::{NAME_BYTES, PAGE},
    output::{Asset, AssetId},
    proof::Proof,
    token::Manifest,
};

impl Desk<'_, '_, '_> {
    /// Issues a token: all of it comes to this wallet.
    pub(super) fn issue(
        &mut self,
        name: Text<NAME_BYTES>,
        amount: Amount,
        decimals: Decimals,
    ) -> Result<PaymentView, Error> {
        if amount.is_zero() {
            return Err(Error::ZeroAmount);
        }
        let issuer = self.new_address(Default::default())?;
        let manifest = Manifest { issuer, name, amount, decimals };
        let whole = manifest.issue(&self.rules().network.id);
        if let Asset(Some(id)) = whole.1.asset {
            records::write(self.view(), layout::token(&id), &manifest);
        }
        self.pay_whole_token(whole, Proof::Issue(Box::new(manifest)))
    }

    pub(super) fn tokens(&self) -> Result<Vec<(AssetId, Manifest)>, Fault> {
        let network = &self.rules().network.id;
        let scan = Scan::prefix(layout::TOKENS).limit(PAGE);
        let found = self.store().scan(&scan)?.into_iter().map(|(_, bytes)| {
            let manifest: Manifest = covey_kernel::cbor::decode_stored(&bytes)?;
            Ok((manifest.id(network), manifest))
        });
        found.collect()
    }

    /// An amount as people read it.
    pub(super) fn shown(&self, asset: &Asset, amount: Amount) -> Result<String, Fault> {
        let Asset(Some(id)) = asset else {
            let currency = &self.rules().network.genesis.currency;
            return Ok(format!("{} {}", currency.decimals.format(amount), &*currency.unit));
        };
        let known: Option<Manifest> = records::read(self.store(), &layout::token(id))?;
        Ok(match known {
            Some(manifest) => {
                format!("{} {}", manifest.decimals.format(amount), &*manifest.name)
            }
            None => format!("{} units of {}", amount.units(), id.0),
        })
    }
}
