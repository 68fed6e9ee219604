//! Validators that lie on the wire, and every node's wire as the checkers hear it.

use covey_kernel::{Bounded, Signature};
use covey_ledger::{
    Conflict, Evidence, Height, Reason, SignedHeight, Spend, TxId, Vote,
    wire::{FromValidator, NotReady},
};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::{
    flaw::Vice,
    machine::{LedgerNode, Rules},
    seen::Seen,
};
use crate::sim::{Outgoing, World};

/// Lets the checkers hear what each node sends, and those lie who do.
pub(super) fn listen(world: &mut World<LedgerNode>) {
    for number in 0..world.nodes().len() {
        let rules = world.nodes()[number].rules().clone();
        let mut liar = Liar { rules: rules.clone(), last: None };
        let tamper = move |outgoing: Outgoing, rng: &mut ChaCha8Rng| {
            let sent: Option<Outgoing> = liar.tamper(outgoing, rng);
            sent.iter().for_each(|sent| rules.seen.sent(number, sent));
            sent.into_iter().collect()
        };
        world.tamper(number, Box::new(tamper));
    }
}

/// A validator, and the last vote that it gave.
struct Liar {
    rules: Rules,
    last: Option<Vote>,
}

impl Liar {
    fn tamper(&mut self, outgoing: Outgoing, rng: &mut ChaCha8Rng) -> Option<Outgoing> {
        let Outgoing::Answer { peer, to, bytes } = outgoing else { return Some(outgoing) };
        let about = || self.rules.seen.asked_for(to);
        let lie = match self.rules.vice {
            Some(Vice::Silent) => return None,
            Some(Vice::NeverReady) => Some(FromValidator::NotReady(NotReady::Checking(()))),
            Some(Vice::Refuses) => about().map(|_| FromValidator::Invalid(any(rng, Reason::ALL))),
            Some(Vice::Lies) => match FromValidator::decode(&bytes) {
                Ok(truth) => Some(self.lie(truth, about(), rng)),
                Err(_) => None,
            },
            Some(Vice::VotesForAll | Vice::Slow) | None => None,
        };
        let bytes = lie.map_or(bytes, |lie| lie.encode());
        Some(Outgoing::Answer { peer, to, bytes })
    }

    /// What is said instead of the truth.
    fn lie(
        &mut self,
        truth: FromValidator,
        about: Option<(TxId, Spend)>,
        rng: &mut ChaCha8Rng,
    ) -> FromValidator {
        match (truth, about) {
            (FromValidator::Height(_), _) => FromValidator::Height(self.height(rng)),
            (FromValidator::Holdings(holdings), _) => {
                let mut holdings = holdings.into_vec();
                match rng.random_range(0..3) {
                    0 => holdings.clear(),
                    1 => holdings.iter_mut().for_each(|one| one.spent_by = Some(tx(rng))),
                    _ => holdings.iter_mut().for_each(|one| one.voted = None),
                }
                FromValidator::Holdings(Bounded::first(holdings))
            }
            (truth, Some((_, spend))) => self.answer(truth, &spend, rng),
            (truth, None) => truth,
        }
    }

    /// Of a transaction.
    fn answer(
        &mut self,
        truth: FromValidator,
        spend: &Spend,
        rng: &mut ChaCha8Rng,
    ) -> FromValidator {
        let other = match &truth {
            FromValidator::Vote(vote) => self.last.replace(vote.clone()),
            _ => self.last.clone(),
        };
        match (rng.random_range(0..6), truth, other) {
            (0, FromValidator::Vote(vote), _) => {
                FromValidator::Vote(Vote { signature: signature(rng), ..vote })
            }
            (1, _, Some(other)) => FromValidator::Vote(other),
            (2, ..) => FromValidator::Invalid(any(rng, Reason::ALL)),
            (3, _, vote) => {
                let evidence = evidence(&self.rules.seen, spend, rng);
                FromValidator::Conflict(Box::new(Conflict { evidence, vote }))
            }
            (4, ..) => FromValidator::NotReady(NotReady::Behind(())),
            (_, truth, _) => truth,
        }
    }

    /// How far somebody else has come, who has never said so.
    fn height(&self, rng: &mut ChaCha8Rng) -> Option<SignedHeight> {
        let rules = self.rules.validator.as_ref()?;
        let height = Height { epoch: 0, next: rng.next_u64() };
        let key = rules.key.as_ref().unwrap();
        rng.random_bool(0.8).then(|| SignedHeight::sign(key, &rules.network.id, height))
    }
}

/// Evidence of a double-spend that never was.
fn evidence(seen: &Seen, spend: &Spend, rng: &mut ChaCha8Rng) -> Evidence {
    let outpoint = *spend.body.inputs.first().expect("it spends something");
    let mut made_up =
        Evidence { outpoint, body: spend.body.clone(), witnesses: spend.witnesses.clone() };
    match rng.random_range(0..3) {
        // Of another transaction, which spends something else.
        0 => {
            let inside = seen.look();
            let others: Vec<&Spend> = inside.spends.values().collect();
            let other = others[rng.random_range(0..others.len())];
            (made_up.body, made_up.witnesses) = (other.body.clone(), other.witnesses.clone());
        }
        // Of one that nobody has signed.
        1 => made_up.body.count ^= 1,
        _ => {}
    }
    made_up
}

fn any<T: Copy>(rng: &mut ChaCha8Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

fn signature(rng: &mut ChaCha8Rng) -> Signature {
    let mut bytes = [0; 64];
    rng.fill_bytes(&mut bytes);
    Signature::from_bytes(bytes)
}

fn tx(rng: &mut ChaCha8Rng) -> TxId {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    TxId(covey_kernel::Hash::from_bytes(bytes))
}
