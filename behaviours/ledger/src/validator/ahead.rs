//! What is done before payments pause: a member of the next epoch accepts when it has copied what there
//! is, and what is certain of the lock sets is settled, whichever quorum of them the union is made of.
//! What is not is *loose*, and left for the end of the import.

use covey_kernel::{Effect, Fault, Scan, Store};

use super::{
    Change, Cx, Delta, Validator,
    importing::{own_list, source},
    layout,
    memory::Tightened,
    records::{self, Facts, Kept, Listed, Source},
};
use crate::{
    limits::{NEARLY_COPIED, SETTLE_STEP, TIGHTEN_AGAIN},
    output::TxId,
};

impl Source {
    /// Whether all that was listed when it was asked last is here, but for the newest.
    fn is_near(&self) -> bool {
        self.ended && !self.lied && self.wanted < NEARLY_COPIED
    }
}

impl Validator {
    /// Whether little is left to take over for an epoch: what a quorum of the members of the one before
    /// has listed is here, but for the newest.
    pub(super) fn has_copied(&self, store: &dyn Store, epoch: u64) -> Result<bool, Fault> {
        let Some(configuration) = self.predecessors(epoch) else { return Ok(false) };
        let mut copied = 0usize;
        for (place, member) in (0u8..).zip(configuration.members.iter()) {
            let is_near = if member.peer == self.rules.node.public() {
                let here = source(store, epoch, layout::OWN)?.listed.count();
                own_list(store)?.count().saturating_sub(here) < NEARLY_COPIED
            } else {
                self.memory.heard.contains(&(epoch, place))
                    && source(store, epoch, place)?.is_near()
            };
            copied = copied.saturating_add(usize::from(is_near));
        }
        Ok(copied >= configuration.quorum())
    }

    /// More was copied for an epoch: agrees to what waits for that.
    pub(super) fn accept_copied(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
    ) -> Result<(), Fault> {
        let me = self.rules.node.public();
        let quorum = self.memory.network.newest().quorum();
        let waits = |kept: &&Kept| {
            let proposal = &kept.candidacy.proposal;
            let place =
                proposal.configuration.place(&me).and_then(|place| u8::try_from(place).ok());
            proposal.configuration.epoch == epoch
                && kept.candidacy.acknowledgements.len() >= quorum
                && place
                    .is_some_and(|place| proposal.acceptances.iter().all(|one| one.place != place))
        };
        let mut waiting = self.memory.candidacies.values().filter(waits).peekable();
        if waiting.peek().is_none() || !self.has_copied(cx.view, epoch)? {
            return Ok(());
        }
        for kept in waiting {
            self.go_on(cx, delta, kept.clone(), false)?;
        }
        Ok(())
    }

    /// Takes out some of what needs no look any more: it is in the own list, and whichever lock sets are
    /// taken, its parents are in the union with it.
    pub(super) fn tighten(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
    ) -> Result<(), Fault> {
        let Tightened { after, at } =
            self.memory.tightened.get(&epoch).copied().unwrap_or_default();
        // Or a clock was set back.
        if at > cx.now && at <= cx.now.plus(TIGHTEN_AGAIN) {
            return Ok(());
        }
        let page = loose(cx.view, epoch, after.as_ref())?;
        let mut tight = 0usize;
        for tx in &page {
            if self.is_tight(cx.view, epoch, tx)? {
                cx.view.delete(layout::loose(epoch, tx));
                tight = tight.saturating_add(1);
            }
        }
        let after = page.last().filter(|_| page.len() == SETTLE_STEP).copied();
        // What stays loose is looked at again, but in no hurry.
        if after.is_some() && tight > SETTLE_STEP / 2 {
            delta.0.push(Change::ImportAt(Some(cx.now)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        // To begin anew is slow, behind all that was taken out.
        let at = if after.is_some() { cx.now } else { cx.now.plus(TIGHTEN_AGAIN) };
        delta.0.push(Change::Tightened(epoch, Tightened { after, at }));
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
}

/// The next that are to be looked at.
pub(super) fn loose(
    store: &dyn Store,
    epoch: u64,
    after: Option<&TxId>,
) -> Result<Vec<TxId>, Fault> {
    let mut scan = Scan::prefix(&layout::all_loose(epoch)).limit(SETTLE_STEP);
    if let Some(after) = after {
        scan = scan.after(&layout::loose(epoch, after));
    }
    let tx = |key: &[u8]| layout::last_tx(key).ok_or_else(|| Fault::Corrupt("a loose id".into()));
    store.scan(&scan)?.iter().map(|(key, _)| tx(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_more_to_list_or_to_show_is_not_copied() {
        let near = Source { ended: true, wanted: NEARLY_COPIED - 1, ..Source::default() };
        assert!(near.is_near());
        assert!(!Source { wanted: NEARLY_COPIED, ..near.clone() }.is_near());
        assert!(!Source { ended: false, ..near.clone() }.is_near());
        assert!(!Source { lied: true, ..near }.is_near());
    }
}
