//! What a validator remembers while it runs. All of it can be rebuilt.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{AskId, Hash, Keypair, Peer, PublicKey, RequestId, Time, merkle::Builder};

use super::records::Kept;
use crate::{
    chain::Network,
    holdings::Claim,
    limits::{PASSED, PASSED_OVER},
    output::{Outpoint, TxId},
    reconfigure::Link,
    wire::NotReady,
};

/// What a claim asks for: the address, and after which output.
pub(super) type Asked = (PublicKey, Option<Outpoint>);

/// Whether the validator may vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has started, and these members have told it how far it had come.
    Checking(BTreeSet<usize>),
    /// It votes.
    Voting,
    /// The others know it further than it is.
    Behind,
    /// It is a member of no epoch yet.
    Candidate,
    /// Its epoch has begun, and it takes over what the last one left.
    Importing,
    /// The next configuration is certified: at the end of this turn it seals.
    Sealing,
    /// It has sealed, and is no member of the next epoch.
    Sealed,
}

impl Stage {
    /// Why it does not vote; none if it does.
    pub(super) fn not_ready(&self) -> Option<NotReady> {
        match self {
            Self::Checking(_) => Some(NotReady::Checking(())),
            Self::Voting => None,
            Self::Behind => Some(NotReady::Behind(())),
            Self::Candidate => Some(NotReady::NoValidator(())),
            Self::Importing => Some(NotReady::Importing(())),
            Self::Sealing | Self::Sealed => Some(NotReady::Sealed(())),
        }
    }
}

/// The epoch that a validator is in.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// The epoch.
    pub(super) epoch: u64,
    /// Its voting key.
    pub(super) key: Keypair,
    /// The place among its members.
    pub(super) place: usize,
    /// The members whose lock sets were taken over; none before the import is complete.
    pub(super) imported: Option<u64>,
    /// The tree over the own lock set.
    pub(super) log: Builder,
}

/// What an own question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    /// How far this validator had come in an epoch, of the member at a place.
    MyHeight(u64, usize),
    /// Something that only needs to be noted.
    Told,
    /// The configurations after the newest one known.
    Links,
    /// For an epoch, a part of the lock set of the member at a place of the one before, from here on.
    Log(u64, u8, u64),
    /// For an epoch, entries that the member at a place of the one before has listed.
    Entries(u64, u8, Vec<TxId>),
}

/// A union of lock sets that is gone through.
#[derive(Clone, Debug)]
pub(super) struct Settling {
    /// For which epoch.
    pub(super) epoch: u64,
    /// Whose lock sets.
    pub(super) places: u64,
    /// The last one gone through.
    pub(super) after: Option<TxId>,
    /// The tree over the own list, with what passed.
    pub(super) log: Builder,
}

/// What is remembered.
pub(super) struct Memory {
    /// Starts on this store, the present one included.
    pub(super) starts: u64,
    /// The network, with all configurations that are known.
    pub(super) network: Network,
    /// The epoch that it is in, if any.
    pub(super) term: Option<Term>,
    pub(super) stage: Stage,
    /// The sequence number of the first transaction of this turn.
    pub(super) next: u64,
    /// What was locked in this turn, and nothing is signed for yet.
    pub(super) open: Vec<TxId>,
    /// Who waits for votes on them: request and place in `open`.
    pub(super) waiting: Vec<(RequestId, usize)>,
    /// Owners of addresses who wait for votes of this turn.
    pub(super) claims: Vec<(RequestId, Claim)>,
    /// When the others are told how far it has come.
    pub(super) tell_at: Option<Time>,
    /// Whom it is connected with.
    pub(super) online: BTreeSet<Peer>,
    /// Own questions on the way, and whom they were put to.
    pub(super) asks: BTreeMap<AskId, (Peer, Errand)>,
    pub(super) next_ask: u64,
    /// Proposals for the next configuration, by id.
    pub(super) candidacies: BTreeMap<Hash, Kept>,
    /// When others are told and asked again about the next configuration.
    pub(super) succession_at: Option<Time>,
    /// When others are asked again for their lock sets.
    pub(super) import_at: Option<Time>,
    pub(super) settling: Option<Settling>,
    /// Whose lists for an epoch were heard since everybody was connected last.
    pub(super) heard: BTreeSet<(u64, u8)>,
    /// How far what is loose for an epoch was looked at ahead.
    pub(super) tightened: BTreeMap<u64, Tightened>,
    /// Transactions that the others were shown for somebody who has only a phrase, and when.
    pub(super) passed: BTreeMap<TxId, Time>,
    /// Up to where the outputs that a claim asks for cannot be shown.
    pub(super) passed_over: BTreeMap<Asked, Outpoint>,
    pub(super) pruning: Pruning,
}

/// How far what is loose was looked at ahead.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tightened {
    /// Up to this one; none if all was.
    pub(super) after: Option<TxId>,
    /// Not before this time.
    pub(super) at: Time,
}

/// How far it is removed what earlier epochs have left.
#[derive(Debug, Default)]
pub(super) struct Pruning {
    /// Nothing is left of epochs before this one, since the start.
    pub(super) done: u64,
    /// Those before this one are gone through.
    pub(super) below: Option<u64>,
    /// The last key removed.
    pub(super) after: Option<Vec<u8>>,
    /// Not before this time.
    pub(super) at: Time,
}

/// One change of it.
#[derive(Debug)]
pub(super) enum Change {
    /// A transaction is locked, for somebody who waits or so that its vote can be told.
    Locked(TxId, Option<RequestId>),
    /// The owner of an address waits for votes of this turn.
    Claims(RequestId, Box<Claim>),
    /// It is new in the lock set.
    Logged(TxId),
    /// Somebody else waits for a transaction of this turn.
    Waits(RequestId, usize),
    /// The turn's transactions are signed.
    Signed,
    Stage(Stage),
    /// The others are told at this time.
    TellAt(Option<Time>),
    Online(Peer),
    Offline(Peer),
    /// A peer was asked.
    Asked(AskId, Peer, Errand),
    /// An answer came.
    Answered(AskId),
    /// A proposal is kept, or no longer.
    Candidacy(Hash, Option<Box<Kept>>),
    /// The next configuration is certified.
    Follow(Box<Link>),
    /// It is in another epoch, or in none.
    Term(Option<Box<Term>>),
    /// The import of the present epoch is complete, with these members' lock sets.
    Imported(u64, Builder),
    Settling(Option<Settling>),
    /// The list of the member at a place was heard, for an epoch.
    Heard(u64, u8),
    /// What is loose for an epoch was looked at.
    Tightened(u64, Tightened),
    SuccessionAt(Option<Time>),
    ImportAt(Option<Time>),
    /// The others were shown a transaction.
    Passed(TxId, Time),
    /// Up to where what a claim asks for cannot be shown; none if it was answered.
    PassedOver(Asked, Option<Outpoint>),
    Pruning(Pruning),
}

impl Memory {
    /// The epoch that it is in; of a node that is in none, the newest one known.
    pub(super) fn epoch(&self) -> u64 {
        self.term.as_ref().map_or(self.network.newest().epoch, |term| term.epoch)
    }

    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Locked(tx, request) => {
                self.waiting.extend(request.map(|request| (request, self.open.len())));
                self.open.push(tx);
            }
            Change::Claims(request, claim) => self.claims.push((request, *claim)),
            Change::Logged(tx) => {
                if let Some(term) = &mut self.term {
                    term.log.push(crate::vote::leaf(&tx));
                }
            }
            Change::Waits(request, at) => self.waiting.push((request, at)),
            Change::Signed => {
                let signed = u64::try_from(self.open.len()).unwrap_or(u64::MAX);
                self.next = self.next.saturating_add(signed);
                self.open.clear();
                self.waiting.clear();
                self.claims.clear();
            }
            Change::Stage(stage) => self.stage = stage,
            Change::TellAt(at) => self.tell_at = at,
            Change::Online(peer) => {
                self.online.insert(peer);
            }
            Change::Offline(peer) => {
                // What it listed may be long past when it comes back.
                self.heard.clear();
                self.online.remove(&peer);
            }
            Change::Asked(ask, peer, errand) => {
                self.next_ask = self.next_ask.max(ask.0.saturating_add(1));
                self.asks.insert(ask, (peer, errand));
            }
            Change::PassedOver(asked, Some(outpoint)) => {
                if self.passed_over.len() >= PASSED_OVER {
                    self.passed_over.clear();
                }
                self.passed_over.insert(asked, outpoint);
            }
            Change::PassedOver(asked, None) => {
                self.passed_over.remove(&asked);
            }
            Change::Passed(tx, at) => {
                if self.passed.len() >= PASSED {
                    self.passed.clear();
                }
                self.passed.insert(tx, at);
            }
            Change::Answered(ask) => {
                self.asks.remove(&ask);
            }
            Change::Candidacy(id, Some(kept)) => {
                self.candidacies.insert(id, *kept);
            }
            Change::Candidacy(id, None) => {
                self.candidacies.remove(&id);
            }
            Change::Follow(link) => self.network.resume(*link),
            Change::Term(term) => {
                self.term = term.map(|term| *term);
                // It votes anew for what it could not show.
                self.passed_over.clear();
                self.tightened.clear();
                self.heard.clear();
            }
            Change::Imported(places, log) => {
                if let Some(term) = &mut self.term {
                    term.imported = Some(places);
                    term.log = log;
                }
            }
            Change::Settling(settling) => self.settling = settling,
            Change::Heard(epoch, place) => {
                self.heard.insert((epoch, place));
            }
            Change::Tightened(epoch, tightened) => {
                self.tightened.insert(epoch, tightened);
            }
            Change::SuccessionAt(at) => self.succession_at = at,
            Change::ImportAt(at) => self.import_at = at,
            Change::Pruning(pruning) => self.pruning = pruning,
        }
    }
}
