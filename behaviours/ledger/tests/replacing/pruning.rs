//! What is left of epochs that are over.

use covey_ledger::{
    LogFrom,
    wire::{FromValidator, ToValidator},
};

use crate::net::{Net, is_vote};

/// Locks, what was listed, what that spends, sources, what is wanted of them, that it is complete, what is still
/// to be looked at.
const OF_ONE_EPOCH: [u8; 7] = [0x10, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f];

/// Keys that are of use in one epoch only, of epochs before this one.
fn left(net: &Net, node: usize, before: u64) -> usize {
    let disk = &net.nodes[node].validator.as_ref().unwrap().disk;
    let old = |key: &&Vec<u8>| {
        let epoch = key.get(1..9).and_then(|epoch| epoch.try_into().ok()).map(u64::from_be_bytes);
        OF_ONE_EPOCH.contains(&key[0]) && epoch.is_some_and(|epoch| epoch < before)
    };
    disk.0.keys().filter(old).count()
}

fn key(tag: u8, epoch: u64, number: u64) -> Vec<u8> {
    [&[tag], epoch.to_be_bytes().as_slice(), &number.to_be_bytes(), &[0; 24]].concat()
}

#[test]
fn what_only_one_epoch_needs_is_removed_after_it() {
    let mut net = Net::started(1, 4, 5);
    let members = [0, 1, 2, 3];
    let mut payments = Vec::new();
    for epoch in 1..4 {
        for index in [2 * epoch, 2 * epoch + 1] {
            let coin = net.coins[index].clone();
            let (spend, new) = net.paid(&coin, &members);
            payments.push((coin, spend));
            payments.push((new.clone(), net.paid(&new, &members).0));
        }
        net.replace(&members, &members);
        net.run(10_000);
        assert!(net.all_vote(&members, epoch as u64));
        for node in members {
            assert_eq!(left(&net, node, epoch as u64), 0, "{node} in epoch {epoch}");
        }
    }
    // What others may still take over is there: the lock sets of all epochs, and their entries.
    let peer = net.peer(1);
    for epoch in 0..3 {
        let part = ToValidator::Log(LogFrom { epoch, from: 0 });
        let FromValidator::Log(page) = net.ask_as(peer, 0, part) else { panic!("{epoch}") };
        assert_eq!(page.ids.len(), 4 * (epoch as usize + 1));
        assert_eq!(page.seal.unwrap().set.count, page.ids.len() as u64);
        let entries = ToValidator::Entries(covey_kernel::Bounded::first(page.ids.iter().copied()));
        let FromValidator::Entries(entries) = net.ask_as(peer, 0, entries) else { panic!() };
        assert_eq!(entries.len(), page.ids.len());
    }
    for (coin, spend) in payments {
        let (rival, _) = net.pay(&coin);
        assert!(!net.votes(&rival, &members).iter().any(is_vote));
        assert!(net.votes(&spend, &members).iter().all(is_vote));
    }
}

#[test]
fn a_node_that_is_no_member_any_more_keeps_no_index() {
    let mut net = Net::started(2, 4, 8);
    let coin = net.coins[0].clone();
    net.paid(&coin, &[0, 1, 2]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    for node in 0..4 {
        assert_eq!(left(&net, node, u64::MAX), 0, "{node}");
    }
}

#[test]
fn much_is_removed_in_small_steps_and_after_a_crash() {
    let mut net = Net::started(3, 4, 4);
    net.replace(&[0, 1, 2, 3], &[0, 1, 2, 3]);
    net.run(10_000);
    net.stop(0);
    let run = net.nodes[0].validator.as_mut().unwrap();
    for number in 0..7_000 {
        for tag in [0x10, 0x1b] {
            run.disk.0.insert(key(tag, 0, number), Vec::new());
        }
    }
    // Of the present epoch nothing is removed.
    let kept = key(0x1d, 1, 0);
    run.disk.0.insert(kept.clone(), Vec::new());
    run.most_writes = 0;
    run.crash_at = Some(run.turns + 12);
    net.start(0);
    net.run(10_000);
    let between = left(&net, 0, 1);
    assert!(0 < between && between < 14_000, "{between}");
    net.nodes[0].validator.as_mut().unwrap().crash_at = None;
    net.start(0);
    net.run(10_000);
    assert_eq!(left(&net, 0, 1), 0);
    let run = net.nodes[0].validator.as_ref().unwrap();
    assert!(run.disk.0.contains_key(&kept));
    let step = covey_ledger::limits::PRUNE_STEP;
    assert!((step..step + 50).contains(&run.most_writes), "{}", run.most_writes);
}
