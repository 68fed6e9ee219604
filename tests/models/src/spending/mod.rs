//! Two outpoints in one epoch, three transactions that want them, and validators that crash.

mod validator;

use stateright::{Model, Property};

use crate::few::{Element, Few};
pub use validator::{Mistake, Step, Tx, Validator};

/// Validators.
const VALIDATORS: usize = 4;

/// No two certificates of conflicting transactions.
pub const ONE_CERTIFICATE: &str = "no two certificates spend one outpoint";
/// The same again gets the same vote.
pub const RESENT: &str = "whoever has locked a transaction signs it again";
/// The model is not vacuous.
pub const CERTIFIED: &str = "a transaction of two inputs is certified";
/// Locks of one transaction do not harm another.
pub const SIBLINGS: &str = "two that do not conflict are certified";
/// The crash that a resend must survive.
pub const VOTE_LOST: &str = "a crash leaves a lock without its vote";

/// The model, and what is wrong in it.
#[derive(Clone, Copy, Debug)]
pub struct Spending {
    /// Validators that sign anything, of four.
    pub liars: usize,
    /// Votes that make a certificate.
    pub quorum: usize,
    /// What is requested: all three, or [`Tx::Pair`] and [`Tx::Right`] where two are enough.
    pub asked: Few<Tx>,
    /// What the others do wrong.
    pub mistake: Option<Mistake>,
}

impl Spending {
    /// By the rules: one liar, three votes.
    #[must_use]
    pub fn right() -> Self {
        Self { liars: 1, quorum: 3, asked: Few::of(Tx::ALL), mistake: None }
    }

    /// The same with only the two conflicting requests, for mistakes that need no third.
    #[must_use]
    pub fn of_two() -> Self {
        Self { asked: Few::of(&[Tx::Pair, Tx::Right]), ..Self::right() }
    }

    /// Whether anyone can put together what passes as a certificate.
    fn certified(&self, state: &State, tx: Tx) -> bool {
        let signers = state.0.iter().filter(|validator| validator.sent.has(tx)).count();
        match self.mistake {
            // One vote, shown as often as need be.
            Some(Mistake::CountsTwice) => signers > 0,
            _ => signers >= self.quorum,
        }
    }
}

/// All validators. Which of them is which makes no difference, nor, if all is requested, which
/// outpoint is the left one: of the states that differ only in this, one stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State([Validator; VALIDATORS]);

impl State {
    fn mirrored(self) -> Self {
        Self(self.0.map(Validator::mirrored))
    }

    fn sorted(mut self) -> Self {
        self.0.sort_unstable();
        self
    }
}

/// What happens to one validator, named by its place in the representative of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The network delivers a request, perhaps again.
    Deliver(usize, Tx),
    /// An honest validator does the next step for a request.
    Work(usize, Tx),
    /// It crashes and starts again.
    Crash(usize),
    /// A liar signs all three. Whoever lacks a vote that he has signed is as one who does not show
    /// it, so that signing them one by one would only make more states.
    Lie(usize),
}

impl Model for Spending {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut validators = [Validator::default(); VALIDATORS];
        for validator in validators.iter_mut().rev().take(self.liars) {
            validator.liar = true;
        }
        vec![State(validators)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (who, validator) in state.0.iter().enumerate() {
            if validator.liar {
                actions.push(Action::Lie(who));
            } else {
                actions.extend(self.asked.iter().map(|tx| Action::Deliver(who, tx)));
                actions.extend(self.asked.iter().map(|tx| Action::Work(who, tx)));
                actions.push(Action::Crash(who));
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let (Action::Deliver(who, _)
        | Action::Work(who, _)
        | Action::Crash(who)
        | Action::Lie(who)) = action;
        let mut next = *state;
        let validator = next.0.get_mut(who)?;
        *validator = match action {
            Action::Deliver(_, tx) => validator.receive(tx, self.mistake)?,
            Action::Work(_, tx) => validator.work(tx, self.mistake)?,
            Action::Crash(_) => validator.crash(self.mistake),
            Action::Lie(_) => Tx::ALL.iter().fold(*validator, |liar, tx| liar.send(*tx)),
        };
        let next = next.sorted();
        let mirrored = self.asked == Few::of(Tx::ALL);
        Some(if mirrored { next.min(next.mirrored().sorted()) } else { next })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_CERTIFICATE, |model, state| {
                let certified = |tx| model.certified(state, tx);
                !certified(Tx::Pair) || !(certified(Tx::Left) || certified(Tx::Right))
            }),
            Property::always(RESENT, |model, state: &State| {
                let mut honest = state.0.iter().filter(|validator| !validator.liar);
                honest.all(|validator| validator.answers_again(model.mistake))
            }),
            Property::sometimes(CERTIFIED, |model, state| model.certified(state, Tx::Pair)),
            Property::sometimes(SIBLINGS, |model, state| {
                model.certified(state, Tx::Left) && model.certified(state, Tx::Right)
            }),
            Property::sometimes(VOTE_LOST, |_, state: &State| {
                state.0.iter().any(|validator| !validator.liar && validator.owes(Tx::Pair))
            }),
        ]
    }
}
