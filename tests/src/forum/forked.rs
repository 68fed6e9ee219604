//! Two halves that were apart for longer than what freezes, and people who choose a side.

use covey_chains::{
    BlockId,
    command::{Command, Reply, State},
    genesis::{Freeze, Genesis},
};
use covey_kernel::Span;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    Flaw, Forum,
    act::{self, Authors, chat, post},
    check::{checkers_of_forks, nothing_missing, same_order, status},
    world,
};
use crate::{
    messaging::ask,
    sim::{Config, Report, World},
};

const NODES: usize = 5;
/// The halves; each has an author.
const LEFT: [usize; 2] = [0, 1];
const RIGHT: [usize; 3] = [2, 3, 4];
/// Posts of each half: more than are not frozen.
const POSTS: usize = 10;
/// Of the second author by the first: then both have as many reps, so the order changes between what they write,
/// and for each half the other's first post comes before what is frozen.
const LIKES: usize = 15;
const FREEZE: Freeze = Freeze { places: 5, span: Span::secs(120) };

/// In a world that loses and repeats messages. Those of one half choose the other's side, and crash
/// while they do; then all choose the second half's, which none has followed for a while.
#[must_use]
pub fn run_forked(seed: u64) -> Report {
    run_forked_with(seed, None)
}

/// The same with a mistake in every node.
#[must_use]
pub fn run_forked_with(seed: u64, flaw: Option<Flaw>) -> Report {
    let rng = ChaCha8Rng::seed_from_u64(!seed);
    let config = Config { loss: 0.05, duplicate: 0.05, ..Config::calm(NODES) };
    // Nobody passes on what they have left aside, so all meet all.
    let links = (0..NODES).flat_map(|one| (0..one).map(move |two| (two, one))).collect();
    let world = world(seed, config, links, flaw);
    let genesis = Genesis { freeze: Some(FREEZE), ..act::genesis() };
    let mut authors = Authors::new(world, rng, genesis);
    authors.begin(&[]);
    authors.admit(2, LIKES);
    let before = authors.agree();
    let [left, right] = authors.write_apart();
    let last = [left[POSTS - 1], right[POSTS - 1]];
    let seen = authors.until(|world| all_see(world, &last));
    let mut found = vec![before, seen];
    found.push(authors.follow(&RIGHT, left[POSTS - 1]));
    found.push(sides(&authors.world, &left, &right));
    found.push(authors.follow(&[0, 1, 2, 3, 4], right[POSTS - 1]));
    found.push(sides(&authors.world, &right, &left));
    let mut report = Report::of(&authors.world, &checkers_of_forks());
    report.violations.extend(found.into_iter().filter_map(Result::err));
    report
}

impl Authors {
    /// Each half writes by itself, so long that what they had before freezes; then they meet.
    fn write_apart(&mut self) -> [Vec<BlockId>; 2] {
        self.world.part(&LEFT);
        let mut made = [Vec::new(), Vec::new()];
        for number in 0..POSTS {
            for (author, (node, made)) in (1..).zip([LEFT[0], RIGHT[0]].into_iter().zip(&mut made))
            {
                let text = format!("{number} by {author}");
                let Reply::Posted(id, _) = self.insist(node, || post(author, &text, None)) else {
                    panic!("it was posted")
                };
                made.push(id);
            }
            self.world.run_for(Span::secs(60));
        }
        self.world.heal();
        made
    }

    /// Some follow the side of a block. They may crash before they have chosen, or before they say so.
    fn follow(&mut self, nodes: &[usize], id: BlockId) -> Result<(), String> {
        for node in nodes {
            match self.rng.random_range(0..3) {
                0 => self.world.crash_before_commit(*node),
                1 => self.world.crash_after_commit(*node),
                _ => {}
            }
            self.insist(*node, || Command::Choose(chat(), id));
            self.world.run_for(Span::millis(self.rng.random_range(0..60_000)));
        }
        self.agree()
    }

    /// Until all show the same order, forks or not, and have what is said there.
    fn agree(&mut self) -> Result<(), String> {
        self.until(|world| same_order(world).and_then(|()| nothing_missing(world)))
    }
}

/// All know both sides, and say that there is another.
fn all_see(world: &World<Forum>, last: &[BlockId]) -> Result<(), String> {
    for node in 0..NODES {
        let knows = |id: &BlockId| ask(world, node, Command::Block(chat(), *id)).is_some();
        if !last.iter().all(knows) || status(world, node)?.forks.is_empty() {
            return Err(format!("node {node} shows no hard fork, or does not know all of it"));
        }
    }
    Ok(())
}

/// All show the side that was chosen, whole, and have left the other aside.
fn sides(world: &World<Forum>, chosen: &[BlockId], aside: &[BlockId]) -> Result<(), String> {
    for node in 0..NODES {
        let state = |id: &BlockId| match ask(world, node, Command::Block(chat(), *id)) {
            Some(Reply::Block(info)) => Some(info.state),
            _ => None,
        };
        let shown = chosen.iter().all(|id| matches!(state(id), Some(State::Placed(_))));
        let left = aside.iter().all(|id| state(id) == Some(State::Forked));
        if !shown || !left {
            return Err(format!(
                "sides at node {node}: the chosen one is shown: {shown}; the other aside: {left}"
            ));
        }
    }
    Ok(())
}
