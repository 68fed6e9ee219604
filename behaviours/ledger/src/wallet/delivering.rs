//! Telling payees' nodes that they are paid, until they have noted it.

use covey_kernel::{AskFailure, Effect, Fault, Peer, Scan, Span};

use super::{
    Change, Event,
    desk::Desk,
    layout,
    memory::{Errand, Telling, due},
    records::{self, Delivery, Payment},
};
use crate::{
    error::Error,
    limits::{ASK_LIFE, DELIVER_FOR, DELIVERIES, RETRY_FIRST, RETRY_LAST},
    output::{Outpoint, TxId},
    wire::{FromWallet, ToWallet},
};

impl Desk<'_, '_, '_> {
    /// Begins to tell whoever a final payment pays, if their node is known.
    pub(super) fn tell_payees(&mut self, tx: TxId, payment: &Payment) -> Result<(), Error> {
        let Some(to) = payment.payee else { return Ok(()) };
        let waiting = self.store().scan(&Scan::prefix(layout::DELIVERIES).limit(DELIVERIES))?.len();
        for line in payment.lines.iter().take(DELIVERIES.saturating_sub(waiting)) {
            let outpoint = Outpoint { tx, index: line.index };
            let delivery = Delivery { to, since: self.now() };
            records::write(self.view(), layout::delivery(&outpoint), &delivery);
            self.begin(outpoint, to)?;
        }
        Ok(())
    }

    fn begin(&mut self, outpoint: Outpoint, to: Peer) -> Result<(), Error> {
        self.effect(Effect::Seek { peer: to, addresses: Vec::new() });
        self.try_delivery(outpoint, Telling { to, again: (self.now(), RETRY_FIRST) })
    }

    fn try_delivery(&mut self, outpoint: Outpoint, mut telling: Telling) -> Result<(), Error> {
        let (_, pause) = telling.again;
        if self.is_online(&telling.to) {
            let paid = self.proof(&outpoint.tx, outpoint.index)?;
            let errand = Errand::Deliver(outpoint);
            self.ask_wallet(telling.to, errand, ToWallet::Deliver(Box::new(paid)));
            telling.again = (self.now().plus(ASK_LIFE), pause);
        } else {
            telling.again = (self.now().plus(pause), pause.doubled(RETRY_LAST));
        }
        self.wake_at(telling.again.0);
        self.change(Change::Telling(outpoint, telling));
        Ok(())
    }

    pub(super) fn resume_deliveries(&mut self) -> Result<(), Error> {
        for key in records::keys(self.store(), layout::DELIVERIES)? {
            let outpoint = key.get(1..).and_then(Outpoint::from_key);
            let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("a delivery".into()))?;
            let delivery: Delivery = records::must(self.store(), &key)?;
            if self.now().is_past(delivery.since, DELIVER_FOR) {
                self.view().delete(key);
                continue;
            }
            self.begin(outpoint, delivery.to)?;
        }
        Ok(())
    }

    pub(super) fn deliveries_to(&mut self, peer: Peer) -> Result<(), Error> {
        let waiting = self.memory().tellings.iter().filter(|(_, telling)| telling.to == peer);
        let waiting: Vec<(Outpoint, Telling)> =
            waiting.map(|(outpoint, telling)| (*outpoint, telling.clone())).collect();
        for (outpoint, telling) in waiting {
            self.try_delivery(outpoint, telling)?;
        }
        Ok(())
    }

    pub(super) fn retry_deliveries(&mut self) -> Result<(), Error> {
        let now = self.now();
        let all: Vec<(Outpoint, Telling)> =
            self.memory().tellings.iter().map(|(at, telling)| (*at, telling.clone())).collect();
        for (outpoint, mut telling) in all {
            if due(telling.again.0, RETRY_LAST, now) > now {
                self.wake_at(telling.again.0);
                continue;
            }
            let delivery: Option<Delivery> =
                records::read(self.store(), &layout::delivery(&outpoint))?;
            if delivery.is_none_or(|delivery| now.is_past(delivery.since, DELIVER_FOR)) {
                self.stop_telling(outpoint, telling.to);
                continue;
            }
            let (_, pause) = telling.again;
            telling.again = (now, pause.doubled(RETRY_LAST));
            self.try_delivery(outpoint, telling)?;
        }
        Ok(())
    }

    fn stop_telling(&mut self, outpoint: Outpoint, to: Peer) {
        self.view().delete(layout::delivery(&outpoint));
        self.change(Change::Told(outpoint));
        let others = self.memory().tellings.iter();
        let more =
            others.filter(|(other, telling)| **other != outpoint && telling.to == to).count();
        let validates = self.members().any(|(_, member)| member.peer == to);
        if more == 0 && !validates {
            self.effect(Effect::Release(to));
        }
    }

    /// A payee's node has answered, or not.
    pub(super) fn told(
        &mut self,
        outpoint: Outpoint,
        outcome: Result<FromWallet, AskFailure>,
    ) -> Result<(), Error> {
        let Some(telling) = self.memory().tellings.get(&outpoint).cloned() else { return Ok(()) };
        match outcome {
            Ok(FromWallet::Received(_)) => {
                self.stop_telling(outpoint, telling.to);
                self.tell(Event::Delivered(outpoint));
            }
            // They do not want it, and will not: the owner can still show it to them.
            Ok(FromWallet::NotMine(())) => self.stop_telling(outpoint, telling.to),
            _ => {
                let pause: Span = telling.again.1.doubled(RETRY_LAST);
                let again = (self.now().plus(pause), pause);
                self.wake_at(again.0);
                self.change(Change::Telling(outpoint, Telling { again, ..telling }));
            }
        }
        Ok(())
    }
}
