//! Wallets, while their validators are replaced.

use covey_ledger::{
    Amount, Asset, InvalidReceipt, Network, Proof, Reason, Receipt, TxId,
    wallet::{Command, Order, Progress, Reply},
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::net::{Net, is_vote, text};

pub(crate) fn balance(net: &mut Net, wallet: usize) -> (u64, u64) {
    match net.order(wallet, Command::Balance).unwrap() {
        Reply::Balances(balances) => {
            let (_, balance) = balances[0];
            (balance.free.units(), balance.reserved.units())
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn order(net: &mut Net, from: usize, to: usize, amount: u64) -> TxId {
    let address = match net.order(to, Command::Address(text(""))) {
        Ok(Reply::Address(address)) => address,
        // So many wait for their first payment: one of them serves again.
        _ => match net.order(to, Command::Addresses).unwrap() {
            Reply::Addresses(all) => all.last().unwrap().address,
            other => panic!("{other:?}"),
        },
    };
    let order = Order {
        to: vec![(address, Amount::new(amount))],
        asset: Asset::COIN,
        note: text(""),
        payee: Some(net.peer(to)),
        twice: true,
    };
    match net.order(from, Command::Send(order)).unwrap() {
        Reply::Payment(view) => view.tx,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn progress(net: &mut Net, wallet: usize, tx: TxId) -> Progress {
    match net.order(wallet, Command::Payment(tx)).unwrap() {
        Reply::Payment(view) => view.progress,
        other => panic!("{other:?}"),
    }
}

fn epoch(net: &mut Net, wallet: usize, tx: TxId) -> u64 {
    match progress(net, wallet, tx) {
        Progress::Certified(certificate) => certificate.epoch,
        other => panic!("{other:?}"),
    }
}

fn receipt(net: &mut Net, wallet: usize, tx: TxId, amount: u64) -> Receipt {
    let index = match net.order(wallet, Command::Payment(tx)).unwrap() {
        Reply::Payment(view) => {
            view.lines.iter().find(|line| line.amount.units() == amount).unwrap().index
        }
        other => panic!("{other:?}"),
    };
    match net.order(wallet, Command::Proof(tx, index)).unwrap() {
        Reply::Proof(receipt) => *receipt,
        other => panic!("{other:?}"),
    }
}

/// The epochs of the certificates of a wallet's coins.
fn certificates(net: &mut Net, wallet: usize) -> Vec<u64> {
    let coins = Command::Coins { asset: Asset::COIN, limit: 1000, after: None };
    match net.order(wallet, coins).unwrap() {
        Reply::Coins(coins) => coins
            .iter()
            .map(|(_, coin)| match &coin.proof {
                Proof::Paid(paid) => paid.certificate.epoch,
                other => panic!("{other:?}"),
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn funded(seed: u64, nodes: usize) -> (Net, usize, usize) {
    let mut net = Net::started(seed, 4, nodes);
    let (ann, bob) = (net.add_wallet(), net.add_wallet());
    net.run(500);
    for index in 0..8 {
        let coin = net.coins[index].clone();
        net.fund(ann, &coin, &[0, 1, 2]);
    }
    assert_eq!(balance(&mut net, ann), (800, 0));
    (net, ann, bob)
}

fn replace_each_in_turn(seed: u64, loss: Option<u64>) {
    let (mut net, ann, bob) = funded(seed, 8);
    net.loss = loss;
    let mut payments = Vec::new();
    let pay = |net: &mut Net, payments: &mut Vec<(usize, TxId)>| {
        for (from, to) in [(ann, bob), (bob, ann)] {
            if balance(net, from).0 >= 10 {
                payments.push((from, order(net, from, to, 10)));
            }
        }
    };
    for epoch in 1..=4usize {
        let old: Vec<usize> = (epoch - 1..epoch + 3).collect();
        let new: Vec<usize> = (epoch..epoch + 4).collect();
        let mut proposal = net.proposal(&new);
        // Whoever is to be replaced may be gone for good before.
        let id = proposal.id(&net.network.id);
        proposal.acceptances = Default::default();
        let propose = covey_ledger::validator::Command::Propose(Box::new(proposal));
        net.command(old[1], propose).unwrap();
        for _ in 0..3 {
            pay(&mut net, &mut payments);
            net.run(300);
        }
        for node in old {
            net.order_validator(node, covey_ledger::validator::Command::Approve(id));
        }
        for _ in 0..25 {
            pay(&mut net, &mut payments);
            net.run(400);
        }
        net.loss = None;
        net.run(15_000);
        assert!(net.all_vote(&new, epoch as u64), "seed {seed}, epoch {epoch}");
        net.loss = loss;
    }
    net.loss = None;
    net.run(120_000);
    for (wallet, tx) in &payments {
        epoch(&mut net, *wallet, *tx);
    }
    let epochs: std::collections::BTreeSet<u64> =
        payments.clone().into_iter().map(|(wallet, tx)| epoch(&mut net, wallet, tx)).collect();
    assert_eq!(epochs.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4], "{} paid", payments.len());
    let (ann, bob) = (balance(&mut net, ann), balance(&mut net, bob));
    assert_eq!((ann.0 + bob.0, ann.1, bob.1), (800, 0, 0));
}

#[test]
fn replacing_each_validator_in_turn_loses_no_payment() {
    replace_each_in_turn(1, None);
}

#[test]
fn nor_does_it_when_messages_get_lost() {
    for seed in 2..4 {
        replace_each_in_turn(seed, Some(12));
    }
}

#[test]
fn what_was_not_final_is_final_in_the_next_epoch() {
    let (mut net, ann, bob) = funded(4, 8);
    // Only two of four can be reached: no quorum.
    net.part(&[ann], &[2, 3]);
    let tx = order(&mut net, ann, bob, 30);
    net.run(1_000);
    assert!(matches!(progress(&mut net, ann, tx), Progress::Sending(())));
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(40_000);
    assert_eq!(epoch(&mut net, ann, tx), 1);
    assert_eq!(balance(&mut net, bob), (30, 0));
}

#[test]
fn certificates_are_renewed_when_nothing_else_is_to_be_done() {
    let (mut net, ann, bob) = funded(5, 8);
    let tx = order(&mut net, ann, bob, 30);
    net.run(2_000);
    assert_eq!(epoch(&mut net, ann, tx), 0);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(100_000);
    for wallet in [ann, bob] {
        let epochs = certificates(&mut net, wallet);
        assert!(!epochs.is_empty() && epochs.iter().all(|epoch| *epoch == 1), "{epochs:?}");
    }
}

#[test]
fn a_coin_that_was_not_renewed_is_spent_all_the_same() {
    let (mut net, ann, bob) = funded(6, 8);
    net.stop(ann);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    // All old ones but one are gone for good.
    for node in 0..3 {
        net.stop(node);
    }
    net.start(ann);
    let tx = order(&mut net, ann, bob, 750);
    net.run(40_000);
    assert_eq!(epoch(&mut net, ann, tx), 1);
    assert_eq!(balance(&mut net, bob), (750, 0));
}

#[test]
fn a_receipt_is_checked_with_the_genesis_alone() {
    let (mut net, ann, bob) = funded(7, 12);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    net.replace(&[8, 9, 10, 11], &[4, 5, 6, 7]);
    net.run(20_000);
    let tx = order(&mut net, ann, bob, 30);
    net.run(2_000);
    let shown = receipt(&mut net, ann, tx, 30);
    let text = shown.to_string();
    let genesis: Network = net.network.clone();
    let verified = text.parse::<Receipt>().unwrap().verify(&genesis).unwrap();
    assert_eq!((verified.epoch, verified.newest), (2, 2));
    assert_eq!(verified.signers.len(), 3);
    // Without the chain it shows nothing, and neither with half of it.
    let mut bare = shown.clone();
    bare.links = Default::default();
    let refused = Err(InvalidReceipt::Invalid(Reason::CertificateEpoch));
    assert_eq!(bare.verify(&genesis), refused);
    let mut half = shown;
    half.links = covey_kernel::Bounded::first(half.links[1..].to_vec());
    assert!(matches!(half.verify(&genesis), Err(InvalidReceipt::Chain(_))));
}

#[test]
fn a_payee_who_is_behind_asks_whoever_pays() {
    let (mut net, ann, bob) = funded(8, 8);
    // It hears of nobody but the payer.
    let validators: Vec<usize> = (0..8).collect();
    net.part(&[bob], &validators);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(20_000);
    let tx = order(&mut net, ann, bob, 30);
    net.run(60_000);
    assert_eq!(epoch(&mut net, ann, tx), 1);
    assert_eq!(balance(&mut net, bob), (30, 0));
}

#[test]
fn a_phrase_finds_the_money_of_earlier_epochs() {
    let (mut net, ann, bob) = funded(9, 12);
    let tx = order(&mut net, ann, bob, 130);
    net.run(2_000);
    assert_eq!(epoch(&mut net, ann, tx), 0);
    let phrase = match net.order(ann, Command::Phrase).unwrap() {
        Reply::Phrase(words) => words,
        other => panic!("{other:?}"),
    };
    net.stop(ann);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    net.replace(&[8, 9, 10, 11], &[4, 5, 6, 7]);
    net.run(10_000);
    let again = net.add_wallet();
    net.run(6_000);
    let phrase = covey_ledger::Phrase::parse(&phrase).unwrap();
    assert!(matches!(net.order(again, Command::Restore(Box::new(phrase))), Ok(Reply::Done)));
    net.run(60_000);
    assert!(matches!(net.order(again, Command::Alone), Ok(Reply::Done)));
    assert_eq!(balance(&mut net, again), (670, 0));
    assert!(certificates(&mut net, again).iter().all(|epoch| *epoch == 2));
    let tx = order(&mut net, again, bob, 600);
    net.run(20_000);
    assert_eq!(epoch(&mut net, again, tx), 2);
}

/// Whoever has many outputs that cannot be shown, as two transactions fight for their coin, holds nobody
/// up: a few pages of them are passed over at a time, and what can be shown is.
#[test]
fn what_cannot_be_shown_is_passed_over_by_and_by() {
    let mut net = Net::started(12, 4, 8);
    let owner = covey_kernel::Keypair::from_secret(&[77; 32]);
    let coins: Vec<_> = net.coins[..6].to_vec();
    for coin in &coins[..5] {
        for voters in [[0, 1], [2, 3]] {
            let spend = net.split_to(coin, owner.public(), 100);
            assert!(net.votes(&spend, &voters).iter().all(is_vote));
        }
    }
    let (good, _) = net.pay_to(&coins[5], owner.public());
    net.certify(&good, &[0, 1, 2]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    let (mut shown, mut later, mut after) = (Vec::new(), 0, None);
    for _ in 0..20 {
        let claim = covey_ledger::Claim::sign(&owner, &net.network.id, &net.peer(4), after);
        match net.ask(4, ToValidator::Claim(Box::new(claim))) {
            FromValidator::Holdings(page) if page.is_empty() => break,
            FromValidator::Holdings(page) => {
                shown.extend(page.iter().map(|holding| holding.outpoint.tx));
                after = page.last().map(|holding| holding.outpoint);
            }
            answer => {
                assert_eq!(answer, FromValidator::NotReady(NotReady::Checking(())));
                later += 1;
            }
        }
    }
    assert_eq!(shown, [good.body.id(&net.network.id)]);
    assert!((1..=4).contains(&later), "{later}");
}
