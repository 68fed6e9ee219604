//! Who does not own an output learns neither what has spent it nor whether anything has.

use covey_kernel::{Bounded, Keypair};
use covey_ledger::{Reason, Spend, Witness, wire::FromValidator};

use crate::{
    money::{Coin, four, owner, to},
    net::Net,
    rules::{is_conflict_with, two_of_one},
};

/// As if its owners had signed, though others have.
fn signed_by(net: &Net, spend: &Spend, thief: &Keypair) -> Spend {
    let mut spend = spend.clone();
    let forge = |witness: &Witness| Witness {
        address: witness.address,
        ..Witness::sign(thief, &net.network.id, &spend.body)
    };
    spend.witnesses = Bounded::new(spend.witnesses.iter().map(forge).collect()).unwrap();
    spend
}

#[test]
fn a_conflict_is_shown_only_to_who_can_sign_for_the_locked_output() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    net.vote(0, &first);
    net.refuses(0, &signed_by(&net, &second, &owner(66)), Reason::OwnerSignature);
    let mut unsigned = second.clone();
    unsigned.witnesses = Bounded::default();
    net.refuses(0, &unsigned, Reason::Witnesses);
    // Signed by the owner, but something else.
    let mut moved = second.clone();
    moved.witnesses = first.witnesses.clone();
    net.refuses(0, &moved, Reason::OwnerSignature);
    let answer = net.pay(0, &second);
    is_conflict_with(&net, &answer, &first);
}

#[test]
fn a_conflict_within_a_turn_is_shown_only_to_who_can_sign_too() {
    let mut net = four();
    let [first, second] = two_of_one(&net);
    let forged = signed_by(&net, &second, &owner(66));
    let answers = net.pay_all(0, &[&first, &forged, &second]);
    assert_eq!(answers[1], FromValidator::Invalid(Reason::OwnerSignature));
    is_conflict_with(&net, &answers[2], &first);
}

#[test]
fn a_forged_request_is_answered_alike_whether_the_output_is_spent_or_not() {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 30), to(22, 30)]);
    let coins = net.made(&parent);
    let forged = |coin: &Coin| signed_by(&net, &net.all_to(&[coin], 66), &owner(66));
    let both = [forged(&coins[0]), forged(&coins[1])];
    net.vote(0, &net.all_to(&[&coins[0]], 23));
    for spend in &both {
        net.refuses(0, spend, Reason::OwnerSignature);
    }
    // Also if the certificate is none. Who paid an output knows all of its proof.
    let spoiled = |coin: &Coin| {
        let keys: Vec<_> = (0u8..3).map(|at| (at, owner(50 + at))).collect();
        let certificate = net.forged(0, &keys, &coin.outpoint.tx);
        let coin = net.made_by(&parent, coin.outpoint.index, &certificate);
        signed_by(&net, &net.all_to(&[&coin], 66), &owner(66))
    };
    let both = [spoiled(&coins[0]), spoiled(&coins[1])];
    let answers = both.map(|spend| net.pay(0, &spend));
    assert_eq!(answers[0], answers[1], "the first is spent, the second is not");
}

#[test]
fn an_own_conflict_does_not_show_whether_somebody_elses_output_is_spent() {
    let mut net = four();
    // The cheat owns the last of the two inputs, and has spent it.
    let [victims, cheats] = [net.coin(0), net.coin(1)];
    assert!(victims.outpoint < cheats.outpoint);
    net.vote(0, &net.all_to(&[&cheats], 21));
    let mut probe = net.all_to(&[&victims, &cheats], 66);
    let own = Witness::sign(&owner(2), &net.network.id, &probe.body);
    let forged = Witness { address: owner(1).public(), signature: own.signature };
    let mut witnesses = vec![own, forged];
    witnesses.sort_by_key(|witness| witness.address);
    probe.witnesses = Bounded::new(witnesses).unwrap();
    let free = net.pay(0, &probe);
    net.vote(0, &net.all_to(&[&victims], 22));
    let spent = net.pay(0, &probe);
    assert_eq!(free, spent, "before and after the victim spent its own");
}

#[test]
fn the_owner_of_one_input_does_not_see_what_has_spent_another_one() {
    let mut net = four();
    let [victims, cheats] = [net.coin(0), net.coin(1)];
    let first = net.all_to(&[&victims], 21);
    net.vote(0, &first);
    let mut probe = net.all_to(&[&victims, &cheats], 66);
    let own = Witness::sign(&owner(2), &net.network.id, &probe.body);
    net.refuses(0, &signed_by(&net, &probe, &owner(2)), Reason::OwnerSignature);
    probe.witnesses = Bounded::new(vec![own]).unwrap();
    net.refuses(0, &probe, Reason::Witnesses);
    net.still_free(0, &[&cheats]);
}
