//! One validator: its locks on disk, its work in memory, and the votes that have left it.

use crate::few::{Element, Few};

/// A transaction. Two that spend one outpoint conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tx {
    /// Spends both outpoints: conflicts with each of the others.
    Pair,
    /// Spends the left outpoint.
    Left,
    /// Spends the right outpoint: no conflict with [`Tx::Left`].
    Right,
}

impl Element for Tx {
    const ALL: &'static [Self] = &[Self::Pair, Self::Left, Self::Right];

    fn bit(self) -> u8 {
        match self {
            Self::Pair => 1,
            Self::Left => 2,
            Self::Right => 4,
        }
    }
}

/// Whether two transactions spend one outpoint.
pub(super) fn conflict(one: Tx, other: Tx) -> bool {
    one != other && (one == Tx::Pair || other == Tx::Pair)
}

/// How far the work on one request is. In memory only: a crash brings it back to [`Step::Idle`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Nothing is known of it.
    #[default]
    Idle,
    /// The request is here, its locks are not written.
    Received,
    /// One of two locks is written. Only with [`Mistake::LocksOneByOne`].
    Half,
    /// The locks are written and synced.
    Locked,
    /// The vote is signed, and has not left.
    Signed,
    /// The vote has left, the locks are not written. Only with [`Mistake::SignsBeforeLocking`].
    Answered,
}

/// A rule that the honest validators leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// The signature leaves before the lock is durable.
    SignsBeforeLocking,
    /// The locks of a transaction are written one after another, and a request counts as a repeat
    /// once any of its inputs is locked to it.
    LocksOneByOne,
    /// Locks are looked up when the request comes, and written later without another look.
    ChecksThenWrites,
    /// A validator starts with its key and without its locks.
    ForgetsLocks,
    /// Whoever checks a certificate counts its votes, not its signers.
    CountsTwice,
}

/// A validator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Validator {
    /// Whether it signs anything.
    pub(super) liar: bool,
    /// On disk: what the left and the right outpoint are locked to.
    locks: [Option<Tx>; 2],
    /// In memory: the work on each request, in the order of [`Element::ALL`].
    work: [Step; 3],
    /// Votes that have left it; anyone may have kept them.
    pub(super) sent: Few<Tx>,
}

impl Validator {
    pub(super) fn step(&self, tx: Tx) -> Step {
        let [pair, left, right] = self.work;
        match tx {
            Tx::Pair => pair,
            Tx::Left => left,
            Tx::Right => right,
        }
    }

    fn at(mut self, tx: Tx, step: Step) -> Self {
        let [pair, left, right] = &mut self.work;
        *match tx {
            Tx::Pair => pair,
            Tx::Left => left,
            Tx::Right => right,
        } = step;
        self
    }

    /// The locks of a transaction's inputs.
    fn locks_of(&self, tx: Tx) -> impl Iterator<Item = Option<Tx>> {
        let [left, right] = self.locks;
        let of_left = (tx != Tx::Right).then_some(left);
        let of_right = (tx != Tx::Left).then_some(right);
        of_left.into_iter().chain(of_right)
    }

    fn refuses(&self, tx: Tx) -> bool {
        self.locks_of(tx).flatten().any(|holder| holder != tx)
    }

    fn repeats(&self, tx: Tx, mistake: Option<Mistake>) -> bool {
        let mine = |lock| lock == Some(tx);
        match mistake {
            Some(Mistake::LocksOneByOne) => self.locks_of(tx).any(mine),
            _ => self.locks_of(tx).all(mine),
        }
    }

    fn write(mut self, tx: Tx) -> Self {
        let [left, right] = &mut self.locks;
        if tx != Tx::Right {
            *left = Some(tx);
        }
        if tx != Tx::Left {
            *right = Some(tx);
        }
        self
    }

    /// Whether a lock is there and its vote is not: what a crash leaves behind.
    pub(super) fn owes(&self, tx: Tx) -> bool {
        self.locks_of(tx).all(|lock| lock == Some(tx))
            && self.step(tx) == Step::Idle
            && !self.sent.has(tx)
    }

    /// A request comes. A repeat is answered at once, with the lock that is there.
    pub(super) fn receive(self, tx: Tx, mistake: Option<Mistake>) -> Option<Self> {
        if self.step(tx) != Step::Idle || self.refuses(tx) {
            return None;
        }
        let step = if self.repeats(tx, mistake) { Step::Locked } else { Step::Received };
        Some(self.at(tx, step))
    }

    /// The next thing to do for a request: lock, sign, answer.
    pub(super) fn work(self, tx: Tx, mistake: Option<Mistake>) -> Option<Self> {
        match self.step(tx) {
            Step::Idle => None,
            Step::Received => Some(self.lock(tx, mistake)),
            Step::Half => Some(self.second_lock(tx)),
            Step::Locked => Some(self.at(tx, Step::Signed)),
            Step::Signed => {
                let locked = self.locks_of(tx).all(|lock| lock == Some(tx));
                let late = mistake == Some(Mistake::SignsBeforeLocking) && !locked;
                let after = if late { Step::Answered } else { Step::Idle };
                Some(self.at(tx, after).send(tx))
            }
            Step::Answered => Some(self.write(tx).at(tx, Step::Idle)),
        }
    }

    /// All inputs in one write, or none.
    fn lock(self, tx: Tx, mistake: Option<Mistake>) -> Self {
        match mistake {
            Some(Mistake::ChecksThenWrites) => self.write(tx).at(tx, Step::Locked),
            _ if self.refuses(tx) => self.at(tx, Step::Idle),
            Some(Mistake::SignsBeforeLocking) => {
                let taken = Tx::ALL.iter().any(|other| {
                    conflict(*other, tx)
                        && matches!(self.step(*other), Step::Signed | Step::Answered)
                });
                self.at(tx, if taken { Step::Idle } else { Step::Signed })
            }
            Some(Mistake::LocksOneByOne) if tx == Tx::Pair => {
                let mut next = self.at(tx, Step::Half);
                let [left, _] = &mut next.locks;
                *left = Some(tx);
                next
            }
            _ => self.write(tx).at(tx, Step::Locked),
        }
    }

    fn second_lock(self, tx: Tx) -> Self {
        if self.refuses(tx) {
            return self.at(tx, Step::Idle);
        }
        self.write(tx).at(tx, Step::Locked)
    }

    /// Whether a crash and a resend get the vote for all that is locked.
    pub(super) fn answers_again(self, mistake: Option<Mistake>) -> bool {
        Tx::ALL.iter().filter(|tx| self.locks_of(**tx).all(|lock| lock == Some(**tx))).all(|tx| {
            let signed = self.crash(mistake).receive(*tx, mistake);
            let sent = signed.and_then(|next| next.work(*tx, mistake)?.work(*tx, mistake));
            sent.is_some_and(|next| next.sent.has(*tx) && next.step(*tx) == Step::Idle)
        })
    }

    /// As it would be with the outpoints' names exchanged.
    pub(super) fn mirrored(self) -> Self {
        let other = |tx| match tx {
            Tx::Pair => Tx::Pair,
            Tx::Left => Tx::Right,
            Tx::Right => Tx::Left,
        };
        let ([left, right], [pair, of_left, of_right]) = (self.locks, self.work);
        Self {
            liar: self.liar,
            locks: [right.map(other), left.map(other)],
            work: [pair, of_right, of_left],
            sent: self.sent.iter().map(other).fold(Few::NONE, Few::with),
        }
    }

    /// A vote leaves; a liar's at any time.
    pub(super) fn send(mut self, tx: Tx) -> Self {
        self.sent = self.sent.with(tx);
        self
    }

    /// What memory held is gone.
    pub(super) fn crash(mut self, mistake: Option<Mistake>) -> Self {
        self.work = [Step::Idle; 3];
        if mistake == Some(Mistake::ForgetsLocks) {
            self.locks = [None; 2];
        }
        self
    }
}
