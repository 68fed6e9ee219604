//! What no node knows: all that was asked, every vote that was really sent, and every lock that was ever on
//! a disk.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use covey_kernel::{Hash, Input, RequestId, Time, cbor};
use covey_ledger::{
    KnownBallots, Network, Outpoint, Spend, TxId, Validator, Vote,
    wire::{FromValidator, Request, ToValidator},
};

use super::{half::Half, machine::LedgerNode};
use crate::sim::{Outgoing, World};

/// It is shared by all nodes of a world.
#[derive(Clone)]
pub struct Seen(Arc<Mutex<Inside>>);

pub(super) struct Inside {
    pub(super) network: Network,
    ballots: KnownBallots,
    /// Transactions by their requests' bytes: most are asked for often.
    known: BTreeMap<Hash, TxId>,
    pub(super) spends: BTreeMap<TxId, Spend>,
    requests: BTreeMap<RequestId, TxId>,
    /// Who has sent a right vote for a transaction.
    pub(super) votes: BTreeMap<TxId, BTreeSet<usize>>,
    /// What was locked for what, by which validator.
    locks: BTreeMap<(usize, Outpoint), TxId>,
    /// What must not have happened.
    pub(super) broken: Vec<String>,
    /// Wake-ups by node and second.
    wakes: BTreeMap<(usize, u64), u32>,
}

impl Seen {
    pub(super) fn new(network: Network, ballots: KnownBallots) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            network,
            ballots,
            known: BTreeMap::new(),
            spends: BTreeMap::new(),
            requests: BTreeMap::new(),
            votes: BTreeMap::new(),
            locks: BTreeMap::new(),
            broken: Vec::new(),
            wakes: BTreeMap::new(),
        })))
    }

    pub(super) fn look(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// What a node is about to take.
    pub(super) fn inputs(&self, node: usize, now: Time, inputs: &[Input<LedgerNode>]) {
        let mut inside = self.look();
        for input in inputs {
            match input {
                Input::Wake => {
                    *inside.wakes.entry((node, now.millis() / 1000)).or_default() += 1;
                }
                Input::Request { id, bytes, .. } if Request::is_for_validator(bytes) => {
                    inside.asked(*id, bytes);
                }
                _ => {}
            }
        }
    }

    /// What a node really sends.
    pub(super) fn sent(&self, place: usize, outgoing: &Outgoing) {
        let Outgoing::Answer { to, bytes, .. } = outgoing else { return };
        let mut inside = self.look();
        match FromValidator::decode(bytes) {
            Ok(FromValidator::Vote(vote)) => {
                let tx = inside.requests.get(to).copied();
                tx.into_iter().for_each(|tx| inside.voted(place, tx, &vote));
            }
            Ok(FromValidator::Holdings(holdings)) => {
                for voted in holdings.iter().filter_map(|one| one.voted.as_ref()) {
                    let tx = voted.body.id(&inside.network.id);
                    inside.voted(place, tx, &voted.vote);
                }
            }
            _ => {}
        }
    }

    /// The transaction that a request was about.
    pub(super) fn asked_for(&self, id: RequestId) -> Option<(TxId, Spend)> {
        let inside = self.look();
        let tx = *inside.requests.get(&id)?;
        Some((tx, inside.spends.get(&tx)?.clone()))
    }

    /// The most wake-ups of one node in one second, and all of them since.
    pub(super) fn wakes(&self, since: Time) -> (u32, u64) {
        let inside = self.look();
        let most = inside.wakes.values().copied().max().unwrap_or_default();
        let late = inside.wakes.iter().filter(|((_, second), _)| *second >= since.millis() / 1000);
        (most, late.map(|(_, count)| u64::from(*count)).sum())
    }
}

impl Inside {
    fn asked(&mut self, id: RequestId, bytes: &[u8]) {
        let name = Hash::of(bytes);
        if let Some(tx) = self.known.get(&name) {
            self.requests.insert(id, *tx);
            return;
        }
        let Ok(Request::Validator(ToValidator::Spend(spend))) = Request::decode(bytes) else {
            return;
        };
        let tx = spend.body.id(&self.network.id);
        self.known.insert(name, tx);
        self.requests.insert(id, tx);
        self.spends.entry(tx).or_insert(*spend);
    }

    fn voted(&mut self, place: usize, tx: TxId, vote: &Vote) {
        let Some(member) = self.network.newest().members.get(place) else { return };
        let Ok(signed) = vote.signed(&self.network.id, 0, &tx, member.vote) else { return };
        if self.ballots.verify(&[signed]) == [true] {
            self.votes.entry(tx).or_default().insert(place);
        }
    }

    fn lock(&mut self, place: usize, outpoint: Outpoint, tx: TxId) {
        let before = *self.locks.entry((place, outpoint)).or_insert(tx);
        if before != tx {
            self.broken.push(format!("validator {place} locks {outpoint} for {before} and {tx}"));
        }
    }
}

/// Looks at the disks of all honest validators.
pub(super) fn look_at_disks(world: &World<LedgerNode>) {
    for (place, node) in world.nodes().iter().enumerate() {
        let rules = node.rules();
        if rules.validator.is_none() || rules.vice.is_some() {
            continue;
        }
        let mut inside = rules.seen.look();
        let prefix = [Validator::TAG, 0x10];
        let mut locked = 0;
        for (key, value) in node.disk().under(&prefix) {
            let outpoint = Outpoint::from_key(&key[10..]).expect("an outpoint");
            let (tx, _, _): (TxId, u64, u16) = cbor::decode_stored(value).expect("a lock");
            inside.lock(place, outpoint, tx);
            locked += 1;
        }
        let of_place = inside.locks.keys().filter(|(at, _)| *at == place).count();
        if of_place != locked {
            inside.broken.push(format!("validator {place} had {of_place} locks, has {locked}"));
        }
    }
}
