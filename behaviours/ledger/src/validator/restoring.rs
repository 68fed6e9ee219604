//! What there is at an address, for whoever proves that it is theirs.

use covey_kernel::{Bounded, Fault, Peer, RequestId, Scan, Store, cbor, merkle};

use super::{
    Change, Cx, Delta, Validator, answer, check,
    earlier::Before,
    layout,
    memory::Errand,
    records::{self, Entry, UNSIGNED},
};
use crate::{
    error::Error,
    holdings::{Claim, Holding, Voted},
    limits::{BATCH, HOLDINGS, PASS_AGAIN, PASSING, RESPONSE_BYTES},
    output::{Outpoint, TxId, leaves},
    wire::{FromValidator, NotReady, ToValidator},
};

/// Bytes of outputs in one answer: what is left is for the answer itself, and for the last output.
const PAGE_BYTES: usize = RESPONSE_BYTES / 2;

/// Pages of outputs that cannot be shown that one claim passes over: whoever has many at an address
/// does not hold everybody else up.
const PAGES_PASSED: usize = 4;

/// Votes of one turn that claims may take: the others are for payments.
const CLAIMED: usize = BATCH / 2;

impl Validator {
    /// A page of the outputs at an address. Whoever lost the certificates cannot show them to the
    /// validators of a later epoch; so these vote anew for what was handed over to them, if nothing is
    /// against it. Then the answer is made at the end of the turn, with the votes.
    pub(super) fn holdings(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        claim: &Claim,
    ) -> Result<Delta, Error> {
        if let Some(why) = self.memory.stage.not_ready() {
            return Err(Error::NotReady(why));
        }
        let mut delta = Delta::default();
        let asked = (claim.address, claim.after);
        let mut claim = claim.clone();
        // An empty answer is the last one, so what cannot be shown is passed over: some of it now, and
        // more when it is asked for again.
        if let Some(passed) = self.memory.passed_over.get(&asked) {
            claim.after = Some(*passed);
        }
        for _ in 0..PAGES_PASSED {
            let page = self.page(cx.view, &claim)?;
            let last = page.last().copied();
            let mut waits = false;
            for outpoint in &page {
                waits |= self.renew(cx, &mut delta, &outpoint.tx)?;
            }
            if waits {
                self.show_to_others(cx, &mut delta, &page)?;
                delta.0.push(Change::Claims(id, Box::new(claim)));
                return Ok(delta);
            }
            if last.is_none() || self.shows_any(cx.view, &page)? {
                self.show_to_others(cx, &mut delta, &page)?;
                self.tell_holdings(cx, id, &claim)?;
                delta.0.push(Change::PassedOver(asked, None));
                return Ok(delta);
            }
            claim.after = last;
        }
        delta.0.push(Change::PassedOver(asked, claim.after));
        let later = FromValidator::NotReady(NotReady::Checking(()));
        answer(cx, id, &later);
        Ok(delta)
    }

    /// Shows the other members what made the outputs that are claimed, and what spends them: whoever has
    /// only a phrase cannot, and some may have missed it, so that a quorum's votes would not be found
    /// while one of those who voted is away.
    fn show_to_others(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        page: &[Outpoint],
    ) -> Result<(), Fault> {
        for outpoint in page {
            let spent_by = self.spent_by(cx.view, outpoint)?;
            for tx in [Some(outpoint.tx), spent_by].into_iter().flatten() {
                self.show_one_to_others(cx, delta, tx)?;
            }
        }
        Ok(())
    }

    fn show_one_to_others(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        tx: TxId,
    ) -> Result<(), Fault> {
        let passed = self.memory.passed.get(&tx);
        let now = |change: &Change| matches!(change, Change::Passed(one, _) if *one == tx);
        if passed.is_some_and(|at| !cx.now.is_past(*at, PASS_AGAIN)) || delta.0.iter().any(now) {
            return Ok(());
        }
        let asked = delta.0.iter().filter(|change| matches!(change, Change::Asked(..))).count();
        if self.memory.asks.len().saturating_add(asked) >= PASSING {
            return Ok(());
        }
        let Some(entry) = records::read::<Entry>(cx.view, &layout::entry(&tx))? else {
            return Ok(());
        };
        if entry.epoch != self.memory.epoch() || entry.first >= self.memory.next {
            return Ok(());
        }
        delta.0.push(Change::Passed(tx, cx.now));
        let there = self.others().filter(|(_, one)| self.memory.online.contains(&one.peer));
        let there: Vec<Peer> = there.map(|(_, one)| one.peer).collect();
        for to in there {
            let spend = ToValidator::Spend(Box::new(entry.spend.clone()));
            self.ask(cx, delta, to, Errand::Told, spend);
        }
        Ok(())
    }

    fn shows_any(&self, store: &dyn Store, page: &[Outpoint]) -> Result<bool, Fault> {
        for outpoint in page {
            if self.holding(store, *outpoint)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn page(&self, store: &dyn Store, claim: &Claim) -> Result<Vec<Outpoint>, Fault> {
        let prefix = layout::owned_by(&claim.address);
        let mut scan = Scan::prefix(&prefix).limit(HOLDINGS);
        if let Some(after) = &claim.after {
            scan = scan.after(&layout::owned(&claim.address, after));
        }
        let found = store.scan(&scan)?.into_iter().map(|(key, _)| {
            let outpoint = key.get(prefix.len()..).and_then(Outpoint::from_key);
            outpoint.ok_or_else(|| Fault::Corrupt("an address's key".into()))
        });
        found.collect()
    }

    /// Votes anew for a transaction of an earlier epoch; whether there is a vote of this turn for it.
    fn renew(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, tx: &TxId) -> Result<bool, Error> {
        let Some(entry) = records::read::<Entry>(cx.view, &layout::entry(tx))? else {
            return Ok(false);
        };
        if entry.epoch == self.memory.epoch() && entry.first != UNSIGNED {
            return Ok(entry.first >= self.memory.next);
        }
        let locked = |change: &&Change| matches!(change, Change::Locked(..));
        let index = self.memory.open.len().saturating_add(delta.0.iter().filter(locked).count());
        if !self.is_imported(cx.view, tx)? {
            return Ok(false);
        }
        if index >= CLAIMED {
            // In a turn to come.
            return Err(Error::NotReady(NotReady::Checking(())));
        }
        for outpoint in entry.spend.body.inputs.iter() {
            let lock = records::lock(cx.view, self.memory.epoch(), outpoint)?;
            let other = lock.is_some_and(|lock| lock.tx != *tx);
            if other || !matches!(self.before(cx.view, outpoint, tx)?, Before::Free) {
                return Ok(false);
            }
        }
        match self.earlier_locks(cx.view, &entry.spend) {
            Ok(locks) => {
                delta.and(self.lock(cx, (*tx, entry.spend), locks, index, None)?);
                Ok(true)
            }
            Err(Error::Store(fault)) => Err(fault.into()),
            Err(_) => Ok(false),
        }
    }

    pub(super) fn tell_holdings(
        &self,
        cx: &mut Cx<'_, '_>,
        id: RequestId,
        claim: &Claim,
    ) -> Result<(), Fault> {
        let mut holdings = Vec::new();
        let mut bytes = 0usize;
        for outpoint in self.page(cx.view, claim)? {
            let Some(holding) = self.holding(cx.view, outpoint)? else { continue };
            bytes = bytes.saturating_add(cbor::encode(&holding).len());
            holdings.push(holding);
            if bytes > PAGE_BYTES {
                break;
            }
        }
        answer(cx, id, &FromValidator::Holdings(Bounded::first(holdings)));
        Ok(())
    }

    /// Which transaction spends an output, as far as this validator knows.
    fn spent_by(&self, store: &dyn Store, outpoint: &Outpoint) -> Result<Option<TxId>, Fault> {
        if let Some(lock) = records::lock(store, self.memory.epoch(), outpoint)? {
            return Ok(Some(lock.tx));
        }
        // Spent by any other than what made it, that is: by any.
        Ok(match self.before(store, outpoint, &outpoint.tx)? {
            Before::Spent(tx) => Some(tx),
            Before::Free | Before::Frozen => None,
        })
    }

    /// An output as this validator knows it; none if it has not voted for it in this epoch.
    fn holding(&self, store: &dyn Store, outpoint: Outpoint) -> Result<Option<Holding>, Fault> {
        let spent_by = self.spent_by(store, &outpoint)?;
        if outpoint.tx.0 == self.rules.network.id.hash() {
            return Ok(Some(Holding { outpoint, spent_by, voted: None }));
        }
        let entry: Entry = records::must(store, &layout::entry(&outpoint.tx))?;
        if entry.epoch != self.memory.epoch() || entry.first == UNSIGNED {
            return Ok(None);
        }
        let index = usize::from(outpoint.index);
        let short = || Fault::Corrupt("a transaction has too few outputs".into());
        let salted = entry.spend.outputs.get(index).cloned().ok_or_else(short)?;
        let path = merkle::path(&leaves(&entry.spend.outputs), index).ok_or_else(short)?;
        let given = records::Lock { tx: outpoint.tx, first: entry.first, index: entry.index };
        let voted = Voted {
            vote: check::vote(store, &given)?,
            body: entry.spend.body,
            salted,
            path: Bounded::first(path),
            epoch: entry.epoch,
        };
        Ok(Some(Holding { outpoint, spent_by, voted: Some(voted) }))
    }
}
