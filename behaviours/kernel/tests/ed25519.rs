//! One definition of a valid signature (K3, K4 in the README), against the published edge
//! cases and against every combination of torsion that the curve has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use covey_kernel::{
    Hash, InvalidKey, InvalidSignature, Keypair, PublicKey, Signature, verify_batch,
};
use curve25519_dalek::{
    Scalar,
    constants::{ED25519_BASEPOINT_POINT as B, EIGHT_TORSION},
    edwards::{CompressedEdwardsY, EdwardsPoint},
};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use sha2::{Digest, Sha512};

/// What the kernel says of one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Key,
    Valid,
    Invalid,
}

use Verdict::{Invalid, Key, Valid};

/// `novifinancial/ed25519-speccheck`: the twelve cases of "Taming the many EdDSAs" (Chalkias,
/// Garillot, Nikolaenko; SSR 2020, table 5), message, key and signature, in its order.
const SPECCHECK: [(&str, &str, &str, Verdict); 12] = [
    // 0 and 1: a key of small order.
    (
        "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
        Key,
    ),
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Key,
    ),
    // 2: R of small order, a key of mixed order.
    (
        "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        Valid,
    ),
    // 3: both of mixed order; valid without the cofactor too.
    (
        "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        Valid,
    ),
    // 4 and 5: valid with the cofactor only; 5 fails where 8h is reduced first.
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        Valid,
    ),
    (
        "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
        "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
        "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        Valid,
    ),
    // 6 and 7: S is not below L, and far above it.
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        Invalid,
    ),
    (
        "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
        "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
        "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        Invalid,
    ),
    // 8 and 9: R is not canonical; valid iff R is hashed reduced (8) or as it came (9).
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
        Invalid,
    ),
    (
        "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
        "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
        Valid,
    ),
    // 10 and 11: the key is of small order and not canonical.
    (
        "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Key,
    ),
    (
        "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        Key,
    ),
];

/// The batch weighs each signature at random; a wrong one slips through a careless batch one
/// time in eight, so each is tried often.
const TRIES: u64 = 24;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    HEXLOWER.decode(text.as_bytes()).unwrap().try_into().unwrap()
}

fn signature(r: &[u8; 32], s: &Scalar) -> Signature {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(r);
    bytes[32..].copy_from_slice(s.as_bytes());
    Signature::from_bytes(bytes)
}

fn challenge(r: &[u8; 32], key: &PublicKey, message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(key.as_bytes()).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// A signature whose R is `r` plus whatever the encoding hides, by the key `a`·B + torsion.
fn forge(key: &PublicKey, a: &Scalar, r: &Scalar, encoded: &[u8; 32], message: &[u8]) -> Signature {
    signature(encoded, &(r + challenge(encoded, key, message) * a))
}

/// One answer: alone, in a batch of one, and among good ones, however the batch is weighed.
fn agreed(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
    let single = key.verify_bytes(message, signature);
    let good = covey_kernel::Keypair::from_secret(&[9; 32]);
    let bytes = covey_kernel::signing_bytes(
        covey_kernel::Domain::new("covey/test/v1"),
        &covey_kernel::NetworkId::open(),
        &1u8,
    );
    let other = good.sign(
        covey_kernel::Domain::new("covey/test/v1"),
        &covey_kernel::NetworkId::open(),
        &1u8,
    );
    let item = (*key, message.to_vec(), *signature);
    for seed in 0..TRIES {
        let rng = &mut ChaCha12Rng::seed_from_u64(seed);
        assert_eq!(verify_batch(rng, std::slice::from_ref(&item)), [single]);
        let among = [(good.public(), bytes.clone(), other), item.clone()];
        assert_eq!(verify_batch(rng, &among), [Ok(()), single]);
    }
    single
}

/// All encodings of the points of small order that decode: eight canonical ones, and six more.
fn small_order_encodings() -> Vec<[u8; 32]> {
    let mut all: Vec<[u8; 32]> =
        EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    // y = p and y = p + 1 for y = 0 and y = 1, each with both signs; x = 0 with the sign set.
    let p = |low: u8, sign: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        bytes[31] = 0x7f | sign;
        bytes
    };
    let mut one = [0; 32];
    (one[0], one[31]) = (1, 0x80);
    all.extend([p(0xed, 0), p(0xed, 0x80), p(0xee, 0), p(0xee, 0x80), p(0xec, 0x80), one]);
    all
}

#[test]
fn k3_the_published_edge_cases_have_one_answer() {
    for (number, (message, key, text, expected)) in SPECCHECK.into_iter().enumerate() {
        let verdict = match PublicKey::from_bytes(hex(key)) {
            Err(InvalidKey) => Key,
            Ok(key) => {
                let signature = Signature::from_bytes(hex(text));
                match agreed(&key, &hex::<32>(message), &signature) {
                    Ok(()) => Valid,
                    Err(InvalidSignature) => Invalid,
                }
            }
        };
        assert_eq!(verdict, expected, "case {number}");
    }
}

#[test]
fn k3_no_encoding_of_a_small_order_point_is_a_key() {
    let all = small_order_encodings();
    assert_eq!(all.len(), 14);
    for bytes in all {
        assert!(CompressedEdwardsY(bytes).decompress().unwrap().is_small_order());
        assert_eq!(PublicKey::from_bytes(bytes), Err(InvalidKey));
    }
}

#[test]
fn what_was_accepted_or_refused_once_is_so_again_however_many_came_between() {
    let keys: Vec<PublicKey> =
        (0..=255).map(|seed| Keypair::from_secret(&[seed; 32]).public()).collect();
    for round in 0..40u8 {
        for key in &keys {
            assert_eq!(PublicKey::from_bytes(*key.as_bytes()), Ok(*key));
        }
        for bytes in small_order_encodings() {
            assert!(PublicKey::from_bytes(bytes).is_err());
        }
        // More keys than are remembered.
        for seed in 0..=255 {
            let other = Keypair::from_secret(Hash::of(&[round, seed]).as_bytes()).public();
            assert_eq!(PublicKey::from_bytes(*other.as_bytes()), Ok(other));
        }
    }
}

#[test]
fn k3_every_r_of_small_order_is_accepted_with_every_key_of_mixed_order() {
    // ZIP 215: R may be any encoding that decodes. Eight keys by fourteen encodings.
    let a = Scalar::from(0x00c0_7e7e_u64);
    for torsion in EIGHT_TORSION {
        let key = PublicKey::from_bytes((a * B + torsion).compress().to_bytes()).unwrap();
        for encoded in small_order_encodings() {
            let forged = forge(&key, &a, &Scalar::ZERO, &encoded, b"Zcash");
            assert_eq!(agreed(&key, b"Zcash", &forged), Ok(()));
            assert_eq!(agreed(&key, b"Zcashx", &forged), Err(InvalidSignature));
        }
    }
}

#[test]
fn k3_a_scalar_that_is_not_reduced_is_refused() {
    let a = Scalar::from(77u8);
    let key = PublicKey::from_bytes((a * B).compress().to_bytes()).unwrap();
    let encoded = (Scalar::from(5u8) * B).compress().to_bytes();
    let good = forge(&key, &a, &Scalar::from(5u8), &encoded, b"m");
    assert_eq!(agreed(&key, b"m", &good), Ok(()));
    // S + L: the same scalar, another encoding.
    let order = hex::<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut bytes = *good.as_bytes();
    let mut carry = 0u16;
    for (byte, add) in bytes[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    assert_eq!(agreed(&key, b"m", &Signature::from_bytes(bytes)), Err(InvalidSignature));
}

fn point() -> impl Strategy<Value = (Scalar, EdwardsPoint)> {
    (any::<[u8; 32]>(), 0usize..8).prop_map(|(bytes, torsion)| {
        let scalar = Scalar::from_bytes_mod_order(bytes);
        (scalar, scalar * B + EIGHT_TORSION[torsion])
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// With torsion in the key and in R, and with one bit of R or S changed or not.
    #[test]
    fn k4_batch_and_single_agree(
        (a, key) in point(),
        (r, commitment) in point(),
        flip in proptest::option::of(0usize..512),
    ) {
        let Ok(key) = PublicKey::from_bytes(key.compress().to_bytes()) else { return Ok(()) };
        let encoded = commitment.compress().to_bytes();
        let mut bytes = *forge(&key, &a, &r, &encoded, b"message").as_bytes();
        if let Some(bit) = flip {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let expected = if flip.is_some() { Err(InvalidSignature) } else { Ok(()) };
        prop_assert_eq!(agreed(&key, b"message", &Signature::from_bytes(bytes)), expected);
    }

    /// The torsion of R does not matter, a part of prime order does.
    #[test]
    fn k4_a_wrong_r_is_refused_by_both((a, key) in point(), (r, commitment) in point()) {
        let Ok(key) = PublicKey::from_bytes(key.compress().to_bytes()) else { return Ok(()) };
        let wrong = (commitment + B).compress().to_bytes();
        let forged = forge(&key, &a, &r, &wrong, b"message");
        prop_assert_eq!(agreed(&key, b"message", &forged), Err(InvalidSignature));
    }
}

#[test]
fn a_key_is_converted_to_x25519_as_libsodium_does() {
    let vectors = [
        (1, "1b1b58dd50ea14b60da17b790cd02754d970c9bab864ebb3c0f3016fe51d3f57"),
        (2, "60346e7c911a5f6ba154129174cafe75b294ac3bbd5549632f48cec6266f8410"),
    ];
    for (byte, public) in vectors {
        let key = Keypair::from_secret(&[byte; 32]);
        assert_eq!(HEXLOWER.encode(&key.public().to_x25519()), public);
        let secret = curve25519_dalek::MontgomeryPoint::mul_base_clamped(*key.x25519_secret());
        assert_eq!(HEXLOWER.encode(secret.as_bytes()), public);
    }
}
