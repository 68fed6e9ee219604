//! What a validator remembers while it runs. All of it can be rebuilt.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{AskId, Keypair, Peer, RequestId, Time};

use crate::{limits::PASSED, output::TxId, wire::NotReady};

/// Whether the validator may vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has started, and these members have told it how far it had come.
    Checking(BTreeSet<usize>),
    /// It votes.
    Voting,
    /// The others know it further than it is.
    Behind,
}

impl Stage {
    /// Why it does not vote; none if it does.
    pub(super) fn not_ready(&self) -> Option<NotReady> {
        match self {
            Self::Checking(_) => Some(NotReady::Checking(())),
            Self::Voting => None,
            Self::Behind => Some(NotReady::Behind(())),
        }
    }
}

/// What is remembered.
pub(super) struct Memory {
    /// Starts on this store, the present one included.
    pub(super) starts: u64,
    /// The epoch.
    pub(super) epoch: u64,
    /// The voting key of the epoch.
    pub(super) key: Keypair,
    /// The place among the members.
    pub(super) place: usize,
    pub(super) stage: Stage,
    /// The sequence number of the first transaction of this turn.
    pub(super) next: u64,
    /// What was locked in this turn, and nothing is signed for yet.
    pub(super) open: Vec<TxId>,
    /// Who waits for votes on them: request and place in `open`.
    pub(super) waiting: Vec<(RequestId, usize)>,
    /// When the others are told how far it has come.
    pub(super) tell_at: Option<Time>,
    /// Whom it is connected with.
    pub(super) online: BTreeSet<Peer>,
    /// Own questions on the way, and the place of the member asked.
    pub(super) asks: BTreeMap<AskId, usize>,
    pub(super) next_ask: u64,
    /// Transactions that the others were shown for somebody who has only a phrase, and when.
    pub(super) passed: BTreeMap<TxId, Time>,
}

/// One change of it.
#[derive(Debug)]
pub(super) enum Change {
    /// A transaction is locked for somebody who waits.
    Locked(TxId, RequestId),
    /// Somebody else waits for a transaction of this turn.
    Waits(RequestId, usize),
    /// The turn's transactions are signed.
    Signed,
    Stage(Stage),
    /// The others are told at this time.
    TellAt(Option<Time>),
    Online(Peer),
    Offline(Peer),
    /// A member was asked.
    Asked(AskId, usize),
    /// An answer came.
    Answered(AskId),
    /// The others were shown a transaction.
    Passed(TxId, Time),
}

impl Memory {
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Locked(tx, request) => {
                self.waiting.push((request, self.open.len()));
                self.open.push(tx);
            }
            Change::Waits(request, at) => self.waiting.push((request, at)),
            Change::Signed => {
                let signed = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
                self.next = self.next.saturating_add(signed);
                self.open.clear();
                self.waiting.clear();
            }
            Change::Stage(stage) => self.stage = stage,
            Change::TellAt(at) => self.tell_at = at,
            Change::Online(peer) => {
                self.online.insert(peer);
            }
            Change::Offline(peer) => {
                self.online.remove(&peer);
            }
            Change::Asked(ask, place) => {
                self.next_ask = self.next_ask.max(ask.0.saturating_add(1));
                self.asks.insert(ask, place);
            }
            Change::Passed(tx, at) => {
                if self.passed.len() >= PASSED {
                    self.passed.clear();
                }
                self.passed.insert(tx, at);
            }
            Change::Answered(ask) => {
                self.asks.remove(&ask);
            }
        }
    }
}
