//! Being paid: by another wallet, or by what somebody shows. Whoever shows it has not spent it on, as
//! far as anybody can tell offline: only spending it proves that.

use covey_kernel::{CommandId, Effect, Fault, PublicKey, RequestId, Scan};

use super::{
    Event,
    command::Reply,
    desk::Desk,
    layout,
    records::{self, Asked, Came, Coin, Entry, Label, Restored, Use},
};
use crate::{
    amount::Amount,
    error::Error,
    limits::REQUESTS,
    output::{Asset, Outpoint},
    proof::{Paid, Proof},
    receipt::Receipt,
    reconfigure::Link,
    wire::FromWallet,
};

impl Desk<'_, '_, '_> {
    /// The owner shows a payment.
    pub(super) fn receive(
        &mut self,
        id: CommandId,
        outpoint: Outpoint,
        receipt: Receipt,
    ) -> Result<(), Error> {
        let shown = receipt.links.last().map(Link::epoch).unwrap_or_default();
        let newest = self.configuration().epoch.max(shown);
        self.follow(receipt.links.into_vec());
        self.note_shown(outpoint.tx, &receipt.paid, newest)?;
        match self.credit(outpoint, receipt.paid) {
            Ok((came, known)) => self.reply(id, Reply::Received { came, known }),
            // What it shows of our coins holds, whoever is paid.
            Err(Error::NotMine) => {
                self.effect(Effect::Reply { to: id, reply: Err(Error::NotMine) });
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Another wallet shows a payment.
    pub(super) fn delivered(
        &mut self,
        id: RequestId,
        outpoint: Outpoint,
        paid: Paid,
    ) -> Result<(), Error> {
        self.note_shown(outpoint.tx, &paid, self.configuration().epoch)?;
        match self.credit(outpoint, paid) {
            Ok((_, known)) => self.answer(id, &FromWallet::Received(known)),
            Err(Error::NotMine) => self.answer(id, &FromWallet::NotMine(())),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes a certified output that pays us. Each is credited once, however often it is shown.
    fn credit(&mut self, outpoint: Outpoint, paid: Paid) -> Result<(Came, bool), Error> {
        let output = paid.salted.output.clone();
        if self.own(&output.address)?.is_none() {
            return Err(Error::NotMine);
        }
        let came = Came { outpoint, output: output.clone(), at: self.now() };
        if self.is_known(&outpoint)? {
            return Ok((came, true));
        }
        let proof = Proof::Paid(Box::new(paid));
        // While another device may have the phrase, it may have spent what is shown.
        let used = match self.me()?.restored {
            Restored::Searching(()) | Restored::Held(()) => Use::Held(()),
            Restored::No(()) | Restored::Alone(()) => Use::Free(()),
        };
        let coin = Coin { output, proof, used, came: came.at };
        self.keep(&outpoint, &coin)?;
        self.renew_again();
        self.came(&came)?;
        Ok((came, false))
    }

    /// Notes where a new coin belongs, and tells of it.
    pub(super) fn came(&mut self, came: &Came) -> Result<(), Fault> {
        let Came { output, .. } = came;
        self.paid_to(&output.address)?;
        let key = layout::request(&output.address);
        if let Some(mut asked) = records::read::<Asked>(self.store(), &key)?
            && asked.asset == output.asset
        {
            asked.paid = asked.paid.checked_add(output.amount).unwrap_or(asked.paid);
            records::write(self.view(), key, &asked);
        }
        self.write_line(&Entry::Came(came.clone()))?;
        self.tell(Event::Came(Box::new(came.clone())));
        Ok(())
    }

    /// Makes a request for a payment, at an address of its own.
    pub(super) fn ask_for(
        &mut self,
        amount: Option<Amount>,
        asset: Asset,
        label: Label,
    ) -> Result<PublicKey, Error> {
        if amount.is_some_and(Amount::is_zero) {
            return Err(Error::ZeroAmount);
        }
        let kept = records::keys(self.store(), layout::REQUESTS)?.len();
        if kept >= REQUESTS {
            return Err(Error::TooManyRequests);
        }
        let address = self.new_address(label.clone())?;
        let asked = Asked { amount, asset, label, made: self.now(), paid: Amount::ZERO };
        records::write(self.view(), layout::request(&address), &asked);
        Ok(address)
    }

    pub(super) fn requests(&self) -> Result<Vec<(PublicKey, Asked)>, Fault> {
        let mut found = Vec::new();
        let scan = Scan::prefix(layout::REQUESTS).limit(crate::limits::PAGE);
        for (key, bytes) in self.store().scan(&scan)? {
            let address = key.get(1..).and_then(|key| key.try_into().ok());
            let address = address.and_then(|key| PublicKey::from_bytes(key).ok());
            let address = address.ok_or_else(|| Fault::Corrupt("a request's address".into()))?;
            found.push((address, covey_kernel::cbor::decode_stored(&bytes)?));
        }
        Ok(found)
    }
}
