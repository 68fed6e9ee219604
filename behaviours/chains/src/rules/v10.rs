//! The rules of the reference implementation, version 0.10: a post costs one rep, which comes back
//! the sooner the more of the chain's reputation has acted since; a post a day earns one.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use covey_kernel::{Span, Time};

use super::{CAP, DAY, Deed, What, Who, accounts::Accounts};

/// How long a post costs its rep if nobody acts after it.
const REFUND: Span = Span::hours(12);

/// Reputations under the rules of version 0.10.
#[derive(Clone, Debug, Default)]
pub(crate) struct V10 {
    last: Time,
    accounts: Accounts<Account>,
    /// The sum of all reps; negative ones count 0.
    total: i64,
    recent: Arc<Recent>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    reps: i64,
    /// When the last post that earned was placed.
    credited: Option<Time>,
}

/// The end of the order, as far as something is due for it.
#[derive(Clone, Debug, Default)]
struct Recent {
    /// The blocks from the first post on that has not been given back.
    unrefunded: VecDeque<Placed>,
    /// Posts younger than a day.
    uncredited: VecDeque<(Time, Who)>,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    at: Time,
    author: Who,
    /// Whether it is a post, which is given back.
    post: bool,
}

impl V10 {
    /// The pioneers share the first reps.
    #[must_use]
    pub(crate) fn new(pioneers: &BTreeSet<Who>) -> Self {
        let mut rules = Self::default();
        let share = i64::try_from(pioneers.len()).ok().and_then(|count| CAP.checked_div(count));
        for pioneer in pioneers {
            rules.change(*pioneer, share.unwrap_or_default());
        }
        rules
    }

    pub(super) fn last(&self) -> Time {
        self.last
    }

    pub(super) fn running(&self, who: Who) -> i64 {
        self.account(who).reps
    }

    /// What is due by then is given first, on a copy.
    pub(super) fn reps(&self, who: Who, at: Time) -> i64 {
        let mut later = self.clone();
        later.settle(at);
        later.running(who)
    }

    pub(super) fn place(&mut self, deed: &Deed) {
        self.last = deed.at;
        if let Some(author) = deed.author {
            self.act(author, deed);
        }
        self.settle(deed.at);
    }

    fn act(&mut self, author: Who, deed: &Deed) {
        let post = match deed.what {
            What::Post | What::FirstPost => true,
            What::Vote { like, of } => {
                if let Some(of) = of {
                    self.change(of, if like { 1 } else { -1 });
                }
                false
            }
        };
        self.change(author, -1);
        let recent = Arc::make_mut(&mut self.recent);
        if post {
            recent.uncredited.push_back((deed.at, author));
        }
        if post || !recent.unrefunded.is_empty() {
            recent.unrefunded.push_back(Placed { at: deed.at, author, post });
        }
    }

    /// First refunds, then credits.
    fn settle(&mut self, at: Time) {
        self.refund(at);
        self.credit(at);
    }

    fn refund(&mut self, at: Time) {
        let total = self.total;
        while let Some(first) = self.recent.unrefunded.front().copied() {
            if first.post {
                if at.since(first.at) < self.wait(total) {
                    return;
                }
                self.change(first.author, 1);
            }
            Arc::make_mut(&mut self.recent).unrefunded.pop_front();
        }
    }

    /// How long the first post that is not given back costs its rep.
    fn wait(&self, total: i64) -> Span {
        if total <= 0 {
            return REFUND;
        }
        let authors: BTreeSet<Who> =
            self.recent.unrefunded.iter().map(|placed| placed.author).collect();
        let after: i64 = authors.iter().map(|author| self.running(*author).max(0)).sum();
        let rest = total.saturating_sub(after.saturating_mul(2)).max(0).unsigned_abs();
        let wait = REFUND.as_millis().saturating_mul(rest).checked_div(total.unsigned_abs());
        Span::millis(wait.unwrap_or_default())
    }

    fn credit(&mut self, at: Time) {
        while let Some((placed, author)) = self.recent.uncredited.front().copied() {
            if at.since(placed) < DAY {
                return;
            }
            Arc::make_mut(&mut self.recent).uncredited.pop_front();
            let credited = self.account(author).credited;
            if credited.is_none_or(|credited| placed.since(credited) >= DAY) {
                self.change(author, 1);
                self.accounts.update(author, |account| account.credited = Some(placed));
            }
        }
    }

    fn account(&self, who: Who) -> Account {
        self.accounts.get(who).copied().unwrap_or_default()
    }

    fn change(&mut self, who: Who, by: i64) {
        let mut gained = 0i64;
        self.accounts.update(who, |account| {
            let before = account.reps.max(0);
            account.reps = account.reps.saturating_add(by).min(CAP);
            gained = account.reps.max(0).saturating_sub(before);
        });
        self.total = self.total.saturating_add(gained);
    }
}

#[cfg(test)]
mod tests;
