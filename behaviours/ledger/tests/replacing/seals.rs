//! The end of an epoch.

use covey_kernel::Fault;
use covey_ledger::{
    Error, LogFrom, TxId,
    validator::Command,
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::net::{Net, is_vote, proof};

fn log(net: &mut Net, from: usize, node: usize, epoch: u64) -> FromValidator {
    let peer = net.peer(from);
    net.ask_as(peer, node, ToValidator::Log(LogFrom { epoch, from: 0 }))
}

fn sealed(answer: &FromValidator) -> Option<Vec<TxId>> {
    match answer {
        FromValidator::Log(page) => page.seal.map(|_| page.ids.to_vec()),
        _ => None,
    }
}

#[test]
fn a_certificate_is_completed_after_the_seal() {
    let mut net = Net::started(1, 4, 8);
    let coin = net.coins[0].clone();
    let (spend, mut paid) = net.pay(&coin);
    let early = net.votes(&spend, &[0, 1]);
    assert!(early.iter().all(is_vote));
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    for node in [2, 3] {
        let late = net.votes(&spend, &[node]);
        assert_eq!(late, [FromValidator::NotReady(NotReady::Sealed(()))]);
    }
    // A liar gives the third vote afterwards: the certificate is good, as its transaction was handed
    // over.
    let tx = spend.body.id(&net.network.id);
    let liar = net.first_key(3);
    let signature = covey_ledger::Ballot::over(0, 500, &[tx]).sign(&liar, &net.network.id);
    let vote = covey_ledger::Vote::all(500, &[tx], signature).remove(0);
    let mut votes = early;
    votes.push(FromValidator::Vote(vote));
    let votes: Vec<_> = [0u8, 1, 3]
        .into_iter()
        .zip(votes)
        .map(|(place, vote)| match vote {
            FromValidator::Vote(vote) => (place, vote),
            other => panic!("{other:?}"),
        })
        .collect();
    let certificate = covey_ledger::Certificate::of(0, 3, &votes).unwrap();
    paid.proof = proof(&spend, certificate.clone());
    let (rival, _) = net.pay(&coin);
    for answer in net.votes(&rival, &[4, 5, 6, 7]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
    let (onward, _) = net.pay(&paid);
    assert!(net.votes(&onward, &[4, 5, 6, 7]).iter().all(is_vote));
    net.refreshed(tx, &certificate, &[4, 5, 6]);
}

#[test]
fn a_member_that_has_not_imported_neither_seals_nor_votes_for_a_successor() {
    let mut net = Net::started(2, 4, 12);
    let coin = net.coins[0].clone();
    net.prepare(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.part(&[7], &[0, 1, 2, 3]);
    let (spend, _) = net.paid(&coin, &[0, 1, 2]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6], 1));
    assert_eq!(net.status(7).not_ready, Some(NotReady::Importing(())));
    let id = net.replace(&[8, 9, 10, 11], &[4, 5, 7]);
    // Nor does it hear of what its fellows seal.
    net.part(&[7], &[4, 5, 6]);
    net.command(6, Command::Approve(id)).unwrap();
    net.run(10_000);
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    let chain = net.chain(8);
    assert_eq!(chain.links_after(1).next().unwrap().signers, 0b0111);
    // It knows the certificate, and does not seal what it never took over.
    let status = net.status(7);
    let stands = (status.epoch, status.newest, status.not_ready);
    assert_eq!(stands, (1, 2, Some(NotReady::Importing(()))));
    assert_eq!(log(&mut net, 8, 7, 1), FromValidator::NotReady(NotReady::Importing(())));
    net.cut.clear();
    net.run(10_000);
    assert_eq!(net.status(7).not_ready, Some(NotReady::Sealed(())));
    let tx = spend.body.id(&net.network.id);
    assert_eq!(sealed(&log(&mut net, 8, 7, 1)), Some(vec![tx]));
}

#[test]
fn the_naive_swap_without_import_is_refused() {
    let mut net = Net::started(3, 4, 8);
    let coin = net.coins[0].clone();
    net.prepare(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    let (first, _) = net.paid(&coin, &[0, 1, 2]);
    // The new ones hear of the certificate, and never of the lock sets.
    for node in 0..4 {
        net.nodes[node].liar = Some(Box::new(|request| match request {
            ToValidator::Log(_) | ToValidator::Entries(_) => {
                Some(FromValidator::NotReady(NotReady::Checking(())))
            }
            _ => None,
        }));
    }
    net.run(20_000);
    let (second, _) = net.pay(&coin);
    for node in 4..8 {
        let status = net.status(node);
        assert_eq!((status.epoch, status.not_ready), (1, Some(NotReady::Importing(()))));
        for spend in [&first, &second] {
            let refused = [FromValidator::NotReady(NotReady::Importing(()))];
            assert_eq!(net.votes(spend, &[node]), refused);
        }
    }
}

#[test]
fn a_lock_set_is_for_members_alone() {
    let mut net = Net::started(4, 4, 9);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(sealed(&log(&mut net, 4, 0, 0)).is_some());
    let refused = FromValidator::Invalid(covey_ledger::Reason::CertificateSigners);
    assert_eq!(log(&mut net, 8, 0, 0), refused);
}

#[test]
fn voting_keys_are_erased_with_the_seal() {
    let mut net = Net::started(5, 4, 8);
    let key = net.first_key(0);
    let secret = key.secret().to_vec();
    let holds = |net: &Net| {
        let disk = &net.nodes[0].validator.as_ref().unwrap().disk;
        disk.0.values().any(|value| value.windows(32).any(|bytes| bytes == secret))
    };
    assert!(holds(&net));
    net.replace(&[0, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(net.all_vote(&[0, 5, 6, 7], 1));
    assert!(!holds(&net));
}

#[test]
fn locks_that_are_not_listed_are_never_sealed() {
    let mut net = Net::started(9, 4, 4);
    let coin = net.coins[0].clone();
    net.paid(&coin, &[0, 1, 2]);
    net.stop(0);
    // A store of before there was such a list.
    net.nodes[0].validator.as_mut().unwrap().disk.0.retain(|key, _| key[0] != 0x17);
    assert!(matches!(net.try_start(0), Err(Error::Store(Fault::Corrupt(_)))));
}

#[test]
fn a_copy_from_before_an_epoch_does_not_vote_in_it_again() {
    let mut net = Net::started(8, 4, 4);
    let proposal = net.proposal(&[0, 1, 2, 3]);
    let id = proposal.id(&net.network.id);
    // It has the key of the next epoch already.
    let copy = net.nodes[0].validator.as_ref().unwrap().disk.clone();
    net.command(0, Command::Propose(Box::new(proposal))).unwrap();
    net.run(500);
    for node in 0..4 {
        net.command(node, Command::Approve(id)).unwrap();
    }
    net.run(10_000);
    assert!(net.all_vote(&[0, 1, 2, 3], 1));
    let coin = net.coins[0].clone();
    let (first, second) = (net.pay(&coin).0, net.pay(&coin).0);
    assert!(net.votes(&first, &[0]).iter().all(is_vote));
    net.run(3_000);
    net.stop(0);
    net.nodes[0].validator.as_mut().unwrap().disk = copy;
    net.start(0);
    net.run(20_000);
    assert_eq!(net.status(0).epoch, 1);
    let refused = [FromValidator::NotReady(NotReady::Behind(()))];
    assert_eq!(net.votes(&second, &[0]), refused);
}

/// It has voted for nothing since it was copied, and its last words are that it has sealed.
#[test]
fn a_copy_from_before_a_seal_votes_in_that_epoch_no_more() {
    let mut net = Net::started(9, 4, 5);
    let copy = net.nodes[3].validator.as_ref().unwrap().disk.clone();
    net.replace(&[0, 1, 2, 4], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(net.all_vote(&[0, 1, 2, 4], 1));
    net.stop(3);
    net.nodes[3].validator.as_mut().unwrap().disk = copy;
    net.start(3);
    net.run(5_000);
    let coin = net.coins[0].clone();
    let (spend, _) = net.pay(&coin);
    let refused = [FromValidator::NotReady(NotReady::Behind(()))];
    assert_eq!(net.votes(&spend, &[3]), refused);
}

#[test]
fn who_is_behind_may_become_a_member_of_a_later_epoch() {
    let mut net = Net::started(10, 4, 5);
    let coins = [net.coins[0].clone(), net.coins[1].clone()];
    net.paid(&coins[0], &[0, 1, 3]);
    let copy = net.nodes[3].validator.as_ref().unwrap().disk.clone();
    net.replace(&[0, 1, 2, 4], &[0, 1, 2, 3]);
    net.run(10_000);
    net.stop(3);
    net.nodes[3].validator.as_mut().unwrap().disk = copy;
    net.start(3);
    net.run(70_000);
    let status = net.status(3);
    let behind = Some(NotReady::Behind(()));
    assert_eq!((status.epoch, status.newest, status.not_ready), (0, 1, behind));
    // With a new key: what it takes over it takes over from those who know.
    net.replace(&[0, 1, 2, 3], &[0, 1, 2]);
    net.run(20_000);
    assert!(net.all_vote(&[0, 1, 2, 3], 2));
    let (rival, _) = net.pay(&coins[0]);
    for answer in net.votes(&rival, &[0, 1, 2, 3]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
    net.paid(&coins[1], &[0, 1, 3]);
}

/// The validators' part of a whole replacement, in which one of them crashes once, right after a write.
fn crashing(node: usize, turn: usize) -> usize {
    let mut net = Net::started(7, 4, 6);
    let run = net.nodes[node].validator.as_mut().unwrap();
    let began = run.turns;
    run.crash_at = Some(began + turn);
    let (coin, other) = (net.coins[0].clone(), net.coins[1].clone());
    let (spend, _) = net.pay(&coin);
    // What crashes does not answer.
    for validator in 0..4 {
        if net.nodes[validator].validator.as_ref().unwrap().machine.is_some() {
            let request = ToValidator::Spend(Box::new(spend.clone()));
            net.tell(validator, request);
        }
    }
    net.run(100);
    let mut restarted = false;
    let again = |net: &mut Net, restarted: &mut bool| {
        if net.nodes[node].validator.as_ref().unwrap().machine.is_none() {
            net.stop(node);
            net.run(300);
            net.start(node);
            net.run(2_000);
            *restarted = true;
        }
    };
    again(&mut net, &mut restarted);
    let members = [1, 2, 3, 4];
    let proposal = loop {
        again(&mut net, &mut restarted);
        if let Some(proposal) = net.try_proposal(&members) {
            break proposal;
        }
    };
    let id = proposal.id(&net.network.id);
    let propose = || Command::Propose(Box::new(proposal.clone()));
    net.order_validator(0, propose());
    net.run(500);
    again(&mut net, &mut restarted);
    net.order_validator(1, propose());
    net.run(500);
    for operator in 0..4 {
        again(&mut net, &mut restarted);
        net.order_validator(operator, Command::Approve(id));
        net.run(50);
        again(&mut net, &mut restarted);
        net.order_validator(operator, Command::Approve(id));
    }
    for _ in 0..40 {
        net.run(500);
        again(&mut net, &mut restarted);
    }
    net.nodes[node].validator.as_mut().unwrap().crash_at = None;
    assert!(net.all_vote(&members, 1), "{node} crashed at {turn}");
    // Nothing was forgotten: the payment can be completed, and no other one of the same coin.
    let (rival, _) = net.pay(&coin);
    let rivals = net.votes(&rival, &members);
    assert!(!rivals.iter().any(is_vote), "{node} crashed at {turn}: {rivals:?}");
    assert!(net.votes(&spend, &members).iter().all(is_vote), "{node} crashed at {turn}");
    net.paid(&other, &members);
    if restarted { net.nodes[node].validator.as_ref().unwrap().turns - began } else { 0 }
}

fn crash_everywhere(step: usize) {
    for node in [0, 1, 4] {
        let mut turn = 1 + node % step;
        while crashing(node, turn) > 0 {
            turn += step;
        }
        assert!(turn > 40, "the whole replacement is crossed");
    }
}

#[test]
fn a_crash_between_vote_seal_and_import_loses_nothing() {
    crash_everywhere(13);
}

#[test]
#[ignore = "half a minute: the same at each turn"]
fn a_crash_at_any_turn_loses_nothing() {
    crash_everywhere(1);
}
