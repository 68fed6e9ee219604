//! What owners are shown, and what follows from all of it.

use std::collections::{BTreeMap, BTreeSet};

use covey_kernel::PublicKey;
use covey_ledger::{
    Asset, Genesis, Outpoint, Output, Proof, TxId,
    wallet::{Coin, Command as Ask, LineView, Progress, Reply as Told, Use},
};

use super::{
    Deeds,
    machine::{Command, LedgerNode, Reply},
};
use crate::{
    messaging::ask,
    sim::{Outcome, World},
};

/// What a wallet would tell its owner now.
pub(super) fn told(world: &World<LedgerNode>, node: usize, what: Ask) -> Option<Told> {
    match ask(world, node, Command::Wallet(what)) {
        Some(Reply::Wallet(told)) => Some(told),
        _ => None,
    }
}

/// The nodes with a wallet, and whether their owners are honest.
pub(super) fn wallets(world: &World<LedgerNode>) -> impl Iterator<Item = (usize, bool)> {
    let with_wallet = world.nodes().iter().enumerate().filter(|(_, node)| {
        let rules = node.rules();
        rules.wallet.is_some() && node.machine().is_some()
    });
    with_wallet.map(|(number, node)| (number, !node.rules().twin))
}

pub(super) fn honest(world: &World<LedgerNode>) -> impl Iterator<Item = usize> {
    wallets(world).filter(|(_, honest)| *honest).map(|(node, _)| node)
}

pub(super) fn history(world: &World<LedgerNode>, node: usize) -> Vec<(u64, LineView)> {
    match told(world, node, Ask::History { limit: 1000, before: None }) {
        Some(Told::History(lines)) => lines,
        _ => Vec::new(),
    }
}

pub(super) fn addresses(world: &World<LedgerNode>, node: usize) -> BTreeSet<PublicKey> {
    match told(world, node, Ask::Addresses) {
        Some(Told::Addresses(views)) => views.into_iter().map(|view| view.address).collect(),
        _ => BTreeSet::new(),
    }
}

/// A wallet's coins of an asset.
pub(super) fn coins(world: &World<LedgerNode>, node: usize, asset: Asset) -> Vec<(Outpoint, Coin)> {
    match told(world, node, Ask::Coins { asset, limit: 1000, after: None }) {
        Some(Told::Coins(coins)) => coins,
        _ => Vec::new(),
    }
}

/// All its coins.
pub(super) fn all_coins(world: &World<LedgerNode>, node: usize) -> BTreeMap<Outpoint, Coin> {
    let Some(Told::Balances(balances)) = told(world, node, Ask::Balance) else {
        return BTreeMap::new();
    };
    balances.into_iter().flat_map(|(asset, _)| coins(world, node, asset)).collect()
}

/// How often an output came to a wallet, as its history says.
pub(super) fn comings(world: &World<LedgerNode>, node: usize) -> BTreeMap<Outpoint, usize> {
    let mut comings = BTreeMap::new();
    for (_, line) in history(world, node) {
        if let LineView::Came(came) = line {
            *comings.entry(came.outpoint).or_default() += 1;
        }
    }
    comings
}

/// What may be spent, by name.
pub(super) fn free(world: &World<LedgerNode>, node: usize) -> BTreeMap<Outpoint, Output> {
    let coins = all_coins(world, node).into_iter();
    let free = coins.filter(|(_, coin)| coin.used == Use::Free(()));
    free.map(|(outpoint, coin)| (outpoint, coin.output)).collect()
}

pub(super) fn has_come(world: &World<LedgerNode>, node: usize, tx: TxId, index: u16) -> bool {
    comings(world, node).contains_key(&Outpoint { tx, index })
}

/// What was done in a run.
pub(super) fn deeds(world: &World<LedgerNode>) -> Deeds {
    let book = Book::of(world);
    let mut deeds = Deeds {
        certified: book.certified.len(),
        tokens: book.supply.len() - 1,
        ..Deeds::default()
    };
    for (node, _) in wallets(world) {
        for (_, line) in history(world, node) {
            let LineView::Paid(view) = line else { continue };
            deeds.blocked += usize::from(matches!(view.progress, Progress::Blocked(_)));
        }
    }
    for call in world.calls() {
        if let Outcome::Done(Ok(Reply::Wallet(Told::Payment(made)))) = &call.outcome {
            deeds.asked += usize::from(made.note.starts_with("ask"));
        }
    }
    deeds
}

/// What is final, as those who paid know it.
pub(super) struct Book {
    /// Final transactions, and who made each.
    pub(super) certified: BTreeMap<TxId, usize>,
    /// What they have left.
    pub(super) unspent: BTreeMap<Outpoint, Output>,
    /// What there should be.
    pub(super) supply: BTreeMap<Asset, u64>,
    /// Outputs that two of them spend.
    pub(super) doubled: Vec<String>,
}

impl Book {
    pub(super) fn of(world: &World<LedgerNode>) -> Self {
        let inside = world.nodes()[0].rules().seen.look();
        let genesis = &inside.network.genesis;
        let outputs = (0u16..).zip(genesis.outputs.iter());
        let unspent: BTreeMap<Outpoint, Output> = outputs
            .map(|(index, output)| (Genesis::outpoint(&inside.network.id, index), output.clone()))
            .collect();
        let coin = unspent.values().map(|output| output.amount.units()).sum();
        let supply = BTreeMap::from([(Asset::COIN, coin)]);
        let mut book = Self { certified: BTreeMap::new(), unspent, supply, doubled: Vec::new() };
        let spends = inside.spends.clone();
        let (id, fee) = (inside.network.id, genesis.currency.fee.units());
        // Wallets are asked below, which looks at nothing of this.
        drop(inside);
        let mut inputs: BTreeMap<Outpoint, TxId> = BTreeMap::new();
        for (node, tx) in certified(world) {
            if book.certified.insert(tx, node).is_some() {
                continue;
            }
            let spend = &spends[&tx];
            *book.supply.entry(Asset::COIN).or_default() -= fee;
            for (index, salted) in (0u16..).zip(spend.outputs.iter()) {
                book.unspent.insert(Outpoint { tx, index }, salted.output.clone());
            }
            for proof in spend.proofs.iter() {
                if let Proof::Issue(manifest) = proof {
                    let (_, whole) = manifest.issue(&id);
                    book.supply.insert(whole.asset, whole.amount.units());
                }
            }
            for outpoint in spend.body.inputs.iter() {
                if let Some(other) = inputs.insert(*outpoint, tx) {
                    book.doubled.push(format!("{outpoint} is spent by {other} and {tx}"));
                }
            }
        }
        book.unspent.retain(|outpoint, _| !inputs.contains_key(outpoint));
        book
    }
}

/// Payments that wallets hold certificates of.
fn certified(world: &World<LedgerNode>) -> Vec<(usize, TxId)> {
    let mut all = Vec::new();
    for (node, _) in wallets(world) {
        for (_, line) in history(world, node) {
            if let LineView::Paid(view) = line
                && matches!(view.progress, Progress::Certified(_))
            {
                all.push((node, view.tx));
            }
        }
    }
    all
}
