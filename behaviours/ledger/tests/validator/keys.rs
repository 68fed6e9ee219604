//! Keys and signatures that are none, or that only a careless verifier takes.

use covey_kernel::{Bounded, PublicKey, Signature};
use covey_ledger::{
    Ballot, Certificate, Genesis, Proof, Reason, Vote, Witness,
    wire::{FromValidator, Request, ToValidator},
};
use data_encoding::HEXLOWER;

use crate::{
    mistakes::under,
    money::{four, owner, to},
    net::{peer, vote_key},
};

/// All encodings of points of small order that decode: eight canonical ones, and six more.
const SMALL: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

#[test]
fn a_small_order_key() {
    let mut net = four();
    let genesis = net.network.genesis.encode();
    let coin = net.coin(0);
    let spend = net.all_to(&[&coin], 21);
    let bytes = Request::Validator(ToValidator::Spend(Box::new(spend.clone()))).encode();
    let replaced = |bytes: &[u8], key: &[u8; 32], by: &[u8]| {
        let at = bytes.windows(32).position(|window| window == key).unwrap();
        [&bytes[..at], by, &bytes[at + 32..]].concat()
    };
    for small in SMALL {
        let small = &HEXLOWER.decode(small.as_bytes()).unwrap();
        // As the address of an output, or of a witness: anybody could sign for it.
        for key in [owner(21).public(), owner(1).public()] {
            let bytes = replaced(&bytes, key.as_bytes(), small);
            net.refuses_bytes(0, bytes, Reason::Malformed);
        }
        // As a validator's: no such genesis decodes.
        for key in [vote_key(0).public(), peer(0)] {
            let genesis = replaced(&genesis, key.as_bytes(), small);
            assert!(Genesis::decode(&genesis).is_err());
        }
    }
    net.still_free(0, &[&coin]);
}

#[test]
fn a_signature_of_nothing() {
    let mut net = four();
    let coin = net.coin(0);
    let mut spend = net.all_to(&[&coin], 21);
    let mut identity = [0; 64];
    identity[0] = 1;
    // What verifies under a key of small order does under no other one.
    for bytes in [[0; 64], identity, [0xff; 64]] {
        let signature = Signature::from_bytes(bytes);
        spend.witnesses =
            Bounded::new(vec![Witness { address: owner(1).public(), signature }]).unwrap();
        net.refuses(0, &spend, Reason::OwnerSignature);
        let vote = Vote { first: 0, count: 1, index: 0, path: Bounded::default(), signature };
        let votes = Bounded::new(vec![vote; 3]).unwrap();
        let certificate = Certificate { epoch: 0, signers: 0b0111, votes };
        let child = net.made_by(&net.all_to(&[&coin], 21), 0, &certificate);
        net.refuses(0, &net.all_to(&[&child], 22), Reason::VoteSignature);
    }
    net.still_free(0, &[&coin]);
}

#[test]
fn a_signature_for_one_purpose_used_for_another() {
    let mut net = four();
    let coin = net.coin(0);
    let spend = net.all_to(&[&coin], 21);
    // An owner's key as a voting key would, over the same transaction.
    let tx = net.id(&spend);
    let signature = Ballot::over(0, 0, &[tx]).sign(&owner(1), &net.network.id);
    let mut odd = spend.clone();
    odd.witnesses = Bounded::new(vec![Witness { address: owner(1).public(), signature }]).unwrap();
    net.refuses(0, &odd, Reason::OwnerSignature);
    net.vote(0, &spend);
}

/// Two signatures whose sums of S are those of the right ones: a batch that does not weigh each of its
/// own accepts them, and nobody else does.
fn cancelling(one: Signature, other: Signature) -> [Signature; 2] {
    let moved = |signature: Signature, up: bool| {
        let mut bytes = *signature.as_bytes();
        for byte in &mut bytes[32..] {
            let (moved, carry) = if up { byte.overflowing_add(1) } else { byte.overflowing_sub(1) };
            *byte = moved;
            if !carry {
                break;
            }
        }
        Signature::from_bytes(bytes)
    };
    [moved(one, true), moved(other, false)]
}

#[test]
fn a_signature_that_a_batch_accepts_and_a_single_check_refuses() {
    let mut net = four();
    let coins = [net.coin(0), net.coin(1)];
    // Of two owners of one transaction.
    let good = net.all_to(&[&coins[0], &coins[1]], 21);
    let mut spend = good.clone();
    let signatures = cancelling(good.witnesses[0].signature, good.witnesses[1].signature);
    let witnesses = good.witnesses.iter().zip(signatures);
    let witnesses = witnesses.map(|(one, signature)| Witness { signature, ..one.clone() });
    spend.witnesses = Bounded::new(witnesses.collect()).unwrap();
    net.refuses(0, &spend, Reason::OwnerSignature);
    // Of two transactions of one turn.
    let alone = [net.all_to(&[&coins[0]], 22), net.all_to(&[&coins[1]], 22)];
    let signatures = cancelling(alone[0].witnesses[0].signature, alone[1].witnesses[0].signature);
    let mut forged = alone.clone();
    for (spend, signature) in forged.iter_mut().zip(signatures) {
        let witness = Witness { signature, ..spend.witnesses[0].clone() };
        spend.witnesses = Bounded::new(vec![witness]).unwrap();
    }
    let wrong = FromValidator::Invalid(Reason::OwnerSignature);
    assert_eq!(net.pay_all(0, &[&forged[0], &forged[1]]), [wrong.clone(), wrong]);
    // Of two validators under one certificate.
    let members = [0, 1, 2].map(|at| (at, vote_key(usize::from(at))));
    let coin = net.invented(to(21, 5), &members);
    let Proof::Paid(paid) = &coin.proof else { panic!("it is of no transaction") };
    let mut votes = paid.certificate.votes.to_vec();
    [votes[0].signature, votes[1].signature] = cancelling(votes[0].signature, votes[1].signature);
    let votes = Bounded::new(votes).unwrap();
    let forged = under(&coin, Certificate { votes, ..paid.certificate.clone() });
    net.refuses(0, &net.all_to(&[&forged], 22), Reason::VoteSignature);
    net.still_free(0, &[&coins[0], &coins[1], &coin]);
}

#[test]
fn an_s_that_is_not_reduced_makes_no_second_signature() {
    let mut net = four();
    let coin = net.coin(0);
    let good = net.all_to(&[&coin], 21);
    // S + L: the same number modulo the order, in another encoding.
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = HEXLOWER.decode(order.as_bytes()).unwrap();
    let mut bytes = *good.witnesses[0].signature.as_bytes();
    let mut carry = 0u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    let mut spend = good.clone();
    let signature = Signature::from_bytes(bytes);
    let address: PublicKey = owner(1).public();
    spend.witnesses = Bounded::new(vec![Witness { address, signature }]).unwrap();
    net.refuses(0, &spend, Reason::OwnerSignature);
    net.vote(0, &good);
}
