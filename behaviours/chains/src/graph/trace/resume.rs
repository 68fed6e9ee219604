//! How the shown order was found, so that what comes later is placed without finding all of it
//! again.
//!
//! A new block is nobody's ancestor. Until it is ready itself it changes a choice only by its
//! author's reps in the own part that it is in: that of the one ready block among its ancestors, if
//! there is one alone and the author has no other block there. So each choice is kept with the
//! weights it was made by, and the order stays as it is up to the first that may be made otherwise.

use std::{cmp::Reverse, collections::BinaryHeap, sync::atomic::Ordering};

use covey_kernel::Time;

use super::Trace;
use crate::{
    graph::{Graph, Ix, node::Node},
    limits::{NEWCOMERS, TRACED},
    rules::{CAP, Reputation, Who},
};

/// From where to seek the order.
pub(in crate::graph) struct Start {
    /// How many places stay.
    pub(in crate::graph) kept: usize,
    /// What is to be placed, backs first.
    pub(in crate::graph) region: Vec<Ix>,
    /// What was left out before, with all that builds on it, sorted: it is in nobody's own part.
    pub(in crate::graph) gone: Vec<Ix>,
    /// After the places that stay.
    pub(in crate::graph) reputation: Reputation,
    /// How they were found.
    pub(in crate::graph) trace: Trace,
}

/// A new block.
struct Newcomer {
    author: Option<Who>,
    /// The blocks that it builds on, the latest first, as far as they are behind `present`.
    past: Vec<Ix>,
    /// Up to this place its author has another block in each part that it is in.
    present: usize,
    /// From this place on it may be ready.
    ready: usize,
}

/// One author's reps along the order.
struct Solo<'g> {
    graph: &'g Graph,
    who: Who,
    reputation: Reputation,
    place: usize,
}

impl Graph {
    /// From where to seek the order with these new blocks; none if there is nothing to begin with.
    pub(in crate::graph) fn start(&self, mut trace: Trace, new: &[Ix]) -> Option<Start> {
        let placed = self.order.placed();
        let grown = placed.len().saturating_sub(trace.kept);
        if grown > TRACED && grown / 2 > trace.length {
            return None;
        }
        let mut unseen: Vec<Ix> = Vec::new();
        for ix in new {
            // A held post comes anew with each of its likes.
            if unseen.contains(ix) || self.place_of(*ix).is_some() || trace.is_out(*ix) {
                continue;
            }
            if unseen.len() >= NEWCOMERS {
                return None;
            }
            unseen.push(*ix);
        }
        let mut newcomers: Vec<(Ix, Newcomer)> = Vec::new();
        for ix in unseen {
            let newcomer = self.newcomer(&trace, ix, &newcomers)?;
            newcomers.push((ix, newcomer));
        }
        let mut kept = newcomers.iter().map(|(_, new)| new.ready).fold(placed.len(), usize::min);
        for (ix, _) in &newcomers {
            kept = kept.min(self.brings_back(&trace, *ix));
        }
        for (_, newcomer) in &newcomers {
            kept = self.weigh(&mut trace, newcomer, kept);
        }
        // A block that was brought back is placed together with its like: no choice lies between them,
        // so the like's place stays, too.
        if kept.checked_sub(1).is_some_and(|last| trace.brought_back.contains(&last)) {
            kept = kept.saturating_add(1);
        }
        if kept <= trace.kept {
            return None;
        }
        trace.truncate(kept);
        let new = newcomers.iter().map(|(ix, _)| *ix);
        let (gone, mut region) = self.gone(&trace, trace.out.iter().copied().chain(new).collect());
        region.extend(placed.get(kept..)?);
        region.sort_unstable();
        let (mut from, mut reputation) = trace.snapshots.last()?.clone();
        while from < kept {
            self.place_after(*placed.get(from)?, &mut reputation);
            from = from.saturating_add(1);
        }
        Some(Start { kept, region, gone, reputation, trace })
    }

    /// Divides what is not placed into what was left out already, with all that builds on it, and the rest.
    fn gone(&self, trace: &Trace, mut unplaced: Vec<Ix>) -> (Vec<Ix>, Vec<Ix>) {
        let mut blocked: Vec<Ix> = trace.blocked.iter().map(|(_, ix)| *ix).collect();
        blocked.sort_unstable();
        unplaced.sort_unstable();
        let (mut gone, mut rest): (Vec<Ix>, Vec<Ix>) = Default::default();
        for ix in unplaced {
            let builds = self.backs_of(ix).iter().any(|back| gone.binary_search(back).is_ok());
            match builds || blocked.binary_search(&ix).is_ok() {
                true => gone.push(ix),
                false => rest.push(ix),
            }
        }
        (gone, rest)
    }

    /// What is to be known of a new block; none if it builds on what is before the first places.
    fn newcomer(&self, trace: &Trace, ix: Ix, others: &[(Ix, Newcomer)]) -> Option<Newcomer> {
        let node = self.node(ix)?;
        let mut ready = trace.kept;
        for back in &node.backs {
            let other = others.iter().find(|(other, _)| other == back);
            ready = ready.max(match (self.place_of(*back), other) {
                (Some(place), _) if place.saturating_add(1) < trace.kept => return None,
                (Some(place), _) => place.saturating_add(1),
                (None, Some((_, other))) => other.ready,
                (None, None) if trace.is_out(*back) => usize::MAX,
                (None, None) => return None,
            });
        }
        let (past, present) = self.behind(trace, node);
        Some(Newcomer { author: node.author, past, present, ready })
    }

    /// The ancestors of a new block that are behind the last one by its author, and where that is:
    /// choices before it stay as they are. If all do, nothing more is sought: with a block that was
    /// left out long ago, all that came since would be gone through for each that comes.
    fn behind(&self, trace: &Trace, node: &Node) -> (Vec<Ix>, usize) {
        let (mut past, mut present) = (Vec::new(), 0);
        // Without an author it weighs nothing.
        let last = trace.choices.last().filter(|_| node.author.is_some());
        let Some(last) = last.map(|choice| choice.place) else {
            return (past, usize::MAX);
        };
        let mut open: BinaryHeap<Ix> = node.backs.iter().copied().collect();
        while let Some(ix) = open.pop() {
            let place = self.place_of(ix);
            let is_behind = |place| place >= trace.kept && place > present;
            if past.last() == Some(&ix) || !place.is_none_or(is_behind) {
                continue;
            }
            past.push(ix);
            let Some(back) = self.node(ix) else { continue };
            if back.author == node.author {
                present = place.unwrap_or(usize::MAX);
            }
            if present >= last {
                break;
            }
            open.extend(&back.backs);
        }
        // To walk costs about as much as to place.
        self.sought.fetch_add(past.len() as u64, Ordering::Relaxed);
        (past, present)
    }

    /// Up to which place a like changes nothing by bringing back what it likes, or as a better one
    /// than that which did.
    fn brings_back(&self, trace: &Trace, like: Ix) -> usize {
        let Some(of) = self.node(like).and_then(Node::vouches_for) else {
            return usize::MAX;
        };
        let blocked = trace.blocked.iter().find(|(_, blocked)| *blocked == of);
        let placed = self.place_of(of).filter(|place| trace.brought_back.contains(place));
        blocked.map(|(place, _)| *place).or(placed).unwrap_or(usize::MAX)
    }

    /// The place of the first choice before some place that might be made otherwise with a new
    /// block. Up to there its author's reps are added to the weights of the others, wherever they may
    /// count: so these stay bounds for the blocks that come after it, while that of the chosen one
    /// never shrinks. What is added behind the place that is told goes with all that stands there.
    fn weigh(&self, trace: &mut Trace, new: &Newcomer, before: usize) -> usize {
        let Some(who) = new.author else { return before };
        let key = |ix: Ix, weight: i64| {
            (Reverse(weight), self.node(ix).map(|node| (node.height, node.id)))
        };
        let mut solo = None;
        let mut begin = 0;
        for choice in &trace.choices {
            let Some(others) = trace.others.get_mut(begin..choice.others) else { return before };
            begin = choice.others;
            if choice.place >= before {
                return before;
            }
            if choice.place <= new.present {
                continue;
            }
            let builds_on_chosen = usize::from(new.builds_on(choice.chosen));
            let mut ready = others.iter_mut().filter(|(ix, _)| new.builds_on(*ix));
            let (Some(other), None, 0) = (ready.next(), ready.next(), builds_on_chosen) else {
                continue;
            };
            let solo = match &mut solo {
                Some(solo) => solo,
                None => {
                    let known = Trace::known_in(&trace.snapshots, choice.place);
                    let Some((place, reputation)) = known else { return trace.kept };
                    solo.insert(Solo { graph: self, who, reputation, place })
                }
            };
            other.1 = other.1.saturating_add(solo.reps(choice.place).max(0));
            if key(choice.chosen, choice.weight) > key(other.0, other.1) {
                return choice.place;
            }
        }
        before
    }
}

impl Newcomer {
    fn builds_on(&self, ix: Ix) -> bool {
        self.past.binary_search_by_key(&Reverse(ix), |past| Reverse(*past)).is_ok()
    }
}

impl Solo<'_> {
    /// The author's running reps when so many blocks are placed.
    fn reps(&mut self, places: usize) -> i64 {
        if matches!(self.reputation, Reputation::V10(_)) {
            // Every block may bring refunds and credits to anybody.
            return CAP;
        }
        let order = &self.graph.order;
        let coming = order.placed().get(self.place..places).unwrap_or_default();
        let times = order.effective().get(self.place..places).unwrap_or_default();
        for (ix, at) in coming.iter().zip(times) {
            if self.touches(*ix) {
                self.graph.place_at(*ix, *at, &mut self.reputation);
            }
        }
        self.place = places;
        let last = places.checked_sub(1).and_then(|last| order.effective().get(last)).copied();
        self.reputation.reps(self.who, last.unwrap_or(Time::default()))
    }

    /// Whether a block changes the author's reps.
    fn touches(&self, ix: Ix) -> bool {
        let Some(node) = self.graph.node(ix) else { return false };
        let voted = node.vote.and_then(|vote| self.graph.node(vote.target)?.author);
        node.author == Some(self.who) || voted == Some(self.who)
    }
}

#[cfg(test)]
mod tests {
    use covey_kernel::{Keypair, PublicKey};

    use crate::{
        graph::{Accepts, Entry, Params, Rules, Verdict, Vote},
        limits::LOOKED_BACK,
    };

    use super::*;

    const OWNER: u8 = 1;
    const GUEST: u8 = 2;

    fn key(author: u8) -> PublicKey {
        Keypair::from_secret(&[author; 32]).public()
    }

    fn add(graph: &mut Graph, author: u8, day: u64, back: Ix, like: Option<Ix>) -> Ix {
        let number = u32::try_from(graph.nodes.len()).unwrap();
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let entry = Entry {
            id,
            height: graph.node(back).unwrap().height + 1,
            time: Time::from_millis(day * 24 * 3_600_000),
            author: Some(key(author)),
            backs: vec![back],
            vote: like.map(|target| Vote { like: true, target }),
        };
        graph.insert(&entry).0
    }

    /// An owner's long line of blocks after a guest's five siblings, of which four are left out; and its last.
    fn long() -> (Graph, Ix) {
        let params =
            Params { accepts: Accepts::Owner(key(OWNER)), rules: Rules::Paper, first: None };
        let mut graph = Graph::new(params, [0; 32]);
        let hello = add(&mut graph, GUEST, 1, Ix::GENESIS, None);
        let welcome = add(&mut graph, OWNER, 1, hello, Some(hello));
        // It has reps by that, and writes five at once.
        let siblings: Vec<Ix> = (0..5).map(|_| add(&mut graph, GUEST, 3, welcome, None)).collect();
        let mut tip = *graph.order().last().unwrap();
        for number in 0..2_000 {
            tip = add(&mut graph, OWNER, 4 + number, tip, None);
            graph.refresh();
        }
        let out = siblings.iter().filter(|ix| graph.place_of(**ix).is_none());
        assert_eq!(out.count(), 4, "they wait behind the owner, until all that earned is too old");
        assert!(siblings.iter().all(|ix| graph.verdict(*ix) == Some(Verdict::Admitted)));
        (graph, tip)
    }

    #[test]
    fn a_block_left_out_long_ago_costs_the_later_ones_nothing() {
        let (mut graph, mut tip) = long();
        let before = graph.sought();
        for number in 2_000..2_010 {
            tip = add(&mut graph, OWNER, 4 + number, tip, None);
            graph.refresh();
        }
        let sought = graph.sought() - before;
        assert!(sought < 200, "{sought} places for ten blocks");
    }

    #[test]
    fn to_see_whether_a_frozen_place_may_change_has_an_end_and_counts() {
        let (mut graph, tip) = long();
        let before = graph.sought();
        add(&mut graph, OWNER, 2_004, tip, None);
        assert_eq!(graph.may_stay(1_000, None, usize::MAX, 0), Ok(()));
        let (sought, most) = (graph.sought() - before, LOOKED_BACK as u64);
        assert!((most..most + 100).contains(&sought), "{sought} places");
    }
}
