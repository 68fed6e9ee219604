use std::collections::BTreeSet;

use super::{
    Tally,
    machine::{LOG, OWED, SUM, log_key, number},
};
use crate::sim::{Checker, Node, Outcome, World};

/// What must hold when the world has settled.
#[must_use]
pub fn checkers() -> Vec<Checker<Tally>> {
    vec![
        ("nothing is owed", nothing_owed),
        ("nothing is lost", nothing_lost),
        ("nothing is doubled", nothing_doubled),
        ("all have the same", all_the_same),
    ]
}

impl Tally {
    /// Whether every node is up and owes nothing, also no reply.
    #[must_use]
    pub fn settled(world: &World<Self>) -> bool {
        world.nodes().iter().all(|node| node.machine().is_some())
            && world.calls().all(|call| !matches!(call.outcome, Outcome::Waiting))
            && nothing_owed(world).is_ok()
    }
}

fn each(world: &World<Tally>) -> impl Iterator<Item = (usize, &Node<Tally>)> {
    (0..).zip(world.nodes())
}

fn nothing_owed(world: &World<Tally>) -> Result<(), String> {
    for (index, node) in each(world) {
        let owed = node.disk().under(OWED).count();
        if owed > 0 {
            return Err(format!("node {index} still owes {owed} numbers"));
        }
    }
    Ok(())
}

/// What a user was told is added is everywhere.
fn nothing_lost(world: &World<Tally>) -> Result<(), String> {
    for call in world.calls() {
        let Outcome::Done(Ok(place)) = &call.outcome else { continue };
        let author = world.nodes()[call.node].peer();
        let key = log_key(&author, *place);
        for (index, node) in each(world) {
            if !node.disk().entries().contains_key(&key) {
                return Err(format!("node {index} lacks number {place} of node {}", call.node));
            }
        }
    }
    Ok(())
}

/// The sum counts each number of the log once, and each was told at most once.
fn nothing_doubled(world: &World<Tally>) -> Result<(), String> {
    for (index, node) in each(world) {
        let log: u64 = node.disk().under(LOG).map(|(_, value)| number(value)).sum();
        let sum = node.disk().entries().get(SUM).map_or(0, |value| number(value));
        if log != sum {
            return Err(format!("node {index} has numbers worth {log}, and counted {sum}"));
        }
    }
    let mut told = BTreeSet::new();
    for (_, node, added) in world.events() {
        if !told.insert((node, added.author, added.place)) {
            return Err(format!("node {node} told number {} twice", added.place));
        }
    }
    Ok(())
}

fn all_the_same(world: &World<Tally>) -> Result<(), String> {
    let log = |node: &Node<Tally>| {
        node.disk()
            .under(LOG)
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect::<Vec<_>>()
    };
    let Some(first) = world.nodes().first().map(log) else { return Ok(()) };
    match each(world).find(|(_, node)| log(node) != first) {
        Some((index, _)) => Err(format!("nodes 0 and {index} have different logs")),
        None => Ok(()),
    }
}
