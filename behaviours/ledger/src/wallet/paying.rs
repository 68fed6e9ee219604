//! Making payments. A payment is stored, with all that validators need, before it is first sent; after
//! a crash the same one is sent again.

use covey_kernel::{Bounded, CommandId, CryptoRng, Fault, Peer, PublicKey, cbor, merkle};

use super::{
    Change, Event,
    command::{Order, PaymentView},
    desk::Desk,
    layout,
    memory::{Errand, Flight},
    records::{self, Coin, Entry, Label, Line, Payment, Progress, Use},
    select::{self, SelectError},
};
use crate::{
    amount::Amount,
    error::Error,
    genesis::Currency,
    limits::{INPUTS, OUTPUTS, PENDING, PROOF_BYTES},
    output::{Asset, Outpoint, Output, Salted, TxId, leaves, new_salt},
    proof::Proof,
    spend::Spend,
    transaction::{Body, Witness},
    wire::{FromWallet, ToWallet},
};

/// What goes into a transaction: inputs with their proofs and owners, and outputs.
#[derive(Default)]
struct Draft {
    inputs: Vec<(Outpoint, Proof, PublicKey)>,
    outputs: Vec<Output>,
    /// Bytes of the proofs.
    proofs: usize,
}

impl Desk<'_, '_, '_> {
    /// Pays from free coins.
    pub(super) fn send(&mut self, order: Order) -> Result<PaymentView, Error> {
        let total = self.check_order(&order)?;
        self.not_twice(&order)?;
        let mut draft = Draft::default();
        for (to, amount) in &order.to {
            draft.outputs.push(output(*to, *amount, order.asset));
        }
        let lines = draft.outputs.clone();
        let fee = self.rules().network.genesis.currency.fee;
        if order.asset == Asset::COIN {
            let target = total.checked_add(fee).ok_or(Error::AmountTooLarge)?;
            self.pay_from(&mut draft, order.asset, target)?;
        } else {
            self.pay_from(&mut draft, order.asset, total)?;
            self.pay_from(&mut draft, Asset::COIN, fee)?;
        }
        self.make_payment(draft, &lines, order.asset, order.note, order.payee)
    }

    fn check_order(&self, order: &Order) -> Result<Amount, Error> {
        let currency = &self.rules().network.genesis.currency;
        if order.to.is_empty() || order.to.len() >= OUTPUTS {
            return Err(Error::TooManyPayees);
        }
        for (_, amount) in &order.to {
            if amount.is_zero() {
                return Err(Error::ZeroAmount);
            }
            if order.asset == Asset::COIN && *amount < currency.minimum {
                let minimum = self.shown(&order.asset, currency.minimum)?;
                return Err(Error::TooSmall { minimum });
            }
        }
        let amounts = order.to.iter().map(|(_, amount)| *amount);
        Amount::total(amounts).ok_or(Error::AmountTooLarge)
    }

    /// Whoever pays again while a blocked payment of the same may still arrive, pays twice.
    fn not_twice(&self, order: &Order) -> Result<(), Error> {
        if self.memory().flights.len() >= PENDING {
            return Err(Error::TooManyPending);
        }
        if order.twice {
            return Ok(());
        }
        let blocked = self.memory().flights.iter().filter(|(_, flight)| flight.blocked);
        for (tx, _) in blocked {
            let payment: Payment = records::must(self.store(), &layout::payment(tx))?;
            let paid = payment.lines.iter().map(|line| (line.to, line.amount));
            if payment.asset == order.asset && paid.eq(order.to.iter().copied()) {
                return Err(Error::PaysTwice(*tx));
            }
        }
        Ok(())
    }

    /// Takes coins worth `target`, and gives back what is too much.
    fn pay_from(&mut self, draft: &mut Draft, asset: Asset, target: Amount) -> Result<(), Error> {
        if target.is_zero() {
            return Ok(());
        }
        let change_min = if asset == Asset::COIN {
            self.rules().network.genesis.currency.minimum
        } else {
            Amount::new(1)
        };
        let room = INPUTS.saturating_sub(draft.inputs.len());
        let pool = self.pool(asset);
        let selection = match select::select(&pool, target, change_min, room) {
            Ok(selection) => selection,
            Err(error) => return Err(self.cannot_pay(error, asset, target)?),
        };
        for (_, outpoint) in selection.coins {
            self.put_in(draft, outpoint)?;
        }
        if !selection.change.is_zero() {
            let address = self.for_change()?;
            draft.outputs.push(output(address, selection.change, asset));
        }
        Ok(())
    }

    /// Puts a coin among the inputs, if a request has room for its proof: certificates of many validators
    /// are long.
    fn put_in(&self, draft: &mut Draft, outpoint: Outpoint) -> Result<(), Error> {
        let coin: Coin = records::must(self.store(), &layout::coin(&outpoint))?;
        let proofs = draft.proofs.saturating_add(cbor::encode(&coin.proof).len());
        if proofs > PROOF_BYTES {
            return Err(Error::TooFragmented { inputs: draft.inputs.len() });
        }
        draft.proofs = proofs;
        draft.inputs.push((outpoint, coin.proof, coin.output.address));
        Ok(())
    }

    fn cannot_pay(&self, why: SelectError, asset: Asset, target: Amount) -> Result<Error, Fault> {
        let balance = self.balance(&asset)?;
        let short = |desk: &Self| {
            Ok(Error::Insufficient {
                wanted: desk.shown(&asset, target)?,
                free: desk.shown(&asset, balance.free)?,
                reserved: desk.shown(&asset, balance.reserved)?,
                held: desk.shown(&asset, balance.held)?,
            })
        };
        match why {
            SelectError::Store(fault) => Err(fault),
            SelectError::ChangeTooSmall { change, change_min } => Ok(Error::ChangeTooSmall {
                change: self.shown(&asset, change)?,
                minimum: self.shown(&asset, change_min)?,
            }),
            SelectError::TooFragmented { .. } | SelectError::Insufficient { .. }
                if balance.free >= target =>
            {
                Ok(Error::TooFragmented { inputs: INPUTS })
            }
            SelectError::TooFragmented { .. } | SelectError::Insufficient { .. } => short(self),
        }
    }

    /// Puts the smallest coins of an asset together.
    pub(super) fn consolidate(&mut self, asset: Asset) -> Result<PaymentView, Error> {
        let Currency { fee, minimum, .. } = self.rules().network.genesis.currency;
        let pays_fee_besides = asset != Asset::COIN && !fee.is_zero();
        let room = INPUTS.saturating_sub(usize::from(pays_fee_besides));
        let mut draft = Draft::default();
        let mut total = self.put_smallest_in(&mut draft, asset, room)?;
        if asset == Asset::COIN {
            total =
                total.checked_sub(fee).filter(|left| !left.is_zero()).ok_or(Error::ZeroAmount)?;
            if total < minimum {
                return Err(Error::TooSmall { minimum: self.shown(&asset, minimum)? });
            }
        } else {
            self.pay_from(&mut draft, Asset::COIN, fee)?;
        }
        let address = self.for_change()?;
        draft.outputs.push(output(address, total, asset));
        self.make_payment(draft, &[], asset, Label::default(), None)
    }

    /// Puts as many of the smallest coins in as there is room for; what they add up to.
    fn put_smallest_in(
        &self,
        draft: &mut Draft,
        asset: Asset,
        room: usize,
    ) -> Result<Amount, Error> {
        let mut total = Amount::ZERO;
        for (amount, outpoint) in self.pool(asset).smallest(room)? {
            match self.put_in(draft, outpoint) {
                Ok(()) => total = total.checked_add(amount).ok_or(Error::AmountTooLarge)?,
                Err(Error::TooFragmented { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        if draft.inputs.len() < 2 { Err(Error::NothingToConsolidate) } else { Ok(total) }
    }

    /// Makes a token: spends the output that is the whole of it.
    pub(super) fn pay_whole_token(
        &mut self,
        (outpoint, whole): (Outpoint, Output),
        proof: Proof,
    ) -> Result<PaymentView, Error> {
        let mut draft = Draft::default();
        draft.inputs.push((outpoint, proof, whole.address));
        let fee = self.rules().network.genesis.currency.fee;
        self.pay_from(&mut draft, Asset::COIN, fee)?;
        let address = self.for_change()?;
        draft.outputs.push(Output { address, ..whole.clone() });
        self.make_payment(draft, &[], whole.asset, Label::default(), None)
    }

    fn make_payment(
        &mut self,
        mut draft: Draft,
        lines: &[Output],
        asset: Asset,
        note: Label,
        payee: Option<Peer>,
    ) -> Result<PaymentView, Error> {
        draft.inputs.sort_by_key(|(outpoint, ..)| *outpoint);
        // Which output is the change must not show by its place.
        shuffle(self.rng(), &mut draft.outputs);
        let lines = placed(lines, &draft.outputs);
        let spend = self.sign(draft)?;
        let tx = spend.body.id(&self.rules().network.id);
        for outpoint in spend.body.inputs.iter() {
            self.set_use(outpoint, Use::Reserved(tx))?;
        }
        let payment = Payment {
            spend,
            asset,
            lines: Bounded::first(lines),
            note,
            made: self.now(),
            progress: Progress::Sending(()),
            payee,
        };
        records::write(self.view(), layout::payment(&tx), &payment);
        self.view().put(layout::pending(&tx), Vec::new());
        self.write_line(&Entry::Paid(tx))?;
        self.change(Change::Flight(tx, Box::default()));
        self.fly(tx, Flight::default(), &payment)?;
        Ok(self.payment_view(tx, &payment))
    }

    fn sign(&mut self, draft: Draft) -> Result<Spend, Error> {
        let mut outputs = Vec::with_capacity(draft.outputs.len());
        for output in draft.outputs {
            let salt = new_salt(self.rng());
            outputs.push(Salted { salt, output });
        }
        let count = u16::try_from(outputs.len()).map_err(|_| Error::TooManyPayees)?;
        let root = merkle::root(&leaves(&outputs));
        let inputs = draft.inputs.iter().map(|(outpoint, ..)| *outpoint);
        let body = Body { inputs: Bounded::first(inputs), count, root };
        let mut owners: Vec<PublicKey> = draft.inputs.iter().map(|(.., owner)| *owner).collect();
        owners.sort_unstable();
        owners.dedup();
        let network = self.rules().network.id;
        let mut witnesses = Vec::with_capacity(owners.len());
        for owner in owners {
            let own = self.own(&owner)?.ok_or_else(|| Fault::Corrupt("a coin's owner".into()))?;
            witnesses.push(Witness::sign(&self.key(&own)?, &network, &body));
        }
        Ok(Spend {
            body,
            outputs: Bounded::new(outputs).map_err(|_| Error::TooManyPayees)?,
            witnesses: Bounded::first(witnesses),
            proofs: Bounded::first(draft.inputs.into_iter().map(|(_, proof, _)| proof)),
        })
    }

    /// Adds a line to the history.
    pub(super) fn write_line(&mut self, entry: &Entry) -> Result<(), Fault> {
        let mut me = self.me()?;
        let number = me.line;
        me.line = me.line.saturating_add(1);
        self.write_me(&me);
        records::write(self.view(), layout::history(number), entry);
        Ok(())
    }

    /// Asks a node's wallet where to pay, to pay there.
    pub(super) fn send_to(&mut self, id: CommandId, peer: Peer, order: Order) -> Result<(), Error> {
        self.check_order(&order)?;
        if !self.memory().online.contains(&peer) {
            return Err(Error::PayeeAway);
        }
        let errand = Errand::Address(peer, id, Box::new(order));
        self.ask_wallet(peer, errand, ToWallet::Address(()));
        Ok(())
    }

    /// A node's wallet has said where to pay, or not.
    pub(super) fn told_address(
        &mut self,
        peer: Peer,
        id: CommandId,
        mut order: Order,
        outcome: Result<FromWallet, covey_kernel::AskFailure>,
    ) -> Result<(), Error> {
        let paid = match outcome {
            Ok(FromWallet::Address(address)) => {
                order.to.iter_mut().for_each(|line| line.0 = address);
                order.payee = Some(peer);
                self.send(order)
            }
            Ok(_) => Err(Error::PayeeHasNone),
            Err(_) => Err(Error::PayeeAway),
        };
        // The owner waits for the reply, whatever it is. A refusal leaves at most an unused address.
        match paid {
            Err(Error::Store(fault)) => Err(fault.into()),
            paid => {
                let reply = paid.map(|payment| super::Reply::Payment(Box::new(payment)));
                self.effect(covey_kernel::Effect::Reply { to: id, reply });
                Ok(())
            }
        }
    }

    /// Tells the owner how far a payment has come.
    pub(super) fn tell_payment(&mut self, tx: TxId, payment: &Payment) {
        let view = self.payment_view(tx, payment);
        self.tell(Event::Payment(Box::new(view)));
    }
}

fn output(address: PublicKey, amount: Amount, asset: Asset) -> Output {
    Output { address, amount, asset, commitment: None }
}

/// At which places those who are paid stand among the outputs.
fn placed(lines: &[Output], outputs: &[Output]) -> Vec<Line> {
    let mut taken = vec![false; outputs.len()];
    let mut placed = Vec::with_capacity(lines.len());
    for line in lines {
        let mut places = (0u16..).zip(outputs).zip(taken.iter_mut());
        let place = places.find(|((_, output), taken)| *output == line && !**taken);
        if let Some(((index, _), taken)) = place {
            *taken = true;
            placed.push(Line { index, to: line.address, amount: line.amount });
        }
    }
    placed
}

/// Fisher and Yates. The slight unevenness of a remainder does not matter here.
pub(super) fn shuffle<T>(rng: &mut dyn CryptoRng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let choices = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
        let other = rng.next_u64().checked_rem(choices).unwrap_or_default();
        items.swap(last, usize::try_from(other).unwrap_or_default());
    }
}
