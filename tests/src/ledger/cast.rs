//! Who takes part: validators, some of which cheat, and people with wallets.

use std::{cell::OnceCell, sync::Arc};

use covey_kernel::{Bounded, Bytes, Keypair, Peer, PublicKey, Text};
use covey_ledger::{
    Amount, Asset, Branch, Currency, Decimals, Genesis, Governance, KeyTree, KnownBallots, Member,
    Network, Output, Phrase, Prefix, faulty, validator, wallet,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    act::Person,
    flaw::{Flaw, Vice},
    hostile,
    machine::{LedgerNode, Rules},
    seen::Seen,
};
use crate::sim::{Config, World};

/// Outputs of the genesis for each phrase.
const COINS: u32 = 6;

/// Addresses that these are at: some share one.
const PLACES: u32 = 4;

/// A phrase's entropy.
pub(super) fn entropy(phrase: u8) -> [u8; 16] {
    [phrase; 16]
}

/// The first address of a phrase, and those after it.
fn addresses(phrase: u8) -> Vec<PublicKey> {
    let tree = KeyTree::new(&Phrase::from_entropy(&entropy(phrase)).unwrap());
    (0..PLACES).map(|index| tree.key(Branch::Own, index).unwrap().public()).collect()
}

/// All ways to cheat.
const VICES: [Vice; 6] =
    [Vice::VotesForAll, Vice::Slow, Vice::Silent, Vice::Lies, Vice::NeverReady, Vice::Refuses];

/// Who takes part.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    /// How each validator cheats.
    pub(super) vices: Vec<Option<Vice>>,
    /// People's nodes and the phrases they take; the others have new wallets.
    pub(super) people: Vec<(usize, Option<u8>)>,
    pub(super) flaw: Option<Flaw>,
    pub(super) fee: u64,
}

impl Cast {
    /// So many validators, as many of which cheat as may, and three to five people; in every other world
    /// also somebody with the same phrase on two nodes.
    pub(super) fn of(members: usize, flaw: Option<Flaw>, rng: &mut ChaCha8Rng) -> Self {
        // Somebody is on a validator's node, which nobody there can ask: it counts as one that is silent.
        let hosts = rng.random_bool(0.4);
        let mut vices = vec![None; members];
        let mut left = faulty(members) - usize::from(hosts);
        while left > 0 {
            let place = &mut vices[rng.random_range(0..members)];
            if place.is_none() {
                *place = Some(VICES[rng.random_range(0..VICES.len())]);
                left -= 1;
            }
        }
        let count = rng.random_range(3..=5);
        let mut people: Vec<_> = (members..members + count).map(|node| (node, None)).collect();
        people[0].1 = Some(0);
        if let Some(place) = vices.iter().position(Option::is_none)
            && hosts
        {
            people[1].0 = place;
        }
        if flaw.is_some() || rng.random_bool(0.5) {
            people.push((members + count, Some(1)));
            people.push((members + count + 1, Some(1)));
        }
        Self { vices, people, flaw, fee: rng.random_range(0..3) }
    }

    /// In which nobody cheats, with one wallet that has money and one that has none.
    pub(super) fn small() -> Self {
        Self { vices: vec![None; 4], people: vec![(4, Some(0)), (5, None)], flaw: None, fee: 1 }
    }

    /// The last one is a wallet that nobody uses.
    pub(super) fn nodes(&self) -> usize {
        let last = self.people.iter().map(|(node, _)| node + 1).max();
        last.unwrap_or_default().max(self.vices.len()) + 1
    }

    fn has_wallet(&self, node: usize) -> bool {
        node + 1 == self.nodes() || self.people.iter().any(|(at, _)| *at == node)
    }

    fn is_twin(&self, node: usize) -> bool {
        self.people.contains(&(node, Some(1)))
    }

    pub(super) fn people(&self) -> Vec<Person> {
        let people = self.people.iter().map(|(node, phrase)| Person {
            node: *node,
            phrase: *phrase,
            addresses: phrase.map(addresses).unwrap_or_default(),
            twin: self.is_twin(*node),
        });
        people.collect()
    }

    fn network(&self, peers: &[Peer], rng: &mut ChaCha8Rng) -> Network {
        let member = |(place, peer): (usize, &Peer)| Member {
            name: Text::new(format!("validator {place}")).unwrap(),
            peer: *peer,
            vote: vote(place).public(),
            addresses: Bounded::default(),
        };
        let mut outputs = Vec::new();
        for phrase in [0, 1] {
            let places = addresses(phrase);
            for coin in 0..COINS {
                let address = places[(coin % PLACES) as usize];
                let amount = Amount::new(rng.random_range(100..4000));
                outputs.push(Output { address, amount, asset: Asset::COIN, commitment: None });
            }
        }
        let keys = Bounded::first([vote(255).public()]);
        let genesis = Genesis {
            name: Text::new("market").unwrap(),
            nonce: Bytes::new(vec![7; 16]).unwrap(),
            currency: Currency {
                unit: Text::new("leaf").unwrap(),
                decimals: Decimals::NONE,
                prefix: Prefix::new("leaf").unwrap(),
                minimum: Amount::new(1),
                fee: Amount::new(self.fee),
            },
            members: Bounded::first(peers.iter().take(self.vices.len()).enumerate().map(member)),
            governance: Governance { threshold: 1, keys },
            outputs: Bounded::new(outputs).unwrap(),
        };
        genesis.check().unwrap();
        Network::new(Arc::new(genesis))
    }

    pub(super) fn world(&self, seed: u64, config: Config) -> World<LedgerNode> {
        let shared: OnceCell<(Network, KnownBallots, Seen)> = OnceCell::new();
        let mut world = World::new(seed, config, |me: &Keypair, peers: &[Peer]| {
            let (network, ballots, seen) = shared.get_or_init(|| {
                let network = self.network(peers, &mut ChaCha8Rng::seed_from_u64(seed));
                let ballots = KnownBallots::default();
                let seen = Seen::new(network.clone(), ballots.clone());
                (network, ballots, seen)
            });
            let peer = me.public();
            let number = peers.iter().position(|one| *one == peer).unwrap();
            let (network, ballots) = (network.clone(), ballots.clone());
            let has_wallet = self.has_wallet(number);
            let is_friend = |node: &usize| has_wallet && self.has_wallet(*node) && *node != number;
            let friends = (0..peers.len()).filter(is_friend).map(|node| peers[node]).collect();
            let validates = number < self.vices.len();
            Rules {
                // The file beside the key, which the machine itself does not keep, is not simulated.
                validator: validates.then(|| validator::Rules {
                    network: network.clone(),
                    node: me.clone(),
                    key: Some(vote(number)),
                    starts: 0,
                    ballots: ballots.clone(),
                }),
                wallet: has_wallet.then(|| wallet::Rules {
                    network,
                    peer,
                    ballots,
                    expected: wallet::Expected::default(),
                }),
                friends,
                number,
                vice: self.vices.get(number).copied().flatten(),
                flaw: self.flaw,
                twin: self.is_twin(number),
                seen: seen.clone(),
            }
        });
        hostile::listen(&mut world);
        world
    }
}

/// The voting key of a validator.
fn vote(place: usize) -> Keypair {
    Keypair::from_secret(&[u8::try_from(place).unwrap_or(u8::MAX); 32])
}
