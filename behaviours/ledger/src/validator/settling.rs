//! The end of an import: the union of a quorum of lock sets is gone through once more, now that all of
//! it is known, and what is new goes to the end of this validator's own list. That it is complete is
//! written last; until then a crash begins it anew.
//!
//! Payments pause meanwhile, so only what is *loose* is gone through (`ahead.rs`).

use covey_kernel::{Effect, Fault};

use super::{
    Change, Cx, Delta, Stage, Validator,
    ahead::loose,
    importing::source,
    layout,
    memory::Settling,
    records::{self, Facts, Imported, Listed},
};
use crate::{limits::SETTLE_STEP, output::TxId, vote::leaf};

impl Validator {
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
