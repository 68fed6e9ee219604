//! Taking over the lock sets of the last epoch's members: the lists of their ids, and every entry on
//! them, each judged as a request would be. It begins before they seal, so that little is left to do
//! when payments pause; whatever is written, a crash only interrupts it.

use covey_kernel::{Effect, Fault, Peer, Scan, Store};

use super::{
    Change, Cx, Delta, Errand, Stage, Validator,
    check::Shown,
    layout,
    memory::Settling,
    records::{self, Entry, Facts, Source, UNSIGNED},
};
use crate::{
    configuration::Configuration,
    limits::{ENTRIES, IMPORT_AGAIN, LOG_PAGE, UNSHOWN},
    output::{Outpoint, TxId},
    seal::{LogFrom, LogPage, Seal},
    spend::Spend,
    vote::leaf,
    wire::ToValidator,
};
use covey_kernel::Bounded;

/// Entries that are looked for at once among those that a member has not shown: some may have come
/// from another one meanwhile.
const LOOKED_FOR: usize = 1024;

impl Source {
    /// Whether all of a sealed set is there.
    pub(super) fn is_complete(&self) -> bool {
        let whole = self.seal.is_some_and(|seal| seal.set.count == self.listed.count());
        whole && self.wanted == 0 && !self.lied
    }
}

impl Validator {
    /// The epoch for which lock sets are taken over: the present one until its import is complete; then
    /// the next one, as soon as a quorum has acknowledged a configuration that names this node.
    pub(super) fn target(&self) -> Option<u64> {
        let newest = self.memory.network.newest();
        if let Some(term) = &self.memory.term {
            if term.imported.is_none() {
                return Some(term.epoch);
            }
            if term.epoch != newest.epoch {
                return None;
            }
        }
        let me = self.rules.node.public();
        let mut candidacies = self.memory.candidacies.values().map(|kept| &kept.candidacy);
        let named = candidacies.any(|one| {
            one.acknowledgements.len() >= newest.quorum()
                && one.proposal.configuration.place(&me).is_some()
        });
        named.then(|| newest.epoch.saturating_add(1))
    }

    /// Those whose lock sets are taken over for an epoch.
    fn predecessors(&self, epoch: u64) -> Option<&Configuration> {
        self.memory.network.configuration(epoch.checked_sub(1)?)
    }

    pub(super) fn source(&self, store: &dyn Store, epoch: u64, place: u8) -> Result<Source, Fault> {
        Ok(records::read(store, &layout::source(epoch, place))?.unwrap_or_default())
    }

    /// Goes on with all of them.
    pub(super) fn wake_import(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) -> Result<(), Fault> {
        let Some(at) = self.memory.import_at else { return Ok(()) };
        if at > cx.now {
            cx.effects.push(Effect::Wake(at));
            return Ok(());
        }
        let Some(epoch) = self.target() else {
            delta.0.push(Change::ImportAt(None));
            return Ok(());
        };
        let at = cx.now.plus(IMPORT_AGAIN);
        delta.0.push(Change::ImportAt(Some(at)));
        cx.effects.push(Effect::Wake(at));
        let Some(configuration) = self.predecessors(epoch) else { return Ok(()) };
        for (place, member) in (0u8..).zip(configuration.members.iter()) {
            self.draw(cx, delta, epoch, (place, member.peer))?;
        }
        self.settle(cx, delta, epoch)
    }

    /// Goes on with one of them.
    fn draw(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
        (place, peer): (u8, Peer),
    ) -> Result<(), Fault> {
        let mut source = self.source(cx.view, epoch, place)?;
        if source.lied {
            return Ok(());
        }
        if peer == self.rules.node.public() {
            return self.copy_own(cx, delta, epoch, place, source);
        }
        let missing = self.missing(cx, epoch, place, &mut source)?;
        if missing.is_empty() && source.wanted > 0 {
            // All that were looked at are there; there are more to look at.
            delta.0.push(Change::ImportAt(Some(cx.now)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        let there = self.memory.online.contains(&peer);
        let asks_entries =
            |errand: &Errand| matches!(errand, Errand::Entries(of, ..) if *of == epoch);
        if there && !missing.is_empty() && !self.is_asked(delta, &peer, asks_entries) {
            let errand = Errand::Entries(epoch, place, missing.clone());
            self.ask(cx, delta, peer, errand, ToValidator::Entries(Bounded::first(missing)));
        }
        let whole = source.seal.is_some_and(|seal| seal.set.count == source.listed.count());
        let asks_log = |errand: &Errand| matches!(errand, Errand::Log(of, ..) if *of == epoch);
        if there && !whole && source.wanted < UNSHOWN && !self.is_asked(delta, &peer, asks_log) {
            let from = source.listed.count();
            let part = LogFrom { epoch: epoch.saturating_sub(1), from };
            self.ask(cx, delta, peer, Errand::Log(epoch, place, from), ToValidator::Log(part));
        }
        Ok(())
    }

    /// The own lock set is merged like any other.
    fn copy_own(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
        place: u8,
        mut source: Source,
    ) -> Result<(), Fault> {
        let part = LogFrom { epoch: epoch.saturating_sub(1), from: source.listed.count() };
        let Some((seal, count)) = self.own_set(cx.view, part.epoch)? else { return Ok(()) };
        let ids = self.own_log(cx.view, part, count)?;
        source.seal = seal;
        let more = ids.len() == LOG_PAGE;
        for tx in ids {
            self.list(cx, epoch, place, &mut source, &tx)?;
        }
        records::write(cx.view, layout::source(epoch, place), &source);
        if more {
            delta.0.push(Change::ImportAt(Some(cx.now)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        Ok(())
    }

    /// Notes that a member has a transaction in its lock set.
    fn list(
        &self,
        cx: &mut Cx<'_, '_>,
        epoch: u64,
        place: u8,
        source: &mut Source,
        tx: &TxId,
    ) -> Result<(), Fault> {
        source.listed.push(leaf(tx));
        let key = layout::listed(epoch, tx);
        let before = records::read::<u64>(cx.view, &key)?.unwrap_or_default();
        let bit = 1u64.checked_shl(u32::from(place)).unwrap_or_default();
        if before & bit != 0 {
            // Twice on its list; it counts for the root only.
            return Ok(());
        }
        records::write(cx.view, key, &(before | bit));
        match records::read::<Facts>(cx.view, &layout::facts(tx))? {
            Some(facts) if before == 0 => note_spenders(cx, epoch, tx, &facts.inputs),
            Some(_) => {}
            None => {
                cx.view.put(layout::wanted(epoch, place, tx), Vec::new());
                source.wanted = source.wanted.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The next entries that a member has listed and nobody has shown. Each member is asked from
    /// another point on, so that they rarely send the same.
    fn missing(
        &self,
        cx: &mut Cx<'_, '_>,
        epoch: u64,
        place: u8,
        source: &mut Source,
    ) -> Result<Vec<TxId>, Fault> {
        let mut missing = Vec::new();
        if source.wanted == 0 {
            return Ok(missing);
        }
        let all = layout::all_wanted(epoch, place);
        let start = [all.as_slice(), &[place.wrapping_mul(61)]].concat();
        let scan = Scan::prefix(&all).limit(LOOKED_FOR);
        let mut found = cx.view.scan(&scan.clone().after(&start))?;
        if found.is_empty() {
            found = cx.view.scan(&scan)?;
        }
        let before = source.wanted;
        for (key, _) in found {
            let tx = layout::last_tx(&key).ok_or_else(|| Fault::Corrupt("a wanted id".into()))?;
            if cx.view.get(&layout::facts(&tx))?.is_some() {
                // Another one has shown it.
                cx.view.delete(key);
                source.wanted = source.wanted.saturating_sub(1);
            } else if missing.len() < ENTRIES {
                missing.push(tx);
            }
        }
        if source.wanted != before {
            records::write(cx.view, layout::source(epoch, place), source);
        }
        Ok(missing)
    }

    /// A member has told a part of its lock set.
    pub(super) fn told_log(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        (epoch, place, from): (u64, u8, u64),
        page: LogPage,
    ) -> Result<(), Fault> {
        let mut source = self.source(cx.view, epoch, place)?;
        if self.target() != Some(epoch) || source.listed.count() != from || source.lied {
            return Ok(());
        }
        let Some(member) =
            self.predecessors(epoch).and_then(|one| one.members.get(usize::from(place)))
        else {
            return Ok(());
        };
        source.seal = source.seal.or(page.seal);
        source.lied = source.seal.is_some_and(|seal| {
            let right = seal.verify(&self.rules.network.id, &member.vote).is_ok();
            !right || seal.set.epoch != epoch.saturating_sub(1) || seal.set.count < from
        });
        let end = source.seal.map_or(u64::MAX, |seal: Seal| seal.set.count);
        let full = page.ids.len() == LOG_PAGE;
        for tx in page.ids.iter() {
            if source.lied || source.listed.count() >= end {
                break;
            }
            self.list(cx, epoch, place, &mut source, tx)?;
        }
        if let Some(seal) = source.seal.filter(|seal| seal.set.count == source.listed.count()) {
            source.lied |= seal.set.root != source.listed.root();
        }
        records::write(cx.view, layout::source(epoch, place), &source);
        if full || source.seal.is_some() || source.wanted > 0 {
            self.draw(cx, delta, epoch, (place, member.peer))?;
        }
        self.settle(cx, delta, epoch)
    }

    /// A member has shown entries that it has listed. One that is not right, or none at all, shows that
    /// it has made its list up.
    pub(super) fn told_entries(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        (epoch, place, asked): (u64, u8, Vec<TxId>),
        entries: Vec<Option<Shown>>,
    ) -> Result<(), Fault> {
        let mut source = self.source(cx.view, epoch, place)?;
        if self.target() != Some(epoch) || source.lied {
            return Ok(());
        }
        source.lied = entries.is_empty() || entries.len() > asked.len();
        for (tx, entry) in asked.iter().zip(entries) {
            let entry = entry.filter(|one| one.tx == *tx && one.epochs <= epoch.saturating_sub(1));
            let Some(entry) = entry else {
                source.lied = true;
                break;
            };
            self.keep_entry(cx, epoch, *tx, *entry.spend)?;
            let key = layout::wanted(epoch, place, tx);
            if cx.view.get(&key)?.is_some() {
                cx.view.delete(key);
                source.wanted = source.wanted.saturating_sub(1);
            }
        }
        records::write(cx.view, layout::source(epoch, place), &source);
        let member = self.predecessors(epoch).and_then(|one| one.members.get(usize::from(place)));
        if let Some(member) = member {
            self.draw(cx, delta, epoch, (place, member.peer))?;
        }
        self.settle(cx, delta, epoch)
    }

    /// Keeps an entry that was judged. What is known of a transaction is never replaced: its
    /// certificates are older than those of any epoch for which it may be handed over.
    fn keep_entry(
        &self,
        cx: &mut Cx<'_, '_>,
        epoch: u64,
        tx: TxId,
        spend: Spend,
    ) -> Result<(), Fault> {
        if cx.view.get(&layout::facts(&tx))?.is_some() {
            return Ok(());
        }
        note_spenders(cx, epoch, &tx, &spend.body.inputs);
        note_entry(cx, tx, Entry { epoch, first: UNSIGNED, index: 0, spend });
        Ok(())
    }

    /// Begins to go through the union, once a quorum of complete sets is there, the own one among them
    /// if there is one.
    fn settle(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, epoch: u64) -> Result<(), Fault> {
        let entered = self.memory.term.as_ref().is_some_and(|term| term.epoch == epoch);
        let begun = self.memory.settling.is_some()
            || delta.0.iter().any(|change| matches!(change, Change::Settling(Some(_))));
        let Some(configuration) = self.predecessors(epoch) else { return Ok(()) };
        if !entered || begun || self.memory.stage == Stage::Behind {
            return Ok(());
        }
        let (mut places, mut complete) = (0u64, 0usize);
        for (place, member) in (0u8..).zip(configuration.members.iter()) {
            if self.source(cx.view, epoch, place)?.is_complete() {
                places |= 1u64.checked_shl(u32::from(place)).unwrap_or_default();
                complete = complete.saturating_add(1);
            } else if member.peer == self.rules.node.public()
                && cx.view.get(&layout::seal(configuration.epoch))?.is_some()
            {
                return Ok(());
            }
        }
        if complete >= configuration.quorum() {
            let settling = Settling { places, after: None, log: Default::default() };
            delta.0.push(Change::Settling(Some(settling)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        Ok(())
    }
}

/// Notes for an epoch what a transaction that was listed spends.
fn note_spenders(cx: &mut Cx<'_, '_>, epoch: u64, tx: &TxId, inputs: &[Outpoint]) {
    for outpoint in inputs {
        cx.view.put(layout::spender(epoch, outpoint, tx), Vec::new());
    }
}

/// Keeps a transaction that was not known, and notes whose its outputs are.
pub(super) fn note_entry(cx: &mut Cx<'_, '_>, tx: TxId, entry: Entry) {
    for (index, salted) in (0u16..).zip(entry.spend.outputs.iter()) {
        let outpoint = Outpoint { tx, index };
        cx.view.put(layout::owned(&salted.output.address, &outpoint), Vec::new());
    }
    records::write(cx.view, layout::facts(&tx), &Facts::of(&entry.spend));
    records::write(cx.view, layout::entry(&tx), &entry);
}
