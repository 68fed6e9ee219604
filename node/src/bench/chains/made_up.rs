//! A conversation that is made up by the statistics of a real one: the history of a project on which
//! some 700 people worked for six and a half years. One of them, the keeper, joins branches to the main
//! line; each branch is somebody's, mostly of one post, begun a few joins ago.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::forum::Post;

/// At these parts of all, in thousandths, the tables below have their values. Between them it is even.
const PARTS: [u64; 14] = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 980, 995, 1000];
type Table = [u64; 14];
/// Seconds from one post of the main line to the next.
const PAUSE: Table = [
    0, 1576, 3045, 5402, 9675, 18_335, 41_753, 68_164, 89_784, 163_227, 238_472, 333_796, 490_411,
    1_442_056,
];
/// Posts of a branch.
const LENGTH: Table = [1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 6, 10, 20, 69];
/// Joins since a branch began.
const AGE: Table = [1, 1, 1, 1, 1, 2, 2, 3, 5, 8, 12, 24, 56, 189];
/// Seconds from a branch's last post until it is joined.
const WAIT: Table = [
    0, 719, 2446, 5496, 10_644, 19_407, 35_997, 62_286, 99_003, 233_007, 454_713, 965_547,
    1_884_853, 8_778_201,
];
/// Seconds from a branch's first post to its last, if it has several.
const SPAN: Table = [
    0, 18, 1125, 3778, 11_428, 44_669, 74_233, 126_258, 226_893, 423_619, 788_906, 2_405_087,
    6_343_023, 11_347_047,
];
/// How many branches ago somebody had one who has another.
const AGAIN: Table = [1, 1, 1, 1, 2, 3, 5, 8, 19, 100, 257, 621, 1167, 2664];
/// Bytes of a post that joins a branch.
const JOIN_BYTES: Table = [3, 69, 100, 133, 170, 217, 274, 355, 477, 758, 1124, 1818, 2000, 2014];
/// Bytes of another post.
const BYTES: Table = [8, 22, 30, 37, 43, 51, 62, 96, 169, 308, 487, 813, 1518, 2000];

// Chances, in a thousand.

/// A branch is of one of the few who do most of the work.
const CORE: u64 = 500;
/// It is of the first of these, of the second, or of the third.
const SHARES: [u64; 3] = [600, 250, 150];
/// After a branch one of them gives way to another.
const GIVES_WAY: u64 = 1;
/// Another branch is of somebody new.
const NEW: u64 = 400;
/// A post of the main line joins nothing.
const DIRECT: u64 = 55;
/// A branch begins where the one before did.
const SAME_BASE: u64 = 190;
/// A branch takes in the main line before it is joined.
const TAKING_IN: u64 = 30;
/// It is not the keeper who joins a branch.
const BY_OTHERS: u64 = 10;

/// Who may post to the main line.
const MAINTAINERS: u64 = 6;
/// When the first post was made, in milliseconds since 1970.
const BEGUN: u64 = 1_394_000_000_000;

/// So many posts; always the same ones.
pub(super) fn made_up(count: usize) -> Vec<Post> {
    let mut maker = Maker {
        rng: StdRng::seed_from_u64(1),
        posts: Vec::with_capacity(count),
        main: Vec::new(),
        branches: Vec::new(),
        core: [1, 2, 3].map(|number| format!("core {number}")),
        base: 0,
        people: 0,
        now: BEGUN,
    };
    maker.on_main("keeper".into(), Vec::new());
    while maker.posts.len() < count {
        maker.go_on();
    }
    maker.posts.truncate(count);
    maker.posts
}

struct Maker {
    rng: StdRng,
    posts: Vec<Post>,
    /// The posts of the main line.
    main: Vec<usize>,
    /// Whose each branch was.
    branches: Vec<String>,
    /// The few who do most of the work.
    core: [String; SHARES.len()],
    /// Where the last branch began.
    base: usize,
    people: usize,
    now: u64,
}

impl Maker {
    fn go_on(&mut self) {
        self.now = self.now.saturating_add(self.millis(&PAUSE));
        let head = self.main.last().copied().unwrap_or_default();
        if self.chance(DIRECT) {
            let author = self.maintainer();
            return self.on_main(author, vec![head]);
        }
        let branch = self.branch();
        let author = match self.chance(BY_OTHERS) {
            true => self.maintainer(),
            false => "keeper".into(),
        };
        self.on_main(author, vec![head, branch]);
    }

    /// The last post of a new branch.
    fn branch(&mut self) -> usize {
        let age = usize::try_from(self.draw(&AGE)).unwrap_or(usize::MAX);
        let base = self.main.get(self.main.len().saturating_sub(age)).copied().unwrap_or_default();
        let base = if self.chance(SAME_BASE) { self.base } else { base };
        self.base = base;
        let since = self.posts.get(base).map_or(BEGUN, |post| post.time);
        let length = self.draw(&LENGTH);
        let last = self.now.saturating_sub(self.millis(&WAIT)).max(since);
        let span = if length > 1 { self.millis(&SPAN) } else { 0 };
        let first = last.saturating_sub(span).max(since);
        let author = self.author();
        let (mut tip, takes_in) = (base, self.chance(TAKING_IN));
        for number in 1..=length {
            let part = last.saturating_sub(first).saturating_mul(number.saturating_sub(1));
            let part = part.checked_div(length.saturating_sub(1)).unwrap_or(0);
            let mut parents = vec![tip];
            let head = self.main.last().copied().filter(|head| *head != base);
            parents.extend(head.filter(|_| takes_in && number == length && number > 1));
            tip = self.post(first.saturating_add(part), author.clone(), parents, &BYTES);
        }
        self.branches.push(author);
        tip
    }

    /// One of the few, who has worked on something of late, or somebody new.
    fn author(&mut self) -> String {
        if self.chance(GIVES_WAY) {
            let slot = self.rng.random_range(0..self.core.len());
            let other = self.another();
            if let Some(person) = self.core.get_mut(slot) {
                *person = other;
            }
        }
        if !self.chance(CORE) {
            return self.another();
        }
        let at = self.rng.random_range(0..1000);
        let mut least = 0;
        let share = |share: &u64| {
            least = share.saturating_add(least);
            at < least
        };
        let slot = SHARES.iter().position(share).unwrap_or_default();
        self.core.get(slot).cloned().unwrap_or_default()
    }

    fn another(&mut self) -> String {
        let ago = usize::try_from(self.draw(&AGAIN)).unwrap_or(usize::MAX);
        let before = self.branches.len().checked_sub(ago).and_then(|at| self.branches.get(at));
        match before.cloned() {
            Some(author) if !self.chance(NEW) => author,
            _ => {
                self.people = self.people.saturating_add(1);
                format!("person {}", self.people)
            }
        }
    }

    fn maintainer(&mut self) -> String {
        format!("maintainer {}", self.rng.random_range(0..MAINTAINERS))
    }

    fn on_main(&mut self, author: String, parents: Vec<usize>) {
        let bytes = if parents.len() > 1 { &JOIN_BYTES } else { &BYTES };
        let post = self.post(self.now, author, parents, bytes);
        self.main.push(post);
    }

    fn post(&mut self, time: u64, author: String, parents: Vec<usize>, bytes: &Table) -> usize {
        let n = self.posts.len();
        let bytes = usize::try_from(self.draw(bytes)).unwrap_or_default();
        let text = format!("{n} {}", "words of no meaning ".repeat(bytes / 20));
        self.posts.push(Post { n, time, author, parents, text });
        n
    }

    fn chance(&mut self, thousandths: u64) -> bool {
        self.rng.random_range(0..1000) < thousandths
    }

    fn millis(&mut self, seconds: &Table) -> u64 {
        self.draw(seconds).saturating_mul(1000)
    }

    fn draw(&mut self, table: &Table) -> u64 {
        let at = self.rng.random_range(0..1_000_000u64);
        let mut low = (0, 0);
        for (part, value) in PARTS.iter().map(|part| part.saturating_mul(1000)).zip(table) {
            if at < part {
                let (from, least) = low;
                let rise = value.saturating_sub(least).saturating_mul(at.saturating_sub(from));
                let rise = rise.checked_div(part.saturating_sub(from)).unwrap_or(0);
                return least.saturating_add(rise);
            }
            low = (part, *value);
        }
        low.1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn it_has_the_statistics_of_the_real_one() {
        let posts = made_up(10_000);
        assert_eq!(posts.len(), 10_000);
        let merges = posts.iter().filter(|post| post.parents.len() > 1).count();
        let mut children: BTreeMap<usize, usize> = BTreeMap::new();
        posts.iter().flat_map(|post| &post.parents).for_each(|parent| {
            *children.entry(*parent).or_default() += 1;
        });
        let forks = children.values().filter(|children| **children > 1).count();
        let authors = posts.iter().map(|post| &post.author).collect::<BTreeSet<_>>().len();
        let days = posts.iter().map(|post| post.time).max().unwrap_or(0) - BEGUN;
        let days = days / 86_400_000;
        let bytes: usize = posts.iter().map(|post| post.text.len()).sum();
        // Those of the real one are 3,469, 2,004, 733, 2,419 and 2.04 million.
        assert!((3_100..3_800).contains(&merges), "{merges} merges");
        assert!((1_800..2_300).contains(&forks), "{forks} forks");
        assert!((600..900).contains(&authors), "{authors} authors");
        assert!((2_000..2_900).contains(&days), "{days} days");
        assert!((1_700_000..2_400_000).contains(&bytes), "{bytes} bytes");
    }

    #[test]
    fn parents_come_first_and_it_is_always_the_same() {
        let posts = made_up(500);
        assert!(posts.iter().enumerate().all(|(at, post)| post.n == at));
        assert!(posts.iter().all(|post| post.parents.iter().all(|parent| *parent < post.n)));
        assert!(posts.iter().skip(1).all(|post| !post.parents.is_empty()));
        let again = made_up(500);
        let parts = |post: &Post| {
            (post.n, post.time, post.author.clone(), post.parents.clone(), post.text.clone())
        };
        assert!(posts.iter().map(parts).eq(again.iter().map(parts)));
    }
}
