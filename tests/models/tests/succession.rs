//! Votes for the next configuration: rules 1 and 2 of `Replacing validators`.

use covey_models::{
    search,
    succession::{
        ALL_SEALED, CERTIFIED, CORRECTABLE, Mistake, ONE_SUCCESSOR, OTHER_CERTIFIED, Succession,
        VOTES_GO_ON,
    },
};
use stateright::Checker;

/// By the rules, with one liar, and operators who approve of both proposals.
const BOTH: Succession = Succession { liars: 1, misled: 3, mistake: None };
/// By the rules, with one liar and one operator who approves of the wrong proposal too.
const ONE_MISLED: Succession = Succession { liars: 1, misled: 1, mistake: None };

#[track_caller]
fn breaks(model: Succession, property: &'static str) {
    let path = search::until_broken(model, property).assert_any_discovery(property);
    println!("{model:?}: {:?}", path.into_actions());
}

#[test]
fn one_liar_gets_no_two_successors() {
    let checker = search::everywhere(BOTH);
    checker.assert_no_discovery(ONE_SUCCESSOR);
    checker.assert_no_discovery(VOTES_GO_ON);
    for possible in [CERTIFIED, OTHER_CERTIFIED, ALL_SEALED] {
        checker.assert_any_discovery(possible);
    }
    assert_eq!(checker.unique_state_count(), 620);
    assert_eq!(search::count(&BOTH), 620);
}

#[test]
fn a_mistaken_proposal_does_not_use_the_votes_up() {
    let checker = search::everywhere(ONE_MISLED);
    checker.assert_no_discovery(CORRECTABLE);
    checker.assert_any_discovery(CERTIFIED);
    assert_eq!(checker.unique_state_count(), 113);
}

#[test]
fn without_acknowledgements_it_does() {
    breaks(Succession { mistake: Some(Mistake::VotesUnasked), ..ONE_MISLED }, CORRECTABLE);
}

/// The bound of that rule: with the liar's, two acknowledgements are a quorum.
#[test]
fn two_misled_operators_use_the_votes_up() {
    breaks(Succession { misled: 2, ..ONE_MISLED }, CORRECTABLE);
}

#[test]
fn f_plus_one_liars_certify_two_successors() {
    breaks(Succession { liars: 2, ..BOTH }, ONE_SUCCESSOR);
}

#[test]
fn two_successors_voted_for_by_one_validator_are_both_certified() {
    breaks(Succession { mistake: Some(Mistake::VotesTwice), ..BOTH }, ONE_SUCCESSOR);
}

#[test]
fn a_vote_forgotten_in_a_crash_certifies_two_successors() {
    breaks(Succession { mistake: Some(Mistake::ForgetsVote), ..BOTH }, ONE_SUCCESSOR);
}

#[test]
fn a_seal_on_a_proposal_stops_payments() {
    breaks(Succession { mistake: Some(Mistake::SealsOnProposal), ..ONE_MISLED }, VOTES_GO_ON);
}
