//! The end of an import: the union of a quorum of lock sets is gone through once more, now that all of
//! it is known, and what is new goes to the end of this validator's own list. That it is complete is
//! written last; until then a crash begins it anew.
//!
//! Payments pause meanwhile, so what is right with whichever quorum is taken out before, while lock sets
//! are copied ahead: what is *loose* is left.

use covey_kernel::{Effect, Fault, Scan, Store};

use super::{
    Change, Cx, Delta, Stage, Validator,
    importing::source,
    layout,
    memory::Settling,
    records::{self, Facts, Imported, Listed},
};
use crate::{limits::SETTLE_STEP, output::TxId, vote::leaf};

impl Validator {
    /// Takes out some of what needs no look any more: it is in the own list, and whichever lock sets are
    /// taken, its parents are in the union with it.
    pub(super) fn tighten(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
    ) -> Result<(), Fault> {
        let after = self.memory.tightened.filter(|(of, _)| *of == epoch).map(|(_, tx)| tx);
        let page = loose(cx.view, epoch, after.as_ref())?;
        let last = page.last().filter(|_| page.len() == SETTLE_STEP).map(|tx| (epoch, *tx));
        let mut tight = 0usize;
        for tx in &page {
            if self.is_tight(cx.view, epoch, tx)? {
                cx.view.delete(layout::loose(epoch, tx));
                tight = tight.saturating_add(1);
            }
        }
        // What stays loose is looked at again, but in no hurry.
        if tight > SETTLE_STEP / 2 {
            delta.0.push(Change::ImportAt(Some(cx.now)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        delta.0.push(Change::Tightened(last));
        Ok(())
    }

    /// Whether nothing can be found out about a transaction when the union is known.
    fn is_tight(&self, store: &dyn Store, epoch: u64, tx: &TxId) -> Result<bool, Fault> {
        let listed: Listed = records::must(store, &layout::listed(epoch, tx))?;
        let facts = records::read::<Facts>(store, &layout::facts(tx))?;
        let Some(facts) = facts.filter(|_| listed.own) else { return Ok(false) };
        for parent in facts.parents() {
            let parent = records::read::<Listed>(store, &layout::listed(epoch, &parent))?;
            let parent = parent.unwrap_or_default();
            if !parent.own && listed.by & !parent.by != 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One step through the union.
    pub(super) fn wake_settling(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let Some(mut settling) = self.memory.settling.clone() else { return Ok(()) };
        let epoch = settling.epoch;
        let page = loose(cx.view, epoch, settling.after.as_ref())?;
        let last = page.len() < SETTLE_STEP;
        for tx in page {
            settling.after = Some(tx);
            let listed: Listed = records::must(cx.view, &layout::listed(epoch, &tx))?;
            let by = listed.by & settling.places;
            if by != 0 && !self.is_founded(cx, epoch, &tx, settling.places)? {
                return self.discard(cx, delta, epoch, by);
            }
            if by != 0 && !listed.own {
                records::write(cx.view, layout::log(settling.log.count()), &tx);
                settling.log.push(leaf(&tx));
            }
        }
        if last {
            return self.finish(cx, delta, settling);
        }
        cx.effects.push(Effect::Wake(cx.now));
        delta.0.push(Change::Settling(Some(settling)));
        Ok(())
    }

    /// Whether the transactions whose certificates prove the inputs are in the union themselves,
    /// wherever. What an honest member has locked always is: either it had imported them, or a quorum of
    /// its own epoch has signed them, one of whom is honest and among any quorum of sets.
    fn is_founded(
        &self,
        cx: &Cx<'_, '_>,
        epoch: u64,
        tx: &TxId,
        places: u64,
    ) -> Result<bool, Fault> {
        let facts: Facts = records::must(cx.view, &layout::facts(tx))?;
        for parent in facts.parents() {
            let listed = records::read::<Listed>(cx.view, &layout::listed(epoch, &parent))?;
            if !listed.unwrap_or_default().is_in(places) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Those who have listed what cannot be: others are taken instead, and all is gone through again.
    fn discard(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
        liars: u64,
    ) -> Result<(), Fault> {
        for place in 0..64u8 {
            if liars.checked_shr(u32::from(place)).is_some_and(|bits| bits & 1 == 1) {
                let mut source = source(cx.view, epoch, place)?;
                source.lied = true;
                records::write(cx.view, layout::source(epoch, place), &source);
            }
        }
        cx.effects.push(Effect::Wake(cx.now));
        delta.0.push(Change::Settling(None));
        delta.0.push(Change::ImportAt(Some(cx.now)));
        Ok(())
    }

    fn finish(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        settling: Settling,
    ) -> Result<(), Fault> {
        if self.memory.term.as_ref().is_none_or(|term| term.epoch != settling.epoch) {
            return self.go_another_way(cx, delta, settling);
        }
        let Settling { epoch, places, log, .. } = settling;
        records::write(cx.view, layout::LOGGED.to_vec(), &log);
        records::write(cx.view, layout::imported(epoch), &Imported { places });
        delta.0.push(Change::Settling(None));
        delta.0.push(Change::Imported(places, log));
        delta.0.push(Change::SuccessionAt(Some(cx.now)));
        cx.effects.push(Effect::Wake(cx.now));
        if self.memory.stage == Stage::Importing {
            delta.0.push(self.becomes(cx, self.able(true)));
        }
        Ok(())
    }
}

/// The next that are to be looked at.
fn loose(store: &dyn Store, epoch: u64, after: Option<&TxId>) -> Result<Vec<TxId>, Fault> {
    let mut scan = Scan::prefix(&layout::all_loose(epoch)).limit(SETTLE_STEP);
    if let Some(after) = after {
        scan = scan.after(&layout::loose(epoch, after));
    }
    let tx = |key: &[u8]| layout::last_tx(key).ok_or_else(|| Fault::Corrupt("a loose id".into()));
    store.scan(&scan)?.iter().map(|(key, _)| tx(key)).collect()
}
