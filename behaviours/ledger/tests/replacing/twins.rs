//! Two devices with one phrase race each other for a coin, though their owner said that they would not:
//! whoever is late learns that it was.

use covey_ledger::{
    Phrase, TxId,
    wallet::{Command, Failure, Progress, Reply},
};

use crate::{
    net::Net,
    wallets::{balance, funded, order, progress},
};

/// A wallet of the same phrase.
fn twin(net: &mut Net, wallet: usize) -> usize {
    let phrase = match net.order(wallet, Command::Phrase).unwrap() {
        Reply::Phrase(words) => Phrase::parse(&words).unwrap(),
        other => panic!("{other:?}"),
    };
    let twin = net.add_wallet();
    net.run(6_000);
    net.order(twin, Command::Restore(Box::new(phrase))).unwrap();
    net.run(60_000);
    net.order(twin, Command::Alone).unwrap();
    assert_eq!(balance(net, twin), (800, 0));
    twin
}

/// One device pays while nobody, or only these, hear the other one.
fn race(net: &mut Net, (ann, bob): (usize, usize), hear: &[usize]) -> (usize, TxId, TxId) {
    let twin = twin(net, ann);
    let deaf: Vec<usize> = (0..4).filter(|at| !hear.contains(at)).collect();
    net.part(&[twin], &deaf);
    let late = order(net, twin, bob, 60);
    net.run(1_000);
    let first = order(net, ann, bob, 70);
    net.run(1_000);
    assert!(matches!(progress(net, ann, first), Progress::Certified(_)));
    (twin, late, first)
}

#[test]
fn who_was_late_learns_that_its_payment_has_failed() {
    let (mut net, ann, bob) = funded(21, 4);
    let (twin, late, first) = race(&mut net, (ann, bob), &[0]);
    assert_eq!(progress(&mut net, twin, late), Progress::Sending(()));
    net.cut.clear();
    net.run(60_000);
    assert_eq!(progress(&mut net, twin, late), Progress::Failed(Failure::Spent(first)));
    assert_eq!(balance(&mut net, twin), (700, 0));
    // What is left is not locked.
    let again = order(&mut net, twin, bob, 60);
    net.run(5_000);
    assert!(matches!(progress(&mut net, twin, again), Progress::Certified(_)));
}

#[test]
fn who_was_late_by_an_epoch_learns_it_when_the_other_payment_is_renewed() {
    let (mut net, ann, bob) = funded(22, 8);
    let (twin, late, first) = race(&mut net, (ann, bob), &[]);
    net.stop(ann);
    net.stop(bob);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    net.cut.clear();
    net.run(90_000);
    // The new validators know that the coin was promised, and have not voted for the other payment.
    assert!(matches!(progress(&mut net, twin, late), Progress::Blocked(_)));
    net.start(bob);
    net.run(90_000);
    assert_eq!(progress(&mut net, twin, late), Progress::Failed(Failure::Spent(first)));
    assert_eq!(balance(&mut net, twin), (700, 0));
}
