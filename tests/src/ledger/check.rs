use std::collections::{BTreeMap, BTreeSet};

use covey_ledger::{
    Amount, Asset, Outpoint, Output, TxId, Wallet, validator,
    wallet::{Command as Ask, LineView, Progress, Reply as Told, Use},
};

use super::{
    half::Half,
    look::{Book, addresses, all_coins, coins, comings, history, honest, told, wallets},
    machine::{Command, LedgerNode, Reply},
};
use crate::{
    messaging::ask,
    sim::{Checker, Outcome, World},
};

/// Wake-ups of one node in one second that are still no spinning.
const WAKES: u32 = 120;

/// What must hold when the world has settled.
#[must_use]
pub fn checkers() -> Vec<Checker<LedgerNode>> {
    vec![
        ("no double-spend", no_double_spend),
        ("no honest validator promises twice", one_promise),
        ("money is conserved", money_conserved),
        ("all that is owed is done", settled),
        ("honest payments are final", honest_payments),
        ("what was said is kept", nothing_lost),
        ("an order is one payment", one_payment),
        ("whoever is paid is credited once", credited_once),
        ("coins are what is certified", coins_are_right),
        ("balances are sums", balances_are_sums),
        ("histories have no gaps", no_gaps),
        ("nobody spins", nobody_spins),
    ]
}

/// No output is spent by two transactions that have a certificate, or could be given one of what was sent.
fn no_double_spend(world: &World<LedgerNode>) -> Result<(), String> {
    if let Some(doubled) = Book::of(world).doubled.first() {
        return Err(doubled.clone());
    }
    let inside = world.nodes()[0].rules().seen.look();
    let quorum = inside.network.newest().quorum();
    let mut spent: BTreeMap<Outpoint, TxId> = BTreeMap::new();
    for (tx, votes) in inside.votes.iter().filter(|(_, votes)| votes.len() >= quorum) {
        for outpoint in inside.spends[tx].body.inputs.iter() {
            if let Some(other) = spent.insert(*outpoint, *tx) {
                return Err(format!("{outpoint}: votes enough for {other} and {tx} ({votes:?})"));
            }
        }
    }
    Ok(())
}

/// An honest validator has promised each output to one transaction at most, and so few have promised it to
/// a second one that all who cheat could not make that final.
fn one_promise(world: &World<LedgerNode>) -> Result<(), String> {
    let cheats = |at: &usize| world.nodes()[*at].rules().vice.is_some();
    let inside = world.nodes()[0].rules().seen.look();
    if let Some(broken) = inside.broken.first() {
        return Err(broken.clone());
    }
    let members = inside.network.newest().members.len();
    let (all, quorum) = ((0..members).filter(cheats).count(), inside.network.newest().quorum());
    let mut promised: BTreeMap<(usize, Outpoint), TxId> = BTreeMap::new();
    let mut possible: BTreeMap<Outpoint, TxId> = BTreeMap::new();
    for (tx, votes) in &inside.votes {
        let right: Vec<usize> = votes.iter().filter(|at| !cheats(at)).copied().collect();
        for outpoint in inside.spends[tx].body.inputs.iter() {
            for place in &right {
                if let Some(other) = promised.insert((*place, *outpoint), *tx) {
                    return Err(format!("validator {place}: {outpoint} for {other} and {tx}"));
                }
            }
            if right.len() + all >= quorum
                && let Some(other) = possible.insert(*outpoint, *tx)
            {
                return Err(format!("{outpoint}: {other} and {tx} could both be made final"));
            }
        }
    }
    Ok(())
}

fn sums<'o>(outputs: impl Iterator<Item = &'o Output>) -> BTreeMap<Asset, u64> {
    let mut sums = BTreeMap::new();
    for output in outputs {
        *sums.entry(output.asset).or_default() += output.amount.units();
    }
    sums
}

/// What final transactions have left is what there was, less the fees.
fn money_conserved(world: &World<LedgerNode>) -> Result<(), String> {
    let book = Book::of(world);
    let there = sums(book.unspent.values());
    if there != book.supply {
        return Err(format!("there is {there:?}, and should be {:?}", book.supply));
    }
    Ok(())
}

/// Honest validators vote; honest wallets have nothing on the way; no payee is still to be told.
pub(super) fn settled(world: &World<LedgerNode>) -> Result<(), String> {
    for (number, node) in world.nodes().iter().enumerate() {
        let rules = node.rules();
        if rules.validator.is_some() && rules.vice.is_none() {
            match ask(world, number, Command::Validator(validator::Command::Status)) {
                Some(Reply::Validator(validator::Reply::Status(status))) => {
                    if let Some(why) = status.not_ready {
                        return Err(format!("validator {number} is not ready: {why:?}"));
                    }
                }
                _ => return Err(format!("validator {number} is down")),
            }
        }
        if rules.wallet.is_none() {
            continue;
        }
        if node.disk().under(&[Wallet::TAG, 0x70]).next().is_some() {
            return Err(format!("wallet {number} has payees to tell"));
        }
        match told(world, number, Ask::Pending) {
            Some(Told::Payments(pending)) if pending.is_empty() || rules.twin => {}
            Some(Told::Payments(pending)) => {
                let first = &pending[0];
                let (votes, needed) = (first.votes, first.needed);
                return Err(format!(
                    "wallet {number} has {} payments on the way, the first with {votes} of {needed} \
                     votes: {:?}",
                    pending.len(),
                    first.progress
                ));
            }
            _ => return Err(format!("wallet {number} is down")),
        }
    }
    Ok(())
}

/// All that honest owners pay becomes final.
fn honest_payments(world: &World<LedgerNode>) -> Result<(), String> {
    for node in honest(world) {
        for (number, line) in history(world, node) {
            if let LineView::Paid(view) = line
                && !matches!(view.progress, Progress::Certified(_))
            {
                return Err(format!("wallet {node}, line {number}: {:?}", view.progress));
            }
        }
    }
    Ok(())
}

/// A payment that an owner was told of is in their history.
fn nothing_lost(world: &World<LedgerNode>) -> Result<(), String> {
    for call in world.calls() {
        let Outcome::Done(Ok(Reply::Wallet(Told::Payment(made)))) = &call.outcome else { continue };
        let there = history(world, call.node).into_iter().any(|(_, line)| match line {
            LineView::Paid(view) => view.tx == made.tx,
            LineView::Came(_) => false,
        });
        if !there {
            return Err(format!("wallet {} has lost payment {}", call.node, made.tx));
        }
    }
    Ok(())
}

/// Notes are numbers of orders, each of which is given once.
fn one_payment(world: &World<LedgerNode>) -> Result<(), String> {
    for (node, _) in wallets(world) {
        let mut notes = BTreeSet::new();
        for (number, line) in history(world, node) {
            if let LineView::Paid(view) = line
                && !view.note.is_empty()
                && !notes.insert(view.note.to_string())
            {
                let note = view.note.to_string();
                return Err(format!("wallet {node}, line {number}: {note} was paid before"));
            }
        }
    }
    Ok(())
}

/// Each output of somebody else's final transaction came to its owner, once; nothing else came.
fn credited_once(world: &World<LedgerNode>) -> Result<(), String> {
    let book = Book::of(world);
    let spends = world.nodes()[0].rules().seen.look().spends.clone();
    for node in honest(world) {
        let (own, comings) = (addresses(world, node), comings(world, node));
        for (outpoint, times) in &comings {
            if *times != 1 {
                return Err(format!("wallet {node}: {outpoint} came {times} times"));
            }
        }
        for (tx, payer) in &book.certified {
            for (index, salted) in (0u16..).zip(spends[tx].outputs.iter()) {
                let comes = *payer != node && own.contains(&salted.output.address);
                let outpoint = Outpoint { tx: *tx, index };
                if comes && !comings.contains_key(&outpoint) {
                    return Err(format!("wallet {node}: {outpoint} of {payer} never came"));
                }
            }
        }
    }
    Ok(())
}

/// An honest wallet's coins are exactly what final transactions have left at its addresses; nobody has a
/// coin that a final payment of their own has spent.
fn coins_are_right(world: &World<LedgerNode>) -> Result<(), String> {
    let book = Book::of(world);
    let spends = world.nodes()[0].rules().seen.look().spends.clone();
    for (node, honest) in wallets(world) {
        let own = addresses(world, node);
        let coins = all_coins(world, node);
        let spent = book.certified.iter().filter(|(_, payer)| **payer == node);
        for (tx, _) in spent {
            if let Some(input) = spends[tx].body.inputs.iter().find(|one| coins.contains_key(one)) {
                return Err(format!("wallet {node} has spent {input} and still has it"));
            }
        }
        if !honest {
            continue;
        }
        for (outpoint, coin) in &coins {
            if book.unspent.get(outpoint) != Some(&coin.output) || coin.used != Use::Free(()) {
                return Err(format!("wallet {node} has {outpoint}, {:?}", coin.used));
            }
        }
        let missing = book.unspent.iter().find(|(outpoint, output)| {
            own.contains(&output.address) && !coins.contains_key(outpoint)
        });
        if let Some((outpoint, output)) = missing {
            return Err(format!("wallet {node} lacks {outpoint}, {:?}", output.amount));
        }
    }
    Ok(())
}

/// What a balance says is what the coins add up to.
fn balances_are_sums(world: &World<LedgerNode>) -> Result<(), String> {
    for (node, _) in wallets(world) {
        let Some(Told::Balances(balances)) = told(world, node, Ask::Balance) else { continue };
        for (asset, balance) in balances {
            let coins = coins(world, node, asset);
            let sum = |is: fn(&Use) -> bool| {
                let amounts = coins.iter().filter(|(_, coin)| is(&coin.used));
                Amount::total(amounts.map(|(_, coin)| coin.output.amount)).unwrap_or_default()
            };
            let free = sum(|used| matches!(used, Use::Free(())));
            let reserved = sum(|used| matches!(used, Use::Reserved(_)));
            let held = sum(|used| matches!(used, Use::Held(()) | Use::Lost(_)));
            let count = coins.iter().filter(|(_, coin)| coin.used == Use::Free(())).count();
            let said = (balance.free, balance.reserved, balance.held, balance.coins);
            if said != (free, reserved, held, count as u64) {
                return Err(format!("wallet {node}: {balance:?} of {asset:?}, with {coins:?}"));
            }
        }
    }
    Ok(())
}

fn no_gaps(world: &World<LedgerNode>) -> Result<(), String> {
    for (node, _) in wallets(world) {
        let lines = history(world, node);
        let numbers: Vec<u64> = lines.iter().rev().map(|(number, _)| *number).collect();
        if numbers != (0..lines.len() as u64).collect::<Vec<_>>() {
            return Err(format!("wallet {node} has lines {numbers:?}"));
        }
    }
    Ok(())
}

/// A machine that wakes itself again and again has nothing to do, and does it for ever.
fn nobody_spins(world: &World<LedgerNode>) -> Result<(), String> {
    let (most, _) = world.nodes()[0].rules().seen.wakes(world.now());
    if most > WAKES {
        return Err(format!("somebody woke up {most} times within a second"));
    }
    Ok(())
}
