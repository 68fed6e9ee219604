//! What a wallet remembers while it runs. All of it can be rebuilt.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{AskId, CommandId, Peer, Span, Time};

use super::{command::Order, purse::Purse, records::Progress, searching::Search};
use crate::{
    amount::Amount,
    chain::Network,
    evidence::Conflict,
    limits::{ASK_LIFE, RETRY_LAST},
    output::{Asset, Outpoint, TxId},
    phrase::KeyTree,
    reason::Reason,
    reconfigure::Link,
    vote::Vote,
};

/// A payment on its way.
#[derive(Clone, Debug, Default)]
pub(super) struct Flight {
    /// Votes by the voters' places.
    pub(super) votes: BTreeMap<u8, Vote>,
    /// Who has promised its coins to another.
    pub(super) conflicts: BTreeMap<u8, Conflict>,
    /// Who says that it is not valid.
    pub(super) invalid: BTreeMap<u8, Reason>,
    /// Who is asked, and until when an answer is waited for.
    pub(super) asked: BTreeMap<u8, Time>,
    /// Who is asked again, and when.
    pub(super) again: BTreeMap<u8, (Time, Span)>,
    /// Whether an honest validator has promised its coins to another, also if that was before a restart.
    pub(super) blocked: bool,
}

impl Flight {
    /// After a restart: who said what is forgotten, and asked anew.
    pub(super) fn resumed(progress: &Progress) -> Self {
        Self { blocked: matches!(progress, Progress::Blocked(_)), ..Self::default() }
    }

    /// In another epoch: votes of different epochs make no certificate, so all are asked anew.
    fn anew(&self) -> Self {
        Self { blocked: self.blocked, ..Self::default() }
    }

    /// Whether a member has said what it has to say. Whoever shows a conflict without a vote for the
    /// other transaction may have one later.
    pub(super) fn is_settled(&self, place: u8) -> bool {
        self.votes.contains_key(&place)
            || self.conflicts.get(&place).is_some_and(|conflict| conflict.vote.is_some())
            || self.invalid.contains_key(&place)
    }

    /// When something is to be done next.
    pub(super) fn next_due(&self, now: Time) -> Option<Time> {
        let idle = |place: &u8| !self.is_settled(*place) && !self.asked.contains_key(place);
        let again = self.again.iter().filter(|(place, _)| idle(place));
        let again = again.map(|(_, (at, _))| due(*at, RETRY_LAST, now));
        self.asked.values().map(|until| due(*until, ASK_LIFE, now)).chain(again).min()
    }
}

/// When something is due that was put off by so much at most. What lies further ahead was put off by a
/// clock that was wrong, and is due now.
pub(super) fn due(at: Time, most: Span, now: Time) -> Time {
    if at > now.plus(most) { now } else { at }
}

/// What an own question is about.
#[derive(Clone, Debug)]
pub(super) enum Errand {
    /// In an epoch, a vote of the member at a place.
    Vote(TxId, u64, u8),
    /// In an epoch, a vote of the member at a place, for what was certified in an earlier one.
    Refresh(TxId, u64, u8),
    /// The configurations after the newest one known.
    Links(Peer),
    /// An address, to be paid at the owner's command.
    Address(Peer, CommandId, Box<Order>),
    /// A payee is told.
    Deliver(Outpoint),
    /// In an epoch, what there is at the address with an index, of the member at a place.
    Claim(u32, u64, u8),
}

/// Certificates that are renewed, some at a time while nothing else is to be done.
#[derive(Clone, Debug, Default)]
pub(super) struct Renewals {
    /// Coins up to this one were looked at; none if all were.
    pub(super) looked: Option<Option<Outpoint>>,
    /// Transactions for which the validators are asked anew.
    pub(super) flights: BTreeMap<TxId, Flight>,
    /// When they are asked again.
    pub(super) at: Option<Time>,
}

/// A payee that is told.
#[derive(Clone, Debug)]
pub(super) struct Telling {
    pub(super) to: Peer,
    /// When it is told again, and how long it is waited then.
    pub(super) again: (Time, Span),
}

/// What is remembered.
pub(super) struct Memory {
    /// The network, with all configurations that are known.
    pub(super) network: Network,
    /// When validators were last asked for configurations that are not known here.
    pub(super) looked_at: Time,
    /// Whether another epoch has begun, and payments are to be sent to its validators.
    pub(super) turned: bool,
    /// Coins whose certificates are to be renewed.
    pub(super) renewals: Renewals,
    /// The keys.
    pub(super) tree: KeyTree,
    /// The coins that may be spent.
    pub(super) purse: Purse,
    pub(super) flights: BTreeMap<TxId, Flight>,
    pub(super) tellings: BTreeMap<Outpoint, Telling>,
    pub(super) search: Option<Search>,
    pub(super) asks: BTreeMap<AskId, Errand>,
    /// How many votes the member at a place is asked for.
    pub(super) wanted: BTreeMap<u8, usize>,
    pub(super) next_ask: u64,
    pub(super) online: BTreeSet<Peer>,
}

/// One change of it.
pub(super) enum Change {
    /// The next configuration is certified.
    Follow(Box<Link>),
    LookedAt(Time),
    /// Payments were sent to the validators of the newest epoch.
    Turned,
    Renewals(Box<Renewals>),
    Tree(KeyTree),
    /// A coin may be spent.
    Free((Asset, Amount, Outpoint)),
    /// A coin may not be spent any more.
    Taken((Asset, Amount, Outpoint)),
    Flight(TxId, Box<Flight>),
    Landed(TxId),
    Telling(Outpoint, Telling),
    Told(Outpoint),
    Search(Option<Box<Search>>),
    Asked(AskId, Errand),
    Answered(AskId),
    Online(Peer),
    Offline(Peer),
}

impl Memory {
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Follow(link) => {
                self.network.resume(*link);
                self.turned = true;
                self.flights.values_mut().for_each(|flight| *flight = flight.anew());
                self.renewals = Renewals { looked: Some(None), ..Renewals::default() };
                self.search = None;
            }
            Change::LookedAt(at) => self.looked_at = at,
            Change::Turned => self.turned = false,
            Change::Renewals(renewals) => self.renewals = *renewals,
            Change::Tree(tree) => self.tree = tree,
            Change::Free(coin) => self.purse.put(coin),
            Change::Taken(coin) => self.purse.take(&coin),
            Change::Flight(tx, flight) => {
                self.flights.insert(tx, *flight);
            }
            Change::Landed(tx) => {
                self.flights.remove(&tx);
            }
            Change::Telling(outpoint, telling) => {
                self.tellings.insert(outpoint, telling);
            }
            Change::Told(outpoint) => {
                self.tellings.remove(&outpoint);
            }
            Change::Search(search) => self.search = search.map(|search| *search),
            Change::Asked(ask, errand) => {
                // Without the bit that says who was asked: the next one says it anew.
                self.next_ask = self.next_ask.max((ask.0 & !1).saturating_add(ASK_STEP));
                if let Errand::Vote(_, _, place) = &errand {
                    let wanted = self.wanted.entry(*place).or_default();
                    *wanted = wanted.saturating_add(1);
                }
                self.asks.insert(ask, errand);
            }
            Change::Answered(ask) => {
                if let Some(Errand::Vote(_, _, place)) = self.asks.remove(&ask) {
                    let wanted = self.wanted.entry(place).or_default();
                    *wanted = wanted.saturating_sub(1);
                }
            }
            Change::Online(peer) => {
                self.online.insert(peer);
            }
            Change::Offline(peer) => {
                self.online.remove(&peer);
            }
        }
    }
}

/// Questions are numbered by twos: the last bit says whether a validator or a wallet is asked, since
/// their answers are told apart by nothing else.
pub(super) const ASK_STEP: u64 = 2;

#[cfg(test)]
mod tests {
    use covey_kernel::{Bounded, Hash};

    use super::*;
    use crate::{evidence::Evidence, output::TxId, transaction::Body};

    #[test]
    fn what_was_blocked_is_blocked_after_a_restart() {
        let body = Body { inputs: Bounded::default(), count: 1, root: Hash::of(b"root") };
        let outpoint = Outpoint { tx: TxId(Hash::of(b"tx")), index: 0 };
        let evidence = Evidence { outpoint, body, witnesses: Bounded::default() };
        assert!(Flight::resumed(&Progress::Blocked(Box::new(evidence))).blocked);
        assert!(!Flight::resumed(&Progress::Sending(())).blocked);
    }
}
