//! A wallet that has only its phrase finds its money again, and nobody else finds it.

use std::collections::BTreeSet;

use covey_kernel::{Bounded, Keypair};
use covey_ledger::{
    Certificate, Claim, Holding, Outpoint, Paid, Proof, Reason,
    wire::{FromValidator, NotReady, Request, ToValidator},
};

use crate::{
    money::{Coin, four, owner, to},
    net::{Net, genesis, peer},
};

fn claim(net: &Net, owner: &Keypair, at: usize, after: Option<Outpoint>) -> ToValidator {
    ToValidator::Claim(Box::new(Claim::sign(owner, &net.network.id, &peer(at), after)))
}

fn page(net: &mut Net, owner: &Keypair, at: usize, after: Option<Outpoint>) -> Vec<Holding> {
    let answer = net.ask(at, claim(net, owner, at, after));
    let FromValidator::Holdings(page) = answer else { panic!("no page: {answer:?}") };
    page.into_vec()
}

/// All pages, up to one with nothing.
fn pages(net: &mut Net, owner: &Keypair, at: usize) -> Vec<Vec<Holding>> {
    let mut pages: Vec<Vec<Holding>> = Vec::new();
    loop {
        let after = pages.last().and_then(|page| page.last()).map(|last| last.outpoint);
        let next = page(net, owner, at, after);
        if next.is_empty() {
            return pages;
        }
        pages.push(next);
    }
}

/// The coin that several validators' holdings prove together.
fn restored(net: &Net, shown: &[(u8, Holding)]) -> Coin {
    let holding = &shown[0].1;
    let voted = holding.voted.clone().expect("it is not of the genesis");
    let votes = shown.iter().map(|(at, holding)| {
        assert_eq!(holding.outpoint, shown[0].1.outpoint);
        (*at, holding.voted.clone().unwrap().vote)
    });
    let quorum = net.network.newest().quorum();
    let certificate = Certificate::of(voted.epoch, quorum, &votes.collect::<Vec<_>>()).unwrap();
    let output = voted.salted.output.clone();
    let paid = Paid {
        body: voted.body,
        index: holding.outpoint.index,
        salted: voted.salted,
        path: voted.path,
        certificate,
    };
    Coin { outpoint: holding.outpoint, output, proof: Proof::Paid(Box::new(paid)) }
}

#[test]
fn only_the_owner_is_told() {
    let mut net = four();
    net.vote(0, &net.all_to(&[&net.coin(0)], 21));
    let refused = |answer| assert_eq!(answer, FromValidator::Invalid(Reason::OwnerSignature));
    let before = net.nodes[0].disk.clone();
    // Signed by somebody else, for another validator, or on another network.
    let mut stolen = Claim::sign(&owner(66), &net.network.id, &peer(0), None);
    stolen.address = owner(21).public();
    refused(net.ask(0, ToValidator::Claim(Box::new(stolen))));
    let elsewhere = claim(&net, &owner(21), 1, None);
    refused(net.ask(0, elsewhere.clone()));
    let other = covey_kernel::NetworkId::named("other");
    let other = Claim::sign(&owner(21), &other, &peer(0), None);
    refused(net.ask(0, ToValidator::Claim(Box::new(other))));
    // It is the validator's own node that counts, not who passes the claim on.
    refused(net.ask_as(peer(1), 0, elsewhere.clone()));
    assert!(matches!(net.ask(1, elsewhere), FromValidator::Holdings(_)));
    assert_eq!(page(&mut net, &owner(66), 0, None), []);
    assert!(net.nodes[0].disk == before, "a question has changed the disk");
}

#[test]
fn an_output_comes_with_all_that_proves_it_and_nothing_of_its_siblings() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 10), to(22, 20), to(23, 30)]);
    net.vote(0, &parent);
    let shown = page(&mut net, &owner(22), 0, None);
    let [Holding { outpoint, spent_by: None, voted: Some(voted) }] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!(*outpoint, Outpoint { tx: net.id(&parent), index: 1 });
    assert_eq!(voted.body, parent.body);
    assert_eq!(voted.salted, parent.outputs[1]);
    assert!(net.is_vote_of(0, &net.id(&parent), &voted.vote));
    let bytes = FromValidator::Holdings(Bounded::new(shown.clone()).unwrap()).encode();
    for sibling in [21, 23] {
        let address = owner(sibling).public();
        assert!(!bytes.windows(32).any(|window| window == address.as_bytes()));
    }
}

#[test]
fn q_validators_holdings_make_a_certificate_that_another_one_accepts() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 10), to(22, 50)]);
    // Among others in a turn at one of them, so that the votes differ in form.
    let others = [0, 1, 2].map(|index| net.all_to(&[&net.coin(index)], 21));
    net.pay_all(0, &[&others[0], &others[1], &parent, &others[2]]);
    net.crash(0);
    for at in [1, 2] {
        net.vote(at, &parent);
    }
    let shown: Vec<_> = [0u8, 1, 2]
        .map(|at| (at, page(&mut net, &owner(22), usize::from(at), None).remove(0)))
        .into();
    let coin = restored(&net, &shown);
    assert_eq!(page(&mut net, &owner(22), 3, None), [], "it has never seen the parent");
    net.vote(3, &net.all_to(&[&coin], 23));
}

#[test]
fn what_has_spent_an_output_is_told_to_its_owner() {
    let mut net = four();
    let coin = net.made(&net.all_to(&[&net.coin(0)], 21)).remove(0);
    let spent_by = |net: &mut Net| {
        let shown = page(net, &owner(21), 0, None);
        assert_eq!(shown.len(), 1);
        shown[0].spent_by
    };
    assert_eq!(spent_by(&mut net), None);
    let child = net.all_to(&[&coin], 22);
    net.vote(1, &child);
    assert_eq!(spent_by(&mut net), None, "another validator has locked it");
    net.vote(0, &child);
    assert_eq!(spent_by(&mut net), Some(net.id(&child)));
    net.pay(0, &net.all_to(&[&coin], 23));
    net.crash(0);
    assert_eq!(spent_by(&mut net), Some(net.id(&child)));
    // So it is with an output of the genesis.
    let shown = page(&mut net, &owner(1), 0, None);
    let [Holding { outpoint, spent_by: Some(spent_by), voted: None }] = &shown[..] else {
        panic!("{shown:?}")
    };
    assert_eq!((*outpoint, *spent_by), (net.coin(0).outpoint, coin.outpoint.tx));
}

#[test]
fn more_outputs_than_one_page_holds_come_each_exactly_once() {
    let mut net = Net::of(genesis(4, (0..90).map(|_| to(1, 2)).collect()));
    let mut expected: BTreeSet<Outpoint> = (0..90).map(|index| net.coin(index).outpoint).collect();
    // Several outputs of one transaction, and transactions from several turns.
    for index in 0..40 {
        let outputs = [to(1, 1), to(1, 1)];
        let spend = net.spend(&[&net.coin(index)], &outputs);
        net.vote(0, &spend);
        let tx = net.id(&spend);
        expected.extend((0..2).map(|index| Outpoint { tx, index }));
    }
    let pages = pages(&mut net, &owner(1), 0);
    assert!(pages.len() >= 3);
    let all: Vec<Outpoint> = pages.iter().flatten().map(|holding| holding.outpoint).collect();
    assert!(all.is_sorted_by(|a, b| a < b), "in order, none twice");
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), expected);
    let spent = pages.iter().flatten().filter(|holding| holding.spent_by.is_some()).count();
    assert_eq!(spent, 40);
}

#[test]
fn one_address_is_not_another_one() {
    let mut net = four();
    for index in 0..6u16 {
        let seed = 21 + u8::try_from(index % 3).unwrap();
        net.vote(0, &net.all_to(&[&net.coin(index)], seed));
    }
    for seed in 21..24 {
        let shown = page(&mut net, &owner(seed), 0, None);
        assert_eq!(shown.len(), 2);
        for holding in shown {
            assert_eq!(holding.voted.unwrap().salted.output.address, owner(seed).public());
        }
    }
}

#[test]
fn what_the_same_turn_has_locked_is_shown_with_its_vote() {
    let mut net = four();
    let spend = net.all_to(&[&net.coin(0)], 21);
    let (_, mut inputs) = net.requests(&[&spend]);
    let request = Request::Validator(claim(&net, &owner(21), 0, None)).encode();
    let (id, input) = net.request(peer(1), request);
    inputs.push(input);
    let answer = net.turn(0, inputs).answers.remove(&id).unwrap();
    let FromValidator::Holdings(shown) = answer else { panic!("{answer:?}") };
    let voted = shown[0].voted.clone().unwrap();
    assert_eq!(shown.to_vec(), page(&mut net, &owner(21), 0, None));
    assert_eq!(voted.vote, net.vote(0, &spend));
}

#[test]
fn a_page_is_empty_only_at_the_end() {
    // One transaction of the same turn makes more outputs than a page holds.
    let mut net = Net::of(genesis(4, vec![to(1, 100), to(2, 100)]));
    let before = |tx: &Outpoint, net: &Net| tx.tx < net.coin(0).outpoint.tx;
    let outputs: Vec<_> = (0..100).map(|_| to(2, 1)).collect();
    let spend = (0..=u8::MAX)
        .map(|salt| net.spend_salted(&[&net.coin(0)], &outputs, salt))
        .find(|spend| before(&Outpoint { tx: net.id(spend), index: 0 }, &net))
        .unwrap();
    let (_, mut inputs) = net.requests(&[&spend]);
    let request = Request::Validator(claim(&net, &owner(2), 0, None)).encode();
    let (id, input) = net.request(peer(1), request);
    inputs.push(input);
    let answer = net.turn(0, inputs).answers.remove(&id).unwrap();
    let FromValidator::Holdings(page) = answer else { panic!("{answer:?}") };
    let shown: Vec<Outpoint> = page.iter().map(|holding| holding.outpoint).collect();
    assert_eq!(shown.len(), 64);
    assert!(shown.iter().all(|outpoint| outpoint.tx == net.id(&spend)));
    let claim = claim(&net, &owner(2), 0, shown.last().copied());
    let FromValidator::Holdings(rest) = net.ask(0, claim) else { panic!("no rest") };
    assert_eq!(rest.len(), 37);
}

#[test]
fn who_is_not_ready_tells_nothing() {
    let mut net = four();
    (1..4).for_each(|at| net.nodes[at].machine = None);
    net.crash(0);
    let answer = net.ask(0, claim(&net, &owner(1), 0, None));
    assert_eq!(answer, FromValidator::NotReady(NotReady::Checking(())));
}
