//! Finding the money of a phrase again. Validators keep outputs by address and tell whoever proves that
//! an address is theirs; of a quorum's votes the wallet makes the certificates anew.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{AskFailure, Fault, Peer, PublicKey, Span, Time, merkle};

use super::{
    Change, Event,
    command::Reply,
    desk::Desk,
    first, layout,
    memory::{Errand, due},
    records::{self, Came, Coin, Restored, Use},
};
use crate::{
    error::Error,
    genesis::Genesis,
    holdings::{Claim, Holding, Voted},
    limits::{ASK_AGAIN, ASK_LIFE, GAP, SEARCHED},
    output::{Outpoint, TxId},
    phrase::{Branch, KeyTree, Phrase},
    proof::{Paid, Proof},
    vote::{Certificate, Vote},
    wire::{FromValidator, ToValidator},
};

/// How long validators beyond a quorum are waited for: with them coins are found of which some
/// validators have not heard.
const PATIENCE: Span = Span::secs(3);

/// How long votes are waited for that are still too few.
const LAST_PATIENCE: Span = Span::secs(30);

/// How often a search that waits looks up.
const LOOK: Span = Span::millis(250);

/// What one validator has said of one address.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    holdings: Vec<Holding>,
    complete: bool,
    /// Until when its answer is waited for.
    asked: Option<Time>,
}

/// A search on its way: a window of addresses at a time.
#[derive(Clone, Debug)]
pub(super) struct Search {
    branch: Branch,
    /// The first of the window.
    from: u32,
    /// The first after it.
    to: u32,
    /// Since when.
    since: Time,
    /// When addresses with too few votes were last asked for again.
    renewed: Time,
    /// What was said, by index and place.
    said: BTreeMap<(u32, u8), Said>,
    /// Coins found so far.
    found: u64,
}

/// An output that was found, and who has said what of it.
#[derive(Default)]
struct Found {
    voted: Option<Voted>,
    votes: Vec<(u8, Vote)>,
    spent: BTreeMap<TxId, BTreeSet<u8>>,
}

impl Search {
    fn new(branch: Branch, from: u32, to: u32, since: Time, found: u64) -> Self {
        Self { branch, from, to, since, renewed: since, said: BTreeMap::new(), found }
    }

    /// Members who have told all of every address of the window.
    fn complete(&self, members: usize) -> usize {
        let places = (0u8..).take(members);
        let told = |place: &u8| {
            (self.from..self.to)
                .all(|index| self.said.get(&(index, *place)).is_some_and(|said| said.complete))
        };
        places.filter(told).count()
    }
}

impl Desk<'_, '_, '_> {
    /// Becomes the wallet of another phrase.
    pub(super) fn restore(&mut self, phrase: Phrase) -> Result<Reply, Error> {
        let me = self.me()?;
        let untouched = me.line == 0 && me.own.next == 0 && me.handed.next == 0;
        if !untouched || me.restored != Restored::No(()) {
            return Err(Error::WalletInUse);
        }
        self.write_me(&first(&phrase, Restored::Searching(())));
        self.change(Change::Tree(KeyTree::new(&phrase)));
        // With the new keys.
        self.wake_at(self.now());
        Ok(Reply::Done)
    }

    /// The owner says that no other device uses the phrase.
    pub(super) fn alone(&mut self) -> Result<Reply, Error> {
        let mut me = self.me()?;
        match me.restored {
            Restored::Searching(()) => return Err(Error::StillSearching),
            Restored::No(()) | Restored::Alone(()) => return Ok(Reply::Done),
            Restored::Held(()) => {}
        }
        for key in records::keys(self.store(), layout::COINS)? {
            let outpoint = key.get(1..).and_then(Outpoint::from_key);
            let outpoint = outpoint.ok_or_else(|| Fault::Corrupt("a coin's key".into()))?;
            let coin: Coin = records::must(self.store(), &key)?;
            if coin.used == Use::Held(()) {
                self.set_use(&outpoint, Use::Free(()))?;
            }
        }
        me.restored = Restored::Alone(());
        self.write_me(&me);
        Ok(Reply::Done)
    }

    pub(super) fn resume_search(&mut self) -> Result<(), Error> {
        self.retry_search()
    }

    pub(super) fn retry_search(&mut self) -> Result<(), Error> {
        if self.me()?.restored != Restored::Searching(()) {
            return Ok(());
        }
        let search = match self.memory().search.clone() {
            Some(search) => search,
            None => Search::new(Branch::Own, 0, GAP, self.now(), 0),
        };
        self.search_on(search)
    }

    /// A validator is there.
    pub(super) fn search_at(&mut self, peer: Peer) -> Result<(), Error> {
        let validates = self.members().any(|(_, member)| member.peer == peer);
        match self.memory().search.clone() {
            Some(search) if validates => self.search_on(search),
            _ => Ok(()),
        }
    }

    /// Takes what is there, or asks on.
    fn search_on(&mut self, mut search: Search) -> Result<(), Error> {
        let configuration = self.configuration();
        let complete = search.complete(configuration.members.len());
        let waited = self.now().is_past(search.since.max(search.renewed), PATIENCE);
        let enough = complete >= configuration.quorum();
        if complete == configuration.members.len() || (enough && waited) {
            let short = self.short(&search)?;
            if short.is_empty() || self.now().is_past(search.since, LAST_PATIENCE) {
                return self.take_window(search);
            }
            // Who was asked shows it to those who have missed it.
            if self.now().is_past(search.renewed, ASK_AGAIN) {
                search.renewed = self.now();
                search.said.retain(|(index, _), _| !short.contains(index));
            }
        }
        self.ask_window(&mut search)?;
        self.wake_at(self.now().plus(LOOK));
        self.change(Change::Search(Some(Box::new(search))));
        Ok(())
    }

    /// Addresses at which something is that too few of those who have answered have voted for, or say that
    /// it is spent.
    fn short(&self, search: &Search) -> Result<BTreeSet<u32>, Fault> {
        let (quorum, faulty) = (self.configuration().quorum(), self.configuration().faulty());
        let mut short = BTreeSet::new();
        for index in search.from..search.to {
            let said = search.said.range((index, 0)..=(index, u8::MAX));
            if said.clone().all(|(_, said)| said.holdings.is_empty()) {
                continue;
            }
            let key = self.memory().tree.key(search.branch, index);
            let key = key.ok_or_else(|| Fault::Corrupt("an address's place".into()))?;
            let found = self.gather(search, index, &key.public());
            let doubtful = |one: &Found| {
                one.voted.is_some() && one.votes.len() < quorum
                    || one.spent.values().any(|places| places.len() <= faulty)
            };
            if found.values().any(doubtful) {
                short.insert(index);
            }
        }
        Ok(short)
    }

    fn ask_window(&mut self, search: &mut Search) -> Result<(), Error> {
        let now = self.now();
        for index in search.from..search.to {
            // Derived only for those who are asked: an answer to one address must not cost all keys.
            let mut key = None;
            for (place, member) in self.members() {
                let said = search.said.entry((index, place)).or_default();
                let waits = said.asked.is_some_and(|until| due(until, ASK_LIFE, now) > now);
                if said.complete || waits || !self.is_online(&member.peer) {
                    continue;
                }
                if key.is_none() {
                    key = self.memory().tree.key(search.branch, index);
                }
                let corrupt = || Fault::Corrupt("an address's place".into());
                let key = key.as_ref().ok_or_else(corrupt)?;
                said.asked = Some(now.plus(ASK_LIFE));
                let after = said.holdings.last().map(|holding| holding.outpoint);
                let claim = Claim::sign(key, &self.rules().network.id, &member.peer, after);
                let errand = Errand::Claim(index, self.configuration().epoch, place);
                self.ask_validator(member.peer, errand, ToValidator::Claim(Box::new(claim)));
            }
        }
        Ok(())
    }

    /// A validator has told of an address, or not.
    pub(super) fn claimed(
        &mut self,
        (index, place): (u32, u8),
        outcome: Result<FromValidator, AskFailure>,
    ) -> Result<(), Error> {
        let Some(mut search) = self.memory().search.clone() else { return Ok(()) };
        let Some(said) = search.said.get_mut(&(index, place)) else { return Ok(()) };
        match outcome {
            Ok(FromValidator::Holdings(page)) => {
                said.asked = None;
                let last = said.holdings.last().map(|holding| holding.outpoint);
                let onward = page.iter().map(|holding| Some(holding.outpoint));
                let in_order = std::iter::once(last).chain(onward).is_sorted_by(|a, b| a < b);
                let full = said.holdings.len().saturating_add(page.len()) >= SEARCHED;
                said.complete = page.is_empty() || !in_order || full;
                if in_order {
                    said.holdings.extend(page.into_vec());
                }
            }
            // Not there, or not ready: asked again in a moment.
            _ => said.asked = Some(self.now().plus(ASK_AGAIN)),
        }
        self.search_on(search)
    }

    /// All of a window is known: keeps what was found, and goes on behind it.
    fn take_window(&mut self, mut search: Search) -> Result<(), Error> {
        let mut used = search.from;
        for index in search.from..search.to {
            let key = self.memory().tree.key(search.branch, index);
            let key = key.ok_or_else(|| Fault::Corrupt("an address's place".into()))?;
            let found = self.gather(&search, index, &key.public());
            let genesis = self.of_genesis(&key.public());
            if !found.is_empty() || !genesis.is_empty() {
                used = index.saturating_add(1);
                self.make(search.branch, index, Default::default(), false)?;
                self.paid_to(&key.public())?;
            }
            for (outpoint, one) in found {
                search.found = search.found.saturating_add(u64::from(self.take(outpoint, one)?));
            }
        }
        // Those before the last one that was used are ours too.
        self.fill(search.branch, used)?;
        self.tell(Event::Searched(search.to));
        let until = used.saturating_add(GAP);
        let next = if used > search.from && until > search.to {
            Search::new(search.branch, search.to, until, self.now(), search.found)
        } else if search.branch == Branch::Own {
            Search::new(Branch::Handed, 0, GAP, self.now(), search.found)
        } else {
            return self.found_all(search.found);
        };
        self.search_on(next)
    }

    fn fill(&mut self, branch: Branch, used: u32) -> Result<(), Fault> {
        for index in 0..used {
            if self.view_has(branch, index)? {
                continue;
            }
            self.make(branch, index, Default::default(), false)?;
        }
        Ok(())
    }

    fn view_has(&self, branch: Branch, index: u32) -> Result<bool, Fault> {
        Ok(self.store().get(&layout::address(branch, index))?.is_some())
    }

    fn found_all(&mut self, found: u64) -> Result<(), Error> {
        let mut me = self.me()?;
        me.restored = Restored::Held(());
        self.write_me(&me);
        self.change(Change::Search(None));
        self.tell(Event::Found(found));
        Ok(())
    }

    /// The genesis's outputs at an address.
    fn of_genesis(&self, address: &PublicKey) -> Vec<Outpoint> {
        let network = &self.rules().network;
        let outputs = (0u16..).zip(network.genesis.outputs.iter());
        let ours = outputs.filter(|(_, output)| output.address == *address);
        ours.map(|(index, _)| Genesis::outpoint(&network.id, index)).collect()
    }

    /// What all have said of an address. Only right votes, for outputs that are ours, count.
    fn gather(
        &self,
        search: &Search,
        index: u32,
        address: &PublicKey,
    ) -> BTreeMap<Outpoint, Found> {
        let mut found: BTreeMap<Outpoint, Found> = BTreeMap::new();
        for outpoint in self.of_genesis(address) {
            found.entry(outpoint).or_default();
        }
        for (place, _) in self.members() {
            let Some(said) = search.said.get(&(index, place)) else { continue };
            for holding in &said.holdings {
                if !self.is_ours(place, holding, address) {
                    continue;
                }
                let one = found.entry(holding.outpoint).or_default();
                if let Some(by) = holding.spent_by {
                    one.spent.entry(by).or_default().insert(place);
                }
                if let Some(voted) = &holding.voted {
                    one.votes.push((place, voted.vote.clone()));
                    one.voted.get_or_insert_with(|| voted.clone());
                }
            }
        }
        found
    }

    fn is_ours(&self, place: u8, holding: &Holding, address: &PublicKey) -> bool {
        let configuration = self.configuration();
        let Some(member) = configuration.members.get(usize::from(place)) else { return false };
        let Some(voted) = &holding.voted else {
            return self.of_genesis(address).contains(&holding.outpoint);
        };
        let leaf = voted.salted.leaf(holding.outpoint.index);
        let (count, index) = (usize::from(voted.body.count), usize::from(holding.outpoint.index));
        let network = &self.rules().network.id;
        let tx = voted.body.id(network);
        let placed = merkle::verify(&voted.body.root, count, index, leaf, &voted.path);
        if voted.salted.output.address != *address
            || tx != holding.outpoint.tx
            || voted.epoch != configuration.epoch
            || !placed
        {
            return false;
        }
        let signed = voted.vote.signed(network, voted.epoch, &tx, member.vote);
        signed.is_ok_and(|signed| self.rules().ballots.verify(&[signed]).iter().all(|right| *right))
    }

    /// Keeps an output that was found, if a quorum has voted for it; whether it did.
    fn take(&mut self, outpoint: Outpoint, found: Found) -> Result<bool, Fault> {
        if self.is_known(&outpoint)? {
            return Ok(false);
        }
        let configuration = self.configuration();
        let (output, proof) = if outpoint.tx.0 == self.rules().network.id.hash() {
            let outputs = &self.rules().network.genesis.outputs;
            let output = outputs.get(usize::from(outpoint.index)).cloned();
            (output.ok_or_else(|| Fault::Corrupt("the genesis".into()))?, Proof::Genesis(()))
        } else {
            let quorum = configuration.quorum();
            let certificate = Certificate::of(configuration.epoch, quorum, &found.votes);
            let (Some(voted), Some(certificate)) = (found.voted, certificate) else {
                return Ok(false);
            };
            let Voted { body, salted, path, .. } = voted;
            let output = salted.output.clone();
            let index = outpoint.index;
            (output, Proof::Paid(Box::new(Paid { body, index, salted, path, certificate })))
        };
        // One of so many is honest.
        let faulty = configuration.faulty();
        let spent = found.spent.into_iter().find(|(_, places)| places.len() > faulty);
        let used = spent.map_or(Use::Held(()), |(by, _)| Use::Lost(by));
        let came = Came { outpoint, output: output.clone(), at: self.now() };
        self.keep(&outpoint, &Coin { output, proof, used, came: came.at })?;
        self.came(&came)?;
        Ok(used == Use::Held(()))
    }
}
