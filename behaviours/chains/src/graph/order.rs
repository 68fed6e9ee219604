//! The order of all admitted blocks, as it is shown.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use covey_kernel::{PublicKey, Span, Time};

use crate::{
    limits::{LEFT_OUT, LOOKED_BACK},
    rules::Reputation,
};

use super::{
    Graph, Ix, Vote,
    left_out::{Account, Room, Share},
    replay::Outcome,
    trace::{Start, Trace},
};

pub(super) struct Order {
    placed: Vec<Ix>,
    effective: Vec<Time>,
    heads: Vec<Ix>,
    reputation: Reputation,
    /// How it was found; none if it is to be found anew.
    trace: Option<Trace>,
    /// What was admitted since.
    new: Vec<Ix>,
    /// How many it left out, and what room there is for more.
    left_out: usize,
    pub(super) room: Room,
    /// What it left out once and no longer does, until that is asked.
    back: Vec<Ix>,
    /// The reputations after some places, not long before the first that would change with what was refused last: to
    /// see who has reps there need not begin with the genesis.
    before_change: Option<(usize, Reputation)>,
    outdated: bool,
}

/// Why what came last cannot stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It would change this place, which is one of the first.
    Frozen(usize),
    /// The order would leave out too many of its author's blocks, or more than there is room for.
    TooMany,
}

/// An order that is not shown yet.
struct Found {
    /// How many of the first places stay.
    kept: usize,
    outcome: Outcome,
    /// What was to be placed.
    region: Vec<Ix>,
    /// What was left out already, sorted.
    gone: Vec<Ix>,
    trace: Trace,
}

impl Order {
    pub(super) fn new(start: Reputation) -> Self {
        Self {
            placed: vec![Ix::GENESIS],
            effective: vec![Time::default()],
            heads: vec![Ix::GENESIS],
            reputation: start,
            trace: None,
            new: Vec::new(),
            left_out: 0,
            room: Room::default(),
            back: Vec::new(),
            before_change: None,
            outdated: false,
        }
    }

    /// More blocks are admitted.
    pub(super) fn add(&mut self, new: impl Iterator<Item = Ix>) {
        self.new.extend(new);
        self.outdated = true;
    }

    /// A block that was admitted is gone.
    pub(super) fn forget(&mut self, ix: Ix) {
        self.new.retain(|new| *new != ix);
        self.room.forget(ix);
    }

    /// Others are admitted than were.
    pub(super) fn outdated(&mut self) {
        self.trace = None;
        self.outdated = true;
    }

    pub(super) fn placed(&self) -> &[Ix] {
        &self.placed
    }

    pub(super) fn effective(&self) -> &[Time] {
        &self.effective
    }

    pub(super) fn heads(&self) -> &[Ix] {
        &self.heads
    }

    pub(super) fn reputation(&self) -> &Reputation {
        &self.reputation
    }

    /// The reputations that were noted when something was refused last, if they are of so many places or fewer.
    pub(super) fn noted_before(&self, places: usize) -> Option<(usize, Reputation)> {
        self.before_change.clone().filter(|(known, _)| *known <= places)
    }

    /// How many places are more than `places` from the end and more than `span` before the last
    /// effective time.
    pub(super) fn frozen(&self, places: u64, span: Span) -> usize {
        let last = self.effective.last().copied().unwrap_or_default();
        let old = self.effective.partition_point(|at| last.since(*at) > span);
        let places = usize::try_from(places).unwrap_or(usize::MAX);
        let far = self.placed.len().saturating_sub(1).saturating_sub(places);
        old.min(far)
    }
}

impl Graph {
    /// Places what has come since, from the last place that it cannot change.
    pub(super) fn refresh(&mut self) {
        if !self.order.outdated {
            return;
        }
        let found = self.find();
        self.show(found);
    }

    /// Whether what has come since the order was last sought may stay: it leaves the first `places` as
    /// they are, the genesis' among them, and the order then leaves out no more than `limit` of the
    /// author's blocks on which nothing builds, and none of the last `came` for which there is no room. If not, what came must be retracted, and the order is
    /// shown as it was: to show the other one for a moment would forget what was frozen.
    pub fn may_stay(
        &mut self,
        places: usize,
        author: Option<&PublicKey>,
        limit: usize,
        came: usize,
    ) -> Result<(), Refused> {
        if !self.order.outdated {
            return Ok(());
        }
        let tips: Vec<Ix> = match author {
            Some(author) => self.tips().filter(|ix| self.is_by(*ix, author)).collect(),
            None => Vec::new(),
        };
        // The order is only sought if there are so many that are new, or were left out before.
        let out = tips.iter().filter(|ix| self.place_of(**ix).is_none()).count();
        let is_tight = author.is_some() && self.order.room.is_tight();
        if out <= limit && !is_tight && !self.may_change(places) {
            return Ok(());
        }
        let found = self.find();
        if let Some(place) = self.change_before(places, &found) {
            self.order.before_change = found.trace.known_before(place);
            return Err(Refused::Frozen(place));
        }
        // Also if the new block is placed: it may be placed in the stead of another.
        if out > limit && tips.iter().filter(|ix| !self.is_placed_by(&found, **ix)).count() > limit
        {
            return Err(Refused::TooMany);
        }
        if author.is_some_and(|author| self.overdraws(&found, author, came)) {
            return Err(Refused::TooMany);
        }
        self.show(found);
        Ok(())
    }

    /// Whether there is no room for one of the last blocks, which an order leaves out, or for what this author wrote
    /// and gives way to them, though their account was full.
    fn overdraws(&self, found: &Found, author: &PublicKey, came: usize) -> bool {
        let out = self.left_out_of(found);
        if out.len() <= LEFT_OUT {
            return false;
        }
        let begin = self.nodes.len().saturating_sub(came);
        let own = self.authors.get(author).map(|who| Account::Own(*who));
        let is_new = |share: &Share| share.ix.at() >= begin;
        let gives_way = |share: &Share| share.of == own && self.place_of(share.ix).is_some();
        let shares = self.shares(&out, &found.outcome.reputation);
        // An account that was not full may overdraw by what was placed, and so paid for.
        let was_full = own.is_some_and(|own| self.order.room.used(own) >= LEFT_OUT);
        let grows = was_full && shares.iter().any(gives_way);
        shares.iter().any(|share| !share.fits && (is_new(share) || grows && share.of == own))
    }

    /// What is admitted and not placed, sorted.
    fn left_out_of(&self, found: &Found) -> Vec<Ix> {
        if found.region.len() == found.outcome.placed.len() {
            return found.gone.clone();
        }
        let mut placed: Vec<Ix> = found.outcome.placed.iter().map(|(ix, _)| *ix).collect();
        placed.sort_unstable();
        let out = found.region.iter().filter(|ix| placed.binary_search(ix).is_err());
        let mut out: Vec<Ix> = out.chain(&found.gone).copied().collect();
        out.sort_unstable();
        out
    }

    /// Whether what has come since may change one of the first places.
    fn may_change(&self, places: usize) -> bool {
        if places <= 1 {
            return false;
        }
        let heads: Vec<Ix> = self.heads.iter().copied().collect();
        // A block that was left out long ago is a head until something builds on it, so the walk to where
        // all comes together may be as long as the chain. Then the order is sought from the first place
        // that may have changed instead: that is less. Of two long branches it is more.
        let is_out = |ix: &Ix| self.order.trace.as_ref().is_some_and(|trace| trace.is_out(*ix));
        let most = if heads.iter().any(is_out) { LOOKED_BACK } else { usize::MAX };
        let past = self.past_within(most, &heads, |ix| self.place_of(ix).is_some());
        // To walk costs about as much as to place.
        let walked = past.as_ref().map_or(most, |past| past.region.len());
        self.sought.fetch_add(walked as u64, Ordering::Relaxed);
        let base = past.and_then(|past| self.place_of(past.base));
        base.is_none_or(|place| place < places)
    }

    fn is_placed_by(&self, found: &Found, ix: Ix) -> bool {
        let stays = self.place_of(ix).is_some_and(|place| place < found.kept);
        stays || found.outcome.placed.iter().any(|(placed, _)| *placed == ix)
    }

    /// The order of all that is admitted, from the last place that what has come cannot change.
    fn find(&mut self) -> Found {
        let trace = self.order.trace.take();
        let start = trace.and_then(|trace| self.start(trace, &self.order.new));
        let Start { kept, region, gone, reputation, mut trace } =
            start.unwrap_or_else(|| self.start_anew());
        let outcome = self.replay_after(&region, reputation, Some((kept, &mut trace)));
        Found { kept, outcome, region, gone, trace }
    }

    /// From the last block that all others come before or after.
    fn start_anew(&mut self) -> Start {
        let heads: Vec<Ix> = self.heads.iter().copied().collect();
        let past = self.past(&heads, |ix| self.place_of(ix).is_some());
        let reputation = self.state(past.base);
        let kept = self.place_of(past.base).map_or(1, |place| place.saturating_add(1));
        let trace = Trace::new(kept, past.region.len(), reputation.clone());
        Start { kept, region: past.region, gone: Vec::new(), reputation, trace }
    }

    /// The first of so many places at which something else would stand.
    fn change_before(&self, frozen: usize, found: &Found) -> Option<usize> {
        let frozen = frozen.min(self.order.placed.len());
        let old = self.order.placed.get(found.kept..frozen)?;
        let new = found.outcome.placed.iter().map(|(ix, _)| Some(*ix));
        let new = new.chain(std::iter::repeat(None));
        let changed = old.iter().zip(new).position(|(old, new)| Some(*old) != new)?;
        found.kept.checked_add(changed)
    }

    /// What was shown after the places that stay gives way to what is placed there now.
    fn show(&mut self, found: Found) {
        let out = self.left_out_of(&found);
        let Found { kept, outcome, mut trace, .. } = found;
        self.order.before_change = None;
        let before = self.order.placed.split_off(kept);
        let back = self.come_back(&before, &outcome);
        self.order.back.extend(back);
        for ix in &before {
            self.set_place(*ix, None);
        }
        self.order.effective.truncate(kept);
        for (ix, at) in &outcome.placed {
            self.set_place(*ix, Some(self.order.placed.len()));
            self.order.placed.push(*ix);
            self.order.effective.push(*at);
        }
        self.show_heads(kept, &before);
        self.order.left_out = out.len();
        self.order.room = self.room(&out, &outcome.reputation);
        trace.leave(out);
        if self.order.placed.last().is_some_and(|last| self.heads.iter().eq([last])) {
            // All else comes before it.
            trace = Trace::new(self.order.placed.len(), 0, outcome.reputation.clone());
        }
        self.order.trace = Some(trace).filter(Trace::is_whole);
        self.order.new.clear();
        self.order.outdated = false;
        self.order.reputation = outcome.reputation;
    }

    /// What is placed now, was not before, and is not new.
    fn come_back(&self, before: &[Ix], outcome: &Outcome) -> Vec<Ix> {
        if self.order.left_out == 0 {
            return Vec::new();
        }
        let known: BTreeSet<&Ix> = before.iter().chain(&self.order.new).collect();
        let placed = outcome.placed.iter().map(|(ix, _)| *ix);
        placed.filter(|ix| !known.contains(ix)).collect()
    }

    /// What the order left out once and no longer does, since that was last asked.
    pub fn take_back(&mut self) -> Vec<Ix> {
        self.refresh();
        std::mem::take(&mut self.order.back)
    }

    /// The heads are among those that were, what is placed now, and what comes before that or
    /// before what is no longer placed.
    fn show_heads(&mut self, kept: usize, before: &[Ix]) {
        let mut heads = std::mem::take(&mut self.order.heads);
        let since = self.order.placed.get(kept.saturating_sub(1)..).unwrap_or_default();
        heads.extend(since);
        let gone = before.iter().filter(|ix| self.place_of(**ix).is_none());
        heads.extend(gone.filter_map(|ix| self.node(*ix)).flat_map(|node| &node.backs));
        heads.retain(|ix| self.place_of(*ix).is_some() && self.is_head(*ix));
        heads.sort_unstable_by_key(|ix| (self.node(*ix).map(|node| (node.height, node.id)), *ix));
        heads.dedup();
        self.order.heads = heads;
    }

    /// Shows nothing but the genesis, until the order is asked for again.
    pub(super) fn unplace(&mut self) {
        for ix in self.order.placed.split_off(1) {
            self.set_place(ix, None);
        }
        self.order.effective.truncate(1);
        self.order.left_out = 0;
        self.order.outdated();
    }

    /// Whether nothing that is placed builds on a placed block.
    fn is_head(&self, ix: Ix) -> bool {
        let children = self.node(ix).map_or(&[][..], |node| &node.children);
        children.iter().all(|child| self.place_of(*child).is_none())
    }

    /// A block comes into the order or leaves it, and its vote with it.
    fn set_place(&mut self, ix: Ix, place: Option<usize>) {
        let Some(node) = self.nodes.get_mut(ix.at()) else { return };
        node.place = place;
        if let Some(Vote { like, target }) = node.vote {
            let author = node.author;
            let Some(target) = self.nodes.get_mut(target.at()) else { return };
            let own = target.author == author;
            target.votes.count(like, own, place.is_some());
        }
    }
}
