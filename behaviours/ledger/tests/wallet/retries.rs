//! Who gives no answer is asked again, seldomer and seldomer.

use covey_kernel::{Input, Span, Time};
use covey_ledger::{
    TxId,
    limits::{ASK_LIFE, LINKS_EVERY, RETRY_FIRST, RETRY_LAST, SUCCESSION_EVERY, WANTED_OF_ONE},
    wallet::Progress,
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::{
    money::order,
    net::{Net, validator},
};

/// A payment of which only the first validator hears.
fn one() -> (Net, TxId) {
    let mut net = Net::new();
    net.fund(&[30]);
    (1..4).for_each(|at| net.disconnect(at));
    let tx = net.pay(30);
    (net, tx)
}

fn not_ready() -> FromValidator {
    FromValidator::NotReady(NotReady::Checking(()))
}

/// A wake-up takes a moment.
const MOMENT: Span = Span::millis(5);

/// It is asked again after this, and not before.
#[track_caller]
fn asked_again_after(net: &mut Net, tx: &TxId, since: Time, pause: Span) {
    let due = since.plus(pause);
    net.wait(due.minus(Span::millis(1)).since(net.now));
    assert_eq!(net.waiting(tx), [], "too early");
    net.wait(MOMENT);
    assert_eq!(net.waiting(tx), [0], "not after {pause:?}");
}

#[test]
fn pauses_double_up_to_the_longest() {
    let (mut net, tx) = one();
    let mut pause = RETRY_FIRST;
    for _ in 0..10 {
        net.says(0, &tx, &not_ready());
        let since = net.now;
        asked_again_after(&mut net, &tx, since, pause);
        pause = pause.doubled(RETRY_LAST);
    }
    assert_eq!(pause, RETRY_LAST);
}

#[test]
fn a_question_that_is_not_answered_is_lost_after_its_life() {
    let (mut net, tx) = one();
    let ask = net.take_spend(0, &tx);
    net.wait(ASK_LIFE.doubled(ASK_LIFE).doubled(ASK_LIFE));
    assert_eq!(ask.at.plus(ASK_LIFE).since(net.now), Span::ZERO);
    let since = ask.at.plus(ASK_LIFE);
    asked_again_after(&mut net, &tx, since, RETRY_FIRST);
    // What is answered late counts all the same.
    net.answer_bytes(&ask, Ok(net.vote(0, &tx).encode()));
    assert_eq!(net.view(&tx).votes, 1);
}

#[test]
fn whoever_has_voted_or_refused_is_not_asked_again() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(30);
    net.says(0, &tx, &net.vote(0, &tx));
    net.says(1, &tx, &FromValidator::Invalid(covey_ledger::Reason::Sums));
    net.asks.clear();
    net.wait(Span::secs(300));
    let asked = net.waiting(&tx);
    assert!(!asked.contains(&0) && !asked.contains(&1) && asked.contains(&2), "{asked:?}");
}

#[test]
fn a_clock_that_was_wrong_does_not_put_it_off() {
    let (mut net, tx) = one();
    net.says(0, &tx, &not_ready());
    net.now = net.now.minus(Span::days(400));
    net.feed(Input::Wake);
    assert_eq!(net.waiting(&tx), [0]);
    // Nor does it make of a question one that is never lost.
    net.asks.clear();
    net.now = net.now.minus(Span::days(400));
    net.feed(Input::Wake);
    net.wait(Span::secs(1));
    assert_eq!(net.waiting(&tx), [0]);
}

#[test]
fn one_validator_is_asked_for_so_many_votes_at_once() {
    let mut net = Net::new();
    let address = net.address();
    net.fund_at(address, &[1; 256]);
    net.fund_at(address, &[1; 44]);
    let payments: Vec<TxId> = (0..300).map(|_| net.pay(1)).collect();
    let asked = |net: &Net, at: usize| {
        let to = net.asks.iter().filter(|ask| ask.to == validator(at));
        to.filter(|ask| ask.spend().is_some()).count()
    };
    for at in 0..4 {
        assert_eq!(asked(&net, at), WANTED_OF_ONE);
    }
    // With each answer there is room for another question.
    for tx in &payments[..10] {
        for at in 0..3 {
            net.says(at, tx, &net.vote(at, tx));
        }
    }
    net.wait(RETRY_FIRST.doubled(RETRY_LAST));
    for (at, count) in [(0, WANTED_OF_ONE), (3, WANTED_OF_ONE)] {
        assert_eq!(asked(&net, at), count);
    }
    for tx in &payments[10..] {
        while net.waiting(tx).len() < 3 {
            net.wait(RETRY_FIRST);
        }
        net.certify(tx);
    }
    assert_eq!((net.amounts(), net.status().pending), ((0, 0, 0), 0));
}

/// How often validators were asked for configurations.
fn asked_for_links(net: &Net) -> usize {
    let links =
        net.asks.iter().filter(|ask| matches!(ask.validator(), Some(ToValidator::Links(_))));
    links.count()
}

/// They have nothing new, each time that they are asked for configurations within so long.
fn nothing_new(net: &mut Net, span: Span) -> usize {
    let end = net.now.plus(span);
    let mut asked = 0;
    while net.now < end {
        asked += asked_for_links(net);
        while let Some(ask) = net.take(|ask| matches!(ask.validator(), Some(ToValidator::Links(_))))
        {
            net.answer_bytes(&ask, Ok(FromValidator::Links(Default::default()).encode()));
        }
        net.wait(Span::secs(1));
    }
    asked
}

#[test]
fn configurations_are_asked_for_now_and_then_and_more_often_while_something_waits() {
    let mut net = Net::new();
    net.fund(&[30]);
    nothing_new(&mut net, LINKS_EVERY);
    let ten = Span::secs(600);
    let idle = nothing_new(&mut net, ten);
    assert_eq!(idle, 4 * 600_000 / usize::try_from(LINKS_EVERY.as_millis()).unwrap());
    net.order(covey_ledger::wallet::Command::Send(order(30))).unwrap();
    let busy = nothing_new(&mut net, ten);
    let expected = 4 * 600_000 / usize::try_from(SUCCESSION_EVERY.as_millis()).unwrap();
    // A second passes between two looks.
    assert!(busy > expected / 2 && busy <= expected, "{busy} of {expected}");
}

#[test]
fn a_validator_that_has_sealed_is_asked_at_once_what_follows() {
    let (mut net, tx) = one();
    net.asks.retain(|ask| ask.spend().is_some());
    nothing_new(&mut net, Span::secs(1));
    net.restart();
    while let Some(ask) = net.take(|ask| matches!(ask.validator(), Some(ToValidator::Links(_)))) {
        net.answer_bytes(&ask, Ok(FromValidator::Links(Default::default()).encode()));
    }
    assert_eq!(asked_for_links(&net), 0);
    net.says(0, &tx, &FromValidator::NotReady(NotReady::Sealed(())));
    assert_eq!(asked_for_links(&net), 1);
    assert_eq!(net.progress(&tx), Progress::Sending(()));
}
