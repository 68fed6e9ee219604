//! Partitions, latecomers and crashes: in the end all show the same order.

use covey_tests::process::{Home, Node, until};

use super::acts::{Author, CHAT, agree, followers, link, order, post, post_held, vote};

/// Two people with reps on nodes of a row; what they have made.
async fn begin(left: &Node, right: &Node, ann: &Author, bob: &Author) -> Vec<String> {
    let first = post(left, CHAT, "first", ann).await;
    until("the forum has begun everywhere", || async { order(right).await.len() == 2 }).await;
    let held = post_held(left, "let me in", bob).await;
    let mut made = vec![first, held.clone()];
    // The first like pays for the post, the others for posts to come.
    for _ in 0..4 {
        made.push(vote(left, "like", &held, ann).await);
    }
    made
}

#[tokio::test]
async fn both_sides_of_a_partition_and_who_joins_last_show_the_same() {
    let [left, middle, right] = followers(["Left", "Middle", "Right"]).await;
    link(&left, &middle).await;
    link(&middle, &right).await;
    let (ann, bob) = (Author::new(1), Author::new(2));
    let mut made = begin(&left, &right, &ann, &bob).await;
    agree(&[&left, &middle, &right], &made).await;

    // A power cut in the middle parts the other two, who go on.
    let home = middle.kill().await;
    let (mut at_left, mut at_right) = (made.clone(), made.clone());
    for number in 0..5 {
        at_left.push(post(&left, CHAT, &format!("left {number}"), &ann).await);
    }
    for number in 0..3 {
        at_right.push(post(&right, CHAT, &format!("right {number}"), &bob).await);
    }
    agree(&[&left], &at_left).await;
    agree(&[&right], &at_right).await;

    let middle = home.start().await;
    link(&middle, &left).await;
    link(&middle, &right).await;
    let common = made.len();
    made.extend(at_left.split_off(common));
    made.extend(at_right.split_off(common));
    agree(&[&left, &middle, &right], &made).await;

    let [last] = followers(["Last"]).await;
    link(&last, &right).await;
    agree(&[&left, &middle, &right, &last], &made).await;
    made.push(post(&last, CHAT, "hello from the last", &ann).await);
    agree(&[&left, &middle, &right, &last], &made).await;
}

/// Posts while another node is killed; what was made.
async fn post_while_killed(here: &Node, there: Node, ann: &Author) -> (Home, Vec<String>) {
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(post(here, CHAT, &format!("before {number}"), ann).await);
    }
    // Whatever of these has come by now.
    let home = there.kill().await;
    for number in 0..5 {
        made.push(post(here, CHAT, &format!("after {number}"), ann).await);
    }
    (home, made)
}

#[tokio::test]
async fn a_node_killed_in_the_middle_shows_the_same() {
    let [here, there] = followers(["Here", "There"]).await;
    link(&here, &there).await;
    let ann = Author::new(1);
    let mut made = vec![post(&here, CHAT, "first", &ann).await];
    agree(&[&here, &there], &made).await;
    let (home, more) = post_while_killed(&here, there, &ann).await;
    made.extend(more);
    let there = home.start().await;
    // What it has is whole, whether or not it is all.
    let shown = order(&there).await;
    assert!(shown.len() > 1 && order(&here).await.starts_with(&shown), "{shown:?}");
    link(&there, &here).await;
    agree(&[&here, &there], &made).await;
    made.push(post(&there, CHAT, "alive", &ann).await);
    agree(&[&here, &there], &made).await;
    // What was acknowledged is there after a kill without neighbours, too.
    let there = there.kill().await.start().await;
    agree(&[&there], &made).await;
}
