//! The whole of it, when nothing goes wrong.

use covey_ledger::wire::{FromValidator, NotReady};

use crate::net::{Net, is_vote};

#[test]
fn four_new_validators_follow_four_old_ones() {
    let mut net = Net::started(1, 4, 8);
    let coin = net.coins[0].clone();
    let (_, paid) = net.paid(&coin, &[0, 1, 2]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    for node in 4..8 {
        let status = net.status(node);
        assert_eq!((status.epoch, status.not_ready, status.set), (1, None, 1), "of {node}");
    }
    for node in 0..4 {
        assert_eq!(net.status(node).not_ready, Some(NotReady::Sealed(())));
    }
    let (spend, _) = net.pay(&paid);
    assert!(net.votes(&spend, &[4, 5, 6, 7]).iter().all(is_vote));
    let (rival, _) = net.pay(&coin);
    for answer in net.votes(&rival, &[4, 5, 6, 7]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
}
