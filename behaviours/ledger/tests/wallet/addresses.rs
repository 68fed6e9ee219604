//! Own addresses: no one is given away that a search by the phrase would not reach.

use std::collections::BTreeSet;

use covey_kernel::{PublicKey, Text};
use covey_ledger::{
    Amount, Asset, Branch, Error, KeyTree,
    limits::{GAP, HANDED},
    wallet::{AddressView, Command, Reply},
    wire::{FromWallet, ToWallet},
};

use crate::net::{Net, somebody};

fn all(net: &mut Net) -> Vec<AddressView> {
    match net.order(Command::Addresses) {
        Ok(Reply::Addresses(all)) => all,
        other => panic!("{other:?}"),
    }
}

fn new() -> Command {
    Command::Address(Default::default())
}

#[test]
fn so_many_wait_for_their_first_payment_and_no_more() {
    let mut net = Net::new();
    let addresses: Vec<PublicKey> = (0..GAP).map(|_| net.address()).collect();
    let before = net.disk.clone();
    assert_eq!(net.order(new()).unwrap_err(), Error::TooManyUnpaid);
    let ask = Command::Ask { amount: None, asset: Asset::COIN, label: Default::default() };
    assert_eq!(net.order(ask).unwrap_err(), Error::TooManyUnpaid);
    let issue = Command::Issue {
        name: Text::new("acorn").unwrap(),
        amount: Amount::new(5),
        decimals: covey_ledger::Decimals::NONE,
    };
    assert_eq!(net.order(issue).unwrap_err(), Error::TooManyUnpaid);
    assert!(net.disk == before);
    // A search goes on from the last one that was paid to.
    net.fund_at(addresses[2], &[10]);
    for _ in 0..3 {
        net.address();
    }
    assert_eq!(net.order(new()).unwrap_err(), Error::TooManyUnpaid);
}

#[test]
fn change_then_goes_to_one_that_waits() {
    let mut net = Net::new();
    net.fund(&[30]);
    for _ in 0..GAP {
        net.address();
    }
    let known: BTreeSet<PublicKey> =
        all(&mut net).iter().filter(|one| !one.paid).map(|one| one.address).collect();
    let tx = net.pay(20);
    net.certify(&tx);
    assert_eq!(all(&mut net).len(), known.len() + 1);
    assert!(known.contains(&net.coins()[0].1.output.address));
}

#[test]
fn all_are_of_the_phrase_in_order() {
    let mut net = Net::new();
    let made: Vec<PublicKey> = (0..4).map(|_| net.address()).collect();
    net.restart();
    let tree = KeyTree::new(&net.phrase());
    let keys = (0..4).map(|index| tree.key(Branch::Own, index).unwrap().public());
    assert_eq!(keys.collect::<Vec<_>>(), made);
    assert_eq!(all(&mut net).iter().map(|one| one.address).collect::<Vec<_>>(), made);
}

#[test]
fn an_address_is_called_what_its_owner_likes() {
    let mut net = Net::new();
    let address = net.address();
    let label = Text::new("rent").unwrap();
    net.order(Command::Label(address, label.clone())).unwrap();
    net.restart();
    assert_eq!(all(&mut net)[0].label, label);
}

/// Where a peer is told to pay.
fn handed(net: &mut Net, peer: usize) -> PublicKey {
    match net.request(somebody(peer), ToWallet::Address(())) {
        FromWallet::Address(address) => address,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_wallet_that_nobody_uses_gives_no_address() {
    let mut net = Net::new();
    let before = net.disk.clone();
    assert_eq!(net.request(somebody(1), ToWallet::Address(())), FromWallet::None(()));
    assert!(net.disk == before);
    net.address();
    handed(&mut net, 1);
}

#[test]
fn a_peer_is_told_the_same_address_until_something_has_come_there() {
    let mut net = Net::new();
    net.address();
    let first = handed(&mut net, 1);
    assert_ne!(handed(&mut net, 2), first);
    net.restart();
    assert_eq!(handed(&mut net, 1), first);
    net.fund_at(first, &[10]);
    assert_ne!(handed(&mut net, 1), first);
    assert_eq!(net.amounts(), (10, 0, 0));
}

#[test]
fn peers_who_never_pay_share_the_last_address_that_a_search_reaches() {
    let mut net = Net::new();
    net.address();
    let gap = usize::try_from(GAP).unwrap();
    let told: Vec<PublicKey> = (0..gap + 10).map(|peer| handed(&mut net, peer)).collect();
    assert_eq!(told[..gap].iter().collect::<BTreeSet<_>>().len(), gap);
    assert!(told[gap..].iter().all(|one| *one == told[gap - 1]));
    // The owner's own are counted apart.
    net.address();
}

#[test]
fn so_many_peers_are_told_an_address_each() {
    let mut net = Net::new();
    net.address();
    let mut told = BTreeSet::new();
    for peer in 0..HANDED {
        let address = handed(&mut net, peer);
        net.fund_at(address, &[1]);
        assert!(told.insert(address));
    }
    let last = handed(&mut net, HANDED);
    assert!(told.contains(&last), "a peer too many has an address of its own");
    // Those who have one go on as ever.
    let next = handed(&mut net, 0);
    assert!(!told.contains(&next));
}
