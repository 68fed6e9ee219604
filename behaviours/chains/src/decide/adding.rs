//! Adding blocks to the graph, if they may stay.

use covey_kernel::Hash;

use crate::{
    Block, BlockId, SignedBlock,
    graph::{self, Ix, Refused, Verdict},
    limits::HELD,
    loaded::Loaded,
    wire::Item,
};

/// Why a block was not added.
pub(super) enum NotAdded {
    Verdict(Verdict),
    /// It would change this place, which is frozen, or builds on what is left aside. It is admitted, with
    /// what is taken with it.
    Forked {
        verdicts: Vec<Verdict>,
        place: Option<usize>,
    },
    /// It builds on what is left aside, and its author has no reps there.
    HeldAside,
    /// The order leaves out too many of its author's blocks.
    TooMany,
    /// Some of the blocks before it are not there.
    NoPast,
    /// It breaks a rule that its past shows.
    Breaks(&'static str),
}

/// Adds a block and those that are taken with it, or nothing at all. Gives held posts that were left aside, and
/// come back with one of these.
pub(super) fn add(
    loaded: &mut Loaded,
    before: &[(BlockId, Item)],
    block: (&SignedBlock, BlockId),
    settled: usize,
) -> Result<Vec<Ix>, NotAdded> {
    let mut added = Vec::new();
    let outcome = try_add(loaded, before, block, settled, &mut added);
    if outcome.is_err() {
        added.iter().rev().for_each(|hash| loaded.retract_last(hash));
    }
    outcome
}

fn try_add(
    loaded: &mut Loaded,
    before: &[(BlockId, Item)],
    (signed, id): (&SignedBlock, BlockId),
    settled: usize,
    added: &mut Vec<Hash>,
) -> Result<Vec<Ix>, NotAdded> {
    let mut back = Vec::new();
    let mut last = None;
    let before = before.iter().map(|(id, item)| (&item.block, *id));
    for (signed, id) in before.chain([(signed, id)]) {
        fits(loaded, &signed.block)?;
        back.extend(comes_back(loaded, signed));
        last = Some(loaded.insert(signed, id).ok_or(NotAdded::NoPast)?);
        added.push(id.hash);
    }
    let (ix, verdict) = last.ok_or(NotAdded::NoPast)?;
    match (verdict, loaded.graph.is_aside(ix)) {
        (Verdict::Admitted, false) => {}
        (Verdict::Admitted, true) => {
            return Err(NotAdded::Forked { verdicts: verdicts(loaded, added), place: None });
        }
        (Verdict::Held, true) => return Err(NotAdded::HeldAside),
        (verdict, _) => return Err(NotAdded::Verdict(verdict)),
    }
    // One rep must not fill every disk: a few of an author's blocks are left out, no more.
    match loaded.graph.may_stay(settled, signed.block.author.as_ref(), HELD, added.len()) {
        Ok(()) => Ok(back),
        Err(Refused::TooMany) => Err(NotAdded::TooMany),
        Err(Refused::Frozen(place)) => {
            Err(NotAdded::Forked { verdicts: verdicts(loaded, added), place: Some(place) })
        }
    }
}

fn verdicts(loaded: &Loaded, added: &[Hash]) -> Vec<Verdict> {
    added.iter().filter_map(|hash| loaded.verdict(hash)).collect()
}

/// A held post that is left aside, and comes back with this like of it.
fn comes_back(loaded: &Loaded, like: &SignedBlock) -> Option<Ix> {
    let target = loaded.find(&like.block.vouches_for()?)?;
    let vote = Some(graph::Vote { like: true, target });
    loaded.graph.would_come_back(vote, &[target])
}

/// Whether a block may stand on its past: not earlier than a block before it, and its vote on an
/// ancestor and no like of its author's own.
pub(super) fn fits(loaded: &Loaded, block: &Block) -> Result<(), NotAdded> {
    let backs: Option<Vec<Ix>> = block.backs.iter().map(|back| loaded.find(back)).collect();
    let backs = backs.ok_or(NotAdded::NoPast)?;
    if backs.iter().any(|back| loaded.graph.time(*back) > Some(block.time)) {
        return Err(NotAdded::Breaks("its time is before that of a block before it"));
    }
    let Some(vote) = &block.vote else { return Ok(()) };
    let may = loaded.find(&vote.target).is_some_and(|target| {
        let own = block.author.is_some_and(|author| loaded.graph.is_by(target, &author));
        loaded.graph.is_in_past(target, &backs) && !(vote.like && own)
    });
    match may {
        true => Ok(()),
        false => Err(NotAdded::Breaks("its vote is on what its author may not vote on")),
    }
}
