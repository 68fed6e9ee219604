//! A few epochs of four validators each, one a liar in each, and payments that go on meanwhile.
//!
//! Every step of an honest validator is one durable write, after which what it has written may
//! leave: a crash between the two is as if nobody had asked yet, and a crash before the write is as
//! if nothing had happened. So crashes need no steps of their own here.

mod certificates;
mod progress;
mod properties;
mod rule;
mod rules;
mod state;
mod tx;

use stateright::{Model, Property};

use crate::few::Few;
use certificates::Shown;
pub use properties::{
    ACCEPTED, CERTIFIED_AGAIN, CHILD_LATER, DIFFERENT_SETS, FROZEN, PARENT_FIRST, PROGRESS,
    SPENT_ONCE, SPENT_ONCE_IN_EPOCH, THAWED,
};
pub use rule::{Leak, Rule};
pub use state::{EPOCHS, Stand, State};
pub use tx::Tx;

/// The model, and what is wrong in it.
#[derive(Clone, Copy, Debug)]
pub struct Replacing {
    /// How many of the honest validators are members of every epoch. The others are of one epoch,
    /// and others come after them.
    pub continuing: usize,
    /// Validators of each epoch that lie, of four.
    pub liars: usize,
    /// Epochs, at most [`EPOCHS`].
    pub epochs: usize,
    /// The transactions that owners sign.
    pub signed: Few<Tx>,
    /// Whether [`Tx::T2`] is signed only when all honest members of epoch 1 have imported.
    pub late: bool,
    /// Whose keys others come to hold.
    pub leak: Option<Leak>,
    /// The sentence of the design that honest validators do not know.
    pub without: Option<Rule>,
}

/// How the input of a transaction is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is the genesis output.
    Genesis,
    /// By a certificate of the epoch in which the request is.
    Present,
    /// By a certificate of an earlier epoch.
    Earlier,
}

impl Proof {
    fn of(tx: Tx) -> &'static [Self] {
        match tx.parent() {
            None => &[Self::Genesis],
            Some(_) => &[Self::Present, Self::Earlier],
        }
    }
}

/// What one honest validator does, named by its row in the representative of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It locks and votes. Any certificate that there is may come with the request.
    Vote(usize, usize, Tx, Proof),
    /// It stops voting in an epoch and serves its lock set.
    Seal(usize, usize),
    /// It finishes its import for an epoch, with these entries.
    Import(usize, usize, Few<Tx>),
}

impl Replacing {
    /// By the rules, with the same members in each of three epochs.
    #[must_use]
    pub fn same() -> Self {
        Self {
            continuing: state::HONEST,
            liars: 1,
            epochs: 3,
            signed: Few::of(&[Tx::T1, Tx::T2, Tx::C1]),
            late: false,
            leak: None,
            without: None,
        }
    }

    /// By the rules, with four new members in each of three epochs.
    #[must_use]
    pub fn fresh() -> Self {
        Self { continuing: 0, ..Self::same() }
    }

    fn without(&self, rule: Rule) -> bool {
        self.without == Some(rule)
    }

    /// Votes, and lock sets, of an epoch that are enough.
    const fn quorum() -> usize {
        3
    }

    /// Honest members of an epoch.
    fn honest(&self) -> usize {
        state::MEMBERS.saturating_sub(self.liars)
    }

    fn members<'a>(&self, state: &'a State, epoch: usize) -> impl Iterator<Item = Stand> + use<'a> {
        state.members(epoch).take(self.honest())
    }

    /// Adds what a validator can do about one epoch.
    fn choices(
        &self,
        state: &State,
        shown: &Shown,
        (who, epoch): (usize, usize),
        actions: &mut Vec<Action>,
    ) {
        for tx in self.signed.iter() {
            let accepted = Proof::of(tx)
                .iter()
                .filter(|proof| self.request(state, shown, (who, epoch), (tx, **proof)).is_some());
            actions.extend(accepted.map(|proof| Action::Vote(who, epoch, tx, *proof)));
        }
        // The last epoch has no successor.
        if epoch < self.epochs.saturating_sub(1) && self.seal(state, (who, epoch)).is_some() {
            actions.push(Action::Seal(who, epoch));
        }
        let imports = self.imports(state, shown, (who, epoch)).into_iter();
        actions.extend(imports.map(|entries| Action::Import(who, epoch, entries)));
    }
}

impl Model for Replacing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::genesis()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let shown = self.shown(state);
        for epoch in 0..self.epochs {
            for who in 0..self.honest() {
                self.choices(state, &shown, (who, epoch), actions);
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let (Action::Vote(who, epoch, ..)
        | Action::Seal(who, epoch)
        | Action::Import(who, epoch, _)) = action;
        let at = (who, epoch);
        let stand = match action {
            Action::Vote(.., tx, proof) => {
                self.request(state, &self.shown(state), at, (tx, proof))?
            }
            Action::Seal(..) => self.seal(state, at)?,
            Action::Import(.., entries) => {
                Stand { entries: Some(entries), ..state.stand(who, epoch) }
            }
        };
        Some(state.put(at, stand).representative(self.continuing, self.honest()))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
