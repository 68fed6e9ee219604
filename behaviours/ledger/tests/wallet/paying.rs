//! A payment is stored before it is sent, goes to all at once, and is final at q votes.

use std::collections::BTreeSet;

use covey_kernel::{CommandId, Effect, Input, Span, cbor};
use covey_ledger::{
    Amount, Asset, Outpoint, TxId,
    limits::ASK_LIFE,
    wallet::{Command, LineView, Order, Progress, Reply, Use},
    wire::{Request, ToValidator},
};

use crate::{
    money::{order, pays},
    net::{Ask, Net, genesis, somebody},
};

fn sending(amount: u64) -> Input<covey_ledger::Wallet> {
    Input::Command { id: CommandId(u64::MAX), command: Command::Send(order(amount)) }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The bytes of each question about a payment, and whom they go to.
fn sent(asks: &[Ask]) -> BTreeSet<(covey_kernel::Peer, Vec<u8>)> {
    let spends = asks.iter().filter(|ask| ask.spend().is_some());
    spends.map(|ask| (ask.to, ask.bytes.clone())).collect()
}

#[test]
fn a_payment_is_written_in_the_turn_that_it_is_sent_in() {
    let mut net = Net::new();
    net.fund(&[30]);
    let turn = net.decide(vec![sending(20)]);
    let asked = turn.effects.iter().filter_map(|effect| match effect {
        Effect::Ask { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    let asked: Vec<Vec<u8>> = asked.collect();
    assert_eq!(asked.len(), 4);
    let Ok(Request::Validator(ToValidator::Spend(spend))) = Request::decode(&asked[0]) else {
        panic!("not what validators are asked")
    };
    let spend = cbor::encode(&*spend);
    // All of it: with the salts and the proofs, without which it could not be sent again.
    let values = turn.writes.iter().filter_map(|write| write.value.as_ref());
    assert_eq!(values.filter(|value| contains(value, &spend)).count(), 1);
}

#[test]
fn a_payment_whose_commit_failed_never_was() {
    let mut net = Net::new();
    net.fund(&[30]);
    net.decide(vec![sending(20)]);
    net.restart();
    assert_eq!((net.amounts(), net.status().pending), ((30, 0, 0), 0));
    assert!(net.history().iter().all(|line| matches!(line, LineView::Came(_))));
}

#[test]
fn the_same_bytes_are_sent_after_a_crash_that_nothing_left_before() {
    let mut net = Net::new();
    net.fund(&[30]);
    let turn = net.decide(vec![sending(20)]);
    let effects = net.commit(turn);
    let unsent = effects.into_iter().filter_map(|effect| match effect {
        Effect::Ask { to, bytes, .. } => Some((to, bytes)),
        _ => None,
    });
    let unsent: BTreeSet<_> = unsent.collect();
    net.restart();
    assert_eq!(sent(&net.asks), unsent);
}

#[test]
fn the_same_bytes_are_sent_again_after_a_restart() {
    let mut net = Net::new();
    net.fund(&[30, 50]);
    let payments = [net.pay(20), net.pay(40)];
    let before = sent(&net.asks);
    assert_eq!(before.len(), 8);
    for _ in 0..3 {
        net.restart();
        assert_eq!(sent(&net.asks), before);
    }
    for tx in payments {
        net.certify(&tx);
    }
    net.restart();
    assert!(sent(&net.asks).is_empty(), "what is final is not sent again");
}

#[test]
fn it_goes_to_all_validators_at_once() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    assert_eq!(net.waiting(&tx), [0, 1, 2, 3]);
}

#[test]
fn it_is_final_at_q_votes_and_not_when_all_have_answered() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    for (votes, at) in [3, 0, 1].into_iter().enumerate() {
        let view = net.view(&tx);
        assert_eq!((view.progress, view.votes, view.needed), (Progress::Sending(()), votes, 3));
        assert_eq!(net.amounts(), (0, 30, 0));
        net.says(at, &tx, &net.vote(at, &tx));
    }
    let [Progress::Certified(certificate)] = &net.told(&tx)[..] else { panic!("not told") };
    assert_eq!(certificate.places().collect::<Vec<_>>(), [0, 1, 3]);
    assert_eq!((net.amounts(), net.status().pending), ((10, 0, 0), 0));
    // The last one, late, changes nothing.
    let before = net.disk.clone();
    net.says(2, &tx, &net.vote(2, &tx));
    assert!(net.disk == before && net.told(&tx).is_empty());
}

#[test]
fn a_validator_that_is_away_or_silent_is_not_noticed() {
    let mut net = Net::new();
    net.fund(&[30, 30]);
    net.disconnect(1);
    let tx = net.pay(30);
    assert_eq!(net.waiting(&tx), [0, 2, 3]);
    for at in [0, 2, 3] {
        net.says(at, &tx, &net.vote(at, &tx));
    }
    assert!(matches!(net.progress(&tx), Progress::Certified(_)));
    net.connect(1);
    let tx = net.pay(30);
    net.certify(&tx);
    // Nobody asks the fourth on.
    net.wait(ASK_LIFE.doubled(Span::secs(60)));
    assert_eq!(net.waiting(&tx), [3]);
}

#[test]
fn whoever_comes_is_asked_at_once() {
    let mut net = Net::new();
    net.fund(&[30]);
    (0..4).for_each(|at| net.disconnect(at));
    let tx = net.pay(20);
    net.wait(Span::secs(600));
    assert_eq!(net.waiting(&tx), []);
    net.connect(2);
    assert_eq!(net.waiting(&tx), [2]);
}

#[test]
fn whoever_was_asked_and_went_is_asked_when_it_comes_back() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    let ask = net.take_spend(0, &tx);
    net.disconnect(0);
    net.answer_bytes(&ask, Err(covey_kernel::AskFailure::Closed));
    net.wait(Span::secs(60));
    assert!(!net.waiting(&tx).contains(&0));
    net.connect(0);
    assert!(net.waiting(&tx).contains(&0));
}

#[test]
fn what_is_not_final_is_asked_again_at_the_owners_word() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    net.says(
        0,
        &tx,
        &covey_ledger::wire::FromValidator::NotReady(covey_ledger::wire::NotReady::Checking(())),
    );
    assert_eq!(net.waiting(&tx), [1, 2, 3]);
    assert!(matches!(net.order(Command::Resume), Ok(Reply::Resumed(1))));
    assert_eq!(net.waiting(&tx), [0, 1, 2, 3]);
    assert!(matches!(net.order(Command::Pending), Ok(Reply::Payments(of)) if of[0].tx == tx));
}

#[test]
fn change_can_be_spent_as_soon_as_it_is_final() {
    let mut net = Net::new();
    net.fund(&[30]);
    let tx = net.pay(20);
    net.certify(&tx);
    let (outpoint, coin) = net.coins().remove(0);
    assert_eq!((outpoint.tx, coin.used), (tx, Use::Free(())));
    let next = net.pay(10);
    let spend = net.spend(&next);
    assert_eq!(&spend.body.inputs[..], [outpoint]);
    // With a certificate that validators take, whoever they have not heard of.
    assert_eq!(spend.judge(&net.network).unwrap().votes.len(), 3);
}

#[test]
fn a_fee_is_paid_beside_the_amount() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30]);
    let tx = net.pay(20);
    let spend = net.spend(&tx);
    let amounts = spend.outputs.iter().map(|salted| salted.output.amount);
    assert_eq!(Amount::total(amounts), Some(Amount::new(28)));
    net.certify(&tx);
    assert_eq!(net.amounts(), (8, 0, 0));
}

#[test]
fn several_are_paid_by_one_transaction_and_each_can_be_shown_its_part() {
    let mut net = Net::new();
    net.fund(&[30, 30]);
    // One of them twice.
    let tx = net.send(pays(&[(1, 10), (2, 20), (1, 10)]));
    net.certify(&tx);
    let lines = net.view(&tx).lines;
    let places: BTreeSet<u16> = lines.iter().map(|line| line.index).collect();
    assert_eq!(places.len(), 3);
    for (line, (to, amount)) in lines.iter().zip([(1, 10), (2, 20), (1, 10)]) {
        let Ok(Reply::Proof(receipt)) = net.order(Command::Proof(tx, line.index)) else { panic!() };
        let shown = receipt.verify(&net.network).unwrap();
        assert_eq!(shown.outpoint, Outpoint { tx, index: line.index });
        assert_eq!(shown.output.address, somebody(to));
        assert_eq!(shown.output.amount, Amount::new(amount));
    }
}

#[test]
fn which_output_is_the_change_does_not_show_by_its_place() {
    let mut net = Net::new();
    let mut places = BTreeSet::new();
    for _ in 0..40 {
        net.fund(&[30]);
        let tx = net.pay(20);
        places.insert(net.view(&tx).lines[0].index);
        net.certify(&tx);
        let rest = net.pay(10);
        net.certify(&rest);
    }
    assert_eq!(places.len(), 2);
}

#[test]
fn change_goes_to_an_address_that_nobody_was_told() {
    let mut net = Net::new();
    let mut seen = BTreeSet::new();
    net.fund(&[100]);
    for _ in 0..5 {
        let told = net.coins().remove(0).1.output.address;
        assert!(seen.insert(told), "an address served twice");
        let tx = net.pay(10);
        net.certify(&tx);
    }
    let Ok(Reply::Addresses(all)) = net.order(Command::Addresses) else { panic!() };
    assert_eq!(all.iter().filter(|one| one.change).count(), 5);
    assert_eq!(all.iter().filter(|one| one.change && !one.paid).count(), 0);
}

#[test]
fn a_payment_to_an_own_address_comes_back() {
    let mut net = Net::new();
    net.fund(&[30]);
    let to = net.address();
    let own = Order { to: vec![(to, Amount::new(20))], ..order(0) };
    let tx = net.send(own);
    net.certify(&tx);
    assert_eq!((net.amounts(), net.coins().len()), ((30, 0, 0), 2));
}

#[test]
fn coins_of_several_addresses_are_signed_for_once_each() {
    let mut net = Net::new();
    let address = net.address();
    net.fund_at(address, &[10, 10]);
    net.fund(&[10]);
    let tx = net.pay(30);
    let spend = net.spend(&tx);
    assert_eq!((spend.body.inputs.len(), spend.witnesses.len()), (3, 2));
}

#[test]
fn a_token_is_issued_sent_and_shown() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30]);
    let issue = Command::Issue {
        name: covey_kernel::Text::new("acorn").unwrap(),
        amount: Amount::new(1000),
        decimals: covey_ledger::Decimals::NONE,
    };
    let Ok(Reply::Payment(view)) = net.order(issue) else { panic!("it is issued") };
    net.certify(&view.tx);
    let asset = view.asset;
    let Ok(Reply::Tokens(tokens)) = net.order(Command::Tokens) else { panic!() };
    assert_eq!(Asset(Some(tokens[0].0)), asset);
    let tx = net.send(Order { asset, ..order(400) });
    net.certify(&tx);
    let Ok(Reply::Balances(balances)) = net.order(Command::Balance) else { panic!() };
    let free: Vec<(Asset, u64)> =
        balances.iter().map(|(asset, balance)| (*asset, balance.free.units())).collect();
    // Two fees were paid, of the coin.
    assert_eq!(free, [(Asset::COIN, 26), (asset, 600)]);
}

#[test]
fn what_was_paid_is_listed_newest_first() {
    let mut net = Net::new();
    net.fund(&[10, 20]);
    let payments: Vec<TxId> = [net.pay(10), net.pay(20)].into();
    let lines = net.history();
    let paid = lines.iter().filter_map(|line| match line {
        LineView::Paid(view) => Some(view.tx),
        LineView::Came(_) => None,
    });
    assert_eq!(paid.collect::<Vec<_>>(), [payments[1], payments[0]]);
    let Ok(Reply::History(page)) = net.order(Command::History { limit: 1, before: Some(2) }) else {
        panic!()
    };
    assert!(matches!(&page[..], [(1, LineView::Came(_))]), "{page:?}");
}
