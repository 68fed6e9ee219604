//! The rules of the paper of 2020, section 3.3: reps are a fold over what happened in the last 90
//! days, and never more than 30.

use std::sync::Arc;

use covey_kernel::Time;

use super::{
    CAP, DAY, Deed, What, Who,
    accounts::Accounts,
    history::{Event, History, Worth},
};

/// What a forum's first post gives its author, and an identity chain its owner; it never expires.
const GRANT: i64 = CAP;

/// Reputations under the rules of the paper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paper {
    last: Time,
    accounts: Accounts<Option<Arc<Account>>>,
}

/// What has happened to an author.
#[derive(Clone, Debug, Default)]
struct Account {
    grant: i64,
    history: History,
    /// When the last post that earns was placed, however long ago.
    earned: Option<Time>,
    /// The reps since the last event.
    reps: i64,
    /// They hold until then.
    until: Time,
}

impl Account {
    fn reps(&self, at: Time) -> i64 {
        if at < self.until { self.reps } else { self.history.fold(self.grant, at) }
    }

    /// When the reps change if nothing else happens.
    fn until(&self, at: Time) -> Time {
        if at < self.until { self.until } else { self.history.until(at) }
    }

    fn add(&mut self, at: Time, worth: Worth) {
        let event = Event { at, worth };
        // The event is the last step of the fold.
        let (reps, until) = (self.reps(at), self.until(at));
        self.history.push(event);
        self.reps = event.step(reps, at);
        self.until = until.min(event.changes());
    }

    fn post(&mut self, at: Time) {
        let earns = self.earned.is_none_or(|earned| at.since(earned) >= DAY);
        if earns {
            self.earned = Some(at);
        }
        self.add(at, Worth::Post { earns });
    }
}

impl Paper {
    /// A chain in which nobody has reps, or its owner has the grant.
    #[must_use]
    pub(crate) fn new(owner: Option<Who>) -> Self {
        let mut rules = Self::default();
        if let Some(owner) = owner {
            rules.change(owner, |account| account.grant = GRANT);
        }
        rules
    }

    pub(super) fn last(&self) -> Time {
        self.last
    }

    pub(super) fn reps(&self, who: Who, at: Time) -> i64 {
        self.account(who).map_or(0, |account| account.reps(at))
    }

    /// An author's reps, and until when they hold if nothing is placed that touches them.
    pub(super) fn reps_until(&self, who: Who, at: Time) -> (i64, Time) {
        let never = Time::from_millis(u64::MAX);
        let account = self.account(who);
        account.map_or((0, never), |account| (account.reps(at), account.until(at)))
    }

    pub(super) fn place(&mut self, deed: &Deed) {
        self.last = deed.at;
        let Some(author) = deed.author else { return };
        match deed.what {
            What::Post => self.change(author, |account| account.post(deed.at)),
            What::FirstPost => self.change(author, |account| {
                account.grant = GRANT;
                account.post(deed.at);
            }),
            What::Vote { like, of } => {
                self.change(author, |account| account.add(deed.at, Worth::Vote(-1)));
                if let Some(of) = of {
                    let worth = Worth::Vote(if like { 1 } else { -1 });
                    self.change(of, |account| account.add(deed.at, worth));
                }
            }
        }
    }

    fn account(&self, who: Who) -> Option<&Account> {
        self.accounts.get(who)?.as_deref()
    }

    fn change(&mut self, who: Who, change: impl FnOnce(&mut Account)) {
        self.accounts.update(who, |account| change(Arc::make_mut(account.get_or_insert_default())));
    }
}

#[cfg(test)]
mod tests;
