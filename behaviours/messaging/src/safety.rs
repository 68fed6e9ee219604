//! The safety number: sixty digits that both people see, and compare by voice.

use covey_kernel::NetworkId;
use serde::Serialize;
use sha2::{Digest, Sha512};

use crate::identity::SignedKeySet;

/// Hash iterations; they make a search for similar numbers costly.
const ITERATIONS: u32 = 5200;

/// Sixty digits over both identities and the keys they use now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyNumber(String);

impl SafetyNumber {
    /// The same for both sides, whichever is given first.
    #[must_use]
    pub fn of(network: &NetworkId, a: &SignedKeySet, b: &SignedKeySet) -> Self {
        let mut halves = [half(network, a), half(network, b)];
        halves.sort_unstable();
        Self(halves.concat())
    }

    /// The digits without spaces.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Twelve groups of five, as one reads them aloud.
    #[must_use]
    pub fn groups(&self) -> String {
        let digits: Vec<char> = self.0.chars().collect();
        digits.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Serialize)]
struct Fingerprinted<'a>(
    &'a str,
    &'a NetworkId,
    &'a covey_kernel::PublicKey,
    &'a covey_kernel::PublicKey,
    crate::ratchet::CurveKey,
    crate::ratchet::CurveKey,
);

/// Thirty digits for one side: six groups of five from an iterated SHA-512.
fn half(network: &NetworkId, side: &SignedKeySet) -> String {
    let keys = covey_kernel::cbor::encode(&Fingerprinted(
        "covey/messaging/safety-number/v1",
        network,
        &side.identity,
        &side.set.peer,
        side.set.ratchet,
        side.set.sealing,
    ));
    let mut digest = Sha512::digest(&keys);
    for _ in 1..ITERATIONS {
        digest = Sha512::new().chain_update(digest).chain_update(&keys).finalize();
    }
    digest.chunks_exact(5).take(6).map(five_digits).collect()
}

fn five_digits(bytes: &[u8]) -> String {
    let number = bytes.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{:05}", number % 100_000)
}
