//! What validators have signed, judged from outside.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::{PublicKey, verify_all};
use covey_ledger::{
    Asset, Network, Outpoint, Output, Spend, TxId, Vote,
    wallet::{self, Coin, Use},
    wire::{FromValidator, Request, ToValidator},
};

use crate::ledger_net::{Net, Said};

pub(super) struct Book {
    /// With all epochs that any node knows of.
    network: Network,
    spends: BTreeMap<TxId, Spend>,
    /// Who has voted for a transaction, by epoch.
    votes: BTreeMap<(u64, TxId), BTreeSet<usize>>,
}

impl Book {
    pub(super) fn of(net: &mut Net) -> Self {
        let chains: Vec<Network> = (0..super::VALIDATORS).map(|node| net.chain(node)).collect();
        let network = chains.into_iter().max_by_key(|chain| chain.newest().epoch).unwrap();
        let mut book = Self { network, spends: BTreeMap::new(), votes: BTreeMap::new() };
        for said in net.said.take().unwrap() {
            book.note(&said);
        }
        book
    }

    /// Refreshed is only what was certified, and so has been asked for before.
    fn note(&mut self, said: &Said) {
        let tx = match Request::decode(&said.request) {
            Ok(Request::Validator(ToValidator::Spend(spend))) => {
                let tx = spend.body.id(&self.network.id);
                self.spends.insert(tx, *spend);
                tx
            }
            Ok(Request::Validator(ToValidator::Refresh(refresh))) => refresh.tx,
            _ => return,
        };
        if let Ok(FromValidator::Vote(vote)) = FromValidator::decode(&said.answer) {
            let epoch = self.epoch_of(&vote, &tx).expect("a vote of no epoch");
            self.votes.entry((epoch, tx)).or_default().insert(said.by);
        }
    }

    /// In which epoch a vote was given.
    fn epoch_of(&self, vote: &Vote, tx: &TxId) -> Option<u64> {
        let all = self.network.configurations().flat_map(|configuration| {
            configuration.members.iter().map(|member| (configuration.epoch, member.vote))
        });
        let mut all = all.filter(|(epoch, key)| self.is_right(vote, *epoch, tx, *key));
        all.next().map(|(epoch, _)| epoch)
    }

    fn is_right(&self, vote: &Vote, epoch: u64, tx: &TxId, key: PublicKey) -> bool {
        let signed = vote.signed(&self.network.id, epoch, tx, key);
        signed.is_ok_and(|signed| verify_all(&[signed]).iter().all(Result::is_ok))
    }

    pub(super) fn certified(&self) -> BTreeSet<TxId> {
        let enough = self.votes.iter().filter(|((epoch, _), voters)| {
            let configuration = self.network.configuration(*epoch);
            configuration.is_some_and(|configuration| voters.len() >= configuration.quorum())
        });
        enough.map(|((_, tx), _)| *tx).collect()
    }

    /// Outpoints that validators have voted to spend twice, some this way and others that.
    #[cfg(test)]
    pub(super) fn contested(&self) -> usize {
        let mut spends: BTreeMap<Outpoint, BTreeSet<TxId>> = BTreeMap::new();
        for (_, tx) in self.votes.keys() {
            let inputs = self.spends[tx].body.inputs.iter();
            for input in inputs {
                spends.entry(*input).or_default().insert(*tx);
            }
        }
        spends.values().filter(|all| all.len() > 1).count()
    }

    #[cfg(test)]
    pub(super) fn epochs(&self) -> usize {
        self.network.configurations().count() - 1
    }

    pub(super) fn nothing_is_certified_twice(&self) {
        let mut spent: BTreeMap<Outpoint, TxId> = BTreeMap::new();
        for tx in self.certified() {
            for input in self.spends[&tx].body.inputs.iter() {
                let other = spent.insert(*input, tx);
                assert_eq!(other, None, "{input} is certified for two transactions");
            }
        }
    }

    /// Outputs of the genesis and of final transactions which no final transaction spends. Tokens are there from the
    /// beginning.
    fn unspent(&self) -> BTreeMap<Outpoint, Output> {
        let (mut made, mut spent) = (self.supply(), BTreeSet::new());
        for tx in self.certified() {
            let spend = &self.spends[&tx];
            spent.extend(spend.body.inputs.iter().copied());
            for (index, salted) in (0..).zip(spend.outputs.iter()) {
                made.insert(Outpoint { tx, index }, salted.output.clone());
            }
        }
        assert!(spent.iter().all(|input| made.contains_key(input)), "nothing was spent");
        made.retain(|outpoint, _| !spent.contains(outpoint));
        made
    }

    /// All that there ever was, before anything was spent.
    fn supply(&self) -> BTreeMap<Outpoint, Output> {
        let outputs = (0..).zip(self.network.genesis.outputs.iter());
        let coins = outputs.map(|(index, output)| {
            (covey_ledger::Genesis::outpoint(&self.network.id, index), output.clone())
        });
        let manifests = self.spends.values().flat_map(|spend| {
            spend.proofs.iter().filter_map(|proof| match proof {
                covey_ledger::Proof::Issue(manifest) => Some(manifest.issue(&self.network.id)),
                _ => None,
            })
        });
        coins.chain(manifests).collect()
    }

    pub(super) fn money_is_conserved(&self) {
        assert_eq!(sums(&self.unspent()), sums(&self.supply()), "money has appeared or vanished");
    }

    /// Whatever a wallet has: it is shown to exist, and it is this wallet's alone.
    pub(super) fn coins_are_certified(&mut self, net: &mut Net, wallet: usize) {
        let (own, supply, certified) = (addresses(net, wallet), self.supply(), self.certified());
        for (outpoint, coin) in coins(net, wallet) {
            assert!(own.contains(&coin.output.address), "{outpoint} is somebody else's");
            let is_final = certified.contains(&outpoint.tx) || supply.contains_key(&outpoint);
            assert!(is_final, "{outpoint} is not certified");
            let mut votes = Vec::new();
            let output = coin.proof.resolve(&self.network, &outpoint, &mut votes);
            assert_eq!(output, Ok(coin.output));
            assert!(verify_all(&votes).iter().all(Result::is_ok), "{outpoint} is not proven");
        }
    }

    /// All payments are final, and exactly what they have left is there.
    pub(super) fn all_has_arrived(&mut self, net: &mut Net, wallet: usize) {
        match net.order(wallet, wallet::Command::Pending).unwrap() {
            wallet::Reply::Payments(pending) => assert_eq!(pending, [], "something is not final"),
            other => panic!("{other:?}"),
        }
        let own = addresses(net, wallet);
        let mut due = self.unspent();
        due.retain(|_, output| own.contains(&output.address));
        let coins = coins(net, wallet);
        assert!(coins.values().all(|coin| coin.used == Use::Free(())), "coins are reserved");
        let there = coins.into_iter().map(|(outpoint, coin)| (outpoint, coin.output));
        assert_eq!(there.collect::<BTreeMap<_, _>>(), due, "wallet {wallet}");
    }
}

fn sums(outputs: &BTreeMap<Outpoint, Output>) -> BTreeMap<Asset, u64> {
    let mut sums = BTreeMap::new();
    for output in outputs.values() {
        *sums.entry(output.asset).or_default() += output.amount.units();
    }
    sums
}

fn addresses(net: &mut Net, wallet: usize) -> BTreeSet<PublicKey> {
    match net.order(wallet, wallet::Command::Addresses).unwrap() {
        wallet::Reply::Addresses(all) => all.into_iter().map(|one| one.address).collect(),
        other => panic!("{other:?}"),
    }
}

/// All that a wallet has, whatever it is of.
fn coins(net: &mut Net, wallet: usize) -> BTreeMap<Outpoint, Coin> {
    let balances = match net.order(wallet, wallet::Command::Balance).unwrap() {
        wallet::Reply::Balances(all) => all,
        other => panic!("{other:?}"),
    };
    let mut coins = BTreeMap::new();
    for (asset, _) in balances {
        match net.order(wallet, wallet::Command::Coins { asset, limit: 1000, after: None }).unwrap()
        {
            wallet::Reply::Coins(all) => coins.extend(all),
            other => panic!("{other:?}"),
        }
    }
    coins
}
