use covey_chains::command::{ChainStatus, Command, Of, Reply, State};

use super::{AUTHORS, Forum, act::chat, author, hostile::floods_are_kept_small};
use crate::{
    messaging::ask,
    sim::{Checker, Outcome, World},
};

/// What must hold when the world has settled.
#[must_use]
pub fn checkers() -> Vec<Checker<Forum>> {
    vec![
        ("all show the same", same),
        ("all give the same reps", same_reps),
        ("nothing is lost", nothing_lost),
        ("nothing is shown twice", nothing_doubled),
        ("floods are kept small", floods_are_kept_small),
    ]
}

pub(super) fn status(world: &World<Forum>, node: usize) -> Result<ChainStatus, String> {
    match ask(world, node, Command::Status(chat())) {
        Some(Reply::Status(status)) => Ok(*status),
        _ => Err(format!("node {node} does not say how it stands")),
    }
}

/// What must hold when people have chosen a side of a hard fork.
#[must_use]
pub(super) fn checkers_of_forks() -> Vec<Checker<Forum>> {
    vec![
        ("all show the same order", same_order),
        ("all have the payloads", nothing_missing),
        ("all give the same reps", same_reps),
        ("nothing is lost", nothing_lost),
        ("nothing is shown twice", nothing_doubled),
    ]
}

/// The same order everywhere, with all payloads, and no hard fork.
pub(super) fn same(world: &World<Forum>) -> Result<(), String> {
    same_order(world)?;
    nothing_missing(world)?;
    for node in 0..world.nodes().len() {
        if !status(world, node)?.forks.is_empty() {
            return Err(format!("node {node} shows a hard fork"));
        }
    }
    Ok(())
}

pub(super) fn same_order(world: &World<Forum>) -> Result<(), String> {
    let first = status(world, 0)?;
    for node in 0..world.nodes().len() {
        let status = status(world, node)?;
        if (status.order, status.placed, status.blocked)
            != (first.order, first.placed, first.blocked)
        {
            let (a, b) = ((first.placed, first.blocked), (status.placed, status.blocked));
            return Err(format!("nodes 0 and {node} differ: placed and blocked {a:?} and {b:?}"));
        }
    }
    Ok(())
}

pub(super) fn nothing_missing(world: &World<Forum>) -> Result<(), String> {
    for node in 0..world.nodes().len() {
        let missing = status(world, node)?.missing;
        if missing > 0 {
            return Err(format!("node {node} lacks {missing} payloads"));
        }
    }
    Ok(())
}

fn same_reps(world: &World<Forum>) -> Result<(), String> {
    for number in 1..=AUTHORS {
        let of = || Command::Reps(chat(), Of::Author(author(number).public()));
        let first = ask(world, 0, of());
        for node in 0..world.nodes().len() {
            let reps = ask(world, node, of());
            if reps != first {
                return Err(format!("author {number}: {first:?} at node 0, {reps:?} at {node}"));
            }
        }
    }
    Ok(())
}

/// What a user was told is in the chain is there, at every node.
fn nothing_lost(world: &World<Forum>) -> Result<(), String> {
    for call in world.calls() {
        let Outcome::Done(Ok(Reply::Posted(id, said))) = &call.outcome else { continue };
        for node in 0..world.nodes().len() {
            let there = ask(world, node, Command::Block(chat(), *id)).is_some();
            if !there && (node == call.node || *said != State::Held) {
                return Err(format!("node {node} lacks {id}, which node {} made", call.node));
            }
        }
    }
    Ok(())
}

fn nothing_doubled(world: &World<Forum>) -> Result<(), String> {
    for node in 0..world.nodes().len() {
        let Some(Reply::Ids(mut ids)) = ask(world, node, Command::Order(chat())) else { continue };
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != all {
            return Err(format!("node {node} shows a block twice"));
        }
    }
    Ok(())
}
