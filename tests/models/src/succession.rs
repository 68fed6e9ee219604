//! The members of one epoch vote for the next configuration, while the governance keys have signed
//! two.

use stateright::{Model, Property};

use crate::few::{Element, Few};

/// Members.
const MEMBERS: usize = 4;
/// Acknowledgements, and votes, that are enough.
const QUORUM: usize = 3;

/// Configurations do not fork.
pub const ONE_SUCCESSOR: &str = "no two successors are certified";
/// A seal without a successor would stop all payments.
pub const VOTES_GO_ON: &str = "nobody stops voting before a successor is certified";
/// Votes are durable, so that one given to a mistake is lost.
pub const CORRECTABLE: &str = "honest members alone can still certify the right one";
/// The model is not vacuous, nor are the following.
pub const CERTIFIED: &str = "the right one is certified";
/// Nothing but numbers of votes tells them apart.
pub const OTHER_CERTIFIED: &str = "the other one is certified";
/// All get there.
pub const ALL_SEALED: &str = "all honest members have sealed";

/// A proposal that the governance keys have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proposal {
    /// The one that all operators approve of.
    Right,
    /// A mistake, or an equivocation.
    Other,
}

impl Element for Proposal {
    const ALL: &'static [Self] = &[Self::Right, Self::Other];

    fn bit(self) -> u8 {
        match self {
            Self::Right => 1,
            Self::Other => 2,
        }
    }
}

/// A rule that honest members leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// 1: a vote is for at most one successor.
    VotesTwice,
    /// 1: it is durable.
    ForgetsVote,
    /// A successor can be voted for only after a quorum of acknowledgements.
    VotesUnasked,
    /// 2: a seal needs a certificate; a proposal is not enough.
    SealsOnProposal,
}

/// The model, and what is wrong in it.
#[derive(Clone, Copy, Debug)]
pub struct Succession {
    /// Members that acknowledge and vote for anything, of four.
    pub liars: usize,
    /// Honest operators who approve of [`Proposal::Other`] too.
    pub misled: usize,
    /// What honest members do wrong.
    pub mistake: Option<Mistake>,
}

/// An honest member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Acknowledgements that have left. They bind nobody.
    acknowledged: Few<Proposal>,
    /// On disk: its vote.
    vote: Option<Proposal>,
    /// Votes that have left.
    sent: Few<Proposal>,
    /// On disk: it has stopped voting on transactions.
    sealed: bool,
}

/// The members, sorted, since which is which makes no difference; those beyond the honest ones never
/// do anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct State([Member; MEMBERS]);

/// What one honest member does, named by its place in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Its operator approves.
    Acknowledge(usize, Proposal),
    /// It writes down its vote, for one that its operator approves of.
    Vote(usize, Proposal),
    /// The vote leaves, perhaps again.
    Send(usize),
    /// It crashes and starts again.
    Crash(usize),
    /// It stops voting on transactions.
    Seal(usize),
}

impl Succession {
    fn honest<'a>(&self, state: &'a State) -> impl Iterator<Item = &'a Member> + use<'a> {
        state.0.iter().take(MEMBERS.saturating_sub(self.liars))
    }

    fn quorum_of(&self, state: &State, says: impl Fn(&Member) -> bool) -> bool {
        let honest = self.honest(state).filter(|member| says(member)).count();
        honest.saturating_add(self.liars) >= QUORUM
    }

    fn certified(&self, state: &State, proposal: Proposal) -> bool {
        self.quorum_of(state, |member| member.sent.has(proposal))
    }

    fn successor(&self, state: &State) -> bool {
        Proposal::ALL.iter().any(|proposal| self.certified(state, *proposal))
    }

    fn acknowledge(&self, state: &State, mut member: Member, which: Proposal) -> Option<Member> {
        let others = self.honest(state).filter(|other| other.acknowledged.has(which)).count();
        let approves = which == Proposal::Right || others < self.misled;
        member.acknowledged = member.acknowledged.with(which);
        approves.then_some(member)
    }

    fn vote(&self, state: &State, member: Member, which: Proposal) -> Option<Member> {
        let asked = self.quorum_of(state, |other| other.acknowledged.has(which))
            || self.mistake == Some(Mistake::VotesUnasked);
        let free = member.vote.is_none() || self.mistake == Some(Mistake::VotesTwice);
        let approved = member.acknowledged.has(which);
        (approved && asked && free).then_some(Member { vote: Some(which), ..member })
    }

    fn seal(&self, state: &State, member: Member) -> Option<Member> {
        let due = self.successor(state) || self.mistake == Some(Mistake::SealsOnProposal);
        due.then_some(Member { sealed: true, ..member })
    }

    fn crash(&self, member: Member) -> Member {
        if self.mistake == Some(Mistake::ForgetsVote) {
            Member { vote: None, ..member }
        } else {
            member
        }
    }

    /// Whether liars may be silent, and what was voted by mistake does not matter.
    fn correctable(&self, state: &State) -> bool {
        let free = self.honest(state).filter(|member| member.vote != Some(Proposal::Other));
        self.successor(state) || free.count() >= QUORUM
    }
}

impl Model for Succession {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (who, _) in self.honest(state).enumerate() {
            for proposal in Proposal::ALL.iter().copied() {
                actions.push(Action::Acknowledge(who, proposal));
                actions.push(Action::Vote(who, proposal));
            }
            actions.extend([Action::Send(who), Action::Crash(who), Action::Seal(who)]);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let (Action::Acknowledge(who, _)
        | Action::Vote(who, _)
        | Action::Send(who)
        | Action::Crash(who)
        | Action::Seal(who)) = action;
        let member = *state.0.get(who)?;
        let after = match action {
            Action::Acknowledge(_, which) => self.acknowledge(state, member, which)?,
            Action::Vote(_, which) => self.vote(state, member, which)?,
            Action::Send(_) => Member { sent: member.sent.with(member.vote?), ..member },
            Action::Crash(_) => self.crash(member),
            Action::Seal(_) => self.seal(state, member)?,
        };
        let mut next = *state;
        *next.0.get_mut(who)? = after;
        let honest = MEMBERS.saturating_sub(self.liars);
        next.0.get_mut(..honest)?.sort_unstable();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_SUCCESSOR, |model, state| {
                !Proposal::ALL.iter().all(|proposal| model.certified(state, *proposal))
            }),
            Property::always(VOTES_GO_ON, |model: &Self, state| {
                model.successor(state) || model.honest(state).all(|member| !member.sealed)
            }),
            Property::always(CORRECTABLE, Self::correctable),
            Property::sometimes(CERTIFIED, |model, state| model.certified(state, Proposal::Right)),
            Property::sometimes(OTHER_CERTIFIED, |model, state| {
                model.certified(state, Proposal::Other)
            }),
            Property::sometimes(ALL_SEALED, |model: &Self, state| {
                model.honest(state).all(|member| member.sealed)
            }),
        ]
    }
}
