//! Choosing the other side of a hard fork. Its past is taken as frozen, and what is here is offered
//! against that as if it came now: what contradicts it is kept aside, as the other side was before, so
//! that the choice can be made again.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{Fault, Hash};

use super::{desk::Desk, ingest::fits};
use crate::{
    BlockId,
    command::{Event, Reply, Selector},
    error::Error,
    graph::{Ix, Refused, Verdict},
    layout,
    loaded::{Holding, Loaded},
    memory::Chain,
    records::{self, Forked, Stored},
};

/// A block that is here, under the number that it had.
struct Old {
    ix: u32,
    stored: Stored,
}

/// What becomes of the blocks.
struct Choice {
    /// Those that stay, in the order in which they came.
    stay: Vec<Old>,
    /// Those of the other side, backs first.
    adopted: Vec<Stored>,
    /// Those that contradict the other side, with the first place that they would change.
    aside: Vec<(Old, Option<u64>)>,
}

impl Desk<'_, '_, '_> {
    /// Follows the side of a hard fork on which a block is.
    pub(super) fn choose(&mut self, which: &Selector, id: &BlockId) -> Result<Reply, Error> {
        let chain = self.chain(which)?;
        let forked = records::forked(self.store(), chain.no)?;
        let side = side(&forked, id).ok_or(Error::NotForked(*id))?;
        let choice = self.weigh(chain, &side)?;
        let (adopted, aside) = (choice.adopted.len() as u64, choice.aside.len() as u64);
        let ids: Vec<BlockId> = choice.adopted.iter().map(|s| s.signed.block.id()).collect();
        if !ids.contains(id) {
            return Err(Error::BadFork(*id));
        }
        self.renumber(chain, choice, &forked)?;
        for id in ids {
            let state = self.state_of(chain, &id)?;
            self.tell(Event::Block { chain: chain.info(), id, state });
        }
        Ok(Reply::Chosen { adopted, aside })
    }

    /// What would stay, computed without a change of anything.
    fn weigh(&self, chain: &Chain, side: &[&Forked]) -> Result<Choice, Fault> {
        let past = self.common_past(chain, side)?;
        let mut trial = Loaded::new(&chain.joined);
        let (mut stay, mut rest) = (Vec::new(), Vec::new());
        self.each_block(chain, |old| {
            if past.contains(&old.ix) {
                again(&mut trial, &old)?;
                stay.push(old);
            } else {
                rest.push(old);
            }
            Ok(())
        })?;
        let adopted = adopt(&mut trial, side);
        trial.freeze(&chain.joined.genesis);
        let settled = trial.frozen;
        let mut aside: Vec<(Old, Option<u64>)> = Vec::new();
        let mut out: BTreeSet<Hash> = BTreeSet::new();
        let mut rest = rest.into_iter();
        while let Some(old) = rest.next() {
            // A held post came with its like, which is the next.
            let like = if old.stored.liked { rest.next() } else { None };
            let group: Vec<Old> = [Some(old), like].into_iter().flatten().collect();
            match offer(&mut trial, &group, &out, settled)? {
                Offered::Stays => stay.extend(group),
                Offered::Contradicts(mut place) => {
                    out.extend(group.iter().map(|old| old.stored.signed.block.id().hash));
                    aside.extend(group.into_iter().map(|old| (old, place.take())));
                }
            }
        }
        stay.sort_unstable_by_key(|old| old.ix);
        Ok(Choice { stay, adopted, aside })
    }

    /// The numbers of what is here that the other side builds on.
    fn common_past(&self, chain: &Chain, side: &[&Forked]) -> Result<BTreeSet<u32>, Fault> {
        let loaded = chain.load(self.store())?;
        let backs = side.iter().flat_map(|forked| forked.signed.block.backs.iter());
        let backs: Vec<Ix> = backs.filter_map(|back| loaded.find(back)).collect();
        let missing: BTreeSet<Ix> = loaded.graph.missing(&backs).collect();
        let all = 1..=u32::try_from(loaded.blocks()).unwrap_or(u32::MAX);
        Ok(all.filter(|ix| !missing.contains(&Ix(*ix))).collect())
    }

    fn each_block(
        &self,
        chain: &Chain,
        mut with: impl FnMut(Old) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        records::each(self.store(), &layout::blocks(chain.no), |key, value| {
            let ix = layout::last_number(key);
            let ix = ix.ok_or_else(|| Fault::Corrupt("a block's key".into()))?;
            with(Old { ix, stored: covey_kernel::cbor::decode_stored(value)? })
        })
    }

    /// What stays and what is adopted takes new numbers, in the store and in memory.
    fn renumber(&mut self, chain: &Chain, choice: Choice, forked: &[Forked]) -> Result<(), Fault> {
        let Choice { stay, adopted, aside } = choice;
        let mut loaded = Loaded::new(&chain.joined);
        let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
        let read: u32 = records::read(self.store(), &layout::read(chain.no))?.unwrap_or(0);
        let mut next = 0u32;
        for old in &stay {
            next = next.saturating_add(1);
            again(&mut loaded, old)?;
            numbers.insert(old.ix, next);
            if old.ix != next {
                records::write(self.view(), layout::block(chain.no, next), &old.stored);
            }
        }
        let first = next.saturating_add(1);
        for stored in &adopted {
            next = next.saturating_add(1);
            loaded.insert_again(stored).ok_or_else(unfounded)?;
            records::write(self.view(), layout::block(chain.no, next), stored);
        }
        let before = stay.len().saturating_add(aside.len());
        for gone in next.saturating_add(1)..=u32::try_from(before).unwrap_or(u32::MAX) {
            self.view().delete(layout::block(chain.no, gone));
        }
        let unread = stay.iter().filter(|old| old.ix > read).count();
        let read = u32::try_from(stay.len().saturating_sub(unread)).unwrap_or(u32::MAX);
        records::write(self.view(), layout::read(chain.no), &read);
        self.forget_unfinished(chain, &aside)?;
        self.move_notes(chain, &numbers)?;
        self.put_aside(chain, forked, &aside, &mut loaded)?;
        loaded.freeze(&chain.joined.genesis);
        chain.replace(loaded);
        self.memory().live.borrow_mut().fetches.retain(|(no, _), _| *no != chain.no);
        for (ix, stored) in (first..).zip(&adopted) {
            self.expect_payload(chain, Ix(ix), &stored.signed)?;
        }
        Ok(())
    }

    /// What has come of a payload whose rest nobody will be asked for counts for nothing.
    fn forget_unfinished(
        &mut self,
        chain: &Chain,
        aside: &[(Old, Option<u64>)],
    ) -> Result<(), Fault> {
        for (old, _) in aside {
            if self.store().get(&layout::missing(chain.no, old.ix))?.is_some() {
                self.drop_payload(chain, &old.stored.signed.block.id().hash)?;
            }
        }
        Ok(())
    }

    /// What is noted of blocks by their numbers goes with them.
    fn move_notes(&mut self, chain: &Chain, numbers: &BTreeMap<u32, u32>) -> Result<(), Fault> {
        for all in [layout::all_missing(chain.no), layout::all_profiles(chain.no)] {
            let mut notes = Vec::new();
            records::each(self.store(), &all, |key, value| {
                let ix = layout::last_number(key);
                let ix = ix.ok_or_else(|| Fault::Corrupt("a note on a block".into()))?;
                notes.push((ix, value.to_vec()));
                Ok(())
            })?;
            let key = |ix: u32| [all.as_slice(), &ix.to_be_bytes()].concat();
            notes.iter().for_each(|(ix, _)| self.view().delete(key(*ix)));
            for (ix, value) in notes {
                if let Some(ix) = numbers.get(&ix) {
                    self.view().put(key(*ix), value);
                }
            }
        }
        Ok(())
    }

    /// What contradicts the side that is followed now is kept, however much it is. Other forks are
    /// forgotten: whoever has them offers them again.
    fn put_aside(
        &mut self,
        chain: &Chain,
        forked: &[Forked],
        aside: &[(Old, Option<u64>)],
        loaded: &mut Loaded,
    ) -> Result<(), Fault> {
        for before in forked {
            let hash = before.signed.block.id().hash;
            self.view().delete(layout::forked(chain.no, &hash));
        }
        for (old, place) in aside {
            let (signed, hash) = (old.stored.signed.clone(), old.stored.signed.block.id().hash);
            let forked = Forked { signed, arrived: self.now(), place: *place };
            records::write(self.view(), layout::forked(chain.no, &hash), &forked);
            loaded.forked.insert(hash);
        }
        for (hash, post) in records::held(self.store(), chain.no)? {
            loaded.held.insert(hash, Holding::of(&post));
        }
        self.view().delete(layout::settled(chain.no));
        Ok(())
    }
}

/// A forked block, what builds on it, and what of the fork they build on: backs first. None if it is no
/// forked block.
fn side<'f>(forked: &'f [Forked], id: &BlockId) -> Option<Vec<&'f Forked>> {
    // A block's id begins with its height, so backs come first.
    let by_id: BTreeMap<BlockId, &Forked> =
        forked.iter().map(|forked| (forked.signed.block.id(), forked)).collect();
    by_id.get(id)?;
    let mut open = vec![*id];
    let mut later = BTreeSet::from([*id]);
    for (id, forked) in &by_id {
        if forked.signed.block.backs.iter().any(|back| later.contains(back)) {
            later.insert(*id);
            open.push(*id);
        }
    }
    let mut found: BTreeMap<BlockId, &Forked> = BTreeMap::new();
    while let Some(id) = open.pop() {
        let Some(forked) = by_id.get(&id) else { continue };
        if found.insert(id, forked).is_none() {
            open.extend(forked.signed.block.backs.iter());
        }
    }
    Some(found.into_values().collect())
}

/// Adds the other side to what it builds on. What builds on a fork was kept without a look at the rules
/// that its past shows, so that is made up for: what breaks them is left out.
fn adopt(trial: &mut Loaded, side: &[&Forked]) -> Vec<Stored> {
    let mut added: Vec<(Ix, &Forked)> = Vec::new();
    for forked in side {
        let signed = &forked.signed;
        if fits(trial, &signed.block).is_err() {
            continue;
        }
        match trial.insert(signed) {
            Some((ix, Verdict::Admitted | Verdict::Held)) => added.push((ix, *forked)),
            Some(_) => trial.retract_last(&signed.block.id().hash),
            None => {}
        }
    }
    let stored = added.into_iter().filter_map(|(ix, forked)| {
        let liked = match trial.graph.verdict(ix)? {
            Verdict::Admitted => false,
            Verdict::Liked => true,
            // It waits for a like that is not there.
            Verdict::Held | Verdict::Never(_) => return None,
        };
        Some(Stored { signed: forked.signed.clone(), arrived: forked.arrived, liked })
    });
    stored.collect()
}

enum Offered {
    Stays,
    /// It would change this frozen place, or builds on what would.
    Contradicts(Option<u64>),
}

/// Adds a block that is here, with the like that admits it if it needs one, unless that contradicts the
/// other side.
fn offer(
    trial: &mut Loaded,
    group: &[Old],
    out: &BTreeSet<Hash>,
    settled: usize,
) -> Result<Offered, Fault> {
    let own = |hash: &Hash| group.iter().any(|old| old.stored.signed.block.id().hash == *hash);
    let backs = || group.iter().flat_map(|old| old.stored.signed.block.backs.iter());
    if backs().any(|back| out.contains(&back.hash) && !own(&back.hash)) {
        return Ok(Offered::Contradicts(None));
    }
    for old in group {
        again(trial, old)?;
    }
    match trial.graph.may_stay(settled, None, usize::MAX) {
        Err(Refused::Frozen(place)) => {
            let hashes = group.iter().map(|old| old.stored.signed.block.id().hash);
            hashes.rev().for_each(|hash| trial.retract_last(&hash));
            Ok(Offered::Contradicts(Some(place as u64)))
        }
        Ok(()) | Err(Refused::TooMany) => Ok(Offered::Stays),
    }
}

fn again(loaded: &mut Loaded, old: &Old) -> Result<(), Fault> {
    loaded.insert_again(&old.stored).ok_or_else(unfounded)
}

fn unfounded() -> Fault {
    Fault::Corrupt("a block without its past".into())
}
