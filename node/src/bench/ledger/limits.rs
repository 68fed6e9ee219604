//! What one core can sign and verify, without anything around it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use covey_kernel::{Domain, Keypair, NetworkId, PublicKey, Signature, signing_bytes, verify_all};
use serde::Serialize;

/// How long each is measured.
const FOR: Duration = Duration::from_millis(300);

/// Signatures of one batch.
const BATCH: usize = 512;

const DOMAIN: Domain = Domain::new("covey/bench/v1");

/// Operations a second on one core.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Limits {
    /// Signatures made.
    pub sign: f64,
    /// Signatures verified one by one.
    pub verify: f64,
    /// In batches of 512, each of another key, as owners have.
    pub verify_owners: f64,
    /// In batches of 512 of four keys, as validators have.
    pub verify_validators: f64,
}

/// How often something that does `each` things can be done in a second.
fn a_second(each: usize, mut something: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut done = 0usize;
    while begun.elapsed() < FOR {
        something();
        done = done.saturating_add(each);
    }
    super::super::rate(done, begun.elapsed())
}

fn signed(keys: usize) -> Vec<(PublicKey, Vec<u8>, Signature)> {
    let keys: Vec<Keypair> = (0..keys).map(|_| Keypair::generate(&mut rand::rng())).collect();
    let network = NetworkId::open();
    let numbered = (0..BATCH as u64).zip(keys.iter().cycle());
    numbered
        .map(|(number, key)| {
            let message = signing_bytes(DOMAIN, &network, &number);
            (key.public(), message, key.sign(DOMAIN, &network, &number))
        })
        .collect()
}

/// Measures them on this thread.
#[must_use]
pub(super) fn measure() -> Limits {
    let network = NetworkId::open();
    let key = Keypair::generate(&mut rand::rng());
    let (owners, validators) = (signed(BATCH), signed(4));
    let mut number = 0u64;
    let sign = a_second(1, || {
        number = number.wrapping_add(1);
        black_box(key.sign(DOMAIN, &network, &number));
    });
    let mut one = owners.iter().cycle();
    let verify = a_second(1, || {
        if let Some((key, message, signature)) = one.next() {
            black_box(key.verify_bytes(message, signature).is_ok());
        }
    });
    let batch = |items: &[(PublicKey, Vec<u8>, Signature)]| {
        a_second(BATCH, || {
            black_box(verify_all(items));
        })
    };
    Limits { sign, verify, verify_owners: batch(&owners), verify_validators: batch(&validators) }
}
