//! Who comes too late to an epoch: its import is not complete, and the network has gone on.

use covey_kernel::{Bounded, Hash, Keypair, merkle::Builder};
use covey_ledger::{
    Error, LockSet, LogFrom, LogPage, Seal, Spend, TxId, leaf,
    validator::Command,
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::net::{Coin, Net, is_vote};

const LATE: usize = 7;

/// Epoch 1 has begun without node 7, which is a member and hears nothing of those of epoch 0 since it has
/// agreed to be one. With a payment of each epoch.
fn late(seed: u64) -> (Net, [(Coin, Spend); 2]) {
    let mut net = Net::started(seed, 4, 12);
    let coins = [net.coins[0].clone(), net.coins[1].clone()];
    net.prepare(&[4, 5, 6, LATE], &[0, 1, 2, 3]);
    net.part(&[LATE], &[0, 1, 2, 3]);
    let (old, _) = net.paid(&coins[0], &[0, 1, 2]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6], 1));
    assert_eq!(stands(&mut net), (1, Some(NotReady::Importing(()))));
    let (new, _) = net.paid(&coins[1], &[4, 5, 6]);
    let [first, second] = coins;
    (net, [(first, old), (second, new)])
}

fn stands(net: &mut Net) -> (u64, Option<NotReady>) {
    let status = net.status(LATE);
    (status.epoch, status.not_ready)
}

/// What a node has sealed of an epoch.
fn sealed(net: &mut Net, node: usize, epoch: u64) -> Option<Vec<TxId>> {
    let peer = net.peer(4);
    match net.ask_as(peer, node, ToValidator::Log(LogFrom { epoch, from: 0 })) {
        FromValidator::Log(page) => page.seal.map(|_| page.ids.to_vec()),
        _ => None,
    }
}

fn ids(net: &Net, payments: &[(Coin, Spend)]) -> Vec<TxId> {
    let mut ids: Vec<TxId> = payments.iter().map(|(_, one)| one.body.id(&net.network.id)).collect();
    ids.sort_unstable();
    ids
}

fn sorted(mut ids: Vec<TxId>) -> Vec<TxId> {
    ids.sort_unstable();
    ids
}

/// The voting key of the epoch that a node is in, as it lies on its disk; none if it does not.
fn key(net: &Net, node: usize, vote: covey_kernel::PublicKey) -> Option<Keypair> {
    let disk = &net.nodes[node].validator.as_ref().unwrap().disk;
    // What is known of the validator itself, and keys for epochs to come.
    let values = disk.0.iter().filter(|(key, _)| key[0] <= 2).map(|(_, value)| value);
    let mut secrets = values.flat_map(|value| value.windows(32));
    secrets.find_map(|secret| {
        let key = Keypair::from_secret(secret.try_into().unwrap());
        (key.public() == vote).then_some(key)
    })
}

/// Lets a member of epoch 1 hand over this list, whatever it has locked.
fn lie(net: &mut Net, node: usize, ids: Vec<TxId>) {
    let vote = net.status(node).vote.unwrap();
    let key = key(net, node, vote).expect("it has not sealed");
    let mut tree = Builder::default();
    ids.iter().for_each(|tx| tree.push(leaf(tx)));
    let set = LockSet { epoch: 1, count: tree.count(), root: tree.root() };
    let seal = Some(Seal::sign(&key, &net.network.id, set));
    net.nodes[node].liar = Some(Box::new(move |request| match request {
        ToValidator::Log(part) => {
            let ids = ids.iter().skip(part.from as usize).copied();
            Some(FromValidator::Log(Box::new(LogPage { seal, ids: Bounded::first(ids) })))
        }
        _ => None,
    }));
}

/// What a member of epoch 1 has in its list.
fn listed(net: &mut Net, node: usize) -> Vec<TxId> {
    let peer = net.peer(4);
    match net.ask_as(peer, node, ToValidator::Log(LogFrom { epoch: 1, from: 0 })) {
        FromValidator::Log(page) => page.ids.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Nobody of these signs rivals of what was paid, and everybody signs that again.
fn nothing_is_spent_twice(net: &mut Net, payments: &[(Coin, Spend)], members: &[usize]) {
    for (coin, spend) in payments {
        let (rival, _) = net.pay(coin);
        for answer in net.votes(&rival, members) {
            assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
        }
        assert!(net.votes(spend, members).iter().all(is_vote));
    }
}

#[test]
fn who_came_too_late_seals_what_its_fellows_have_sealed() {
    let (mut net, payments) = late(1);
    let vote = net.status(LATE).vote.unwrap();
    assert!(key(&net, LATE, vote).is_some());
    // One of those who follow hears nothing of node 4, and needs the late one's set.
    net.prepare(&[8, 9, 10, 11], &[4, 5, 6]);
    net.part(&[11], &[4]);
    let last = net.coins[3].clone();
    let (spend, _) = net.paid(&last, &[4, 5, 6]);
    let payments: Vec<(Coin, Spend)> = payments.into_iter().chain([(last, spend)]).collect();
    net.run(10_000);
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    assert_eq!(net.status(LATE).not_ready, Some(NotReady::Sealed(())));
    let set = sealed(&mut net, LATE, 1).expect("a seal");
    assert_eq!(sorted(set), ids(&net, &payments));
    assert!(key(&net, LATE, vote).is_none());
    nothing_is_spent_twice(&mut net, &payments, &[8, 9, 10, 11]);
}

#[test]
fn fewer_than_a_quorum_of_its_fellows_is_not_enough() {
    let (mut net, payments) = late(2);
    net.part(&[LATE], &[5]);
    net.replace(&[8, 9, 10, 11], &[4, 5, 6]);
    net.run(20_000);
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    assert_eq!(stands(&mut net), (1, Some(NotReady::Importing(()))));
    assert_eq!(sealed(&mut net, LATE, 1), None);
    // In time it has its own import, and seals what it took over.
    net.cut = net.cut.iter().copied().filter(|(a, b)| *a != 5 && *b != 5).collect();
    net.part(&[LATE], &[4, 5, 6]);
    net.cut = net.cut.iter().copied().filter(|(_, b)| *b > 3).collect();
    net.run(10_000);
    let set = sealed(&mut net, LATE, 1).expect("a seal");
    assert_eq!(set, ids(&net, &payments[..1]));
}

#[test]
fn a_liar_among_its_fellows_hides_nothing() {
    let (mut net, payments) = late(3);
    net.prepare(&[8, 9, 10, 11], &[4, 5, 6]);
    // It has signed what was paid last, and lists what was before.
    let before = listed(&mut net, 6);
    let last = net.coins[3].clone();
    let (spend, _) = net.paid(&last, &[4, 5, 6]);
    let payments: Vec<(Coin, Spend)> = payments.into_iter().chain([(last, spend)]).collect();
    lie(&mut net, 6, before);
    net.part(&[11], &[5]);
    net.run(10_000);
    let set = sealed(&mut net, LATE, 1).expect("a seal");
    assert_eq!(sorted(set), ids(&net, &payments));
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    nothing_is_spent_twice(&mut net, &payments, &[8, 9, 10, 11]);
}

#[test]
fn with_a_liar_among_its_fellows_it_waits_for_its_own_import() {
    let (mut net, payments) = late(4);
    net.prepare(&[8, 9, 10, 11], &[4, 5, 6]);
    let mut list = listed(&mut net, 6);
    list.push(TxId(Hash::of(b"made up")));
    lie(&mut net, 6, list);
    net.run(20_000);
    // Now all wait for it: it is the third honest one.
    assert_eq!(stands(&mut net), (1, Some(NotReady::Importing(()))));
    assert_eq!(sealed(&mut net, LATE, 1), None);
    assert_eq!(net.status(8).not_ready, Some(NotReady::Importing(())));
    net.cut.clear();
    net.run(10_000);
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    nothing_is_spent_twice(&mut net, &payments, &[8, 9, 10, 11]);
}

/// Node 7 comes too late to epoch 1 and is a member of epoch 2; it crashes once, right after a write.
/// How many turns it had, if it has crashed.
fn crashing(turn: usize) -> Option<usize> {
    let (mut net, payments) = late(5);
    let run = net.nodes[LATE].validator.as_mut().unwrap();
    let began = run.turns;
    let proposal = net.proposal(&[4, 5, 6, LATE]);
    let run = net.nodes[LATE].validator.as_mut().unwrap();
    run.crash_at = Some(began + 1 + turn);
    let id = proposal.id(&net.network.id);
    net.command(4, Command::Propose(Box::new(proposal))).unwrap();
    net.run(500);
    let mut crashed = false;
    for step in 0..30 {
        if step < 3 {
            net.command(4 + step, Command::Approve(id)).unwrap();
        }
        net.run(500);
        let run = net.nodes[LATE].validator.as_mut().unwrap();
        if run.machine.is_none() {
            run.crash_at = None;
            net.stop(LATE);
            net.run(300);
            net.start(LATE);
            crashed = true;
        }
    }
    net.nodes[LATE].validator.as_mut().unwrap().crash_at = None;
    assert!(net.all_vote(&[4, 5, 6, LATE], 2), "crashed at {turn}");
    let set = sealed(&mut net, LATE, 1).expect("a seal");
    assert_eq!(sorted(set), ids(&net, &payments), "crashed at {turn}");
    nothing_is_spent_twice(&mut net, &payments, &[4, 5, 6, LATE]);
    // Its votes are of epoch 2.
    let coin = net.coins[2].clone();
    let (_, paid) = net.paid(&coin, &[4, 5, LATE]);
    let (onward, _) = net.pay(&paid);
    assert!(net.votes(&onward, &[4, 5, 6, LATE]).iter().all(is_vote));
    crashed.then(|| net.nodes[LATE].validator.as_ref().unwrap().turns - began)
}

#[test]
fn it_votes_in_the_next_epoch_also_if_it_crashes_on_the_way() {
    let mut turn = 1;
    while crashing(turn).is_some() {
        turn += 9;
    }
    assert!(turn > 30, "the whole way is crossed: {turn}");
}

/// Node 7 hears nothing of those of epochs 0 and 1, and is to be a member of epoch 3.
fn left_behind(seed: u64) -> (Net, [(Coin, Spend); 2]) {
    let (mut net, payments) = late(seed);
    net.part(&[LATE], &[4, 5, 6]);
    net.replace(&[8, 9, 10, 11], &[4, 5, 6]);
    net.run(10_000);
    assert!(net.all_vote(&[8, 9, 10, 11], 2));
    assert_eq!(stands(&mut net), (1, Some(NotReady::Importing(()))));
    (net, payments)
}

#[test]
fn who_reaches_nobody_of_its_epoch_enters_a_later_one() {
    let (mut net, payments) = left_behind(6);
    let vote = net.status(LATE).vote.unwrap();
    net.replace(&[8, 9, 10, LATE], &[8, 9, 10, 11]);
    net.run(15_000);
    assert!(net.all_vote(&[8, 9, 10, LATE], 3));
    // It never seals the epoch that it has left, and cannot vote in it any more.
    assert_eq!(sealed(&mut net, LATE, 1), None);
    assert!(key(&net, LATE, vote).is_none());
    nothing_is_spent_twice(&mut net, &payments, &[8, 9, 10, LATE]);
    net.cut.clear();
    for _ in 0..2 {
        net.run(10_000);
        assert_eq!(sealed(&mut net, LATE, 1), None);
        assert!(net.all_vote(&[8, 9, 10, LATE], 3));
        net.stop(LATE);
        net.start(LATE);
    }
}

#[test]
fn fewer_than_a_quorum_of_sets_lead_into_no_later_epoch() {
    let (mut net, _) = left_behind(7);
    let id = net.replace(&[8, 9, 10, LATE], &[8, 9]);
    net.part(&[LATE], &[9, 10]);
    net.command(10, Command::Approve(id)).unwrap();
    net.run(20_000);
    assert!(net.all_vote(&[8, 9, 10], 3));
    assert_eq!((net.status(LATE).newest, stands(&mut net).0), (3, 1));
    assert_eq!(net.status(LATE).not_ready, Some(NotReady::Importing(())));
    net.cut.clear();
    net.run(20_000);
    assert!(net.all_vote(&[8, 9, 10, LATE], 3));
}

#[test]
fn who_is_late_for_several_epochs_has_a_key_for_each_and_catches_up() {
    let (mut net, payments) = left_behind(8);
    net.part(&[LATE], &[9, 10]);
    let join = || Command::Join { name: crate::net::text("late"), addresses: Bounded::default() };
    for epoch in 3..7 {
        net.replace(&[8, 9, 10, LATE], &[8, 9, 10]);
        net.run(10_000);
        assert!(net.all_vote(&[8, 9, 10], epoch));
        assert_eq!((net.status(LATE).newest, stands(&mut net).0), (epoch, 1));
    }
    assert_eq!(net.command(LATE, join()), Err(Error::TooManyKeys));
    // Those of epochs 0 and 1 are still out of reach.
    net.cut.retain(|(_, other)| *other < 8);
    net.run(20_000);
    assert!(net.all_vote(&[8, 9, 10, LATE], 6));
    nothing_is_spent_twice(&mut net, &payments, &[8, 9, 10, LATE]);
    assert!(net.command(LATE, join()).is_ok());
    assert_eq!(sealed(&mut net, LATE, 1), None);
}
