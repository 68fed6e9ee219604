//! Signatures and keys with a part of small order: valid by the one definition that this project has,
//! however they are checked; so no two validators answer differently, nor one at two times.

use covey_kernel::{Bounded, Keypair, PublicKey, Signature, signing_bytes};
use covey_ledger::{Ballot, Certificate, Reason, SPEND, Spend, VOTE, Vote, Witness};
use curve25519_dalek::{
    Scalar,
    constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION},
    edwards::EdwardsPoint,
    scalar::clamp_integer,
};
use sha2::{Digest, Sha512};

use crate::{
    money::{Coin, evidence_in, four, key_of, owner, to, vote_in},
    net::{Net, vote_key},
};

/// A signature by `secret` whose R has a part that is added.
fn signed(secret: &Scalar, key: &PublicKey, message: &[u8], more: EdwardsPoint) -> Signature {
    let r = Scalar::from(0x00c0_7e7e_u64);
    let encoded = (r * B + more).compress().to_bytes();
    let hash =
        Sha512::new().chain_update(encoded).chain_update(key.as_bytes()).chain_update(message);
    let s = r + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * secret;
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&encoded);
    bytes[32..].copy_from_slice(s.as_bytes());
    Signature::from_bytes(bytes)
}

fn signed_by(key: &Keypair, message: &[u8], more: EdwardsPoint) -> Signature {
    let secret = Scalar::from_bytes_mod_order(clamp_integer(*key.x25519_secret()));
    signed(&secret, &key.public(), message, more)
}

/// As its owners would sign it, with something added to each R.
fn signed_oddly(net: &Net, spend: &Spend, more: EdwardsPoint) -> Spend {
    let message = signing_bytes(SPEND, &net.network.id, &spend.body);
    let sign = |one: &Witness| Witness {
        address: one.address,
        signature: signed_by(&key_of(&one.address), &message, more),
    };
    let witnesses = Bounded::new(spend.witnesses.iter().map(sign).collect()).unwrap();
    Spend { witnesses, ..spend.clone() }
}

#[test]
fn an_owner_signature_is_judged_alike_alone_in_a_batch_and_as_a_conflict() {
    for torsion in EIGHT_TORSION {
        let mut net = four();
        let coins = [0, 1, 2, 3].map(|index| net.coin(index));
        let odd = |coins: &[&Coin], payee| signed_oddly(&net, &net.all_to(coins, payee), torsion);
        let (alone, conflict) = (odd(&[&coins[0]], 21), odd(&[&coins[0]], 22));
        let (among, both) = (odd(&[&coins[1]], 21), odd(&[&coins[2], &coins[3]], 21));
        net.vote(0, &alone);
        let evidence = evidence_in(&net.pay(0, &conflict));
        let shown = evidence.check(&net.network.id, &conflict.body, &conflict.witnesses);
        assert_eq!(shown, Ok(()));
        let mut forged = net.all_to(&[&net.coin(4)], 66);
        forged.witnesses = alone.witnesses.clone();
        // A batch with a wrong one in it is checked one by one.
        forged.witnesses = Bounded::new(vec![Witness {
            address: owner(5).public(),
            signature: forged.witnesses[0].signature,
        }])
        .unwrap();
        let plain = net.all_to(&[&net.coin(5)], 21);
        for answers in [net.pay_all(1, &[&plain, &among, &both]), {
            let mut answers = net.pay_all(2, &[&plain, &among, &both, &forged]);
            let wrong = answers.pop().unwrap();
            let reason = Reason::OwnerSignature;
            assert_eq!(wrong, covey_ledger::wire::FromValidator::Invalid(reason));
            answers
        }] {
            for answer in &answers {
                assert_eq!(vote_in(answer).count, 3);
            }
        }
    }
}

#[test]
fn a_part_of_prime_order_in_r_is_refused_however_it_is_checked() {
    let mut net = four();
    let coins = [net.coin(0), net.coin(1)];
    for torsion in EIGHT_TORSION {
        let wrong = signed_oddly(&net, &net.all_to(&[&coins[0]], 21), torsion + B);
        net.refuses(0, &wrong, Reason::OwnerSignature);
        let both = signed_oddly(&net, &net.all_to(&[&coins[0], &coins[1]], 21), torsion - B);
        net.refuses(0, &both, Reason::OwnerSignature);
    }
    net.still_free(0, &[&coins[0], &coins[1]]);
}

#[test]
fn a_vote_with_torsion_counts_at_every_validator_and_at_all_times() {
    for torsion in EIGHT_TORSION {
        let mut net = four();
        let spend = net.all_to(&[&net.coin(0)], 21);
        let tx = net.id(&spend);
        let message = signing_bytes(VOTE, &net.network.id, &Ballot::over(0, 0, &[tx]));
        let votes = [0u8, 1, 2].map(|at| {
            let signature = signed_by(&vote_key(usize::from(at)), &message, torsion);
            (at, Vote::all(0, &[tx], signature).remove(0))
        });
        let certificate = Certificate::of(0, 3, &votes).unwrap();
        let coin = net.made_by(&spend, 0, &certificate);
        let child = net.all_to(&[&coin], 22);
        net.vote(0, &child);
        // Known by now, among others, and after a restart.
        let other = net.all_to(&[&net.coin(1)], 21);
        assert!(net.pay_all(1, &[&other, &child]).iter().all(|answer| vote_in(answer).count == 2));
        net.crash(0);
        net.vote(0, &child);
    }
}

#[test]
fn an_address_of_mixed_order_is_one_owner() {
    let secret = Scalar::from(77u8);
    let mut net = four();
    let members = [0, 1, 2].map(|at| (at, vote_key(usize::from(at))));
    for (number, torsion) in (1u64..).zip(EIGHT_TORSION) {
        let key = PublicKey::from_bytes((secret * B + torsion).compress().to_bytes()).unwrap();
        let mut output = to(1, number);
        output.address = key;
        let coin = net.invented(output, &members);
        let mut spend = net.spend(&[], &[to(21, number)]);
        spend.body.inputs = Bounded::new(vec![coin.outpoint]).unwrap();
        spend.proofs = Bounded::new(vec![coin.proof.clone()]).unwrap();
        let message = signing_bytes(SPEND, &net.network.id, &spend.body);
        let mut witness = |address: PublicKey| {
            let signature = signed(&secret, &key, &message, EIGHT_TORSION[3]);
            spend.witnesses = Bounded::new(vec![Witness { address, signature }]).unwrap();
            spend.clone()
        };
        // The key without its torsion is another address.
        let plain = PublicKey::from_bytes((secret * B).compress().to_bytes()).unwrap();
        if plain != key {
            net.refuses(0, &witness(plain), Reason::Witnesses);
        }
        net.vote(0, &witness(key));
    }
}
