//! A payment whose coins are promised to another transaction is blocked: it may be final yet, so its
//! coins stay reserved, and it is not paid again unless the owner accepts paying twice.

use covey_kernel::Span;
use covey_ledger::{
    Amount, Asset, Error, Outpoint,
    wallet::{Command, Order, Progress, Reply, Use},
    wire::{FromWallet, ToWallet},
};

use crate::{
    money::{Rival, order, pays},
    net::{Net, genesis, somebody},
};

/// A blocked payment of 30, beside a coin of 31.
fn blocked() -> (Net, covey_ledger::TxId, Rival) {
    let mut net = Net::new();
    net.fund(&[30, 31]);
    let tx = net.pay(30);
    let rival = net.rival(&tx, &[0]);
    for at in [0, 1] {
        net.says(at, &tx, &net.conflict(at, &rival));
    }
    (net, tx, rival)
}

#[test]
fn it_is_blocked_when_f_plus_one_show_a_conflict_and_not_before() {
    for (members, faulty) in [(4, 1), (7, 2)] {
        let mut net = Net::of(genesis(members, 1, 0));
        net.fund(&[30]);
        let tx = net.pay(30);
        let rival = net.rival(&tx, &[0]);
        for at in 0..faulty {
            net.says(at, &tx, &net.conflict(at, &rival));
            assert_eq!(net.progress(&tx), Progress::Sending(()), "{at} of {members}");
        }
        net.says(faulty, &tx, &net.conflict(faulty, &rival));
        let evidence = Progress::Blocked(Box::new(rival.evidence));
        assert_eq!(net.progress(&tx), evidence);
        assert_eq!(net.told(&tx), [evidence]);
        assert_eq!(net.amounts(), (0, 30, 0));
    }
}

#[test]
fn the_owner_is_told_once() {
    let (mut net, tx, rival) = blocked();
    assert_eq!(net.told(&tx).len(), 1);
    net.says(2, &tx, &rival.without_vote());
    assert!(net.told(&tx).is_empty());
}

#[test]
fn another_payment_does_not_choose_its_coins() {
    let (mut net, tx, _) = blocked();
    // The coin of 30 would be exact.
    let other = net.send(pays(&[(2, 30)]));
    let (blocked, other) = (net.spend(&tx).body, net.spend(&other).body);
    assert!(other.inputs.iter().all(|input| !blocked.inputs.contains(input)));
    assert!(matches!(net.order(Command::Send(pays(&[(3, 1)]))), Err(Error::Insufficient { .. })));
    assert!(matches!(
        net.order(Command::Consolidate(Asset::COIN)),
        Err(Error::NothingToConsolidate)
    ));
}

#[test]
fn its_coins_are_reserved_for_it_after_a_restart_too() {
    let (mut net, tx, rival) = blocked();
    net.restart();
    net.wait(Span::secs(60));
    assert_eq!(net.progress(&tx), Progress::Blocked(Box::new(rival.evidence.clone())));
    let reserved: Vec<Outpoint> = net
        .coins()
        .into_iter()
        .filter(|(_, coin)| coin.used == Use::Reserved(tx))
        .map(|(outpoint, _)| outpoint)
        .collect();
    assert_eq!(reserved, [rival.evidence.outpoint]);
    assert_eq!(net.order(Command::Send(order(30))).unwrap_err(), Error::PaysTwice(tx));
}

#[test]
fn it_is_asked_for_again_after_a_restart() {
    let (mut net, tx, _) = blocked();
    net.restart();
    assert_eq!(net.waiting(&tx), [0, 1, 2, 3]);
    // Those who had said conflict, perhaps lying, may vote.
    net.certify(&tx);
    assert_eq!(net.amounts(), (31, 0, 0));
}

#[test]
fn it_is_not_paid_again_from_other_coins_unless_that_is_accepted() {
    let (mut net, tx, _) = blocked();
    let before = net.disk.clone();
    assert_eq!(net.order(Command::Send(order(30))).unwrap_err(), Error::PaysTwice(tx));
    assert!(net.disk == before);
    let again = net.send(Order { twice: true, ..order(30) });
    assert_ne!(again, tx);
}

#[test]
fn something_else_is_paid_as_ever() {
    for other in [pays(&[(2, 30)]), pays(&[(1, 29)]), pays(&[(1, 15), (1, 15)])] {
        let (mut net, ..) = blocked();
        net.send(other);
    }
}

#[test]
fn a_payment_that_only_takes_its_time_may_be_made_again() {
    let mut net = Net::new();
    net.fund(&[30, 31]);
    net.pay(30);
    net.pay(30);
}

#[test]
fn nor_is_it_paid_again_to_a_node_that_is_asked_where() {
    let (mut net, ..) = blocked();
    let (bob, address) = (somebody(8), somebody(9));
    net.feed(covey_kernel::Input::Connected(bob));
    let to_bob = |twice| {
        let to = vec![(bob, Amount::new(1))];
        Command::SendTo(bob, Order { to, twice, ..order(0) })
    };
    assert!(net.command(to_bob(false)).is_none(), "they are asked first");
    let answer = Ok(FromWallet::Address(address).encode());
    let ask = net.take(|ask| ask.wallet() == Some(&ToWallet::Address(()))).unwrap();
    net.answer_bytes(&ask, answer.clone());
    let Ok(Reply::Payment(view)) = net.late_reply() else { panic!("it is paid") };
    let rival = net.rival(&view.tx, &[0]);
    for at in [0, 1] {
        net.says(at, &view.tx, &net.conflict(at, &rival));
    }
    assert!(net.command(to_bob(false)).is_none());
    let ask = net.take(|ask| ask.wallet() == Some(&ToWallet::Address(()))).unwrap();
    net.answer_bytes(&ask, answer);
    assert_eq!(net.late_reply().unwrap_err(), Error::PaysTwice(view.tx));
}
