//! Reputation, rules `v10`: a running state, changed by each placed block.

use super::{Author, CAP, DAY, HOUR, World};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
struct Entry {
    effective: u64,
    author: Option<Author>,
    /// A signed post: it has cost 1 and can earn 1. (Votes and unsigned posts do neither.)
    signed_post: bool,
    given_back: bool,
    /// Its credit is decided: it was credited, or earns nothing.
    credit_decided: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    reps: BTreeMap<Author, i64>,
    /// All placed blocks, in order.
    order: Vec<Entry>,
    /// Effective time of the author's last credited post.
    last_credited: BTreeMap<Author, u64>,
}

impl State {
    /// "One or more pioneer keys, which share 30 reps (integer division)."
    pub(crate) fn new(pioneers: &[Author]) -> State {
        let keys: BTreeSet<Author> = pioneers.iter().copied().collect();
        let share = |n: usize| 30 / n as i64;
        let reps = keys.iter().map(|&key| (key, share(keys.len()))).collect();
        State { reps, order: Vec::new(), last_credited: BTreeMap::new() }
    }

    pub(crate) fn reps_of(&self, author: Author) -> i64 {
        self.reps.get(&author).copied().unwrap_or(0)
    }

    fn cost(&mut self, author: Author) {
        *self.reps.entry(author).or_insert(0) -= 1;
    }

    /// "Capped at 30 at every credit."
    fn credit(&mut self, author: Author) {
        let reps = self.reps.entry(author).or_insert(0);
        *reps = (*reps + 1).min(CAP);
    }

    /// Places a block: what it does itself, then the scans at its effective time.
    pub(crate) fn place(&mut self, world: &World, b: usize, effective: u64) {
        let block = &world.blocks[b];
        let signed_post = world.is_post(b) && block.author.is_some();
        self.order.push(Entry {
            effective,
            author: block.author,
            signed_post,
            given_back: false,
            credit_decided: false,
        });
        if let Some(vote) = block.vote {
            // "Votes count as in 3."
            self.cost(block.author.expect("votes are signed"));
            if let Some(writer) = world.blocks[vote.target].author {
                if vote.like { self.credit(writer) } else { self.cost(writer) }
            }
        } else if signed_post {
            // "A post costs 1."
            self.cost(block.author.expect("signed"));
        }
        self.scan(effective);
    }

    /// "First refunds, then credits."
    pub(crate) fn scan(&mut self, t: u64) {
        self.scan_refunds(t);
        self.scan_credits(t);
    }

    /// "Refunds are scanned in the order and stop at the first that is not due."
    fn scan_refunds(&mut self, t: u64) {
        // "Total is taken once per scan."
        let total: i64 = self.reps.values().map(|&r| r.max(0)).sum();
        for i in 0..self.order.len() {
            if !self.order[i].signed_post || self.order[i].given_back {
                continue;
            }
            // "After anew for each post."
            let after = self.after(i);
            if t - self.order[i].effective < refund_delay(after, total) {
                break;
            }
            self.order[i].given_back = true;
            self.credit(self.order[i].author.expect("signed"));
        }
    }

    /// "The reps of the distinct authors from that post onward in the order (it included)."
    fn after(&self, i: usize) -> i64 {
        let authors: BTreeSet<Author> = self.order[i..].iter().filter_map(|e| e.author).collect();
        authors.iter().map(|&a| self.reps_of(a).max(0)).sum()
    }

    /// "+1 once a post is 24 h old and the author's last credited post is at least 24 h older
    /// (otherwise that post earns nothing)."
    fn scan_credits(&mut self, t: u64) {
        for i in 0..self.order.len() {
            let entry = self.order[i].clone();
            if !entry.signed_post || entry.credit_decided || t - entry.effective < DAY {
                continue;
            }
            self.order[i].credit_decided = true;
            let author = entry.author.expect("signed");
            let earns =
                self.last_credited.get(&author).is_none_or(|last| entry.effective - last >= DAY);
            if earns {
                self.last_credited.insert(author, entry.effective);
                self.credit(author);
            }
        }
    }
}

/// `12 h x max(0, 1 - 2*after/total)`: "whole milliseconds, rounded down; total 0 means 12 h".
fn refund_delay(after: i64, total: i64) -> u64 {
    if total == 0 {
        return 12 * HOUR;
    }
    let part = (total - 2 * after).max(0);
    12 * HOUR * part as u64 / total as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v10_refund_delay() {
        assert_eq!(refund_delay(0, 0), 12 * HOUR);
        assert_eq!(refund_delay(0, 30), 12 * HOUR);
        assert_eq!(refund_delay(15, 30), 0);
        assert_eq!(refund_delay(16, 30), 0);
        assert_eq!(refund_delay(14, 30), 2_880_000); // 12 h / 15
        assert_eq!(refund_delay(3, 7), 6_171_428); // 43,200,000 / 7 = 6,171,428.57...
    }
}
