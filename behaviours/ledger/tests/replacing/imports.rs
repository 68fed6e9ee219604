//! What is taken over, and what is not.

use covey_kernel::{Bounded, Hash, merkle::Builder};
use covey_ledger::{
    LockSet, LogPage, Seal, Spend, TxId, leaf,
    limits::{LOG_PAGE, UNSHOWN},
    validator::SourceView,
    wire::{FromValidator, NotReady, ToValidator},
};

use crate::net::{Net, forged, is_vote, proof, refused};

/// Lets a member of epoch 0 hand over this list, whatever it has locked.
fn lie(net: &mut Net, node: usize, ids: Vec<TxId>, entries: Vec<Spend>) {
    let mut tree = Builder::default();
    ids.iter().for_each(|tx| tree.push(leaf(tx)));
    let set = LockSet { epoch: 0, count: tree.count(), root: tree.root() };
    let seal = Some(Seal::sign(&net.first_key(node), &net.network.id, set));
    let network = net.network.id;
    net.nodes[node].liar = Some(Box::new(move |request| match request {
        ToValidator::Log(part) => {
            let ids = ids.iter().skip(part.from as usize).copied();
            let page = LogPage { seal, ids: Bounded::first(ids) };
            Some(FromValidator::Log(Box::new(page)))
        }
        ToValidator::Entries(asked) => {
            let of = |tx: &TxId| entries.iter().find(|one| one.body.id(&network) == *tx).cloned();
            let entries = asked.iter().map_while(of);
            Some(FromValidator::Entries(Bounded::first(entries)))
        }
        _ => None,
    }));
}

fn source(net: &mut Net, node: usize, place: usize) -> SourceView {
    net.status(node).import.expect("it imports").sources[place].clone()
}

#[test]
fn a_liar_that_omits_a_lock_hides_nothing() {
    let mut net = Net::started(1, 4, 8);
    let coin = net.coins[0].clone();
    // Certified with the liar's vote, so only two honest ones have it, and one of these is dead.
    let (spend, paid) = net.paid(&coin, &[0, 1, 3]);
    lie(&mut net, 3, Vec::new(), Vec::new());
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.part(&[1], &[4, 5, 6, 7]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    let (rival, _) = net.pay(&coin);
    for answer in net.votes(&rival, &[4, 5, 6, 7]) {
        assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
    }
    assert!(net.votes(&spend, &[4, 5, 6, 7]).iter().all(is_vote));
    let (onward, _) = net.pay(&paid);
    assert!(net.votes(&onward, &[4, 5, 6, 7]).iter().all(is_vote));
}

#[test]
fn a_liar_that_invents_a_lock_is_left_out() {
    let made_up = TxId(Hash::of(b"made up"));
    type Case = fn(&mut Net) -> (TxId, Vec<Spend>);
    let cases: [Case; 4] = [
        |_| (TxId(Hash::of(b"made up")), Vec::new()),
        // Not signed by the owner.
        |net| {
            let mut coin = net.coins[5].clone();
            let address = coin.owner.public();
            coin.owner = net.first_key(3);
            let (mut spend, _) = net.pay(&coin);
            let mut witness = spend.witnesses[0].clone();
            witness.address = address;
            spend.witnesses = Bounded::first([witness]);
            (spend.body.id(&net.network.id), vec![spend])
        },
        // Spends what was never certified.
        |net| {
            let coin = net.coins[5].clone();
            let (parent, mut paid) = net.pay(&coin);
            let tx = parent.body.id(&net.network.id);
            let keys = [(0, net.first_key(3)), (1, net.first_key(3)), (3, net.first_key(3))];
            paid.proof = proof(&parent, forged(&net.network, 0, tx, &keys));
            let (spend, _) = net.pay(&paid);
            (spend.body.id(&net.network.id), vec![spend])
        },
        // Spends what was certified with keys that had leaked, and that nobody has.
        |net| {
            let coin = net.coins[5].clone();
            let (parent, mut paid) = net.pay(&coin);
            let tx = parent.body.id(&net.network.id);
            let keys = [0, 1, 3].map(|node| (node as u8, net.first_key(node)));
            paid.proof = proof(&parent, forged(&net.network, 0, tx, &keys));
            let (spend, _) = net.pay(&paid);
            (spend.body.id(&net.network.id), vec![spend])
        },
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let mut net = Net::started(20 + number as u64, 4, 8);
        let coin = net.coins[0].clone();
        let (spend, _) = net.paid(&coin, &[0, 1, 2]);
        let (tx, entries) = case(&mut net);
        // One honest member is late, so that the liar's set is looked at.
        net.part(&[3], &[4, 5, 6, 7]);
        net.prepare(&[4, 5, 6, 7], &[0, 1, 2, 3]);
        net.cut.clear();
        lie(&mut net, 3, vec![tx], entries);
        net.part(&[2], &[4, 5, 6, 7]);
        net.run(10_000);
        for node in 4..8 {
            let not_ready = net.status(node).not_ready;
            assert_eq!(not_ready, Some(NotReady::Importing(())), "case {number}");
            let source = source(&mut net, node, 3);
            assert!(source.lied && !source.complete, "case {number}");
        }
        net.cut.clear();
        net.run(10_000);
        assert!(net.all_vote(&[4, 5, 6, 7], 1), "case {number}");
        for node in 4..8 {
            assert_eq!(net.status(node).set, 1);
        }
        assert!(net.votes(&spend, &[4, 5, 6, 7]).iter().all(is_vote));
        assert_ne!(spend.body.id(&net.network.id), made_up);
    }
}

/// Lets a member of epoch 0 list this, page after page, and never seal it, nor show an entry.
fn list(net: &mut Net, node: usize, mut ids: impl FnMut(u64) -> TxId + 'static) {
    net.nodes[node].liar = Some(Box::new(move |request| match request {
        ToValidator::Log(part) => {
            let ids = (part.from..).take(LOG_PAGE).map(&mut ids);
            let page = LogPage { seal: None, ids: Bounded::first(ids) };
            Some(FromValidator::Log(Box::new(page)))
        }
        ToValidator::Entries(_) => Some(FromValidator::NotReady(NotReady::Checking(()))),
        _ => None,
    }));
}

/// How many keys with this tag a node has stored.
fn stored(net: &Net, node: usize, tag: u8) -> usize {
    let disk = &net.nodes[node].validator.as_ref().unwrap().disk;
    disk.0.keys().filter(|key| key[0] == tag).count()
}

#[test]
fn a_liar_that_lists_without_end_is_stopped() {
    let mut net = Net::started(30, 4, 8);
    let coin = net.coins[0].clone();
    net.paid(&coin, &[0, 1, 2]);
    list(&mut net, 3, |number| TxId(Hash::of(&number.to_be_bytes())));
    // Only one of the new ones hears of it, and too few others.
    net.part(&[3], &[4, 5, 6]);
    net.part(&[2], &[7]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    for _ in 0..2 {
        net.run(20_000);
        let source = source(&mut net, 7, 3);
        let most = UNSHOWN..UNSHOWN + LOG_PAGE as u64;
        assert!(most.contains(&source.wanted) && most.contains(&source.listed), "{source:?}");
        // What was listed, by the others too, and what is wanted of it.
        assert_eq!(stored(&net, 7, 0x1a) as u64, source.listed + 1);
        assert_eq!(stored(&net, 7, 0x1d) as u64, source.wanted);
    }
    net.cut.clear();
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
}

#[test]
fn a_liar_that_lists_the_same_again_is_left_out() {
    // What others have shown costs nothing more; but nobody honest lists anything twice.
    let mut net = Net::started(31, 4, 8);
    let coin = net.coins[0].clone();
    let (spend, _) = net.paid(&coin, &[0, 1, 2]);
    let tx = spend.body.id(&net.network.id);
    list(&mut net, 3, move |_| tx);
    net.part(&[2], &[4, 5, 6, 7]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    for node in 4..8 {
        let source = source(&mut net, node, 3);
        assert!(source.lied && source.listed == 1, "{source:?}");
    }
    net.cut.clear();
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
}

#[test]
fn a_liar_cannot_freeze_what_only_the_owner_can() {
    // A liar may list what an owner has signed twice: then that coin is frozen, and no other.
    let mut net = Net::started(3, 4, 8);
    let (coin, other) = (net.coins[0].clone(), net.coins[1].clone());
    let (first, _) = net.paid(&coin, &[0, 1, 2]);
    let (second, _) = net.pay(&coin);
    let tx = second.body.id(&net.network.id);
    lie(&mut net, 3, vec![tx], vec![second.clone()]);
    net.part(&[2], &[4, 5, 6, 7]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    for spend in [&first, &second] {
        for answer in net.votes(spend, &[4, 5, 6, 7]) {
            assert_eq!(refused(&answer), Some(covey_ledger::Reason::Frozen));
        }
    }
    net.paid(&other, &[4, 5, 6]);
}

#[test]
fn entries_come_in_any_order() {
    let mut net = Net::started(4, 4, 8);
    let mut coin = net.coins[0].clone();
    let mut spends = Vec::new();
    for _ in 0..12 {
        let (spend, next) = net.paid(&coin, &[0, 1, 2]);
        spends.push((coin, spend));
        coin = next;
    }
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    for (coin, spend) in spends {
        let (rival, _) = net.pay(&coin);
        for answer in net.votes(&rival, &[4, 5, 6, 7]) {
            assert!(matches!(answer, FromValidator::Conflict(_)), "{answer:?}");
        }
        assert!(net.votes(&spend, &[4, 5, 6, 7]).iter().all(is_vote));
    }
    net.paid(&coin, &[5, 6, 7]);
}

#[test]
fn importers_with_different_lock_sets_certify_nothing_twice() {
    let mut net = Net::started(5, 4, 8);
    let coin = net.coins[0].clone();
    let (first, second) = (net.pay(&coin).0, net.pay(&coin).0);
    // The owner has signed both, and no third member has a lock.
    assert!(net.votes(&first, &[0]).iter().all(is_vote));
    assert!(net.votes(&second, &[1]).iter().all(is_vote));
    net.part(&[4], &[1]);
    net.part(&[5], &[0]);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2, 3]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    let answers = net.votes(&first, &[4, 5, 6, 7]);
    assert!(is_vote(&answers[0]) && matches!(answers[1], FromValidator::Conflict(_)));
    let answers = net.votes(&second, &[4, 5, 6, 7]);
    assert!(is_vote(&answers[1]) && matches!(answers[0], FromValidator::Conflict(_)));
    let sizes: Vec<u64> = (4..8).map(|node| net.status(node).set).collect();
    assert_eq!(sizes[..2], [1, 1]);
    // Whoever has both signs neither.
    for (node, size) in (4..8).zip(sizes).filter(|(_, size)| *size == 2) {
        for spend in [&first, &second] {
            let answer = net.votes(spend, &[node]).remove(0);
            assert_eq!(refused(&answer), Some(covey_ledger::Reason::Frozen), "{size}");
        }
    }
}

#[test]
fn f_old_ones_may_be_dead() {
    let mut net = Net::started(6, 4, 8);
    let coin = net.coins[0].clone();
    let (spend, _) = net.paid(&coin, &[0, 1, 3]);
    net.stop(3);
    net.replace(&[4, 5, 6, 7], &[0, 1, 2]);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    assert!(net.votes(&spend, &[4, 5, 6, 7]).iter().all(is_vote));
    // It comes back, learns that its epoch is over, and votes no more.
    net.start(3);
    net.run(5_000);
    assert_eq!(net.status(3).not_ready, Some(NotReady::Sealed(())));
}

#[test]
fn most_is_copied_before_the_seal() {
    let mut net = Net::started(7, 4, 8);
    for index in 0..30 {
        let coin = net.coins[index].clone();
        net.paid(&coin, &[0, 1, 2]);
    }
    // The new ones are named, and agreed to, but one of them has not accepted: no votes yet.
    let proposal = net.proposal(&[4, 5, 6, 7]);
    let id = proposal.id(&net.network.id);
    net.stop(7);
    net.command(0, covey_ledger::validator::Command::Propose(Box::new(proposal))).unwrap();
    net.run(500);
    for node in 0..4 {
        net.command(node, covey_ledger::validator::Command::Approve(id)).unwrap();
    }
    net.run(5_000);
    assert_eq!(net.status(0).newest, 0);
    for place in 0..3 {
        let source = source(&mut net, 4, place);
        assert_eq!((source.listed, source.wanted, source.sealed), (30, 0, None));
    }
    let coin = net.coins[30].clone();
    net.paid(&coin, &[0, 1, 2]);
    net.start(7);
    net.run(10_000);
    assert!(net.all_vote(&[4, 5, 6, 7], 1));
    assert_eq!(net.status(4).set, 31);
}
