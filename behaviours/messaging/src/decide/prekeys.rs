//! Own prekeys: making them, handing them out, forgetting them.

use covey_kernel::{
    Bounded, CryptoRng, Effect, Fault, Keypair, NetworkId, Peer, RequestId, Scan, Time, merkle,
};

use super::{codec, desk::Desk};
use crate::{
    error::Error,
    layout,
    limits::{BATCH_LIFE, BUNDLE_LIFE, FALLBACK_LIFE, ONE_TIME_KEYS},
    memory::Change,
    prekeys::{Bundle, Handout, OneTime, Prekey, SignedBundle, leaves},
    ratchet::{CurveKey, Ratchet},
    records::{self, Batch, Claimed},
    wire::Response,
};

/// Makes the first batch of an account.
pub(crate) fn first_batch<R: Ratchet>(
    account: &mut R::Account,
    rng: &mut dyn CryptoRng,
    identity: &Keypair,
    network: &NetworkId,
    now: Time,
) -> Batch {
    let fallback = R::rotate_fallback(account, rng);
    let keys = R::one_time_keys(account, rng, ONE_TIME_KEYS);
    let bundle = sign(identity, network, fallback, &keys, now.millis(), now);
    Batch {
        bundle,
        keys: Bounded::first(keys),
        claimed: Bounded::default(),
        former: Bounded::default(),
        made: now,
        fallback_made: now,
        fallback_former: None,
    }
}

/// The sequence only has to grow, so it starts from the clock.
fn sign(
    identity: &Keypair,
    network: &NetworkId,
    fallback: CurveKey,
    keys: &[CurveKey],
    sequence: u64,
    fallback_made: Time,
) -> SignedBundle {
    let bundle = Bundle {
        fallback,
        root: merkle::root(&leaves(keys)),
        count: u32::try_from(keys.len()).unwrap_or(u32::MAX),
        sequence,
        expires: fallback_made.plus(BUNDLE_LIFE),
    };
    SignedBundle::sign(identity, network, bundle)
}

impl<R: Ratchet> Desk<'_, '_, '_, R> {
    /// The present batch, with what this decision has changed in it.
    pub(crate) fn batch(&self) -> Batch {
        let changed = self.changes().iter().rev().find_map(|change| match change {
            Change::Batch(batch) => Some(batch.as_ref()),
            _ => None,
        });
        changed.unwrap_or(&self.memory().batch).clone()
    }

    /// A one-time key has started a session and is gone: whoever had it gets another one when
    /// they ask again, or the new session would be refused.
    pub(crate) fn used_up(&mut self, mut batch: Batch, key: &CurveKey) {
        let Some(place) = batch.keys.iter().position(|other| other == key) else { return };
        let claimed = batch.claimed.iter().map(|claimed| {
            let used = claimed.index as usize == place;
            Claimed { peer: claimed.peer.filter(|_| !used), index: claimed.index }
        });
        batch.claimed = Bounded::first(claimed);
        self.put_batch(batch);
    }

    fn put_batch(&mut self, batch: Batch) {
        records::write(self.view(), layout::BATCH.to_vec(), &batch);
        self.change(Change::Batch(Box::new(batch)));
    }

    /// Answers a claim: the same peer gets the same key until it is used or the batch replaced.
    pub(crate) fn hand_out(&mut self, from: Peer, to: RequestId) -> Result<(), Error> {
        let batch = self.refreshed_batch()?;
        let (batch, prekey) = claim(batch, from)?;
        let handout = Handout { set: self.me().set, bundle: batch.bundle.clone(), prekey };
        self.put_batch(batch);
        let bytes = codec::response(&Response::Keys(handout));
        self.effect(Effect::Answer { to, bytes });
        Ok(())
    }

    /// The batch to hand out from: a new one if the last is drained and old enough.
    fn refreshed_batch(&mut self) -> Result<Batch, Error> {
        let batch = self.batch();
        let drained = batch.claimed.len() >= batch.keys.len();
        if drained && self.now().is_past(batch.made, BATCH_LIFE) {
            return self.next_batch(batch);
        }
        Ok(batch)
    }

    fn next_batch(&mut self, mut batch: Batch) -> Result<Batch, Error> {
        let mut account = self.account()?;
        for key in batch.former.iter() {
            R::forget(&mut account, key);
        }
        batch.former = batch.keys;
        let keys = R::one_time_keys(&mut account, self.rng(), ONE_TIME_KEYS);
        self.put_account(&account);
        batch.keys = Bounded::first(keys);
        batch.claimed = Bounded::default();
        batch.made = self.now();
        Ok(self.resigned(batch))
    }

    fn resigned(&mut self, mut batch: Batch) -> Batch {
        let secrets = self.secrets();
        let made = batch.fallback_made;
        let sequence = batch.bundle.bundle.sequence.saturating_add(1);
        let fallback = batch.bundle.bundle.fallback;
        let network = self.rules().network;
        batch.bundle = sign(&secrets.identity, &network, fallback, &batch.keys, sequence, made);
        batch
    }

    /// Rotates the fallback key when it is due, forgets the one before the last and the
    /// sessions it started, and says when to look again.
    pub(crate) fn maintain_prekeys(&mut self) -> Result<(), Error> {
        let mut batch = self.batch();
        if self.now().is_past(batch.fallback_made, FALLBACK_LIFE) {
            let mut account = self.account()?;
            let fallback = R::rotate_fallback(&mut account, self.rng());
            self.put_account(&account);
            batch.fallback_former = Some(batch.bundle.bundle.fallback);
            batch.bundle.bundle.fallback = fallback;
            batch.fallback_made = self.now();
            batch = self.resigned(batch);
            self.forget_fallback_sessions(&batch)?;
            self.put_batch(batch.clone());
        }
        self.effect(Effect::Wake(batch.fallback_made.plus(FALLBACK_LIFE)));
        Ok(())
    }

    fn forget_fallback_sessions(&mut self, batch: &Batch) -> Result<(), Fault> {
        let usable = [Some(batch.bundle.bundle.fallback), batch.fallback_former];
        let marks = self.store().scan(&Scan::prefix(layout::FALLBACKS))?;
        for (mark, prekey) in marks {
            let used = usable.iter().flatten().any(|key| key.0.as_slice() == prekey);
            if !used {
                self.view().delete(mark);
            }
        }
        Ok(())
    }

    /// A new account with new prekeys.
    pub(crate) fn replace_account(&mut self, identity: &Keypair) -> CurveKey {
        let mut account = R::account(self.rng());
        let (network, now) = (self.rules().network, self.now());
        let batch = first_batch::<R>(&mut account, self.rng(), identity, &network, now);
        self.put_account(&account);
        self.put_batch(batch);
        R::identity(&account)
    }
}

/// Chooses the key for a claim.
fn claim(mut batch: Batch, from: Peer) -> Result<(Batch, Prekey), Error> {
    let earlier = batch.claimed.iter().find(|claimed| claimed.peer == Some(from));
    let index = match earlier {
        Some(claimed) => claimed.index,
        None => {
            let next = batch.claimed.len();
            if next >= batch.keys.len() {
                return Ok((batch, Prekey::Fallback(())));
            }
            let index = u32::try_from(next).unwrap_or(u32::MAX);
            let mut claimed = batch.claimed.to_vec();
            claimed.push(Claimed { peer: Some(from), index });
            batch.claimed = Bounded::first(claimed);
            index
        }
    };
    let place = index as usize;
    let missing = || Fault::Corrupt("a claimed prekey is not in its batch".into());
    let key = *batch.keys.get(place).ok_or_else(missing)?;
    let path = merkle::path(&leaves(&batch.keys), place).ok_or_else(missing)?;
    let prekey = Prekey::OneTime(OneTime { key, index, path: Bounded::first(path) });
    Ok((batch, prekey))
}
