//! What holds over several epochs.

use covey_ledger::{
    Certificate, Outpoint, Proof, Reason, Refresh, Vote,
    wire::{FromValidator, ToValidator},
};

use crate::net::{Coin, Net, certificate, forged, is_vote, proof, refused};

/// Replaces the validators by others, and waits.
fn next(net: &mut Net, old: &[usize], new: &[usize], epoch: u64) {
    net.replace(new, old);
    net.run(10_000);
    assert!(net.all_vote(new, epoch), "epoch {epoch}");
}

#[test]
fn a_coin_of_epoch_0_is_spent_in_epoch_3() {
    let mut net = Net::started(1, 4, 12);
    let coin = net.coins[0].clone();
    let (spend, paid) = net.paid(&coin, &[0, 1, 2]);
    next(&mut net, &[0, 1, 2, 3], &[4, 5, 6, 7], 1);
    next(&mut net, &[4, 5, 6, 7], &[8, 9, 10, 11], 2);
    next(&mut net, &[8, 9, 10, 11], &[0, 1, 2, 3], 3);
    let (_, mut onward) = net.paid(&paid, &[0, 1, 2]);
    assert_eq!(certificate(&onward.proof).epoch, 3);
    // Offline, a payee wants the newest certificate of the same transaction.
    let tx = spend.body.id(&net.network.id);
    let fresh = net.refreshed(tx, &certificate(&paid.proof), &[0, 1, 3]);
    assert_eq!(fresh.epoch, 3);
    for _ in 0..3 {
        onward = net.paid(&onward, &[1, 2, 3]).1;
    }
}

#[test]
fn what_was_spent_in_an_epoch_is_not_spent_again_two_epochs_later() {
    let mut net = Net::started(2, 4, 12);
    let coin = net.coins[0].clone();
    let (first, _) = net.paid(&coin, &[0, 1, 2]);
    next(&mut net, &[0, 1, 2, 3], &[4, 5, 6, 7], 1);
    next(&mut net, &[4, 5, 6, 7], &[8, 9, 10, 11], 2);
    let (second, _) = net.pay(&coin);
    for answer in net.votes(&second, &[8, 9, 10, 11]) {
        let FromValidator::Conflict(conflict) = answer else { panic!("{answer:?}") };
        assert_eq!((conflict.evidence.body, conflict.vote), (first.body.clone(), None));
    }
    let votes = net.votes(&first, &[8, 9, 10, 11]);
    // Now there are votes of this epoch to show.
    for (answer, vote) in net.votes(&second, &[8, 9, 10, 11]).into_iter().zip(votes) {
        let FromValidator::Conflict(conflict) = answer else { panic!("{answer:?}") };
        assert_eq!(FromValidator::Vote(conflict.vote.unwrap()), vote);
    }
}

#[test]
fn an_old_lock_does_not_refuse_what_is_certified() {
    let mut net = Net::started(3, 4, 5);
    let coin = net.coins[0].clone();
    let (wrong, _) = net.pay(&coin);
    let (right, mut paid) = net.pay(&coin);
    assert!(net.votes(&wrong, &[0]).iter().all(is_vote));
    let old = net.certify(&right, &[1, 2, 3]);
    paid.proof = proof(&right, old.clone());
    next(&mut net, &[0, 1, 2, 3], &[0, 1, 2, 4], 1);
    for spend in [&wrong, &right] {
        for answer in net.votes(spend, &[0]) {
            assert_eq!(refused(&answer), Some(Reason::Frozen));
        }
    }
    // The payee shows the certificate: also the one who had locked another.
    let tx = right.body.id(&net.network.id);
    let refresh = ToValidator::Refresh(Box::new(Refresh { tx, certificate: old }));
    for node in [0, 1, 2, 4] {
        assert!(is_vote(&net.ask(node, refresh.clone())), "{node}");
    }
    let (onward, _) = net.pay(&paid);
    assert!(net.votes(&onward, &[0, 1, 2, 4]).iter().all(is_vote));
    for answer in net.votes(&wrong, &[0, 1, 2, 4]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
}

#[test]
fn spending_on_with_an_old_certificate_locks_what_it_proves() {
    let mut net = Net::started(4, 4, 8);
    let coin = net.coins[0].clone();
    let (wrong, _) = net.pay(&coin);
    let (right, mut paid) = net.pay(&coin);
    assert!(net.votes(&wrong, &[0]).iter().all(is_vote));
    let old = net.certify(&right, &[1, 2, 3]);
    paid.proof = proof(&right, old.clone());
    next(&mut net, &[0, 1, 2, 3], &[4, 5, 6, 7], 1);
    let (onward, _) = net.pay(&paid);
    assert!(net.votes(&onward, &[4, 5, 6, 7]).iter().all(is_vote));
    // The coin that the parent spends is promised to the parent now, though nobody asked for its vote.
    for answer in net.votes(&wrong, &[4, 5, 6, 7]) {
        let FromValidator::Conflict(conflict) = answer else { panic!("{answer:?}") };
        assert_eq!((conflict.evidence.body, conflict.vote), (right.body.clone(), None));
    }
    // Two leaked certificates that exclude each other: the second is worth nothing.
    let tx = wrong.body.id(&net.network.id);
    let keys = [0, 1, 2].map(|node| (node as u8, net.first_key(node)));
    let leaked = forged(&net.network, 0, tx, &keys);
    let mut stolen = Coin {
        outpoint: Outpoint { tx, index: 0 },
        output: wrong.outputs[0].output.clone(),
        ..paid
    };
    stolen.proof = proof(&wrong, leaked.clone());
    let refresh = ToValidator::Refresh(Box::new(Refresh { tx, certificate: leaked }));
    for node in 4..8 {
        let answer = net.ask(node, refresh.clone());
        let unknown = refused(&answer) == Some(Reason::NotImported);
        assert!(unknown || matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
}

#[test]
fn votes_of_different_epochs_make_no_certificate() {
    let mut net = Net::started(5, 4, 5);
    let coin = net.coins[0].clone();
    let (spend, mut paid) = net.pay(&coin);
    let old = net.votes(&spend, &[0, 1]);
    next(&mut net, &[0, 1, 2, 3], &[0, 1, 2, 3], 1);
    let new = net.votes(&spend, &[2]);
    let votes: Vec<(u8, Vote)> = (0u8..)
        .zip(old.into_iter().chain(new))
        .map(|(place, vote)| match vote {
            FromValidator::Vote(vote) => (place, vote),
            other => panic!("{other:?}"),
        })
        .collect();
    for epoch in [0, 1] {
        let mixed = Certificate::of(epoch, 3, &votes).unwrap();
        paid.proof = proof(&spend, mixed.clone());
        let (onward, _) = net.pay(&paid);
        let answer = net.votes(&onward, &[0]).remove(0);
        assert_eq!(refused(&answer), Some(Reason::VoteSignature));
        let tx = spend.body.id(&net.network.id);
        let refresh = Refresh { tx, certificate: mixed };
        let answer = net.ask(0, ToValidator::Refresh(Box::new(refresh)));
        assert_eq!(refused(&answer), Some(Reason::VoteSignature));
    }
}

#[test]
fn leaked_keys_certify_nothing_that_was_not_handed_over() {
    let mut net = Net::started(6, 4, 8);
    let coin = net.coins[0].clone();
    let (_, paid) = net.paid(&coin, &[0, 1, 2]);
    let keys = [0, 1, 2].map(|node| (node as u8, net.first_key(node)));
    next(&mut net, &[0, 1, 2, 3], &[4, 5, 6, 7], 1);
    let (theft, mut stolen) = net.pay(&coin);
    let tx = theft.body.id(&net.network.id);
    let leaked = forged(&net.network, 0, tx, &keys);
    stolen.proof = proof(&theft, leaked.clone());
    let (onward, _) = net.pay(&stolen);
    let refresh = ToValidator::Refresh(Box::new(Refresh { tx, certificate: leaked }));
    for node in 4..8 {
        let answers = [net.votes(&onward, &[node]).remove(0), net.ask(node, refresh.clone())];
        for answer in answers {
            assert_eq!(refused(&answer), Some(Reason::NotImported));
        }
    }
    net.paid(&paid, &[4, 5, 6]);
}

#[test]
fn a_token_is_issued_once_in_all_epochs() {
    let mut net = Net::started(7, 4, 8);
    let owner = net.coins[0].owner.clone();
    let manifest = covey_ledger::Manifest {
        issuer: owner.public(),
        name: crate::net::text("vote"),
        amount: covey_ledger::Amount::new(50),
        decimals: covey_ledger::Decimals::new(0).unwrap(),
    };
    let (outpoint, output) = manifest.issue(&net.network.id);
    let issue = Coin { outpoint, output, proof: Proof::Issue(Box::new(manifest)), owner };
    let (_, token) = net.paid(&issue, &[0, 1, 2]);
    next(&mut net, &[0, 1, 2, 3], &[4, 5, 6, 7], 1);
    let (again, _) = net.pay(&issue);
    for answer in net.votes(&again, &[4, 5, 6, 7]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
    net.paid(&token, &[4, 5, 6]);
}

#[test]
fn a_resend_in_a_new_epoch_replaces_no_entry() {
    // The same transaction, proven by a certificate of the new epoch: who is late to import must be
    // handed what was locked in the old one.
    let mut net = Net::started(8, 4, 5);
    let coin = net.coins[0].clone();
    // It has accepted, and is cut off before it copies what matters.
    let id = net.replace(&[0, 1, 2, 4], &[1]);
    net.stop(0);
    for node in [2, 3] {
        net.command(node, covey_ledger::validator::Command::Approve(id)).unwrap();
    }
    net.run(4_000);
    net.part(&[4], &[0, 1, 2, 3]);
    let (parent, mut paid) = net.paid(&coin, &[1, 2, 3]);
    let (child, _) = net.paid(&paid, &[1, 2, 3]);
    net.start(0);
    net.run(20_000);
    assert!(net.all_vote(&[0, 1, 2], 1));
    let tx = parent.body.id(&net.network.id);
    let fresh = net.refreshed(tx, &certificate(&paid.proof), &[0, 1, 2]);
    paid.proof = proof(&parent, fresh);
    let mut again = child.clone();
    again.proofs = covey_kernel::Bounded::first([paid.proof.clone()]);
    assert!(net.votes(&again, &[0, 1, 2]).iter().all(is_vote));
    net.cut.clear();
    net.run(10_000);
    assert!(net.all_vote(&[4], 1));
    assert_eq!(net.status(4).set, 2);
}
