//! A validator that was set back to an older copy of its disk must not vote: it asks the others first.

use covey_kernel::{AskFailure, AskId, Input, Keypair, NetworkId, Peer, Span};
use covey_ledger::{
    Error, Height, SignedHeight,
    validator::{Event, Rules},
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::{
    money::{four, to},
    net::{Net, genesis, node_key, peer, vote_key},
    rules::{is_conflict_with, two_of_one},
};

const CHECKING: Option<NotReady> = Some(NotReady::Checking(()));
const BEHIND: Option<NotReady> = Some(NotReady::Behind(()));

/// Validators of which only the first has started, and what it asks whom.
struct Alone {
    net: Net,
    asks: Vec<(Peer, AskId)>,
}

impl Alone {
    fn of(members: usize) -> Self {
        let mut net = Net::stopped(genesis(members, vec![to(1, 10), to(2, 20)]));
        net.open(0).unwrap();
        let mut alone = Self { net, asks: vec![] };
        alone.start();
        alone
    }

    fn start(&mut self) {
        self.asks = self.asked(Input::Start);
    }

    /// What it asks after an input. All of it must be how far it had come, or for configurations.
    fn asked(&mut self, input: Input<covey_ledger::Validator>) -> Vec<(Peer, AskId)> {
        let asks = self.net.turn(0, vec![input]).asks;
        let is_right = |(to, ask, request)| match request {
            ToValidator::MyHeight(0) => Some((to, ask)),
            ToValidator::Links(0) => None,
            other => panic!("{other:?}"),
        };
        asks.into_iter().filter_map(is_right).collect()
    }

    /// A validator answers its question.
    fn answer(&mut self, number: usize, height: Option<SignedHeight>) -> Vec<Event> {
        let (from, ask) = self.asks[number];
        let outcome = Ok(FromValidator::Height(height).encode());
        self.net.turn(0, vec![Input::Answer { from, ask, outcome }]).events
    }

    #[track_caller]
    fn is(&mut self, stage: Option<NotReady>) {
        assert_eq!(self.net.not_ready(0), stage);
        let Some(why) = stage else { return };
        let spend = self.net.all_to(&[&self.net.coin(0)], 21);
        let before = self.net.nodes[0].disk.clone();
        assert_eq!(self.net.pay(0, &spend), FromValidator::NotReady(why));
        assert!(self.net.nodes[0].disk == before);
    }
}

fn signed(key: &Keypair, network: &NetworkId, epoch: u64, next: u64) -> SignedHeight {
    SignedHeight::sign(key, network, Height { epoch, next })
}

#[test]
fn it_does_not_vote_before_q_minus_1_others_have_answered() {
    for (members, needed) in [(2, 1), (3, 2), (4, 2), (5, 3), (7, 4), (21, 14)] {
        let mut alone = Alone::of(members);
        assert_eq!(alone.asks.len(), members - 1);
        for number in 0..needed {
            alone.is(CHECKING);
            let events = alone.answer(number, None);
            let last = number + 1 == needed;
            assert_eq!(events, if last { vec![Event::Ready(None)] } else { vec![] });
        }
        alone.is(None);
        alone.net.still_free(0, &[&alone.net.coin(0)]);
    }
}

#[test]
fn a_network_of_one_validator_votes_at_once() {
    let mut alone = Alone::of(1);
    assert_eq!(alone.asks, []);
    alone.is(None);
    let [first, second] = two_of_one(&alone.net);
    let vote = alone.net.vote(0, &first);
    alone.net.crash(0);
    assert_eq!(alone.net.vote(0, &first), vote);
    let answer = alone.net.pay(0, &second);
    is_conflict_with(&alone.net, &answer, &first);
}

#[test]
fn who_answers_twice_counts_once() {
    let mut alone = Alone::of(4);
    alone.answer(0, None);
    alone.answer(0, None);
    alone.is(CHECKING);
    // Nor is it asked again, whatever happens.
    let first = alone.asks[0].0;
    alone.net.wait(Span::secs(5));
    for input in [Input::Wake, Input::Disconnected(first), Input::Connected(first), Input::Wake] {
        let asks = alone.asked(input);
        assert!(asks.iter().all(|(to, _)| *to != first));
    }
    alone.is(CHECKING);
    alone.answer(1, None);
    alone.is(None);
}

#[test]
fn who_does_not_answer_is_asked_again() {
    let mut alone = Alone::of(4);
    for (number, failure) in [AskFailure::Timeout, AskFailure::Closed].into_iter().enumerate() {
        let (from, ask) = alone.asks[number];
        let input = Input::Answer { from, ask, outcome: Err(failure) };
        assert_eq!(alone.asked(input), []);
    }
    let wakes = alone.net.turn(0, vec![Input::Wake]).wakes;
    assert!(wakes.contains(&alone.net.now.plus(covey_ledger::limits::ASK_AGAIN)));
    // What is no answer to the question is none, and does not keep it from being asked again.
    let mut alone = Alone::of(4);
    let nonsense = [vec![0xff; 9], FromValidator::Noted(()).encode(), vec![]];
    for ((from, ask), bytes) in alone.asks.clone().into_iter().zip(nonsense) {
        assert_eq!(alone.asked(Input::Answer { from, ask, outcome: Ok(bytes) }), []);
    }
    alone.is(CHECKING);
    alone.asks = alone.asked(Input::Wake);
    assert_eq!(alone.asks.len(), 3);
    (0..2).for_each(|number| drop(alone.answer(number, None)));
    alone.is(None);
}

#[test]
fn an_answer_to_a_question_of_an_earlier_life_counts_for_nothing() {
    let mut alone = Alone::of(4);
    let old = alone.asks.clone();
    alone.net.open(0).unwrap();
    alone.start();
    let new = std::mem::replace(&mut alone.asks, old);
    (0..3).for_each(|number| drop(alone.answer(number, None)));
    alone.is(CHECKING);
    alone.asks = new;
    (0..2).for_each(|number| drop(alone.answer(number, None)));
    alone.is(None);
}

#[test]
fn it_answers_others_while_it_is_checking_itself() {
    let mut alone = Alone::of(4);
    alone.is(CHECKING);
    let answer = alone.net.ask_as(peer(1), 0, ToValidator::MyHeight(0));
    assert_eq!(answer, FromValidator::Height(None));
    let height = signed(&vote_key(1), &alone.net.network.id, 0, 5);
    let answer = alone.net.ask_as(peer(1), 0, ToValidator::Height(height));
    assert_eq!(answer, FromValidator::Noted(()));
    let answer = alone.net.ask_as(peer(1), 0, ToValidator::MyHeight(0));
    assert_eq!(answer, FromValidator::Height(Some(height)));
    alone.is(CHECKING);
}

#[test]
fn all_may_start_at_the_same_time() {
    let mut net = Net::stopped(genesis(4, vec![to(1, 10)]));
    (0..4).for_each(|at| net.open(at).unwrap());
    let asks = [0, 1, 2, 3].map(|at| net.turn(at, vec![Input::Start]).asks);
    for (at, asks) in asks.into_iter().enumerate() {
        net.carry(at, asks);
    }
    assert_eq!([0, 1, 2, 3].map(|at| net.not_ready(at)), [None; 4]);
}

#[test]
fn a_liar_neither_blocks_nor_counts_as_behind() {
    let network = Alone::of(4).net.network.id;
    let elsewhere = NetworkId::named("elsewhere");
    for lie in [
        signed(&vote_key(1), &network, 0, u64::MAX),
        signed(&crate::money::owner(1), &network, 0, 1_000),
        signed(&vote_key(0), &elsewhere, 0, 1_000),
        SignedHeight {
            height: Height { epoch: 0, next: 1_000 },
            ..signed(&vote_key(0), &network, 0, 0)
        },
    ] {
        let mut alone = Alone::of(4);
        assert_eq!(alone.answer(0, Some(lie)), []);
        alone.is(CHECKING);
        alone.answer(1, None);
        alone.is(None);
    }
}

#[test]
fn what_it_signed_itself_and_has_lost_makes_it_behind_for_good() {
    for truth_comes in [0, 1] {
        let mut alone = Alone::of(4);
        let truth = signed(&vote_key(0), &alone.net.network.id, 0, 1);
        if truth_comes == 1 {
            alone.answer(0, None);
        }
        let events = alone.answer(truth_comes, Some(truth));
        assert_eq!(events, [Event::Ready(BEHIND)]);
        alone.is(BEHIND);
        // Nothing that the others say, and no time, heals it.
        for number in truth_comes + 1..3 {
            assert_eq!(alone.answer(number, None), []);
        }
        alone.net.wait(Span::hours(1));
        alone.net.turn(0, vec![Input::Wake, Input::Connected(peer(1))]);
        alone.is(BEHIND);
        // It still tells others theirs.
        let answer = alone.net.ask_as(peer(1), 0, ToValidator::MyHeight(0));
        assert_eq!(answer, FromValidator::Height(None));
    }
}

#[test]
fn who_is_behind_stays_so_after_a_restart() {
    let mut alone = Alone::of(4);
    let truth = signed(&vote_key(0), &alone.net.network.id, 0, 1);
    alone.answer(0, Some(truth));
    alone.is(BEHIND);
    alone.net.open(0).unwrap();
    alone.start();
    // Those who answer now, if it asks at all, do not know it.
    (1..alone.asks.len()).for_each(|number| drop(alone.answer(number, None)));
    alone.is(BEHIND);
}

#[test]
fn the_truth_that_comes_after_it_has_begun_to_vote_stops_it() {
    let mut alone = Alone::of(4);
    let truth = signed(&vote_key(0), &alone.net.network.id, 0, 1);
    (0..2).for_each(|number| drop(alone.answer(number, None)));
    alone.is(None);
    alone.answer(2, Some(truth));
    alone.is(BEHIND);
}

#[test]
fn the_height_that_it_has_is_not_behind() {
    let mut net = four();
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    for next in [0, 1] {
        net.nodes[0].machine = None;
        net.open(0).unwrap();
        let asks = net.turn(0, vec![Input::Start]).asks;
        let height = signed(&vote_key(0), &net.network.id, 0, next);
        for (from, ask, _) in asks {
            let outcome = Ok(FromValidator::Height(Some(height)).encode());
            net.turn(0, vec![Input::Answer { from, ask, outcome }]);
        }
        assert_eq!(net.not_ready(0), None, "{next}");
    }
}

#[test]
fn a_validator_set_back_to_an_older_copy_signs_no_second_transaction() {
    let mut net = four();
    for at in 1..4 {
        net.feed(0, Input::Connected(peer(at)));
    }
    let [first, second] = two_of_one(&net);
    // A copy that was made while it ran, so that its count of starts is the newest.
    let older = net.nodes[0].disk.clone();
    let vote = net.vote(0, &first);
    net.wait(Span::secs(1));
    net.feed(0, Input::Wake);
    let newest = std::mem::replace(&mut net.nodes[0].disk, older);
    net.crash(0);
    assert_eq!(net.not_ready(0), BEHIND);
    assert_eq!(net.pay(0, &second), FromValidator::NotReady(NotReady::Behind(())));
    // Whoever finds the right disk may go on with it.
    net.nodes[0].rules.starts -= 1;
    net.nodes[0].disk = newest;
    net.crash(0);
    assert_eq!(net.vote(0, &first), vote);
}

#[test]
fn a_key_that_has_been_used_does_not_start_without_its_locks() {
    let mut net = four();
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    net.nodes[0].disk = Default::default();
    assert_eq!(net.open(0), Err(Error::LocksMissing));
    assert!(net.nodes[0].disk == Default::default());
}

#[test]
fn a_key_that_has_seen_more_starts_does_not_start_on_an_older_copy() {
    let mut net = four();
    let older = net.nodes[0].disk.clone();
    net.crash(0);
    net.crash(0);
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    net.nodes[0].disk = older.clone();
    assert_eq!(net.open(0), Err(Error::LocksOld { found: 1, wanted: 3 }));
    assert!(net.nodes[0].disk == older);
}

#[test]
fn a_crash_before_the_start_was_counted_beside_the_key_does_no_harm() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    for _ in 0..3 {
        net.nodes[0].rules.starts = 0;
        net.crash(0);
        let answer = net.pay(0, &second);
        is_conflict_with(&net, &answer, &first);
    }
    assert_eq!(net.nodes[0].rules.starts, 4);
}

#[test]
fn it_runs_only_as_the_validator_that_it_is() {
    let change: [fn(&mut Rules); 3] = [
        |rules| rules.node = vote_key(3),
        |rules| rules.node = node_key(1),
        |rules| rules.key = Some(vote_key(1)),
    ];
    for change in change {
        let mut net = Net::stopped(genesis(4, vec![to(1, 10)]));
        change(&mut net.nodes[0].rules);
        assert_eq!(net.open(0), Err(Error::NotThisValidator));
        assert!(net.nodes[0].disk == Default::default());
    }
    // On the locks of another one.
    let mut net = four();
    net.nodes[1].disk = net.nodes[0].disk.clone();
    assert_eq!(net.open(1), Err(Error::NotThisValidator));
}
