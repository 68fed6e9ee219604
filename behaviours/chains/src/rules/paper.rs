//! The rules of the paper of 2020, section 3.3: reps are a fold over what happened in the last 90
//! days, and never more than 30.

use std::sync::Arc;

use covey_kernel::{Span, Time};

use super::{CAP, DAY, Deed, What, Who, accounts::Accounts};

/// What is older no longer counts.
const WINDOW: Span = Span::days(90);

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
    /// In order; what is too old to count is dropped by and by.
    events: Vec<Event>,
    /// When the last post that earns was placed, however long ago.
    earned: Option<Time>,
    /// The reps since the last event.
    reps: i64,
    /// They hold until then.
    until: Time,
}

/// One placed block, as it counts for one author.
#[derive(Clone, Copy, Debug)]
struct Event {
    at: Time,
    worth: Worth,
}

#[derive(Clone, Copy, Debug)]
enum Worth {
    /// Costs while it is young, and may earn later.
    Post { earns: bool },
    /// A vote, given or received.
    Vote(i8),
}

impl Event {
    fn worth(&self, at: Time) -> i64 {
        match self.worth {
            Worth::Post { .. } if at.since(self.at) < DAY => -1,
            Worth::Post { earns } => i64::from(earns),
            Worth::Vote(change) => i64::from(change),
        }
    }

    /// When it is first worth something else.
    fn changes(&self) -> Time {
        match self.worth {
            Worth::Post { .. } => self.at.plus(DAY),
            Worth::Vote(_) => self.at.plus(WINDOW),
        }
    }

    /// Whether it lies in (t - 90 days, t].
    fn counts(&self, at: Time) -> bool {
        at.since(self.at) < WINDOW
    }
}

impl Account {
    fn reps(&self, at: Time) -> i64 {
        if at < self.until { self.reps } else { self.fold(at) }
    }

    fn fold(&self, at: Time) -> i64 {
        let gone = self.events.partition_point(|event| !event.counts(at));
        let counted = self.events.get(gone..).unwrap_or_default().iter();
        counted.fold(self.grant, |reps, event| reps.saturating_add(event.worth(at)).min(CAP))
    }

    /// When the reps change if nothing else happens: an event leaves the window, or a post is no
    /// longer young.
    fn until(&self, at: Time) -> Time {
        if at < self.until {
            return self.until;
        }
        let never = Time::from_millis(u64::MAX);
        let counted = self.events.partition_point(|event| !event.counts(at));
        let leaves = self.events.get(counted).map_or(never, |event| event.at.plus(WINDOW));
        let old = self.events.partition_point(|event| at.since(event.at) >= DAY);
        let young = self.events.get(old..).unwrap_or_default();
        let post = young.iter().find(|event| matches!(event.worth, Worth::Post { .. }));
        post.map_or(leaves, |post| leaves.min(post.at.plus(DAY)))
    }

    fn add(&mut self, at: Time, worth: Worth) {
        // Not one by one: the others move each time.
        if self.events.get(self.events.len() / 2).is_some_and(|event| !event.counts(at)) {
            let gone = self.events.partition_point(|event| !event.counts(at));
            self.events.drain(..gone);
        }
        let event = Event { at, worth };
        // The event is the last step of the fold.
        let (reps, until) = (self.reps(at), self.until(at));
        self.events.push(event);
        self.reps = reps.saturating_add(event.worth(at)).min(CAP);
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
