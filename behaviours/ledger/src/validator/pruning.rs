//! What an epoch leaves behind that nobody needs any more: its locks, and the index of what was taken
//! over for it. Both are looked at only by who is in the epoch, or imports for it; the list of all that
//! was locked, the entries and the seals stay, as others may still have to take them over.

use covey_kernel::{Effect, Fault, Scan, Store};

use super::{Change, Cx, Delta, Validator, layout, memory::Pruning};
use crate::limits::{PRUNE_EVERY, PRUNE_STEP};

impl Validator {
    /// The first epoch of which all is still needed: the one that it is in; of a node that is in none,
    /// the next one that there may be.
    fn first_needed(&self) -> u64 {
        let next = self.memory.network.newest().epoch.saturating_add(1);
        self.memory.term.as_ref().map_or(next, |term| term.epoch)
    }

    /// One step, if there is anything left of epochs that are not needed.
    pub(super) fn wake_pruning(&self, cx: &mut Cx<'_, '_>, delta: &mut Delta) -> Result<(), Fault> {
        let pruning = &self.memory.pruning;
        let needed = self.first_needed();
        if pruning.done >= needed {
            return Ok(());
        }
        // Or a clock was set back.
        let early = pruning.at > cx.now && pruning.at <= cx.now.plus(PRUNE_EVERY);
        if early {
            cx.effects.push(Effect::Wake(pruning.at));
            return Ok(());
        }
        // What was begun is ended first, even if more is not needed by now.
        let below = pruning.below.unwrap_or(needed);
        let last = prune(cx, below, pruning.after.as_deref())?;
        let at = cx.now.plus(PRUNE_EVERY);
        delta.0.push(Change::Pruning(match last {
            Some(last) => Pruning { done: pruning.done, below: Some(below), after: Some(last), at },
            None => Pruning { done: below, below: None, after: None, at },
        }));
        cx.effects.push(Effect::Wake(at));
        Ok(())
    }
}

/// Removes some of what epochs below this one have left, from behind a key on. The last key removed,
/// if there may be more.
fn prune(cx: &mut Cx<'_, '_>, below: u64, after: Option<&[u8]>) -> Result<Option<Vec<u8>>, Fault> {
    let mut left = PRUNE_STEP;
    for tag in layout::OF_ONE_EPOCH {
        let mut scan = Scan::prefix(&[tag]).limit(left);
        // A kind is passed over without a look at what was removed of it: such ranges are slow to read.
        match after {
            Some(after) if after.first().is_some_and(|kind| *kind > tag) => continue,
            Some(after) if after.first() == Some(&tag) => scan = scan.after(after),
            _ => {}
        }
        let found = cx.view.scan(&scan.before(&layout::of_epoch(tag, below, &[])))?;
        left = left.saturating_sub(found.len());
        let last = found.last().map(|(key, _)| key.clone());
        for (key, _) in found {
            cx.view.delete(key);
        }
        if left == 0 {
            return Ok(last);
        }
    }
    Ok(None)
}
