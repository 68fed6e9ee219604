//! A payment whose coins another transaction has spent has failed, once a certificate shows it.

use covey_kernel::Span;
use covey_ledger::{
    Amount, Conflict, Error, Evidence, Outpoint, TxId,
    limits::{RETRY_FIRST, RETRY_LAST},
    wallet::{Command, Failure, LineView, Order, Progress, Reply, Use},
    wire::{FromValidator, FromWallet, ToValidator, ToWallet},
};

use crate::{
    money::{Rival, foreign, order, output, signed},
    net::{Net, somebody, validator, vote_key},
};

/// A payment of two coins of 30, and another transaction that spends the first.
fn two() -> (Net, TxId, Rival) {
    let mut net = Net::new();
    net.fund(&[30, 30]);
    let tx = net.pay(60);
    let rival = net.rival(&tx, &[0]);
    (net, tx, rival)
}

fn spent(by: &Rival) -> Progress {
    Progress::Failed(Failure::Spent(by.tx))
}

#[track_caller]
fn is_blocked(net: &mut Net, tx: &TxId) {
    assert!(matches!(net.progress(tx), Progress::Blocked(_)), "{:?}", net.progress(tx));
}

#[test]
fn it_has_failed_when_a_quorum_has_voted_for_another_that_spends_the_same() {
    let (mut net, tx, rival) = two();
    for at in [0, 1] {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    is_blocked(&mut net, &tx);
    assert_eq!(net.amounts(), (0, 60, 0));
    net.events.clear();
    net.says(2, &tx, &net.conflict(2, &rival));
    assert_eq!(net.told(&tx), [spent(&rival)]);
    // What both spend is gone, the rest may be spent again.
    assert_eq!(net.amounts(), (30, 0, 0));
    let coins: Vec<Outpoint> = net.coins().iter().map(|(outpoint, _)| *outpoint).collect();
    assert!(!coins.contains(&rival.evidence.outpoint));
    assert_eq!(net.status().pending, 0);
}

#[test]
fn so_it_stands_in_the_history_after_a_restart_too() {
    let (mut net, tx, rival) = two();
    for at in 0..3 {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    net.restart();
    net.wait(Span::secs(60));
    assert_eq!(net.waiting(&tx), [], "nobody is asked for it any more");
    let LineView::Paid(view) = net.history().remove(0) else { panic!("not the payment") };
    assert_eq!((view.tx, view.progress), (tx, spent(&rival)));
    assert_eq!(net.amounts(), (30, 0, 0));
}

#[test]
fn the_same_may_be_paid_again_then() {
    let (mut net, tx, rival) = two();
    net.fund(&[60]);
    for at in 0..2 {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    assert!(matches!(net.order(Command::Send(order(60))), Err(Error::PaysTwice(of)) if of == tx));
    net.says(2, &tx, &net.conflict(2, &rival));
    net.pay(60);
}

#[test]
fn what_is_gone_is_not_credited_again() {
    let mut net = Net::new();
    let address = net.address();
    let gift = net.gift(vec![output(address, 30)]);
    let receipt = net.receipt(&gift, 0);
    net.order(Command::Receive(Box::new(receipt.clone()))).unwrap();
    let tx = net.pay(30);
    let rival = net.rival(&tx, &[0]);
    for at in 0..3 {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    let again = net.order(Command::Receive(Box::new(receipt)));
    assert!(matches!(again, Ok(Reply::Received { known: true, .. })), "{again:?}");
    assert_eq!(net.amounts(), (0, 0, 0));
}

#[test]
fn a_conflict_without_a_vote_blocks_and_is_asked_about_again() {
    let (mut net, tx, rival) = two();
    for at in 0..3 {
        net.says(at, &tx, &rival.without_vote());
    }
    is_blocked(&mut net, &tx);
    net.wait(RETRY_FIRST.doubled(RETRY_LAST));
    assert_eq!(net.waiting(&tx), [0, 1, 2, 3]);
    for at in 0..3 {
        is_blocked(&mut net, &tx);
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn whoever_has_shown_its_vote_is_not_asked_again() {
    let (mut net, tx, rival) = two();
    net.says(0, &tx, &net.conflict(0, &rival));
    net.says(1, &tx, &rival.without_vote());
    net.wait(Span::secs(120));
    let asked = net.waiting(&tx);
    assert!(!asked.contains(&0) && asked.contains(&1), "{asked:?}");
}

#[test]
fn votes_for_different_rivals_do_not_add_up() {
    let (mut net, tx, rival) = two();
    let other = net.rival_for(&tx, &[0], 501);
    net.says(0, &tx, &net.conflict(0, &rival));
    net.says(1, &tx, &net.conflict(1, &rival));
    net.says(2, &tx, &net.conflict(2, &other));
    is_blocked(&mut net, &tx);
    net.says(3, &tx, &net.conflict(3, &rival));
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn a_conflict_with_a_wrong_vote_is_a_lie_and_does_not_count() {
    let (mut net, tx, rival) = two();
    let with = |vote| {
        let conflict = Conflict { evidence: rival.evidence.clone(), vote: Some(vote) };
        FromValidator::Conflict(Box::new(conflict))
    };
    let lies = [
        // Another validator's, a stranger's, of another epoch, for another transaction.
        with(signed(&net, 0, &vote_key(0, 0), &rival.tx)),
        with(signed(&net, 0, &vote_key(0, 9), &rival.tx)),
        with(signed(&net, 1, &vote_key(0, 1), &rival.tx)),
        with(signed(&net, 0, &vote_key(0, 1), &tx)),
    ];
    net.says(0, &tx, &net.conflict(0, &rival));
    for lie in lies {
        net.says(1, &tx, &lie);
        assert_eq!(net.progress(&tx), Progress::Sending(()));
        net.wait(RETRY_LAST);
        assert!(net.waiting(&tx).contains(&1), "it is asked again");
    }
    net.says(2, &tx, &net.conflict(2, &rival));
    is_blocked(&mut net, &tx);
}

#[test]
fn no_validator_counts_twice() {
    let (mut net, tx, rival) = two();
    for _ in 0..3 {
        net.says(0, &tx, &rival.without_vote());
        net.wait(RETRY_LAST);
    }
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    let ask = net.take_spend(0, &tx);
    for _ in 0..3 {
        net.answer_bytes(&ask, Ok(net.conflict(0, &rival).encode()));
    }
    assert_eq!(net.progress(&tx), Progress::Sending(()));
}

#[test]
fn evidence_that_shows_nothing_is_no_conflict() {
    let (mut net, tx, rival) = two();
    let spend = net.spend(&tx);
    let honest = rival.evidence.clone();
    let elsewhere = foreign(vec![honest.outpoint], vec![output(somebody(9), 1)]).body;
    let false_ones = [
        // The payment itself, an output that is not spent, nobody's signature, that of something else.
        Evidence { body: spend.body, witnesses: spend.witnesses, ..honest.clone() },
        Evidence { outpoint: Outpoint { index: 7, ..honest.outpoint }, ..honest.clone() },
        Evidence { witnesses: Default::default(), ..honest.clone() },
        Evidence { body: elsewhere, ..honest.clone() },
    ];
    for evidence in false_ones {
        for at in [0, 1] {
            let lie = Conflict { evidence: evidence.clone(), vote: None };
            net.says(at, &tx, &FromValidator::Conflict(Box::new(lie)));
        }
        assert_eq!(net.progress(&tx), Progress::Sending(()), "{evidence:?}");
        net.wait(RETRY_LAST);
    }
    net.certify(&tx);
}

#[test]
fn a_blocked_payment_that_a_quorum_votes_for_after_all_is_final() {
    let (mut net, tx, rival) = two();
    // Both have voted for the other one in this turn, they say, and lie.
    for at in [0, 1] {
        net.says(at, &tx, &rival.without_vote());
    }
    is_blocked(&mut net, &tx);
    net.wait(RETRY_LAST);
    net.certify(&tx);
    assert_eq!(net.amounts(), (0, 0, 0));
}

#[test]
fn a_payment_blocked_before_a_restart_fails_after_it() {
    let (mut net, tx, rival) = two();
    for at in [0, 1] {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    net.restart();
    is_blocked(&mut net, &tx);
    for at in 1..4 {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    assert_eq!(net.progress(&tx), spent(&rival));
}

/// What shows that the rival has paid somebody.
fn shown(net: &Net, rival: &Rival) -> Command {
    Command::Receive(Box::new(net.receipt(&rival.foreign, 0)))
}

#[test]
fn a_receipt_of_the_rival_shows_it_whoever_is_paid() {
    let (mut net, tx, rival) = two();
    let command = shown(&net, &rival);
    assert_eq!(net.order(command).unwrap_err(), Error::NotMine);
    assert_eq!(net.told(&tx), [spent(&rival)]);
    assert_eq!(net.amounts(), (30, 0, 0));
    net.restart();
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn another_device_of_the_owner_is_paid_by_it_perhaps() {
    let (mut net, tx, rival) = two();
    let address = net.address();
    let change = foreign(vec![rival.evidence.outpoint], vec![output(address, 20)]);
    let by = net.id(&change.body);
    let paid = net.paid(&change, 0, 0);
    let answer = net.request(somebody(3), ToWallet::Deliver(Box::new(paid)));
    assert_eq!(answer, FromWallet::Received(false));
    assert_eq!(net.progress(&tx), Progress::Failed(Failure::Spent(by)));
    assert_eq!(net.amounts(), (50, 0, 0));
}

#[test]
fn whoever_delivers_it_learns_nothing() {
    let (mut net, tx, rival) = two();
    let unrelated = net.gift(vec![output(somebody(4), 5)]);
    for foreign in [unrelated, rival.foreign.clone()] {
        let paid = net.paid(&foreign, 0, 0);
        let answer = net.request(somebody(3), ToWallet::Deliver(Box::new(paid)));
        assert_eq!(answer, FromWallet::NotMine(()));
    }
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn a_receipt_with_too_few_votes_shows_nothing() {
    let (mut net, tx, rival) = two();
    let mut receipt = net.receipt(&rival.foreign, 0);
    receipt.paid.certificate.votes =
        covey_kernel::Bounded::first(receipt.paid.certificate.votes.iter().take(2).cloned());
    receipt.paid.certificate.signers = 0b11;
    assert!(matches!(net.order(Command::Receive(Box::new(receipt))), Err(Error::Invalid(_))));
    assert_eq!(net.progress(&tx), Progress::Sending(()));
}

#[test]
fn coins_that_wait_for_nothing_are_gone_too() {
    let mut net = Net::new();
    let coins = net.fund(&[30, 40]);
    let elsewhere = foreign(vec![coins[0]], vec![output(somebody(9), 30)]);
    let receipt = Box::new(net.receipt(&elsewhere, 0));
    assert_eq!(net.order(Command::Receive(receipt)).unwrap_err(), Error::NotMine);
    assert_eq!(net.amounts(), (40, 0, 0));
    assert_eq!(net.balance().coins, 1);
}

#[test]
fn all_payments_that_spend_the_same_have_failed() {
    let mut net = Net::new();
    let coins = net.fund(&[30, 40]);
    let [first, second] = [net.pay(30), net.send(Order { twice: true, ..order(40) })];
    let both = foreign(coins, vec![output(somebody(9), 70)]);
    let by = net.id(&both.body);
    let receipt = Box::new(net.receipt(&both, 0));
    net.order(Command::Receive(receipt)).unwrap_err();
    for tx in [first, second] {
        assert_eq!(net.progress(&tx), Progress::Failed(Failure::Spent(by)));
    }
    assert_eq!((net.amounts(), net.status().pending), ((0, 0, 0), 0));
}

#[test]
fn an_own_certificate_that_somebody_shows_fails_nothing() {
    let (mut net, tx, _) = two();
    let spend = net.spend(&tx);
    let own = crate::money::Foreign { body: spend.body, outputs: spend.outputs.to_vec() };
    let receipt = Box::new(net.receipt(&own, 0));
    assert_eq!(net.order(Command::Receive(receipt)).unwrap_err(), Error::NotMine);
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    assert_eq!(net.amounts(), (0, 60, 0));
    net.certify(&tx);
}

#[test]
fn votes_of_different_epochs_for_a_rival_do_not_add_up() {
    let (mut net, tx, rival) = two();
    for at in [0, 1] {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    net.turn_epoch();
    assert_eq!(net.waiting(&tx), [0, 1, 2, 3], "all are asked anew");
    net.says(2, &tx, &net.conflict(2, &rival));
    is_blocked(&mut net, &tx);
    for at in [0, 1] {
        is_blocked(&mut net, &tx);
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn a_blocked_payment_is_not_paid_again_in_the_next_epoch_either() {
    let (mut net, tx, rival) = two();
    net.fund(&[60]);
    for at in [0, 1] {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    net.turn_epoch();
    assert_eq!(net.order(Command::Send(order(60))).unwrap_err(), Error::PaysTwice(tx));
}

#[test]
fn a_certificate_of_an_earlier_epoch_shows_nothing_before_it_is_renewed() {
    let (mut net, tx, rival) = two();
    net.turn_epoch();
    // Its keys may be in anybody's hands.
    let leaked = net.paid(&rival.foreign, 0, 0);
    let answer = net.request(somebody(3), ToWallet::Deliver(Box::new(leaked)));
    assert_eq!(answer, FromWallet::NotMine(()));
    assert_eq!(net.progress(&tx), Progress::Sending(()));
    let renewed = net.paid(&rival.foreign, 0, 1);
    net.request(somebody(3), ToWallet::Deliver(Box::new(renewed)));
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn a_coin_of_an_earlier_epoch_shows_it_when_its_certificate_is_renewed() {
    let mut net = Net::new();
    let coins = net.fund(&[30]);
    let address = net.address();
    let change = foreign(vec![coins[0]], vec![output(address, 20)]);
    let by = net.id(&change.body);
    net.turn_epoch();
    let old = net.paid(&change, 0, 0);
    net.request(somebody(3), ToWallet::Deliver(Box::new(old)));
    assert_eq!(net.amounts(), (50, 0, 0));
    net.wait(Span::secs(10));
    for at in 0..3 {
        let is = |ask: &crate::net::Ask| {
            let asked = matches!(ask.validator(), Some(ToValidator::Refresh(one)) if one.tx == by);
            asked && ask.to == validator(at)
        };
        let ask = net.take(is).unwrap();
        net.answer_bytes(&ask, Ok(net.vote(at, &by).encode()));
    }
    assert_eq!(net.amounts(), (20, 0, 0));
    let (_, coin) = net.coins().remove(0);
    assert_eq!((coin.output.amount, coin.used), (Amount::new(20), Use::Free(())));
}

#[test]
fn a_receipt_that_brings_a_new_epoch_shows_it_at_once() {
    let (mut net, tx, rival) = two();
    net.next_epoch();
    let command = shown(&net, &rival);
    assert_eq!(net.order(command).unwrap_err(), Error::NotMine);
    assert_eq!(net.status().epoch, 1);
    assert_eq!(net.progress(&tx), spent(&rival));
}

#[test]
fn a_token_issued_elsewhere_fails_too() {
    let mut net = Net::new();
    let issue = Command::Issue {
        name: covey_kernel::Text::new("acorn").unwrap(),
        amount: Amount::new(1000),
        decimals: covey_ledger::Decimals::NONE,
    };
    let Ok(Reply::Payment(view)) = net.order(issue) else { panic!("it is issued") };
    let rival = net.rival(&view.tx, &[0]);
    for at in 0..3 {
        net.says(at, &view.tx, &net.conflict(at, &rival));
    }
    assert_eq!(net.progress(&view.tx), spent(&rival));
    assert_eq!(net.amounts(), (0, 0, 0));
}
