//! A forum is its genesis and its first post: two of one name are two, and are never mixed.

use std::time::Duration;

use covey_tests::process::{Home, Node, Stream, until};
use serde_json::Value;
use tokio::time::timeout;

use super::acts::{Author, CHAT, followers, link, order, payload_of, post, words};

/// Two nodes that have not met, each with a forum of the same name, and the order of each.
struct Two {
    left: Node,
    right: Node,
    /// Who began the one at the left.
    ann: Author,
    /// Who began the other.
    bob: Author,
    ours: Vec<String>,
    theirs: Vec<String>,
}

impl Two {
    async fn new() -> Self {
        let [left, right] = followers(["Left", "Right"]).await;
        let (ann, bob) = (Author::new(1), Author::new(2));
        let (ours, theirs) = (begin(&left, &ann).await, begin(&right, &bob).await);
        assert_eq!(ours[0], theirs[0], "it is one genesis");
        assert_ne!(ours[1], theirs[1]);
        Self { left, right, ann, bob, ours, theirs }
    }
}

/// Begins the forum at a node; its order.
async fn begin(node: &Node, by: &Author) -> Vec<String> {
    for text in ["first", "second"] {
        post(node, CHAT, text, by).await;
    }
    let order = order(node).await;
    assert_eq!(order.len(), 3, "{order:?}");
    order
}

async fn order_of(node: &Node, chain: &str) -> Vec<String> {
    words(&node.ok(&["chain", chain, "order"]).await)
}

/// The forum's name with its whole first post.
fn named(order: &[String]) -> String {
    format!("{CHAT}@{}", order[1])
}

/// The same with the beginning of that post's hash, as a node tells two of them apart.
fn short(order: &[String]) -> String {
    format!("{CHAT}@{}", hash(&order[1]).get(..12).unwrap())
}

fn hash(first: &str) -> &str {
    first.strip_prefix("1_").expect("a first post has height 1")
}

/// Asked by hand, too, neither way brings anything of the other forum, and the user hears why.
async fn is_refused(node: &Node, with: &Node, first: &str) {
    for way in ["recv", "send"] {
        let why = node.run(&["peer", &with.tcp(), way, CHAT]).await.failed(1);
        let told = "covey: the peer follows this chain with another first post, ";
        assert!(why.starts_with(told) && why.to_uppercase().contains(hash(first)), "{way}: {why}");
    }
}

#[tokio::test]
async fn forums_with_different_first_posts_stay_apart() {
    let Two { left, right, ann, bob, mut ours, mut theirs } = Two::new().await;
    link(&left, &right).await;
    ours.push(post(&left, CHAT, "third", &ann).await);
    theirs.push(post(&right, CHAT, "third", &bob).await);
    is_refused(&left, &right, &theirs[1]).await;
    is_refused(&right, &left, &ours[1]).await;
    assert_eq!((order(&left).await, order(&right).await), (ours, theirs));
}

/// A node that is connected with both, and follows both by their first posts.
async fn follow_both(two: &Two) -> Node {
    let Two { left, right, ours, theirs, .. } = two;
    let both = Home::new("Both").await.start().await;
    link(&both, left).await;
    link(&both, right).await;
    for order in [ours, theirs] {
        let chain = named(order);
        assert_eq!(both.ok(&["chains", "join", &chain]).await, ours[0]);
        until("its posts come", || async { order_of(&both, &chain).await == *order }).await;
        assert_eq!(payload_of(&both, &chain, &order[2]).await.ok(), "second");
    }
    assert_eq!(order_of(&both, &named(ours)).await, *ours);
    both
}

#[tokio::test]
async fn one_node_follows_both_forums_by_their_first_posts() {
    let two = Two::new().await;
    let both = follow_both(&two).await;
    let Two { left, right, ann, bob, mut ours, mut theirs } = two;
    for (order, at, by) in [(&mut ours, &left, &ann), (&mut theirs, &right, &bob)] {
        let id = post(&both, &named(order), "from both", by).await;
        until("the post has come", || async { order_of(at, CHAT).await.contains(&id) }).await;
        order.push(id);
    }
    assert_eq!((order(&left).await, order(&right).await), (ours, theirs));
}

/// Who joins by name adopts the first one met, and hears which.
#[tokio::test]
async fn the_first_post_that_is_adopted_is_said() {
    let [left, late] = followers(["Left", "Late"]).await;
    let ann = Author::new(1);
    let ours = begin(&left, &ann).await;
    assert!(!late.ok(&["chain", CHAT, "status"]).await.contains(&ours[1]));
    let mut lines = listening(&late, &ann).await;
    link(&late, &left).await;
    let begun = |event: &Value| event["type"] == "begun" && event["chain"]["name"] == CHAT;
    assert_eq!(lines.find(begun).await["chain"]["first"], ours[1]);
    until("its posts come", || async { order(&late).await == ours }).await;
    let status = late.ok(&["chain", CHAT, "status"]).await;
    let first = status.lines().find(|line| line.trim_start().starts_with("first"));
    assert!(first.is_some_and(|line| line.contains(&ours[1])), "{status}");
    assert_eq!(lines.interrupt().await, Some(0));
}

/// A listener to all chains of a node that shows what comes from now on.
async fn listening(node: &Node, by: &Author) -> Stream {
    let mut lines = node.stream(&["chains", "listen", "--json"]);
    node.ok(&["chains", "join", "#probe"]).await;
    for count in 0..20 {
        post(node, "#probe", &format!("{count}"), by).await;
        if timeout(Duration::from_secs(2), lines.next()).await.is_ok() {
            return lines;
        }
    }
    panic!("the listener shows nothing")
}

#[tokio::test]
async fn a_name_that_stands_for_two_forums_needs_a_first_post() {
    let two = Two::new().await;
    let both = follow_both(&two).await;
    let Two { ann, ours, theirs, .. } = &two;
    let choices = format!("{} or {}", short(ours), short(theirs));
    let why = format!("covey: several chains are called \"{CHAT}\": say which, {choices}");
    let (sign, left) = (ann.sign(), two.left.tcp());
    let commands: [&[&str]; 4] = [
        &["chain", CHAT, "order"],
        &["chain", CHAT, "post", "inline", "x", &sign],
        &["peer", &left, "recv", CHAT],
        &["chains", "leave", CHAT],
    ];
    for command in commands {
        let said = both.run(command).await.failed(1);
        assert!(said.starts_with(&why), "{command:?}: {said}");
    }
    for order in [ours, theirs] {
        let beginning = named(order).get(..20).unwrap().to_owned();
        for chain in [named(order), named(order).to_lowercase(), short(order), beginning] {
            assert_eq!(order_of(&both, &chain).await, *order, "{chain}");
        }
    }
}
