//! Payees' nodes are asked where to pay, and told that they are paid until they have noted it.

use covey_kernel::{AskFailure, Input, Span};
use covey_ledger::{
    Amount, Error, Outpoint, Proof, TxId,
    limits::{ASK_LIFE, DELIVER_FOR, DELIVERIES, RETRY_FIRST, RETRY_LAST},
    wallet::{Command, Event, Order, Progress, Reply},
    wire::{FromWallet, ToWallet},
};

use crate::{
    money::{order, pays},
    net::{Ask, Net, somebody},
};

const BOB: usize = 8;

/// A final payment of 20 to an address of a node.
fn paid() -> (Net, TxId) {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.send(Order { payee: Some(somebody(BOB)), ..order(20) });
    net.certify(&tx);
    net.events.clear();
    (net, tx)
}

fn is_delivery(ask: &Ask) -> bool {
    matches!(ask.wallet(), Some(ToWallet::Deliver(_))) && ask.to == somebody(BOB)
}

fn deliveries(net: &Net) -> usize {
    net.asks.iter().filter(|ask| is_delivery(ask)).count()
}

fn comes(net: &mut Net) {
    net.feed(Input::Connected(somebody(BOB)));
}

#[track_caller]
fn answered(net: &mut Net, answer: &FromWallet) {
    let ask = net.take(is_delivery).expect("it is told");
    net.answer_bytes(&ask, Ok(answer.encode()));
}

#[test]
fn nobody_is_told_of_a_payment_that_is_not_final() {
    let mut net = Net::new();
    net.fund(&[30]);
    comes(&mut net);
    let tx = net.send(Order { payee: Some(somebody(BOB)), ..order(20) });
    net.wait(Span::secs(60));
    assert_eq!(deliveries(&net), 0);
    net.restart();
    comes(&mut net);
    net.certify(&tx);
    assert_eq!(deliveries(&net), 1);
}

#[test]
fn the_payees_node_is_told_when_it_comes_with_what_shows_it() {
    let (mut net, tx) = paid();
    assert_eq!(deliveries(&net), 0);
    comes(&mut net);
    let ask = net.take(is_delivery).unwrap();
    let Some(ToWallet::Deliver(shown)) = ask.wallet() else { panic!() };
    let outpoint = Outpoint { tx, index: net.view(&tx).lines[0].index };
    let output =
        Proof::Paid(shown.clone()).resolve(&net.network, &outpoint, &mut Vec::new()).unwrap();
    assert_eq!((output.address, output.amount), (somebody(1), Amount::new(20)));
    net.answer_bytes(&ask, Ok(FromWallet::Received(false).encode()));
    assert_eq!(net.events, [Event::Delivered(outpoint)]);
    net.restart();
    comes(&mut net);
    net.wait(Span::secs(120));
    assert_eq!(deliveries(&net), 0, "it has noted it");
}

#[test]
fn whoever_says_that_it_is_not_theirs_is_not_told_again() {
    let (mut net, _) = paid();
    comes(&mut net);
    answered(&mut net, &FromWallet::NotMine(()));
    assert!(net.events.is_empty());
    net.restart();
    comes(&mut net);
    assert_eq!(deliveries(&net), 0);
}

#[test]
fn whoever_says_anything_else_or_nothing_is_told_again() {
    for answer in
        [FromWallet::None(()), FromWallet::Invalid(covey_ledger::Reason::CertificateEpoch)]
    {
        let (mut net, _) = paid();
        comes(&mut net);
        answered(&mut net, &answer);
        net.wait(RETRY_FIRST.doubled(RETRY_LAST).doubled(RETRY_LAST));
        assert_eq!(deliveries(&net), 1, "{answer:?}");
    }
    let (mut net, _) = paid();
    comes(&mut net);
    let ask = net.take(is_delivery).unwrap();
    net.answer_bytes(&ask, Err(AskFailure::Timeout));
    net.wait(Span::secs(1));
    assert_eq!(deliveries(&net), 1);
    // And one that never answers, when the question is lost.
    net.asks.clear();
    net.wait(ASK_LIFE.doubled(RETRY_LAST));
    assert!(deliveries(&net) >= 1);
}

#[test]
fn it_is_told_after_a_restart_too() {
    let (mut net, _) = paid();
    for _ in 0..2 {
        net.restart();
        comes(&mut net);
        assert_eq!(deliveries(&net), 1);
    }
}

#[test]
fn after_so_long_it_is_given_up() {
    let (mut net, _) = paid();
    net.now = net.now.plus(DELIVER_FOR).minus(Span::secs(1));
    net.feed(Input::Wake);
    comes(&mut net);
    assert_eq!(deliveries(&net), 1, "not yet");
    net.asks.clear();
    net.feed(Input::Disconnected(somebody(BOB)));
    net.now = net.now.plus(Span::secs(60));
    net.feed(Input::Wake);
    comes(&mut net);
    assert_eq!(deliveries(&net), 0);
    // Nor after a restart, if it did not run meanwhile.
    let (mut net, tx) = paid();
    net.now = net.now.plus(DELIVER_FOR).plus(Span::secs(1));
    net.restart();
    comes(&mut net);
    assert_eq!(deliveries(&net), 0);
    // The payment stands, and can be shown by hand.
    assert!(matches!(net.progress(&tx), Progress::Certified(_)));
}

#[test]
fn so_many_are_told_at_once() {
    let mut net = Net::new();
    net.fund(&[2000]);
    let many: Vec<(usize, u64)> = (1..=255).map(|at| (at, 1)).collect();
    comes(&mut net);
    for _ in 0..5 {
        let tx = net.send(Order { payee: Some(somebody(BOB)), ..pays(&many) });
        net.certify(&tx);
    }
    assert_eq!(deliveries(&net), DELIVERIES);
}

/// Pays a node's wallet so much.
fn to_bob(amount: u64) -> Command {
    let to = vec![(somebody(BOB), Amount::new(amount))];
    Command::SendTo(somebody(BOB), Order { to, ..order(0) })
}

fn is_question(ask: &Ask) -> bool {
    ask.wallet() == Some(&ToWallet::Address(()))
}

#[test]
fn a_node_is_asked_where_to_pay_and_told_of_it() {
    let mut net = Net::new();
    net.fund(&[30]);
    comes(&mut net);
    assert!(net.command(to_bob(20)).is_none());
    let ask = net.take(is_question).unwrap();
    let answer = FromWallet::Address(somebody(77));
    net.answer_bytes(&ask, Ok(answer.encode()));
    let Ok(Reply::Payment(view)) = net.late_reply() else { panic!("it is paid") };
    assert_eq!((view.lines[0].to, view.lines[0].amount), (somebody(77), Amount::new(20)));
    // The same answer again pays nothing.
    net.answer_bytes(&ask, Ok(answer.encode()));
    assert_eq!(net.status().pending, 1);
    net.certify(&view.tx);
    assert_eq!(deliveries(&net), 1);
}

#[test]
fn a_node_that_is_away_or_does_not_answer_is_not_paid() {
    let mut net = Net::new();
    net.fund(&[30]);
    assert_eq!(net.order(to_bob(20)).unwrap_err(), Error::PayeeAway);
    comes(&mut net);
    for failure in [AskFailure::Timeout, AskFailure::Broken] {
        net.command(to_bob(20));
        let ask = net.take(is_question).unwrap();
        net.answer_bytes(&ask, Err(failure));
        assert_eq!(net.late_reply().unwrap_err(), Error::PayeeAway);
    }
    // Nor is one that answers something else than it was asked: the owner still gets a reply.
    net.command(to_bob(20));
    let ask = net.take(is_question).unwrap();
    net.answer_bytes(&ask, Ok(FromWallet::Links(Default::default()).encode()));
    assert_eq!(net.late_reply().unwrap_err(), Error::PayeeAway);
    assert_eq!(net.amounts(), (30, 0, 0));
}

#[test]
fn a_node_that_gives_no_address_is_not_paid() {
    let mut net = Net::new();
    net.fund(&[30]);
    comes(&mut net);
    for answer in [FromWallet::None(()), FromWallet::Received(true), FromWallet::NotMine(())] {
        net.command(to_bob(20));
        let ask = net.take(is_question).unwrap();
        net.answer_bytes(&ask, Ok(answer.encode()));
        assert_eq!(net.late_reply().unwrap_err(), Error::PayeeHasNone);
    }
    assert_eq!(net.amounts(), (30, 0, 0));
}

#[test]
fn what_cannot_be_paid_is_said_before_or_after_a_node_is_asked() {
    let mut net = Net::new();
    net.fund(&[30]);
    comes(&mut net);
    assert_eq!(net.order(to_bob(0)).unwrap_err(), Error::ZeroAmount);
    assert!(net.take(is_question).is_none());
    net.command(to_bob(31));
    let ask = net.take(is_question).unwrap();
    net.answer_bytes(&ask, Ok(FromWallet::Address(somebody(77)).encode()));
    assert!(matches!(net.late_reply(), Err(Error::Insufficient { .. })));
    assert_eq!(net.amounts(), (30, 0, 0));
}
