//! What must hold, and what must be possible.

use stateright::Property;

use super::{EPOCHS, Replacing, Stand, Tx};
use crate::few::Few;

/// The safety of the ledger, across epochs and from parents to children.
pub const SPENT_ONCE: &str = "no two certificates exclude each other";
/// What is left of it when old keys leak.
pub const SPENT_ONCE_IN_EPOCH: &str = "no two certificates of one epoch exclude each other";
/// What a child's certificate says of its parent.
pub const PARENT_FIRST: &str = "what is certified spends what was certified by then";
/// Nobody who was paid is refused.
pub const ACCEPTED: &str = "honest validators sign what an earlier certificate entitles to";
/// Nobody who was paid is stuck.
pub const PROGRESS: &str = "honest validators alone can certify it in the last epoch";
/// The model is not vacuous, nor are the following.
pub const CERTIFIED_AGAIN: &str = "a payment is certified in each epoch";
/// A coin rests for an epoch.
pub const CHILD_LATER: &str = "paid in epoch 0, spent on in epoch 2, nothing in between";
/// An owner who equivocates pays for it.
pub const FROZEN: &str = "an outpoint is frozen without a certificate that thaws it";
/// A payee gets round that.
pub const THAWED: &str = "a frozen outpoint is signed for after a certificate was shown";
/// Importers choose their lock sets.
pub const DIFFERENT_SETS: &str = "two validators have imported different entries";

/// Every property; a test looks at those that its model should have.
pub(super) fn all() -> Vec<Property<Replacing>> {
    vec![
        Property::always(SPENT_ONCE, |model, state| excludes_none(model.certified(state))),
        Property::always(SPENT_ONCE_IN_EPOCH, |model: &Replacing, state| {
            (0..EPOCHS).all(|epoch| excludes_none(model.certified_in(state, epoch)))
        }),
        Property::always(PARENT_FIRST, |model: &Replacing, state| {
            (0..EPOCHS).all(|epoch| {
                let parents = model.certified_before(state, epoch.saturating_add(1));
                let proven = |tx: Tx| tx.parent().is_none_or(|parent| parents.has(parent));
                model.certified_in(state, epoch).iter().all(proven)
            })
        }),
        Property::always(ACCEPTED, Replacing::accepted),
        Property::always(PROGRESS, Replacing::progresses),
        Property::sometimes(CERTIFIED_AGAIN, |model: &Replacing, state| {
            (0..model.epochs).all(|epoch| model.certified_in(state, epoch).has(Tx::T1))
        }),
        Property::sometimes(CHILD_LATER, |model: &Replacing, state| {
            model.certified_in(state, 0) == Few::of(&[Tx::T1])
                && model.certified_in(state, 1).is_empty()
                && model.certified_in(state, 2).has(Tx::C1)
        }),
        Property::sometimes(FROZEN, |model: &Replacing, state| {
            model.certified(state).is_empty() && model.members(state, 2).any(|stand| frozen(&stand))
        }),
        Property::sometimes(THAWED, |model: &Replacing, state| {
            let thawed = |stand: Stand| frozen(&stand) && stand.locks.has(Tx::T1);
            model.members(state, 2).any(thawed)
        }),
        Property::sometimes(DIFFERENT_SETS, |model: &Replacing, state| {
            let mut entries = model.members(state, 1).filter_map(|stand| stand.entries);
            let first = entries.next();
            entries.any(|other| Some(other) != first)
        }),
    ]
}

fn excludes_none(certified: Few<Tx>) -> bool {
    certified.iter().all(|tx| certified.within(tx.excludes()).is_empty())
}

fn frozen(stand: &Stand) -> bool {
    stand.entries.unwrap_or_default().within(Tx::T1.spenders()).count() > 1
}
