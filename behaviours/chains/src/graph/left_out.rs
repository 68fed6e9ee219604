//! How much an order may leave out. On a block that it leaves out for good one could write a line without end,
//! with reps that are given there; so what it leaves out takes room, and that is counted in accounts.
//!
//! What somebody wrote who has reps in the order, or began what is left out, is in their own account. What anybody else
//! wrote is in the guest account of who began that: they had reps in a past that is placed, so there are no more
//! accounts than have ever had reps. If an account is full, a block may yet be in the account of somebody who wrote
//! later on it, so that nobody's junk keeps away what others wrote.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use covey_kernel::PublicKey;

use crate::{
    limits::{LEFT_OUT, MANY, PAYERS},
    rules::{Reputation, Who},
};

use super::{Graph, Ix};

/// In which a block that is left out is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Account {
    /// Of what somebody wrote.
    Own(Who),
    /// Of what others wrote on what somebody began.
    Guests(Who),
}

/// One block that is left out.
pub(super) struct Share {
    pub(super) ix: Ix,
    /// In which account it is first of all.
    pub(super) of: Option<Account>,
    /// Whether there is room for it.
    pub(super) fits: bool,
}

/// What is in the accounts of an order, and what may be in them with what has come since.
#[derive(Default)]
pub(super) struct Room {
    blocks: BTreeMap<Account, usize>,
    /// What is left out, sorted, and who has begun what each of it belongs to.
    out: Vec<(Ix, Option<Who>)>,
    /// The same of what has come since, and in which account it is counted.
    came: BTreeMap<Ix, (Option<Who>, Option<Account>)>,
    /// Some of that may be one too many.
    is_tight: bool,
}

impl Room {
    pub(super) fn used(&self, account: Account) -> usize {
        self.blocks.get(&account).copied().unwrap_or_default()
    }

    /// One more, if there is room.
    fn take(&mut self, account: Account) -> bool {
        let used = self.blocks.entry(account).or_default();
        let fits = *used < LEFT_OUT;
        *used = used.saturating_add(usize::from(fits));
        fits
    }

    /// Who has begun what a block belongs to, if that is left out or new.
    fn begun(&self, ix: Ix) -> Option<Option<Who>> {
        let at = self.out.binary_search_by_key(&ix, |(ix, _)| *ix).ok();
        let out = at.and_then(|at| self.out.get(at)).map(|(_, by)| *by);
        out.or_else(|| self.came.get(&ix).map(|(by, _)| *by))
    }

    pub(super) fn is_tight(&self) -> bool {
        self.is_tight
    }

    /// A block has come. Whether there is room for it is looked at before the next one comes.
    fn come(&mut self, ix: Ix, by: Option<Who>, account: Option<Account>) {
        let counted = account.filter(|account| self.take(*account));
        self.is_tight |= counted != account;
        self.came.insert(ix, (by, counted));
    }

    /// A block that came is gone.
    pub(super) fn forget(&mut self, ix: Ix) {
        if let Some((_, Some(account))) = self.came.remove(&ix)
            && let Some(used) = self.blocks.get_mut(&account)
        {
            *used = used.saturating_sub(1);
        }
        self.is_tight = false;
    }
}

impl Graph {
    /// In which accounts these blocks are, which an order with these reputations leaves out. They are sorted.
    pub(super) fn shares(&self, out: &[Ix], after: &Reputation) -> Vec<Share> {
        let (mut shares, mut room) = self.first_shares(out, after);
        if shares.iter().any(|share| !share.fits) {
            let payers = self.payers(&shares, &room);
            let lack = shares.iter_mut().zip(payers).filter(|(share, _)| !share.fits);
            for (share, payers) in lack {
                share.fits = payers.into_iter().any(|who| room.take(Account::Own(who)));
            }
        }
        shares
    }

    /// What room there is after such an order.
    pub(super) fn room(&self, out: &[Ix], after: &Reputation) -> Room {
        self.first_shares(out, after).1
    }

    /// The accounts, before any block is sought room in another than its first.
    fn first_shares(&self, out: &[Ix], after: &Reputation) -> (Vec<Share>, Room) {
        let mut stand = BTreeMap::new();
        let mut stands =
            |who: Who| *stand.entry(who).or_insert_with(|| after.running_until(who).0 > 0);
        let (mut shares, mut room) = (Vec::with_capacity(out.len()), Room::default());
        self.sought.fetch_add(out.len() as u64, Ordering::Relaxed);
        for ix in out {
            let by = self.begun_by(*ix, &room);
            let of = self.account(*ix, by, &mut stands);
            room.out.push((*ix, by));
            let fits = of.is_some_and(|account| room.take(account));
            shares.push(Share { ix: *ix, of, fits });
        }
        (shares, room)
    }

    /// Who has begun what a block belongs to: of several, whose guests have most room; if it builds on none that is left
    /// out, who answers for it.
    fn begun_by(&self, ix: Ix, room: &Room) -> Option<Who> {
        let before = self.backs_of(ix).iter().filter_map(|back| room.begun(*back));
        let guests =
            |by: &Option<Who>| by.map_or(usize::MAX, |who| room.used(Account::Guests(who)));
        before.min_by_key(guests).unwrap_or_else(|| self.answering(ix))
    }

    /// In which account a block is first of all.
    fn account(
        &self,
        ix: Ix,
        by: Option<Who>,
        stands: &mut impl FnMut(Who) -> bool,
    ) -> Option<Account> {
        let author = self.node(ix).and_then(|node| node.author);
        let own = author.filter(|who| by == Some(*who) || stands(*who));
        own.map(Account::Own).or(by.map(Account::Guests))
    }

    /// A block was admitted, and may be left out.
    pub(super) fn expect(&mut self, ix: Ix) {
        // Then the order is sought next.
        if self.order.room.is_tight() {
            return;
        }
        let by = self.begun_by(ix, &self.order.room);
        let mut stands = |who: Who| self.order.reputation().running_until(who).0 > 0;
        let account = self.account(ix, by, &mut stands);
        self.order.room.come(ix, by, account);
    }

    /// In whose accounts each block can be besides: of those who wrote on it, the ones with most room.
    fn payers(&self, shares: &[Share], room: &Room) -> Vec<Vec<Who>> {
        let at = |ix: &Ix| shares.binary_search_by_key(ix, |share| share.ix).ok();
        let own = |share: &Share| match share.of {
            Some(Account::Own(who)) => Some(who),
            _ => None,
        };
        let mut all: Vec<Vec<Who>> = vec![Vec::new(); shares.len()];
        for number in (0..shares.len()).rev() {
            let Some(share) = shares.get(number) else { continue };
            let mut payers = BTreeSet::new();
            for child in self.children(share.ix).iter().filter_map(at) {
                payers.extend(shares.get(child).and_then(own));
                payers.extend(all.get(child).into_iter().flatten());
            }
            let mut payers: Vec<Who> = payers.into_iter().collect();
            payers.sort_by_key(|who| (room.used(Account::Own(*who)), Reverse(*who)));
            payers.truncate(PAYERS);
            if let Some(slot) = all.get_mut(number) {
                *slot = payers;
            }
        }
        all
    }

    /// Whether a block's payload goes with it: if the order has it, and it is not revoked; or if it may yet come back and
    /// is not one of too many to be anything but junk.
    pub fn is_read(&mut self, ix: Ix) -> bool {
        self.refresh();
        let is_placed = |ix: Ix| self.place_of(ix).is_some();
        match is_placed(ix) {
            true => !self.is_revoked(ix),
            false => {
                let may_return = self.backs_of(ix).iter().all(|back| is_placed(*back));
                !self.is_aside(ix) && (may_return || !self.is_of_many(ix))
            }
        }
    }

    /// What the order leaves out and whose payloads do not go with it.
    pub fn unread(&mut self) -> Vec<Ix> {
        self.refresh();
        let out: Vec<Ix> = self.order.room.out.iter().map(|(ix, _)| *ix).collect();
        out.into_iter().filter(|ix| !self.is_read(*ix)).collect()
    }

    /// Whether there are many others in the account of a block that is left out.
    fn is_of_many(&self, ix: Ix) -> bool {
        let room = &self.order.room;
        let mut stands = |who: Who| self.order.reputation().running_until(who).0 > 0;
        let account = self.account(ix, self.begun_by(ix, room), &mut stands);
        account.is_none_or(|account| room.used(account) > MANY)
    }

    /// The blocks that the order leaves out though all that they build on is placed: a like of one may bring it back,
    /// with what builds on it.
    pub fn blocked(&mut self) -> Vec<Ix> {
        self.refresh();
        let is_out = |ix: &Ix| self.place_of(*ix).is_none();
        let mut open: Vec<Ix> = self.tips().filter(is_out).collect();
        let (mut seen, mut blocked) = (BTreeSet::new(), BTreeSet::new());
        while let Some(ix) = open.pop() {
            if !seen.insert(ix) {
                continue;
            }
            let before = open.len();
            open.extend(self.backs_of(ix).iter().filter(|back| is_out(back)));
            if open.len() == before {
                blocked.insert(ix);
            }
        }
        blocked.into_iter().collect()
    }

    /// Whether there is no room for a block of this author on such blocks, if the order leaves it out, as far as can be
    /// seen before its place is sought.
    pub fn is_full(&mut self, author: &PublicKey, backs: &[Ix]) -> bool {
        self.refresh();
        let room = &self.order.room;
        let who = self.authors.get(author).copied();
        let stands = |who: &Who| self.order.reputation().running_until(*who).0 > 0;
        let begun = backs.iter().find_map(|back| room.begun(*back).flatten());
        let account = match begun {
            Some(by) if Some(by) != who && !who.as_ref().is_some_and(stands) => {
                Some(Account::Guests(by))
            }
            _ => who.map(Account::Own),
        };
        account.is_some_and(|account| room.used(account) >= LEFT_OUT)
    }
}
