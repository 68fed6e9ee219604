//! Taking over the lock sets of the last epoch's members: the lists of their ids, and every entry on
//! them, each judged as a request would be. It begins before they seal, so that little is left to do
//! when payments pause; whatever is written, a crash only interrupts it.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{Bounded, Effect, Fault, Peer, Scan, Store, merkle::Builder};

use super::{
    Change, Cx, Delta, Errand, Stage, Validator,
    check::Shown,
    layout,
    memory::Settling,
    records::{self, Entry, Facts, Listed, Source, UNSIGNED},
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

impl Source {
    /// Whether all of a sealed set is there.
    pub(super) fn is_complete(&self) -> bool {
        let whole = self.seal.is_some_and(|seal| seal.set.count == self.listed.count());
        whole && self.wanted == 0 && !self.lied
    }
}

impl Validator {
    /// The epochs for which lock sets are taken over: the present one until its import is complete, and
    /// those for which it may be left; then the next one, as soon as a quorum has acknowledged a
    /// configuration that names this node.
    pub(super) fn targets(&self, store: &dyn Store) -> Result<BTreeSet<u64>, Fault> {
        match &self.memory.term {
            Some(term) if term.imported.is_none() => self.ways_on(store, term.epoch),
            // Who is behind never leaves its epoch by itself, but may be named in a later one.
            Some(term)
                if term.epoch != self.memory.network.newest().epoch
                    && self.memory.stage != Stage::Behind =>
            {
                Ok(BTreeSet::new())
            }
            _ => Ok(self.named_next().into_iter().collect()),
        }
    }

    /// The next epoch, if it looks as if this node is to be a member.
    fn named_next(&self) -> Option<u64> {
        let newest = self.memory.network.newest();
        let me = self.rules.node.public();
        let mut candidacies = self.memory.candidacies.values().map(|kept| &kept.candidacy);
        let named = candidacies.any(|one| {
            one.acknowledgements.len() >= newest.quorum()
                && one.proposal.configuration.place(&me).is_some()
        });
        named.then(|| newest.epoch.saturating_add(1))
    }

    /// Those whose lock sets are taken over for an epoch.
    pub(super) fn predecessors(&self, epoch: u64) -> Option<&Configuration> {
        self.memory.network.configuration(epoch.checked_sub(1)?)
    }

    /// How far the lock set of a member of the epoch before is taken over. Of the own list that is kept
    /// apart, as it is taken over also by who was no member of that epoch.
    pub(super) fn source(
        &self,
        store: &dyn Store,
        epoch: u64,
        (place, peer): (u8, &Peer),
    ) -> Result<Source, Fault> {
        if *peer != self.rules.node.public() {
            return source(store, epoch, place);
        }
        let seal = match epoch.checked_sub(1) {
            Some(before) => records::read(store, &layout::seal(before))?,
            None => None,
        };
        Ok(Source { seal, ..source(store, epoch, layout::OWN)? })
    }

    /// Goes on with all of them.
    pub(super) fn wake_import(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) -> Result<(), Fault> {
        let Some(at) = self.memory.import_at else { return Ok(()) };
        if at > cx.now {
            cx.effects.push(Effect::Wake(at));
            return Ok(());
        }
        let targets = self.targets(cx.view)?;
        if targets.is_empty() {
            delta.0.push(Change::ImportAt(None));
            return Ok(());
        }
        let at = cx.now.plus(IMPORT_AGAIN);
        delta.0.push(Change::ImportAt(Some(at)));
        cx.effects.push(Effect::Wake(at));
        for epoch in targets {
            self.copy_own(cx, delta, epoch)?;
            let Some(configuration) = self.predecessors(epoch) else { continue };
            for (place, member) in (0u8..).zip(configuration.members.iter()) {
                self.draw(cx, delta, epoch, (place, member.peer))?;
            }
            self.tighten(cx, delta, epoch)?;
            self.accept_copied(cx, delta, epoch)?;
            self.settle(cx, delta, epoch)?;
        }
        Ok(())
    }

    /// Goes on with one of them.
    fn draw(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        epoch: u64,
        (place, peer): (u8, Peer),
    ) -> Result<(), Fault> {
        if peer == self.rules.node.public() {
            return Ok(());
        }
        let source = source(cx.view, epoch, place)?;
        if source.lied {
            return Ok(());
        }
        let there = self.memory.online.contains(&peer);
        let asks_entries =
            |errand: &Errand| matches!(errand, Errand::Entries(of, ..) if *of == epoch);
        if source.wanted > 0 && !self.is_asked(delta, &peer, asks_entries) {
            let missing = missing(cx, delta, epoch, place)?;
            if there && !missing.is_empty() {
                let errand = Errand::Entries(epoch, place, missing.clone());
                self.ask(cx, delta, peer, errand, ToValidator::Entries(Bounded::first(missing)));
            }
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

    /// The own list is merged like the lock set of a member.
    fn copy_own(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, epoch: u64) -> Result<(), Fault> {
        let mut source = source(cx.view, epoch, layout::OWN)?;
        let count = own_list(cx.view)?.count();
        let ids = self.own_log(cx.view, source.listed.count(), count)?;
        if ids.is_empty() {
            return Ok(());
        }
        let more = ids.len() == LOG_PAGE;
        for tx in ids {
            source.listed.push(leaf(&tx));
            let key = layout::listed(epoch, &tx);
            let before = records::read::<Listed>(cx.view, &key)?;
            let listed = Listed { own: true, ..before.unwrap_or_default() };
            records::write(cx.view, key, &listed);
            if before.is_none() {
                let facts: Facts = records::must(cx.view, &layout::facts(&tx))?;
                note_spenders(cx, epoch, &tx, &facts.inputs);
            }
        }
        records::write(cx.view, layout::source(epoch, layout::OWN), &source);
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
        let key = layout::listed(epoch, tx);
        let before = records::read::<Listed>(cx.view, &key)?;
        let listed = before.unwrap_or_default();
        let bit = 1u64.checked_shl(u32::from(place)).unwrap_or_default();
        if listed.by & bit != 0 {
            // Nobody honest lists anything twice; and who could would never come to an end.
            source.lied = true;
            return Ok(());
        }
        source.listed.push(leaf(tx));
        records::write(cx.view, key, &Listed { by: listed.by | bit, ..listed });
        cx.view.put(layout::loose(epoch, tx), Vec::new());
        let facts = records::read::<Facts>(cx.view, &layout::facts(tx))?;
        if let Some(facts) = facts.as_ref().filter(|_| before.is_none()) {
            note_spenders(cx, epoch, tx, &facts.inputs);
        }
        if facts.is_none_or(|facts| facts.epochs >= epoch) {
            cx.view.put(layout::wanted(epoch, place, tx), Vec::new());
            source.wanted = source.wanted.saturating_add(1);
        }
        Ok(())
    }

    /// A member has told a part of its lock set.
    pub(super) fn told_log(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        (epoch, place, from): (u64, u8, u64),
        page: LogPage,
    ) -> Result<(), Fault> {
        let mut source = source(cx.view, epoch, place)?;
        let asked = self.targets(cx.view)?.contains(&epoch) && source.listed.count() == from;
        if !asked || source.lied {
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
        source.ended = !full;
        delta.0.push(Change::Heard(epoch, place));
        // A sealed set does not grow: who does not list it never will.
        source.lied |= source.seal.is_some() && page.ids.is_empty() && source.listed.count() < end;
        if let Some(seal) = source.seal.filter(|seal| seal.set.count == source.listed.count()) {
            source.lied |= seal.set.root != source.listed.root();
        }
        records::write(cx.view, layout::source(epoch, place), &source);
        if full || source.seal.is_some() || source.wanted > 0 {
            self.draw(cx, delta, epoch, (place, member.peer))?;
        }
        self.accept_copied(cx, delta, epoch)?;
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
        let mut source = source(cx.view, epoch, place)?;
        if source.lied || !self.targets(cx.view)?.contains(&epoch) {
            return Ok(());
        }
        source.lied = entries.is_empty() || entries.len() > asked.len();
        let mut shown = Vec::with_capacity(entries.len());
        for (tx, entry) in asked.iter().zip(entries) {
            let entry = entry.filter(|one| one.tx == *tx && one.epochs <= epoch.saturating_sub(1));
            let Some(entry) = entry else {
                source.lied = true;
                break;
            };
            self.keep_entry(cx, epoch, *tx, *entry.spend)?;
            shown.push(*tx);
        }
        records::write(cx.view, layout::source(epoch, place), &source);
        want_no_more(cx, epoch, &shown)?;
        let member = self.predecessors(epoch).and_then(|one| one.members.get(usize::from(place)));
        if let Some(member) = member {
            self.draw(cx, delta, epoch, (place, member.peer))?;
        }
        self.accept_copied(cx, delta, epoch)?;
        self.settle(cx, delta, epoch)
    }

    /// Keeps an entry that was judged. What is known of a transaction is replaced only by what has older
    /// certificates, if those that are known are too new for the epoch: all entries of a lock set must
    /// have been good when it was sealed.
    fn keep_entry(
        &self,
        cx: &mut Cx<'_, '_>,
        epoch: u64,
        tx: TxId,
        spend: Spend,
    ) -> Result<(), Fault> {
        if is_shown(cx.view, epoch, &tx)? {
            return Ok(());
        }
        note_spenders(cx, epoch, &tx, &spend.body.inputs);
        let entry = match records::read::<Entry>(cx.view, &layout::entry(&tx))? {
            Some(known) => Entry { spend, ..known },
            None => Entry { epoch, first: UNSIGNED, index: 0, spend },
        };
        note_entry(cx, tx, entry);
        Ok(())
    }

    /// Begins to go through the union, once a quorum of complete sets is there, and all of the own list.
    fn settle(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta, epoch: u64) -> Result<(), Fault> {
        let importing = self.memory.term.as_ref().is_some_and(|term| term.imported.is_none());
        let begun = self.memory.settling.is_some()
            || delta.0.iter().any(|change| matches!(change, Change::Settling(Some(_))));
        let Some(configuration) = self.predecessors(epoch) else { return Ok(()) };
        if !importing || begun || self.memory.stage == Stage::Behind {
            return Ok(());
        }
        let log = own_list(cx.view)?;
        if source(cx.view, epoch, layout::OWN)?.listed.count() != log.count() {
            return Ok(());
        }
        let (mut places, mut complete) = (0u64, 0usize);
        for (place, member) in (0u8..).zip(configuration.members.iter()) {
            if self.source(cx.view, epoch, (place, &member.peer))?.is_complete() {
                places |= 1u64.checked_shl(u32::from(place)).unwrap_or_default();
                complete = complete.saturating_add(1);
            }
        }
        if complete >= configuration.quorum() {
            let settling = Settling { epoch, places, after: None, log };
            delta.0.push(Change::Settling(Some(settling)));
            cx.effects.push(Effect::Wake(cx.now));
        }
        Ok(())
    }
}

/// The next entries that a member has listed and nobody has shown. Each member is asked from another
/// point on, so that they rarely send the same. What came here in another way, locked or for another
/// epoch, is wanted no more.
fn missing(
    cx: &mut Cx<'_, '_>,
    delta: &mut Delta,
    epoch: u64,
    place: u8,
) -> Result<Vec<TxId>, Fault> {
    let all = layout::all_wanted(epoch, place);
    let start = [all.as_slice(), &[place.wrapping_mul(61)]].concat();
    let scan = Scan::prefix(&all).limit(ENTRIES);
    let mut found = cx.view.scan(&scan.clone().after(&start))?;
    if found.is_empty() {
        found = cx.view.scan(&scan)?;
    }
    let (mut missing, mut shown) = (Vec::new(), Vec::new());
    for (key, _) in found {
        let tx = layout::last_tx(&key).ok_or_else(|| Fault::Corrupt("a wanted id".into()))?;
        if is_shown(cx.view, epoch, &tx)? { shown.push(tx) } else { missing.push(tx) }
    }
    want_no_more(cx, epoch, &shown)?;
    if missing.is_empty() && !shown.is_empty() {
        // There may be more.
        delta.0.push(Change::ImportAt(Some(cx.now)));
        cx.effects.push(Effect::Wake(cx.now));
    }
    Ok(missing)
}

/// Entries are here: nobody who has listed them is asked for them any more.
fn want_no_more(cx: &mut Cx<'_, '_>, epoch: u64, shown: &[TxId]) -> Result<(), Fault> {
    let mut fewer: BTreeMap<u8, u64> = BTreeMap::new();
    for tx in shown {
        let listed = records::read::<Listed>(cx.view, &layout::listed(epoch, tx))?;
        let by = listed.unwrap_or_default().by;
        let places = (0u8..64)
            .filter(|place| by.checked_shr(u32::from(*place)).is_some_and(|by| by & 1 == 1));
        for place in places {
            let key = layout::wanted(epoch, place, tx);
            if cx.view.get(&key)?.is_some() {
                cx.view.delete(key);
                let fewer = fewer.entry(place).or_default();
                *fewer = fewer.saturating_add(1);
            }
        }
    }
    for (place, fewer) in fewer {
        let mut source = source(cx.view, epoch, place)?;
        source.wanted = source.wanted.saturating_sub(fewer);
        records::write(cx.view, layout::source(epoch, place), &source);
    }
    Ok(())
}

/// How far the lock set of the member at a place of the epoch before is taken over.
pub(super) fn source(store: &dyn Store, epoch: u64, place: u8) -> Result<Source, Fault> {
    Ok(records::read(store, &layout::source(epoch, place))?.unwrap_or_default())
}

/// The tree over the own list.
pub(super) fn own_list(store: &dyn Store) -> Result<Builder, Fault> {
    Ok(records::read(store, layout::LOGGED)?.unwrap_or_default())
}

/// Whether a transaction is known as it may be handed over to an epoch: with certificates of epochs
/// before it.
fn is_shown(store: &dyn Store, epoch: u64, tx: &TxId) -> Result<bool, Fault> {
    let facts = records::read::<Facts>(store, &layout::facts(tx))?;
    Ok(facts.is_some_and(|facts| facts.epochs < epoch))
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
