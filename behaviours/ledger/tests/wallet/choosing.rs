//! Which coins a payment spends, and what cannot be paid.

use covey_kernel::{Hash, Signature};
use covey_ledger::{
    Amount, Asset, AssetId, Ballot, Certificate, Error, Output, TxId, Vote,
    limits::{BATCH, INPUTS, OUTPUTS, VALIDATORS},
    wallet::{Command, Order, Reply},
};

use crate::{
    money::{order, output, pays},
    net::{Net, genesis, somebody, vote_key},
};

/// What a payment spends, in ascending order.
fn spends(net: &mut Net, tx: &TxId) -> Vec<u64> {
    let spend = net.spend(tx);
    let coins = net.coins();
    let amount =
        |input| coins.iter().find(|(outpoint, _)| outpoint == input).unwrap().1.output.amount;
    let mut amounts: Vec<u64> =
        spend.body.inputs.iter().map(|input| amount(input).units()).collect();
    amounts.sort_unstable();
    amounts
}

#[track_caller]
fn chooses(coins: &[u64], amount: u64, chosen: &[u64]) {
    let mut net = Net::new();
    net.fund(coins);
    let tx = net.pay(amount);
    assert_eq!(spends(&mut net, &tx), chosen, "of {coins:?} for {amount}");
}

#[test]
fn one_coin_that_is_exact_before_all() {
    chooses(&[10, 20, 30, 40], 30, &[30]);
}

#[test]
fn several_that_are_exact_before_fewer_that_leave_change() {
    chooses(&[10, 15, 12, 40], 25, &[10, 15]);
}

#[test]
fn else_as_few_as_possible_and_the_smallest_of_those() {
    chooses(&[5, 7, 40, 50], 30, &[40]);
    chooses(&[5, 7, 40, 50], 80, &[40, 50]);
}

/// It cannot be paid, and the store is as it was.
#[track_caller]
fn refused(net: &mut Net, command: Command) -> Error {
    let (before, asks) = (net.disk.clone(), net.asks.len());
    let error = net.order(command).expect_err("refused");
    assert!(net.disk == before, "{error} has changed the store");
    assert_eq!(net.asks.len(), asks, "{error} was sent");
    error
}

fn send(to: &[(usize, u64)]) -> Command {
    Command::Send(pays(to))
}

#[test]
fn nothing_is_no_amount() {
    let mut net = Net::new();
    net.fund(&[30]);
    assert_eq!(refused(&mut net, send(&[(1, 0)])), Error::ZeroAmount);
    assert_eq!(refused(&mut net, send(&[(1, 3), (2, 0)])), Error::ZeroAmount);
    let ask =
        Command::Ask { amount: Some(Amount::ZERO), asset: Asset::COIN, label: Default::default() };
    assert_eq!(refused(&mut net, ask), Error::ZeroAmount);
    let issue = Command::Issue {
        name: covey_kernel::Text::new("none").unwrap(),
        amount: Amount::ZERO,
        decimals: covey_ledger::Decimals::NONE,
    };
    assert_eq!(refused(&mut net, issue), Error::ZeroAmount);
}

#[test]
fn less_than_the_smallest_output_is_not_paid() {
    let mut net = Net::of(genesis(4, 10, 0));
    net.fund(&[30]);
    let minimum = "10 leaf".to_owned();
    assert_eq!(refused(&mut net, send(&[(1, 9)])), Error::TooSmall { minimum });
    net.pay(10);
}

#[test]
fn nor_is_less_than_that_left_over() {
    let mut net = Net::of(genesis(4, 10, 0));
    net.fund(&[30]);
    let error = Error::ChangeTooSmall { change: "9 leaf".into(), minimum: "10 leaf".into() };
    assert_eq!(refused(&mut net, send(&[(1, 21)])), error);
    net.pay(20);
}

#[test]
fn more_than_can_be_counted_is_not_paid() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30]);
    assert_eq!(refused(&mut net, send(&[(1, u64::MAX), (2, 1)])), Error::AmountTooLarge);
    // The fee is one part of it.
    assert_eq!(refused(&mut net, send(&[(1, u64::MAX - 1)])), Error::AmountTooLarge);
}

#[test]
fn too_little_says_how_much_there_is() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30, 40]);
    net.pay(35);
    let error = Error::Insufficient {
        wanted: "33 leaf".into(),
        free: "30 leaf".into(),
        reserved: "40 leaf".into(),
        held: "0 leaf".into(),
    };
    assert_eq!(refused(&mut net, send(&[(1, 31)])), error);
    let said = error.to_string();
    assert!(said.contains("33 leaf are needed and 30 leaf may be spent"), "{said}");
    assert!(!said.contains("  "), "{said}");
}

#[test]
fn from_one_to_255_are_paid_at_once() {
    let mut net = Net::new();
    net.fund(&[1000]);
    assert_eq!(refused(&mut net, send(&[])), Error::TooManyPayees);
    let many: Vec<(usize, u64)> = (0..OUTPUTS).map(|at| (at, 1)).collect();
    assert_eq!(refused(&mut net, send(&many)), Error::TooManyPayees);
    let tx = net.send(pays(&many[1..]));
    assert_eq!(net.spend(&tx).outputs.len(), OUTPUTS);
    net.certify(&tx);
    assert_eq!(net.view(&tx).lines.len(), OUTPUTS - 1);
}

#[test]
fn so_many_that_the_change_finds_no_place_are_too_many() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30]);
    let asset = token(&mut net, &[1000]);
    let to = (1..OUTPUTS).map(|at| (somebody(at), Amount::new(1))).collect();
    // Change of the token, and of the coin that pays the fee.
    let order = Order { to, asset, ..order(0) };
    assert_eq!(refused(&mut net, Command::Send(order)), Error::TooManyPayees);
}

/// The wallet is paid so much of a token.
fn token(net: &mut Net, amounts: &[u64]) -> Asset {
    let asset = Asset(Some(AssetId(Hash::of(b"acorn"))));
    let address = net.address();
    let of_it = |amount: &u64| Output { asset, ..output(address, *amount) };
    let gift = net.gift(amounts.iter().map(of_it).collect());
    for index in 0..gift.body.count {
        let receipt = Box::new(net.receipt(&gift, index));
        net.order(Command::Receive(receipt)).unwrap();
    }
    asset
}

#[test]
fn more_coins_than_a_payment_takes_are_put_together_first() {
    let mut net = Net::new();
    let address = net.address();
    net.fund_at(address, &[1; INPUTS + 1]);
    let error = refused(&mut net, send(&[(1, 65)]));
    assert_eq!(error, Error::TooFragmented { inputs: INPUTS });
    let Ok(Reply::Payment(view)) = net.order(Command::Consolidate(Asset::COIN)) else {
        panic!("they are put together")
    };
    assert_eq!(net.spend(&view.tx).body.inputs.len(), INPUTS);
    assert!(view.lines.is_empty());
    net.certify(&view.tx);
    assert_eq!(net.coins().len(), 2);
    net.pay(65);
}

/// A certificate of validators who are as busy as can be, so that their votes are long.
fn busy_certificate(net: &Net, tx: &TxId) -> Certificate {
    let mut ballot = vec![*tx];
    ballot.extend((1..BATCH).map(|number| TxId(Hash::of(&number.to_be_bytes()))));
    let quorum = net.network.newest().quorum();
    let unsigned = Signature::from_bytes([0; 64]);
    let vote = Vote::one(1 << 40, &ballot, 0, unsigned).unwrap();
    let ballot = Ballot::over(0, 1 << 40, &ballot);
    let votes = (0..quorum).map(|at| {
        let signature = ballot.sign(&vote_key(0, at), &net.network.id);
        (u8::try_from(at).unwrap(), Vote { signature, ..vote.clone() })
    });
    Certificate::of(0, quorum, &votes.collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_request_has_room_for_the_proofs_of_what_a_payment_spends() {
    // As many validators as there may be, and each of them busy.
    let mut net = Net::of(genesis(VALIDATORS, 1, 0));
    let address = net.address();
    for _ in 0..40 {
        let gift = net.gift(vec![output(address, 1)]);
        let mut receipt = net.receipt(&gift, 0);
        receipt.paid.certificate = busy_certificate(&net, &net.id(&gift.body));
        net.order(Command::Receive(Box::new(receipt))).unwrap();
    }
    let Error::TooFragmented { inputs } = refused(&mut net, send(&[(1, 40)])) else {
        panic!("each validator would refuse it")
    };
    assert!((20..INPUTS / 2).contains(&inputs), "{inputs}");
    let Ok(Reply::Payment(view)) = net.order(Command::Consolidate(Asset::COIN)) else {
        panic!("they are put together")
    };
    assert_eq!(net.spend(&view.tx).body.inputs.len(), inputs);
    net.certify(&view.tx);
    net.pay(40);
}

#[test]
fn fewer_than_two_coins_are_together_already() {
    let mut net = Net::new();
    let command = || Command::Consolidate(Asset::COIN);
    assert_eq!(refused(&mut net, command()), Error::NothingToConsolidate);
    net.fund(&[10]);
    assert_eq!(refused(&mut net, command()), Error::NothingToConsolidate);
    net.fund(&[10]);
    net.order(command()).unwrap();
}

#[test]
fn coins_that_the_fee_eats_up_are_not_put_together() {
    let mut net = Net::of(genesis(4, 10, 20));
    net.fund(&[10, 10]);
    let command = || Command::Consolidate(Asset::COIN);
    assert_eq!(refused(&mut net, command()), Error::ZeroAmount);
    net.fund(&[10]);
    net.order(command()).unwrap();
}

#[test]
fn nor_are_those_of_which_too_little_would_be_left() {
    let mut net = Net::of(genesis(4, 10, 15));
    net.fund(&[10, 10]);
    let error = Error::TooSmall { minimum: "10 leaf".into() };
    assert_eq!(refused(&mut net, Command::Consolidate(Asset::COIN)), error);
}

#[test]
fn tokens_are_put_together_beside_a_coin_for_the_fee() {
    let mut net = Net::of(genesis(4, 1, 2));
    net.fund(&[30]);
    let asset = token(&mut net, &[1; INPUTS]);
    let Ok(Reply::Payment(view)) = net.order(Command::Consolidate(asset)) else { panic!() };
    assert_eq!(net.spend(&view.tx).body.inputs.len(), INPUTS);
    net.certify(&view.tx);
    let Ok(Reply::Balances(balances)) = net.order(Command::Balance) else { panic!() };
    assert_eq!((balances[1].1.free.units(), balances[1].1.coins), (64, 2));
    // None is left for the next.
    let mut net = Net::of(genesis(4, 1, 2));
    let asset = token(&mut net, &[1, 1]);
    let error = refused(&mut net, Command::Consolidate(asset));
    assert!(matches!(error, Error::Insufficient { .. }), "{error}");
}

#[test]
fn a_token_without_the_fee_is_not_issued_and_takes_no_address() {
    let mut net = Net::of(genesis(4, 1, 2));
    let issue = Command::Issue {
        name: covey_kernel::Text::new("acorn").unwrap(),
        amount: Amount::new(5),
        decimals: covey_ledger::Decimals::NONE,
    };
    let error = refused(&mut net, issue);
    assert!(matches!(error, Error::Insufficient { .. }), "{error}");
}

#[test]
fn coins_of_one_asset_do_not_pay_another() {
    let mut net = Net::new();
    net.fund(&[30]);
    let asset = token(&mut net, &[50]);
    let error = refused(&mut net, send(&[(1, 40)]));
    assert!(matches!(error, Error::Insufficient { .. }), "{error}");
    let short = Error::Insufficient {
        wanted: format!("60 units of {}", asset.0.unwrap().0),
        free: format!("50 units of {}", asset.0.unwrap().0),
        reserved: format!("0 units of {}", asset.0.unwrap().0),
        held: format!("0 units of {}", asset.0.unwrap().0),
    };
    assert_eq!(refused(&mut net, Command::Send(Order { asset, ..order(60) })), short);
}

#[test]
fn what_is_asked_of_a_payment_that_there_is_not_is_refused() {
    let mut net = Net::new();
    net.fund(&[30]);
    let nowhere = TxId(Hash::of(b"nowhere"));
    assert_eq!(refused(&mut net, Command::Payment(nowhere)), Error::NoSuchPayment);
    assert_eq!(refused(&mut net, Command::Proof(nowhere, 0)), Error::NoSuchPayment);
    let tx = net.pay(20);
    assert_eq!(refused(&mut net, Command::Proof(tx, 0)), Error::NotFinal(tx));
    net.certify(&tx);
    assert_eq!(refused(&mut net, Command::Proof(tx, 2)), Error::NoSuchPayment);
    assert!(net.order(Command::Proof(tx, 1)).is_ok());
}
