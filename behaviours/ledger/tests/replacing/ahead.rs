//! What is done before payments pause: lock sets are copied ahead, and what is certain of them is settled.

use covey_ledger::{
    validator::{Command, ProposalView, Reply},
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::net::{Coin, Net, is_vote};

/// The one proposal that is open at a node.
fn open(net: &mut Net, node: usize) -> ProposalView {
    match net.command(node, Command::Proposals).unwrap() {
        Reply::Proposals(all) => all.into_iter().next().expect("one is open"),
        other => panic!("{other:?}"),
    }
}

/// Keys of a kind on a validator's disk.
fn keys(net: &Net, node: usize, kind: u8) -> usize {
    let disk = &net.nodes[node].validator.as_ref().unwrap().disk;
    disk.0.keys().filter(|key| key[0] == kind).count()
}

#[test]
fn nobody_is_ready_before_it_has_copied_what_there_is() {
    let mut net = Net::started(1, 4, 8);
    let coins: Vec<Coin> = net.coins[..3].to_vec();
    net.paid(&coins[0], &[0, 1, 2]);
    // Two of them show nothing yet.
    for node in [1, 3] {
        net.nodes[node].liar = Some(Box::new(|request| match request {
            ToValidator::Entries(_) => Some(FromValidator::NotReady(NotReady::Checking(()))),
            ToValidator::Log(_) => Some(FromValidator::NotReady(NotReady::Checking(()))),
            _ => None,
        }));
    }
    net.replace(&[4, 5, 6, 7], &[0, 1, 2]);
    net.run(20_000);
    let one = open(&mut net, 0);
    assert_eq!(one.acknowledged, [0, 1, 2]);
    assert_eq!((one.accepted, one.voted), (Vec::new(), Vec::new()));
    // Payments go on meanwhile.
    net.paid(&coins[1], &[0, 1, 2, 3]);
    net.nodes[1].liar = None;
    net.run(20_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    net.paid(&coins[2], &[4, 5, 6, 7]);
}

#[test]
fn what_is_certain_is_not_looked_at_again_when_payments_pause() {
    let mut net = Net::started(2, 4, 5);
    let coins: Vec<Coin> = net.coins[..5].to_vec();
    let mut payments = Vec::new();
    for coin in &coins[..3] {
        let (spend, paid) = net.paid(coin, &[0, 1, 2, 3]);
        net.paid(&paid, &[0, 1, 2, 3]);
        payments.push((coin, spend));
    }
    // One alone has this, and its rival none.
    let (alone, _) = net.pay(&coins[3]);
    assert!(is_vote(&net.votes(&alone, &[3])[0]));
    // The new one is held up until the others have copied.
    net.replace(&[0, 1, 2, 4], &[0]);
    net.part(&[4], &[0, 1, 2, 3]);
    for node in [1, 2] {
        let id = open(&mut net, node).id;
        net.command(node, Command::Approve(id)).unwrap();
    }
    net.run(20_000);
    for node in [0, 1, 2] {
        let (listed, loose) = (keys(&net, node, 0x1a), keys(&net, node, 0x1f));
        assert_eq!((listed, loose), (7, 1), "node {node}");
    }
    net.cut.clear();
    net.run(20_000);
    assert!(net.all_vote(&[0, 1, 2, 4], 1));
    for (coin, spend) in payments {
        let (rival, _) = net.pay(coin);
        for answer in net.votes(&rival, &[0, 1, 2, 4]) {
            assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
        }
        assert!(net.votes(&spend, &[0, 1, 2, 4]).iter().all(is_vote));
    }
    assert!(net.votes(&alone, &[0, 1, 2]).iter().all(is_vote));
    for node in [0, 1, 2, 4] {
        assert_eq!(net.status(node).set, 7);
    }
}
