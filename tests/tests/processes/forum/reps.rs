//! Reputation over time, on a clock that is set.

use covey_tests::process::{Home, Node};

use super::acts::{Author, CHAT, post, post_held, vote};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// When everything begins.
const BEGIN: u64 = 2_000 * DAY;

/// A node that follows the forum, at the beginning.
async fn node(keys: &[&str]) -> Node {
    let node = Home::new("Ann").await.with_settable_clock().start().await;
    node.ok(&["now", &BEGIN.to_string()]).await;
    node.ok(&[&["chains", "join", CHAT], keys].concat()).await;
    node
}

/// The reps of authors so long after the beginning, give or take the test's own seconds.
async fn reps_after<const COUNT: usize>(
    node: &Node,
    time: u64,
    authors: [&Author; COUNT],
) -> [i64; COUNT] {
    node.ok(&["now", &(BEGIN + time).to_string()]).await;
    let mut reps = [0; COUNT];
    for (reps, author) in reps.iter_mut().zip(authors) {
        *reps = node.ok(&["chain", CHAT, "reps", &author.public]).await.parse().unwrap();
    }
    reps
}

#[tokio::test]
async fn reputation_over_time_by_the_rules_of_the_paper() {
    let node = node(&[]).await;
    let (ann, bob, nobody) = (Author::new(1), Author::new(2), Author::new(3));
    let all = [&ann, &bob, &nobody];
    assert_eq!(reps_after(&node, 0, all).await, [0, 0, 0]);
    post(&node, CHAT, "first", &ann).await;
    assert_eq!(reps_after(&node, MINUTE, all).await, [29, 0, 0]);
    let held = post_held(&node, "let me in", &bob).await;
    vote(&node, "like", &held, &ann).await;
    vote(&node, "like", &held, &ann).await;
    // Ann: 30, her young post, two likes. Bob: two likes, and his young post.
    let last = 2 * MINUTE;
    assert_eq!(reps_after(&node, last, all).await, [27, 1, 0]);
    assert_eq!(reps_after(&node, 12 * HOUR, all).await, [27, 1, 0]);
    assert_eq!(reps_after(&node, DAY - MINUTE, all).await, [27, 1, 0]);
    // Posts a day old count +1: Ann's is capped at 30 before she likes.
    assert_eq!(reps_after(&node, DAY + last, all).await, [28, 3, 0]);
    // A second post within a day of the one that earned would earn nothing; this one does.
    post(&node, CHAT, "second", &bob).await;
    assert_eq!(reps_after(&node, DAY + 2 * last, all).await, [28, 2, 0]);
    assert_eq!(reps_after(&node, 3 * DAY, all).await, [28, 4, 0]);
    post(&node, CHAT, "third", &bob).await;
    post(&node, CHAT, "fourth", &bob).await;
    assert_eq!(reps_after(&node, 5 * DAY, all).await, [28, 5, 0]);
    assert_eq!(reps_after(&node, 90 * DAY - MINUTE, all).await, [28, 5, 0]);
    // Everything of the first day has expired but the grant.
    assert_eq!(reps_after(&node, 90 * DAY + 2 * last, all).await, [30, 2, 0]);
    assert_eq!(reps_after(&node, 94 * DAY, all).await, [30, 0, 0]);
}

#[tokio::test]
async fn reputation_over_time_by_the_rules_of_version_0_10() {
    let [ann, bob, eve, nobody] = [1, 2, 3, 4].map(Author::new);
    let node = node(&[&ann.public, &bob.public, &eve.public]).await;
    let all = [&ann, &bob, &eve, &nobody];
    // The pioneers share 30 reps.
    assert_eq!(reps_after(&node, 0, all).await, [10, 10, 10, 0]);
    post(&node, CHAT, "first", &ann).await;
    // Of 29 reps the 9 of Ann alone act from then on: 12 h x (1 - 18/29) = 4 h 33 min.
    assert_eq!(reps_after(&node, MINUTE, all).await, [9, 10, 10, 0]);
    assert_eq!(reps_after(&node, 4 * HOUR + 32 * MINUTE, all).await, [9, 10, 10, 0]);
    assert_eq!(reps_after(&node, 4 * HOUR + 35 * MINUTE, all).await, [10, 10, 10, 0]);
    assert_eq!(reps_after(&node, 12 * HOUR, all).await, [10, 10, 10, 0]);
    assert_eq!(reps_after(&node, DAY - MINUTE, all).await, [10, 10, 10, 0]);
    // One more for a post a day old; the next within a day of it earns nothing.
    assert_eq!(reps_after(&node, DAY + MINUTE, all).await, [11, 10, 10, 0]);
    assert_eq!(reps_after(&node, 90 * DAY, all).await, [11, 10, 10, 0]);

    let held = post_held(&node, "let me in", &nobody).await;
    vote(&node, "like", &held, &bob).await;
    // The like is spent for good; the post is given back by and by, and earns.
    assert_eq!(reps_after(&node, 90 * DAY + MINUTE, all).await, [11, 9, 10, 0]);
    assert_eq!(reps_after(&node, 90 * DAY + 12 * HOUR, all).await, [11, 9, 10, 1]);
    assert_eq!(reps_after(&node, 92 * DAY, all).await, [11, 9, 10, 2]);
    assert_eq!(reps_after(&node, 300 * DAY, all).await, [11, 9, 10, 2]);
}
