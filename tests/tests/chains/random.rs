//! Random small chains: what must hold whatever comes, and the graph beside the model.

use std::collections::BTreeSet;

use covey_tests::{
    chains::{arrival, assert_same, graph_of},
    naive::{Author, Status, World},
};
use proptest::{collection::vec, prelude::*};

use super::common::*;

/// One more block. The numbers choose among what there is.
#[derive(Clone, Debug)]
struct Step {
    backs: [prop::sample::Index; 2],
    merges: bool,
    later: usize,
    author: Author,
    what: u8,
    id: u8,
    /// A held post is liked by this one.
    liker: Option<Author>,
    /// It may build on what is not admitted.
    wild: bool,
}

const LATER: [u64; 6] = [0, MS, H, 12 * H, D, 30 * D];

fn step() -> impl Strategy<Value = Step> {
    let author = prop::sample::select(vec![1, 1, 2, 2, 3, 4]);
    let liker = prop::option::weighted(0.75, 1..5u32);
    (
        any::<[prop::sample::Index; 2]>(),
        any::<bool>(),
        0..LATER.len(),
        author,
        0..3u8,
        0..250u8,
        liker,
        prop::bool::weighted(0.1),
    )
        .prop_map(|(backs, merges, later, author, what, id, liker, wild)| Step {
            backs,
            merges,
            later,
            author,
            what,
            id,
            liker,
            wild,
        })
}

fn past(world: &World, block: usize) -> BTreeSet<usize> {
    let backs = &world.blocks[block].backs;
    backs.iter().flat_map(|back| past(world, *back)).chain(backs.iter().copied()).collect()
}

/// Mostly builds on admitted blocks and likes what is held, so that forks and spent reps occur.
fn grow(m: &mut Make, step: &Step) {
    let all = m.all();
    let mut recent: Vec<usize> =
        all.iter().copied().filter(|b| *b > 0 && (step.wild || m.w.admitted(&all, *b))).collect();
    recent.drain(..recent.len().saturating_sub(6));
    let [one, other] = step.backs.map(|index| *index.get(&recent));
    let related = past(&m.w, other).contains(&one) || past(&m.w, one).contains(&other);
    let mut backs = vec![one];
    if other != one && !related && step.merges {
        backs.push(other);
    }
    let time = backs.iter().map(|b| m.w.blocks[*b].time).max().unwrap() + LATER[step.later];
    let own = m.w.blocks[one].author == Some(step.author);
    let b = match step.what {
        0 if own => m.dislike(step.author, time, one, &backs),
        0 => m.like(step.author, time, one, &backs),
        _ => m.post(step.author, time, &backs),
    };
    m.late_id(b, step.id);
    let held = !m.admitted(b) && m.w.blocks[b].vote.is_none();
    if let Some(liker) = step.liker.filter(|liker| held && *liker != step.author) {
        let like = m.like(liker, time, b, &[b]);
        m.late_id(like, step.id.wrapping_mul(7) % 250);
    }
}

fn chain(most: usize) -> impl Strategy<Value = Make> {
    (0..5u8, vec(step(), 1..most)).prop_map(|(kind, steps)| {
        let mut m = match kind {
            0 => Make::identity(A, false),
            // 2 reps each.
            1 => Make::v10(&(1..=15).collect::<Vec<_>>()),
            2 => Make::private(),
            _ => Make::forum(),
        };
        m.post(A, 0, &[0]);
        steps.iter().for_each(|step| grow(&mut m, step));
        m
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    /// The order is a pure function of the set of blocks, whatever the order of their delivery.
    #[test]
    fn any_delivery_gives_what_the_model_says(m in chain(22), seeds in any::<[u64; 3]>()) {
        for seed in seeds {
            assert_same(&m.w, &arrival(&m.w, seed));
        }
    }

    /// Looking at the order after every block changes nothing, and shows what the model says.
    #[test]
    fn one_by_one_equals_from_nothing(m in chain(18), seed in any::<u64>()) {
        let coming = arrival(&m.w, seed);
        for end in 0..coming.len() {
            assert_same(&m.w, &coming[..=end]);
        }
        let (mut at_once, _) = graph_of(&m.w, &coming);
        let order = at_once.order().to_vec();
        let (mut watched, _) = graph_of(&m.w, &[]);
        prop_assert_eq!(watched.order().len(), 1);
        covey_tests::chains::extend(&m.w, &mut watched, &coming, |graph| { graph.order(); });
        prop_assert_eq!(watched.order(), order);
    }

    /// What is admitted is admitted by its past, and at most a like, alone, and is then the last.
    #[test]
    fn what_is_admitted_is_the_last_of_its_own_past(m in chain(14)) {
        let all = m.all();
        for (b, status) in m.w.statuses(&all) {
            prop_assert_eq!(status == Status::Held, !m.w.admitted(&all, b));
            let mut own = past(&m.w, b);
            own.extend([0, b]);
            if m.w.admitted(&own, b) {
                prop_assert!(m.w.admitted(&all, b));
                let order = m.w.order(&own);
                prop_assert_eq!(order.last(), Some(&b));
                prop_assert_eq!(order.len(), own.len());
            }
        }
    }
}

/// The chains above are worth something: many blocks are placed, blocked and held.
#[test]
fn random_chains_have_blocks_of_every_status() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut placed, mut blocked, mut held) = (0, 0, 0);
    for _ in 0..60 {
        let m = chain(22).new_tree(&mut runner).unwrap().current();
        for status in m.w.statuses(&m.all()).into_values() {
            match status {
                Status::Placed => placed += 1,
                Status::Blocked => blocked += 1,
                Status::Held => held += 1,
            }
        }
    }
    assert!(placed > 300 && blocked > 10 && held > 50, "{placed} {blocked} {held}");
}
