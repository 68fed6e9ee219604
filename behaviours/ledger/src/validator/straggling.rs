//! A validator that came too late: the epoch that it is in has ended, and its import for it is not
//! complete, perhaps as those who had to hand over are gone. It has never voted in that epoch, and goes
//! on trying; but it also takes over what its own fellows have sealed, and what members of later epochs
//! have.
//!
//! With the lock sets of a quorum of its fellows it seals the epoch itself: every certificate of the
//! epoch, or of one before, has a signer among any quorum that is honest and sealed after it had locked
//! the transaction, so the union of their sets lacks nothing that its own set must have. So nobody who
//! needs one more set waits for what it never got. Where its fellows are gone too, it leaves its epoch
//! without a seal, and enters a later one for which it has a complete import, as anybody new would.

use std::collections::BTreeSet;

use covey_kernel::{Fault, Keypair, Store};

use super::{
    Change, Cx, Delta, Validator, layout,
    memory::Settling,
    records,
    term::{Entering, keys},
};
use crate::seal::{LockSet, Seal};

impl Validator {
    /// The epochs for which a validator takes lock sets over that has not finished its import: each after
    /// one that it could seal, and each that it could enter.
    pub(super) fn ways_on(&self, store: &dyn Store, epoch: u64) -> Result<BTreeSet<u64>, Fault> {
        let newest = self.memory.network.newest().epoch;
        let mut ways = BTreeSet::from([epoch, epoch.saturating_add(1)]);
        for next in keys(store)? {
            if next.epoch > epoch && self.is_named(&next)? {
                ways.extend([next.epoch, next.epoch.saturating_add(1)]);
            }
        }
        ways.retain(|way| *way <= newest);
        Ok(ways)
    }

    /// The union for a later epoch is complete: seals the epoch before with it, if this validator is a
    /// member of that one; else enters the later one. The epoch that it was in is over for it, and its
    /// key is erased in the same write. It has never voted with it.
    pub(super) fn go_another_way(
        &self,
        cx: &mut Cx<'_, '_>,
        delta: &mut Delta,
        Settling { epoch, places, log, .. }: Settling,
    ) -> Result<(), Fault> {
        delta.0.push(Change::Settling(None));
        let network = &self.memory.network;
        let before = epoch.saturating_sub(1);
        let entering = if let Some(key) = self.unused_key(cx.view, before)? {
            let set = LockSet { epoch: before, count: log.count(), root: log.root() };
            records::write(cx.view, layout::seal(before), &Seal::sign(&key, &network.id, set));
            records::write(cx.view, layout::LOGGED.to_vec(), &log);
            Entering { from: epoch, sealed: true, imported: None }
        } else {
            Entering { from: epoch, sealed: false, imported: Some((places, log)) }
        };
        delta.and(self.enter(cx, network, entering)?);
        Ok(())
    }

    /// The key for an epoch of which this validator is a member, and in which it has not voted.
    fn unused_key(&self, store: &dyn Store, epoch: u64) -> Result<Option<Keypair>, Fault> {
        let term = self.memory.term.as_ref();
        if let Some(term) = term.filter(|term| term.epoch == epoch && term.imported.is_none()) {
            return Ok(Some(term.key.clone()));
        }
        let next = records::read::<records::Term>(store, &layout::next(epoch))?;
        match next {
            Some(next) if self.is_named(&next)? => Ok(Some(next.key()?)),
            _ => Ok(None),
        }
    }
}
