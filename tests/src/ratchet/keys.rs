use covey_kernel::{CryptoRng, Hash, Hasher, record};
use covey_messaging::ratchet::CurveKey;

record! {
    /// A long-term key and prekeys.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Account {
        identity: Hash,
        one_time: Vec<Hash>,
        fallback: Option<Hash>,
        /// The fallback key before; still usable.
        former: Option<Hash>,
    }
}

/// A new secret.
pub(super) fn secret(rng: &mut dyn CryptoRng) -> Hash {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    Hash::from_bytes(bytes)
}

/// The public half of a secret.
pub(super) fn public(secret: &Hash) -> CurveKey {
    CurveKey(*Hasher::new("toy/public").field(secret.as_bytes()).finish().as_bytes())
}

impl Account {
    pub(super) fn new(rng: &mut dyn CryptoRng) -> Self {
        Self { identity: secret(rng), one_time: Vec::new(), fallback: None, former: None }
    }

    pub(super) fn identity(&self) -> CurveKey {
        public(&self.identity)
    }

    pub(super) fn long_term(&self) -> &Hash {
        &self.identity
    }

    pub(super) fn one_time_keys(&mut self, rng: &mut dyn CryptoRng, count: usize) -> Vec<CurveKey> {
        let made: Vec<Hash> = (0..count).map(|_| secret(rng)).collect();
        let keys = made.iter().map(public).collect();
        self.one_time.extend(made);
        keys
    }

    pub(super) fn forget(&mut self, key: &CurveKey) {
        self.one_time.retain(|secret| public(secret) != *key);
    }

    pub(super) fn rotate_fallback(&mut self, rng: &mut dyn CryptoRng) -> CurveKey {
        let made = secret(rng);
        self.former = self.fallback.replace(made);
        public(&made)
    }

    /// The secret of a prekey, of whichever kind.
    pub(super) fn prekey(&self, key: &CurveKey) -> Option<Hash> {
        let all = self.one_time.iter().chain(&self.fallback).chain(&self.former);
        all.copied().find(|secret| public(secret) == *key)
    }
}
