//! Hard forks: what would change the frozen past is left aside and shown, and the user chooses.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{Fault, Peer, PublicKey, Span};

use super::desk::Desk;
use crate::{
    graph::{Ix, Verdict},
    layout,
    limits::{FORKED, FORKED_SHARE, HELD, SETTLED_MILLIS, SETTLED_MOST_MILLIS},
    loaded::Loaded,
    memory::Chain,
    records::{self, Aside, Settled, Stored},
    wire::Item,
};

impl Desk<'_, '_, '_> {
    /// How many places no block may change. During an exchange these are the places that were frozen
    /// before it: what comes first of it must not freeze out the rest.
    pub(super) fn settled(&self, chain: &Chain, loaded: &Loaded) -> Result<usize, Fault> {
        Ok(match self.before_exchange(chain)? {
            Some(before) => usize::try_from(before.places).unwrap_or(usize::MAX),
            None => loaded.frozen,
        })
    }

    /// What was frozen before an exchange that still brings something.
    fn before_exchange(&self, chain: &Chain) -> Result<Option<Settled>, Fault> {
        let before: Option<Settled> = records::read(self.store(), &layout::settled(chain.no))?;
        Ok(before.filter(|before| !self.is_over(before)))
    }

    /// Whether nothing new has come for long, or it has gone on for too long; or the clock was set back.
    fn is_over(&self, before: &Settled) -> bool {
        let now = self.now();
        before.until <= now
            || before.since > now
            || now.since(before.since) > Span::millis(SETTLED_MOST_MILLIS)
    }

    /// A peer has brought something new: what was frozen before it counts until the end of what it brings, or until
    /// nothing new has come for some time. After a restart, too: what came before it must not freeze out
    /// the rest either.
    pub(super) fn begin_exchange(&mut self, chain: &Chain, from: Peer) -> Result<(), Fault> {
        self.flight(chain, from, |flight| flight.taking = true);
        if self.before_exchange(chain)?.is_none() {
            let places = chain.load(self.store())?.frozen as u64;
            self.settle(chain, from, places);
        }
        Ok(())
    }

    /// Something of it was new.
    pub(super) fn go_on_exchanging(&mut self, chain: &Chain, from: Peer) -> Result<(), Fault> {
        if let Some(before) = self.before_exchange(chain)? {
            let until = self.now().plus(Span::millis(SETTLED_MILLIS));
            let settled = Settled { until, from: Some(from), ..before };
            records::write(self.view(), layout::settled(chain.no), &settled);
        }
        Ok(())
    }

    /// So many places are settled while a peer brings something.
    pub(super) fn settle(&mut self, chain: &Chain, from: Peer, places: u64) {
        let since = self.now();
        let until = since.plus(Span::millis(SETTLED_MILLIS));
        let settled = Settled { places, since, until, from: Some(from) };
        records::write(self.view(), layout::settled(chain.no), &settled);
    }

    /// A peer has brought all it has: that freezes with time, unless others are bringing something, or
    /// did so last and were broken off.
    pub(super) fn end_exchange(
        &mut self,
        chain: &Chain,
        from: Peer,
        brought: bool,
    ) -> Result<(), Fault> {
        let Some(before) = self.before_exchange(chain)? else { return self.freeze(chain) };
        let is_its = if brought {
            before.from.is_none_or(|last| last == from)
        } else {
            before.from == Some(from)
        };
        if !is_its {
            return Ok(());
        }
        let others = {
            let live = self.memory().live.borrow();
            live.flights.iter().any(|((no, _), flight)| *no == chain.no && flight.taking)
        };
        if others {
            // It has ended well: who ends after it need not wait for it.
            let settled = Settled { from: None, ..before };
            records::write(self.view(), layout::settled(chain.no), &settled);
            return Ok(());
        }
        self.view().delete(layout::settled(chain.no));
        self.freeze(chain)
    }

    /// An exchange that was broken off, or brings nothing, counts no longer.
    pub(super) fn expire_exchange(&mut self, chain: &Chain) -> Result<(), Fault> {
        let key = layout::settled(chain.no);
        if self.store().get(&key)?.is_none() || self.before_exchange(chain)?.is_some() {
            return Ok(());
        }
        self.view().delete(key);
        self.freeze(chain)
    }

    /// What is old enough freezes, unless an exchange is under way.
    pub(super) fn freeze(&self, chain: &Chain) -> Result<(), Fault> {
        if self.before_exchange(chain)?.is_none() {
            chain.load(self.store())?.freeze(&chain.joined.genesis);
        }
        Ok(())
    }

    /// Leaves blocks aside with which something frozen would change, or that build on what would, while there
    /// is room: false if there is none. They are admitted by their own past, like all that is taken.
    pub(super) fn leave_aside(
        &mut self,
        chain: &Chain,
        items: &[(Item, Verdict)],
        place: Option<usize>,
    ) -> Result<bool, Fault> {
        let share = share_aside(&*chain.load(self.store())?, items, place);
        let Some(share) = share else { return Ok(false) };
        let (since, place) = (self.now(), place.map(|place| place as u64));
        for (item, verdict) in items {
            let aside = Some(Aside { since, place, offered: true, begun_by: Some(share) });
            let (signed, liked) = (item.block.clone(), *verdict == Verdict::Liked);
            let stored = Stored { signed, arrived: since, liked, aside };
            let ix = chain.load(self.store())?.insert_again(&stored);
            let Some(ix) = ix else { return Ok(false) };
            records::write(self.view(), layout::block(chain.no, ix.0), &stored);
        }
        Ok(true)
    }
}

/// In whose share of the room more blocks are left aside: of those who began the fork, whoever has used least of
/// theirs. None if there is no room: in the chain, for one more of the last one's author on which nothing builds, or
/// in that share. One rep must not fill every disk.
fn share_aside(
    loaded: &Loaded,
    items: &[(Item, Verdict)],
    place: Option<usize>,
) -> Option<PublicKey> {
    if loaded.offered.len().saturating_add(items.len()) > FORKED || !has_tip(loaded, items) {
        return None;
    }
    let begun = match place {
        Some(place) => begun_here(loaded, items, place),
        None => begun_before(loaded, items),
    };
    let used = used(loaded);
    let used = |who: &PublicKey| used.get(who).copied().unwrap_or_default();
    let (used, share) = begun.into_iter().map(|who| (used(&who), who)).min()?;
    (used.saturating_add(items.len()) <= FORKED_SHARE).then_some(share)
}

/// How many blocks are in each share.
fn used(loaded: &Loaded) -> BTreeMap<PublicKey, usize> {
    let mut used: BTreeMap<PublicKey, usize> = BTreeMap::new();
    for who in loaded.offered.iter().filter_map(|ix| loaded.asides.get(ix)?.begun_by) {
        let count = used.entry(who).or_default();
        *count = count.saturating_add(1);
    }
    used
}

/// Who begins a fork with some blocks that would change this place of the order: those who have reps there. On a
/// branch of one's own, or one that the order leaves out, one can give reps to as many keys as one likes; but no
/// place changes by who has none there.
fn begun_here(loaded: &Loaded, items: &[(Item, Verdict)], place: usize) -> BTreeSet<PublicKey> {
    let all = items.iter().filter_map(|item| Some((author(item)?, item.0.block.block.time)));
    // A held post that was left aside comes back with another like.
    let liked = items.iter().filter_map(|(item, _)| loaded.find(&item.block.block.vouches_for()?));
    let liked = liked.filter_map(|ix| Some((loaded.graph.author(ix)?, loaded.graph.time(ix)?)));
    loaded.graph.standing_after(place, all.chain(liked))
}

/// Who began the forks on which some blocks build.
fn begun_before(loaded: &Loaded, items: &[(Item, Verdict)]) -> BTreeSet<PublicKey> {
    let backs = items.iter().flat_map(|(item, _)| item.block.block.backs.iter());
    let asides = backs.filter_map(|back| loaded.asides.get(&loaded.find(back)?));
    asides.filter_map(|aside| aside.begun_by).collect()
}

fn author((item, _): &(Item, Verdict)) -> Option<PublicKey> {
    item.block.block.author
}

/// Whether there is room for the last one, as one more on which nothing builds.
fn has_tip(loaded: &Loaded, items: &[(Item, Verdict)]) -> bool {
    let author = items.last().and_then(author);
    let backs = items.iter().flat_map(|(item, _)| item.block.block.backs.iter());
    let built_on: BTreeSet<Ix> = backs.filter_map(|back| loaded.find(back)).collect();
    let own = |ix: &Ix| author.is_some_and(|author| loaded.graph.is_by(*ix, &author));
    let tips = loaded.graph.aside_tips().filter(|ix| own(ix) && !built_on.contains(ix));
    tips.count() < HELD
}
