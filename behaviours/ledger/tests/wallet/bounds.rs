//! Bounds of what a wallet keeps, shows and asks for at once.

use std::collections::BTreeSet;

use covey_kernel::Span;
use covey_ledger::{
    Amount, Asset, Error, Proof, TxId,
    limits::{PAGE, PENDING, RENEW_AGAIN, RENEWALS, REQUESTS},
    wallet::{Command, Reply},
    wire::{FromValidator, ToValidator},
};

use crate::{
    money::order,
    net::{Net, genesis, somebody, validator},
};

#[test]
fn so_many_payments_wait_at_once_and_lists_show_a_page_of_them() {
    // Nobody hears of them.
    let mut net = Net::alone(genesis(4, 1, 0), 7);
    let address = net.address();
    for _ in 0..=PENDING / 256 {
        net.fund_at(address, &[1; 256]);
    }
    let coins = Command::Coins { asset: Asset::COIN, limit: usize::MAX, after: None };
    assert!(matches!(net.order(coins), Ok(Reply::Coins(coins)) if coins.len() == PAGE));
    for _ in 0..PENDING {
        net.pay(1);
    }
    let before = net.disk.clone();
    assert_eq!(net.order(Command::Send(order(1))).unwrap_err(), Error::TooManyPending);
    assert!(net.disk == before);
    assert_eq!(net.status().pending, PENDING);
    assert!(matches!(net.order(Command::Pending), Ok(Reply::Payments(all)) if all.len() == PAGE));
    let history = Command::History { limit: usize::MAX, before: None };
    assert!(matches!(net.order(history), Ok(Reply::History(lines)) if lines.len() == PAGE));
    // All of them go on after a restart.
    net.crash();
    assert_eq!(net.status().pending, PENDING);
}

#[test]
fn so_many_requests_are_kept() {
    let mut net = Net::new();
    let ask = || Command::Ask {
        amount: Some(Amount::new(5)),
        asset: Asset::COIN,
        label: Default::default(),
    };
    let before = net.disk.clone();
    net.order(ask()).unwrap();
    let is_request = |key: &Vec<u8>| key[0] == 0x50 && !before.0.contains_key(key);
    let (_, request) = net.disk.0.iter().find(|(key, _)| is_request(key)).unwrap();
    let request = request.clone();
    // Others, as if their addresses had been paid to in time.
    for number in 1..REQUESTS {
        let key = [&[0x50], somebody(number).as_bytes().as_slice()].concat();
        net.disk.0.insert(key, request.clone());
    }
    assert_eq!(net.order(ask()).unwrap_err(), Error::TooManyRequests);
    assert!(matches!(net.order(Command::Requests), Ok(Reply::Requests(all)) if all.len() == PAGE));
}

/// The transactions for which validators are asked anew, and by how many.
fn renewed(net: &Net) -> BTreeSet<TxId> {
    let asked = net.asks.iter().filter_map(|ask| match ask.validator() {
        Some(ToValidator::Refresh(refresh)) => Some(refresh.tx),
        _ => None,
    });
    asked.collect()
}

fn epochs(net: &mut Net) -> Vec<u64> {
    let epoch = |proof: &Proof| match proof {
        Proof::Paid(paid) => paid.certificate.epoch,
        other => panic!("{other:?}"),
    };
    net.coins().iter().map(|(_, coin)| epoch(&coin.proof)).collect()
}

#[test]
fn so_many_certificates_are_renewed_at_once() {
    let mut net = Net::new();
    net.fund(&[1; RENEWALS + 8]);
    net.turn_epoch();
    let mut most = 0;
    for _ in 0..20 {
        net.wait(RENEW_AGAIN);
        most = most.max(renewed(&net).len());
        for tx in renewed(&net) {
            for at in 0..4 {
                let ask = net.take(|ask| {
                    let is =
                        matches!(ask.validator(), Some(ToValidator::Refresh(one)) if one.tx == tx);
                    is && ask.to == validator(at)
                });
                let Some(ask) = ask else { continue };
                // One of them refuses, whatever it is.
                let answer = match at {
                    0 => FromValidator::Invalid(covey_ledger::Reason::NotImported),
                    _ => net.vote(at, &tx),
                };
                net.answer_bytes(&ask, Ok(answer.encode()));
            }
        }
    }
    assert_eq!(most, RENEWALS);
    let epochs = epochs(&mut net);
    assert_eq!(epochs, [1; RENEWALS + 8]);
}

#[test]
fn payments_come_before_renewals() {
    let mut net = Net::new();
    net.fund(&[10, 20]);
    let tx = net.pay(20);
    net.turn_epoch();
    net.wait(Span::secs(10));
    assert!(renewed(&net).is_empty());
    net.certify(&tx);
    net.wait(Span::secs(10));
    assert_eq!(renewed(&net).len(), 1);
}

#[test]
fn a_coin_that_cannot_be_renewed_is_kept_as_it_is() {
    let mut net = Net::new();
    net.fund(&[10]);
    net.turn_epoch();
    net.wait(Span::secs(10));
    for at in 0..2 {
        let ask = net
            .take(|ask| {
                matches!(ask.validator(), Some(ToValidator::Refresh(_))) && ask.to == validator(at)
            })
            .unwrap();
        let refusal = FromValidator::Invalid(covey_ledger::Reason::NotImported);
        net.answer_bytes(&ask, Ok(refusal.encode()));
    }
    assert_eq!((epochs(&mut net), net.amounts()), (vec![0], (10, 0, 0)));
}
