//! Sides of a hard fork, of random conversations: what is left aside has no part in anything that is shown,
//! and what is chosen keeps its frozen past.

use super::*;

/// Blocks that are kept, by their numbers in `forum`: admitted ones, after what they build on.
struct Kept<'f> {
    forum: &'f Forum,
    kind: u64,
}

/// A graph of some blocks, and which number each of them has there.
type Numbered = (Graph, Vec<Option<Ix>>);

impl Kept<'_> {
    /// Of some of the blocks; others are left out, or left aside.
    fn graph(&self, follow: impl Fn(Ix) -> bool, with_others: bool) -> Numbered {
        let mut graph = Graph::new(params(self.kind), GENESIS);
        let mut numbers = vec![Some(Ix::GENESIS)];
        for (entry, ix) in self.forum.entries.iter().zip((1..).map(Ix)) {
            let verdict = self.forum.graph.verdict(ix).unwrap();
            let kept = matches!(verdict, Verdict::Admitted | Verdict::Liked);
            numbers.push(None);
            if !kept || !(follow(ix) || with_others) {
                continue;
            }
            let number = |ix: &Ix| numbers[ix.0 as usize].unwrap();
            let vote = entry.vote.map(|vote| Vote { target: number(&vote.target), ..vote });
            let backs = entry.backs.iter().map(number).collect();
            let entry = Entry { backs, vote, ..entry.clone() };
            let new = match follow(ix) {
                true => graph.insert_again(&entry, verdict),
                false => graph.insert_aside(&entry, verdict),
            };
            *numbers.last_mut().unwrap() = Some(new);
        }
        (graph, numbers)
    }
}

fn ids(graph: &Graph, blocks: &[Ix]) -> Vec<covey_chains::BlockId> {
    blocks.iter().map(|ix| graph.id(*ix).unwrap()).collect()
}

/// Chooses some blocks one after the other; tells how often something was left aside, and came back.
fn choose(seed: u64) -> [usize; 2] {
    let mut forum = Forum::begin(seed);
    (0..90).for_each(|_| forum.add());
    let mut random = Random(ChaCha8Rng::seed_from_u64(!seed));
    let freeze = Some((3, Span::hours(20)));
    let kept = Kept { forum: &forum, kind: seed };
    let (mut graph, numbers) = kept.graph(|_| true, true);
    let mut counts = [0; 2];
    for _ in 0..4 {
        let chosen = random.of(&forum.good);
        let chosen_now = numbers[chosen.0 as usize].unwrap();
        let side = graph.side_of(chosen_now, GENESIS, freeze);
        let follows =
            |ix: Ix| numbers[ix.0 as usize].is_some_and(|ix| !side.aside.contains_key(&ix));
        assert!(follows(chosen));
        counts[0] += side.aside.len();
        counts[1] += graph.asides().filter(|ix| !side.aside.contains_key(ix)).count();

        // All is there that is followed; and the same is shown as if nothing else were.
        let (mut both, _) = kept.graph(follows, true);
        let (mut alone, _) = kept.graph(follows, false);
        let (order, expected) = (both.order().to_vec(), alone.order().to_vec());
        let order = ids(&both, &order);
        assert_eq!(order, ids(&alone, &expected), "seed {seed}");
        let (heads, expected) = (both.heads().to_vec(), alone.heads().to_vec());
        assert_eq!(ids(&both, &heads), ids(&alone, &expected));
        let tips = |graph: &Graph| ids(graph, &graph.tips().collect::<Vec<_>>());
        assert_eq!(tips(&both), tips(&alone));
        for number in 0..usize::from(AUTHORS) {
            let key = author(number);
            assert_eq!(both.reps(&key, Time::default()), alone.reps(&key, Time::default()));
        }
        let lacks = |graph: &Graph| ids(graph, &graph.missing(&[], None).all().collect::<Vec<_>>());
        assert_eq!(lacks(&both), lacks(&alone));

        // What was frozen of the chosen block's past is as it was.
        let past = graph.past_of(&[chosen_now]);
        let in_past = |ix: Ix| numbers[ix.0 as usize].is_some_and(|ix| past.contains(&ix));
        let (mut past, _) = kept.graph(in_past, false);
        let frozen = past.frozen(3, Span::hours(20));
        let old = past.order()[..frozen].to_vec();
        assert_eq!(ids(&past, &old), order[..frozen], "seed {seed}");
        graph = both;
    }
    counts
}

#[test]
fn what_is_left_aside_changes_nothing_and_what_is_chosen_stays() {
    let mut sums = [0; 2];
    for seed in 0..150 {
        for (sum, more) in sums.iter_mut().zip(choose(seed)) {
            *sum += more;
        }
    }
    let [aside, back] = sums;
    assert!(aside > 1_000 && back > 500, "{sums:?}");
}
