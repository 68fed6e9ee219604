use std::collections::{BTreeMap, BTreeSet};

use covey_chains::graph::{Accepts, Entry, Graph, Ix, Params, Rules, Verdict, Vote};
use covey_kernel::{Keypair, PublicKey, Span, Time};

use crate::naive::{self, Kind, Status, World};

/// In milliseconds.
const HOUR: u64 = 3_600_000;

/// The key that stands for an author of the naive model.
fn key(author: naive::Author) -> PublicKey {
    let mut secret = [0; 32];
    secret[..4].copy_from_slice(&author.to_be_bytes());
    Keypair::from_secret(&secret).public()
}

fn keys(world: &World) -> BTreeMap<naive::Author, PublicKey> {
    let mut authors: BTreeSet<_> = world.blocks.iter().filter_map(|block| block.author).collect();
    if let Kind::Identity { owner, .. } = world.chain.kind {
        authors.insert(owner);
    }
    if let naive::Rules::V10 { pioneers } = &world.chain.rules {
        authors.extend(pioneers);
    }
    authors.into_iter().map(|author| (author, key(author))).collect()
}

fn params(world: &World, keys: &BTreeMap<naive::Author, PublicKey>) -> Params {
    let accepts = match world.chain.kind {
        Kind::Forum => Accepts::Nobody,
        Kind::Private => Accepts::Everybody,
        Kind::Identity { owner, .. } => Accepts::Owner(keys[&owner]),
    };
    let rules = match &world.chain.rules {
        naive::Rules::Paper => Rules::Paper,
        naive::Rules::V10 { pioneers } => {
            Rules::V10(pioneers.iter().map(|pioneer| keys[pioneer]).collect())
        }
    };
    Params { accepts, rules, first: world.chain.first.map(|first| world.blocks[first].id) }
}

/// A graph to which blocks have come in this order: backs first.
#[must_use]
pub fn graph_of(world: &World, coming: &[usize]) -> (Graph, BTreeMap<usize, Ix>) {
    let mut graph = Graph::new(params(world, &keys(world)), world.blocks[0].id);
    let places = extend(world, &mut graph, coming, |_| {});
    (graph, places)
}

/// Adds blocks to a graph that has only the genesis, and looks at it after each.
pub fn extend(
    world: &World,
    graph: &mut Graph,
    coming: &[usize],
    mut look: impl FnMut(&mut Graph),
) -> BTreeMap<usize, Ix> {
    let keys = keys(world);
    let mut places = BTreeMap::from([(0, Ix::GENESIS)]);
    for number in coming.iter().copied().filter(|number| *number != 0) {
        let block = &world.blocks[number];
        let entry = Entry {
            id: block.id,
            height: block.height,
            time: Time::from_millis(block.time),
            author: block.author.map(|author| keys[&author]),
            backs: block.backs.iter().map(|back| places[back]).collect(),
            vote: block.vote.map(|vote| Vote { like: vote.like, target: places[&vote.target] }),
        };
        places.insert(number, graph.insert(&entry).0);
        look(graph);
    }
    places
}

/// Whether the model says anything of such a chain that the graph says too: it leaves chains
/// without a first post open, and blocks that are refused before they come to the graph.
#[must_use]
pub fn known_to(world: &World) -> bool {
    match (&world.chain.kind, &world.chain.rules) {
        (Kind::Forum, naive::Rules::Paper) => world.chain.first.is_some_and(|first| {
            let block = &world.blocks[first];
            block.author.is_some() && block.backs == [0]
        }),
        (Kind::Identity { only_owner, .. }, _) => !only_owner,
        _ => true,
    }
}

/// Order, effective times, statuses and reps are the same in the model and in a graph to which
/// the blocks come in this order.
pub fn assert_same(world: &World, coming: &[usize]) {
    let known: BTreeSet<usize> = coming.iter().copied().chain([0]).collect();
    let (mut graph, places) = graph_of(world, coming);
    let numbers: BTreeMap<Ix, usize> = places.iter().map(|(number, ix)| (*ix, *number)).collect();
    let order: Vec<usize> = graph.order().iter().map(|ix| numbers[ix]).collect();
    assert_eq!(order, world.order(&known), "the order, with blocks that came as {coming:?}");
    let effective: Vec<u64> = graph.effective().iter().map(|time| time.millis()).collect();
    assert_eq!(effective, world.effective(&known));
    for (number, status) in world.statuses(&known) {
        let ix = places[&number];
        let verdict = graph.verdict(ix).unwrap();
        let found = match (graph.place(ix), verdict) {
            (Some(_), _) => Status::Placed,
            (None, Verdict::Admitted | Verdict::Liked) => Status::Blocked,
            (None, _) => Status::Held,
        };
        assert_eq!(found, status, "block {number}, {verdict:?}");
        assert_eq!(graph.is_revoked(ix), world.revoked(&known, number), "block {number}");
    }
    let heads: BTreeSet<usize> = graph.heads().iter().map(|ix| numbers[ix]).collect();
    let backs = order.iter().flat_map(|number| world.blocks[*number].backs.iter().copied());
    let backs: BTreeSet<usize> = backs.collect();
    assert_eq!(heads, order.iter().copied().filter(|number| !backs.contains(number)).collect());
    // Groups never freeze.
    if !matches!(world.chain.kind, Kind::Private) {
        for (places, millis) in [(0, 0), (2, 0), (3, HOUR), (1, 24 * HOUR), (100, 0)] {
            let frozen = graph.frozen(places, Span::millis(millis));
            assert_eq!(frozen, world.frozen(&known, Some((places, millis))), "{places} {millis}");
        }
    }
    let last = effective.last().copied().unwrap_or_default();
    for (author, key) in keys(world) {
        for later in [0, 1, HOUR, 11 * HOUR, 24 * HOUR, 90 * 24 * HOUR] {
            let at = last + later;
            let reps = graph.reps(&key, Time::from_millis(at));
            assert_eq!(reps, world.reps(&known, author, at), "author {author}, {later} ms later");
        }
    }
}

/// An order of arrival: backs first, else as the seed says.
#[must_use]
pub fn arrival(world: &World, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut left: BTreeSet<usize> = (1..world.blocks.len()).collect();
    let mut coming = Vec::new();
    while !left.is_empty() {
        let has_come = |block: &usize| !left.contains(block);
        let is_ready = |block: &usize| world.blocks[*block].backs.iter().all(has_come);
        let ready: Vec<usize> = left.iter().copied().filter(is_ready).collect();
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let next = ready[usize::try_from(state >> 33).unwrap() % ready.len()];
        left.remove(&next);
        coming.push(next);
    }
    coming
}
