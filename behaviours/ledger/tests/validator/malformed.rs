//! Bytes that are no request, and requests that have no shape.

use covey_kernel::{Bounded, cbor};
use covey_ledger::{
    Body, Outpoint, Proof, Reason, Salted, Spend, Witness, limits,
    wire::{FromValidator, Request, ToValidator, ToWallet},
};

use crate::{
    money::{Coin, body, four, owner, salted, to},
    net::{Net, genesis, stranger, vote_key},
};

fn encode(spend: &Spend) -> Vec<u8> {
    Request::Validator(ToValidator::Spend(Box::new(spend.clone()))).encode()
}

/// A request that may have more of everything than there is room for.
fn too_large(
    body: (Vec<Outpoint>, u16, covey_kernel::Hash),
    outputs: Vec<Salted>,
    witnesses: Vec<Witness>,
    proofs: Vec<Proof>,
) -> Vec<u8> {
    cbor::encode(&(0u8, (0u8, (body, outputs, witnesses, proofs))))
}

/// All kinds of proofs but tokens, several witnesses and outputs.
fn rich() -> (Net, Spend, [Coin; 2]) {
    let mut net = four();
    let parent = net.spend(&[&net.coin(5)], &[to(21, 25), to(22, 35)]);
    let coins = [net.made(&parent).remove(1), net.coin(0)];
    let spend = net.spend(&[&coins[0], &coins[1]], &[to(23, 40), to(24, 5)]);
    (net, spend, coins)
}

#[test]
fn what_is_cut_short_or_goes_on_is_malformed() {
    let (mut net, spend, coins) = rich();
    let bytes = encode(&spend);
    for end in 0..bytes.len() {
        net.refuses_bytes(3, bytes[..end].to_vec(), Reason::Malformed);
    }
    for more in [&[0][..], &[0xff], &[0xf6], &bytes] {
        net.refuses_bytes(3, [&bytes, more].concat(), Reason::Malformed);
    }
    net.still_free(3, &[&coins[0], &coins[1]]);
}

#[test]
fn no_flipped_bit_gets_a_vote() {
    let (mut net, spend, coins) = rich();
    let bytes = encode(&spend);
    let before = net.nodes[3].disk.clone();
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let answer = net.ask_bytes(stranger(), 3, flipped);
        let refused = matches!(answer, FromValidator::Invalid(_));
        assert!(refused, "bit {bit} of {}: {answer:?}", bytes.len() * 8);
    }
    assert!(net.nodes[3].disk == before);
    net.vote(3, &spend);
    net.still_free(2, &[&coins[0], &coins[1]]);
}

#[test]
fn what_is_written_in_another_way_is_malformed() {
    let (mut net, spend, coins) = rich();
    let bytes = encode(&spend);
    assert_eq!(bytes[..5], [0x82, 0x00, 0x82, 0x00, 0x84]);
    let written = |at: usize, by: &[u8]| [&bytes[..at], by, &bytes[at + 1..]].concat();
    for other in [
        // Longer numbers, longer lengths, lengths that are not told, other tags.
        written(1, &[0x18, 0x00]),
        written(2, &[0x98, 0x02]),
        [&written(0, &[0x9f])[..], &[0xff]].concat(),
        written(1, &[0x02]),
        written(3, &[0x04]),
        written(4, &[0x85]),
    ] {
        net.refuses_bytes(3, other, Reason::Malformed);
    }
    net.still_free(3, &[&coins[0], &coins[1]]);
}

#[test]
fn nothing_at_all_and_too_much_of_it() {
    let mut net = four();
    net.refuses_bytes(0, vec![], Reason::Malformed);
    net.refuses_bytes(0, vec![0; limits::REQUEST_BYTES], Reason::Malformed);
    net.refuses_bytes(0, vec![0x81; limits::REQUEST_BYTES], Reason::Malformed);
    net.refuses_bytes(0, vec![0; limits::REQUEST_BYTES + 1], Reason::Malformed);
    // A list that claims to be huge.
    net.refuses_bytes(
        0,
        [&[0x82, 0, 0x82, 0, 0x84, 0x83, 0x9b][..], &[0xff; 8]].concat(),
        Reason::Malformed,
    );
}

#[test]
fn what_is_for_a_wallet_is_not_for_a_validator() {
    let mut net = four();
    let bytes = Request::Wallet(ToWallet::Address(())).encode();
    assert!(!Request::is_for_validator(&bytes));
    net.refuses_bytes(0, bytes, Reason::Malformed);
}

#[test]
fn sixty_four_inputs_and_no_more() {
    let mut net = Net::of(genesis(4, (0..65).map(|_| to(1, 1)).collect()));
    let coins: Vec<Coin> = (0..65).map(|index| net.coin(index)).collect();
    let all: Vec<&Coin> = coins.iter().collect();
    let most = net.all_to(&all[..limits::INPUTS], 21);
    let outputs = vec![salted(to(21, 65), 1)];
    let inputs = coins.iter().map(|coin| coin.outpoint).collect();
    let parts = (inputs, 1, outputs[0].leaf(0));
    let proofs = vec![Proof::Genesis(()); 65];
    let bytes = too_large(parts, outputs, most.witnesses.to_vec(), proofs);
    net.refuses_bytes(0, bytes, Reason::Malformed);
    net.still_free(0, &all[63..]);
    net.vote(1, &most);
}

#[test]
fn two_hundred_and_fifty_six_outputs_and_no_more() {
    let mut net = Net::of(genesis(4, vec![to(1, 256), to(1, 257)]));
    let [most, more] = [net.coin(0), net.coin(1)];
    let outputs: Vec<_> = (0..257).map(|_| salted(to(21, 1), 1)).collect();
    let body = body(vec![more.outpoint], &outputs);
    let bytes = {
        let Body { inputs, count, root } = body.clone();
        let witness = Witness::sign(&owner(1), &net.network.id, &body);
        too_large((inputs.to_vec(), count, root), outputs, vec![witness], vec![more.proof.clone()])
    };
    net.refuses_bytes(0, bytes, Reason::Malformed);
    let spend = net.spend(&[&most], &(0..256).map(|_| to(21, 1)).collect::<Vec<_>>());
    let coins = net.made(&spend);
    for index in [0, 1, 127, 128, 254, 255] {
        net.vote(3, &net.all_to(&[&coins[index]], 22));
    }
    net.still_free(0, &[&more]);
}

#[test]
fn the_largest_request_of_the_largest_network_fits() {
    let mut net = Net::of(genesis(64, vec![to(1, 1)]));
    let keys: Vec<_> = (0u8..43).map(|at| (at, vote_key(usize::from(at)))).collect();
    let coins: Vec<Coin> = (1..=64).map(|amount| net.invented(to(21, amount), &keys)).collect();
    let spend = net.all_to(&coins.iter().collect::<Vec<_>>(), 22);
    let length = encode(&spend).len();
    assert!(length <= limits::REQUEST_BYTES, "{length}");
    net.vote(0, &spend);
}

#[test]
fn it_spends_nothing() {
    let mut net = four();
    net.refuses(0, &net.spend(&[], &[to(21, 1)]), Reason::NoInputs);
    net.refuses(0, &net.spend(&[], &[]), Reason::NoInputs);
}

#[test]
fn one_proof_for_each_input() {
    let mut net = four();
    let coin = net.coin(0);
    let mut spend = net.all_to(&[&coin, &net.coin(1)], 21);
    for count in [0, 1, 3, 64] {
        spend.proofs = Bounded::new(vec![Proof::Genesis(()); count]).unwrap();
        net.refuses(0, &spend, Reason::ProofCount);
    }
    net.still_free(0, &[&coin, &net.coin(1)]);
}

#[test]
fn as_many_outputs_as_the_body_says() {
    let mut net = four();
    let coin = net.coin(0);
    let good = net.spend(&[&coin], &[to(21, 4), to(22, 6)]);
    net.refuses(0, &net.spend(&[&coin], &[]), Reason::OutputCount);
    for count in [0, 1, 3, u16::MAX] {
        let mut spend = good.clone();
        spend.body.count = count;
        net.sign(&mut spend, &[owner(1).public()]);
        net.refuses(0, &spend, Reason::OutputCount);
    }
    for outputs in [vec![], good.outputs[..1].to_vec(), vec![good.outputs[0].clone(); 3]] {
        let spend = Spend { outputs: Bounded::new(outputs).unwrap(), ..good.clone() };
        net.refuses(0, &spend, Reason::OutputCount);
    }
    net.vote(0, &good);
}

#[test]
fn the_outputs_that_the_body_commits_to() {
    let mut net = four();
    let coin = net.coin(0);
    let mut spend = net.spend(&[&coin], &[to(21, 4), to(22, 6)]);
    // The root of one of them, signed.
    spend.body.root = spend.outputs[0].leaf(0);
    net.sign(&mut spend, &[owner(1).public()]);
    net.refuses(0, &spend, Reason::OutputRoot);
    net.still_free(0, &[&coin]);
}

#[test]
fn exactly_one_witness_of_each_owner_in_order() {
    let mut net = four();
    let [one, two] = [net.coin(0), net.coin(1)];
    let good = net.all_to(&[&one, &two], 21);
    let [first, second] = [good.witnesses[0].clone(), good.witnesses[1].clone()];
    let third = Witness::sign(&owner(3), &net.network.id, &good.body);
    for witnesses in [
        vec![],
        vec![first.clone()],
        vec![second.clone()],
        vec![second.clone(), first.clone()],
        vec![first.clone(), first.clone()],
        vec![first.clone(), second.clone(), second.clone()],
        vec![first.clone(), first.clone(), second.clone()],
        vec![first.clone(), second.clone(), third.clone()],
        vec![third.clone(), first.clone(), second.clone()],
        vec![first.clone(), third],
    ] {
        let spend = Spend { witnesses: Bounded::new(witnesses).unwrap(), ..good.clone() };
        net.refuses(0, &spend, Reason::Witnesses);
    }
    // One for two coins of one owner.
    net.vote(0, &good);
    let mut net = Net::of(genesis(4, vec![to(1, 1), to(1, 2)]));
    let [one, two] = [net.coin(0), net.coin(1)];
    let good = net.all_to(&[&one, &two], 21);
    assert_eq!(good.witnesses.len(), 1);
    let twice = Bounded::new(vec![good.witnesses[0].clone(); 2]).unwrap();
    net.refuses(0, &Spend { witnesses: twice, ..good.clone() }, Reason::Witnesses);
    net.vote(0, &good);
}

#[test]
fn who_is_not_the_owner() {
    let mut net = four();
    let coin = net.coin(0);
    let mut spend = net.all_to(&[&coin], 21);
    // In his own name, and in the owner's.
    net.sign(&mut spend, &[owner(66).public()]);
    net.refuses(0, &spend, Reason::Witnesses);
    let signature = spend.witnesses[0].signature;
    let forged = Witness { address: owner(1).public(), signature };
    spend.witnesses = Bounded::new(vec![forged]).unwrap();
    net.refuses(0, &spend, Reason::OwnerSignature);
    net.still_free(0, &[&coin]);
}

#[test]
fn a_refused_request_harms_no_neighbour_in_its_turn() {
    let mut net = four();
    let coins = [0, 1, 2].map(|index| net.coin(index));
    let good = coins.each_ref().map(|coin| net.all_to(&[coin], 21));
    let mut forged = net.all_to(&[&coins[1]], 66);
    forged.witnesses = good[1].witnesses.clone();
    let wrong = net.spend(&[&coins[2]], &[to(66, 31)]);
    let answers = net.pay_all(0, &[&good[0], &forged, &good[1], &wrong, &good[2]]);
    assert_eq!(answers[1], FromValidator::Invalid(Reason::OwnerSignature));
    assert_eq!(answers[3], FromValidator::Invalid(Reason::Sums));
    for (spend, at) in good.iter().zip([0, 2, 4]) {
        let vote = crate::money::vote_in(&answers[at]);
        assert!(net.is_vote_of(0, &net.id(spend), &vote));
        assert_eq!(vote.count, 3);
    }
}
