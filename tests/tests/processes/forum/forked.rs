//! Two sides that were apart for too long: both show it, and one can be chosen.

use covey_tests::process::{Home, Node, until};

use super::acts::{Author, link, payload_of, words};

const DAY: u64 = 24 * 3_600_000;
const BEGIN: u64 = 2_000 * DAY;
/// Places at the end that do not freeze, and a few more.
const LATE: usize = 103;

/// A node on which the owner of an identity's chain has written alone until the first posts are frozen.
async fn alone(name: &str, owner: &Author, chain: &str) -> Node {
    let node = Home::new(name).await.with_settable_clock().start().await;
    node.ok(&["chains", "join", chain]).await;
    for (day, posts) in [(0, 3), (8, LATE)] {
        node.ok(&["now", &(BEGIN + day * DAY).to_string()]).await;
        for number in 0..posts {
            let text = format!("{number} on day {day} by {name}");
            node.ok(&["chain", chain, "post", "inline", &text, &owner.sign()]).await;
        }
    }
    node
}

async fn order(node: &Node, chain: &str) -> Vec<String> {
    words(&node.ok(&["chain", chain, "order"]).await)
}

/// The block with which the other side begins.
async fn fork(node: &Node, chain: &str) -> String {
    until("the fork is shown", || async {
        node.ok(&["chain", chain, "status"]).await.contains("another past is left aside")
    })
    .await;
    let status = node.json(&["chain", chain, "status"]).await;
    status["forks"][0]["first"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_hard_fork_is_shown_on_both_sides_and_one_is_chosen() {
    let ann = Author::new(1);
    let chain = format!("@{}", ann.public);
    let here = alone("Here", &ann, &chain).await;
    let there = alone("There", &ann, &chain).await;
    let (ours, theirs) = (order(&here, &chain).await, order(&there, &chain).await);
    link(&here, &there).await;
    assert_eq!(fork(&here, &chain).await, theirs[1]);
    assert_eq!(fork(&there, &chain).await, ours[1]);
    assert_eq!(
        (order(&here, &chain).await, order(&there, &chain).await),
        (ours.clone(), theirs.clone())
    );

    // All of it has come by then.
    until("the other side is here", || async {
        let chosen = here.run(&["chain", &chain, "choose", &theirs[theirs.len() - 1]]).await;
        chosen.code == Some(0)
    })
    .await;
    assert_eq!(order(&here, &chain).await, theirs);
    let text = "0 on day 0 by There";
    until("its payloads come", || async {
        payload_of(&here, &chain, &theirs[1]).await.out.trim_end() == text
    })
    .await;
    let elsewhere = format!("7_{}", "0".repeat(64));
    let unknown = here.run(&["chain", &chain, "choose", &elsewhere]).await.failed(1);
    assert!(unknown.contains("no block 7_000"), "{unknown}");

    // Back again, with all that was said here.
    let back = here.ok(&["chain", &chain, "choose", &ours[ours.len() - 1]]).await;
    let last = &theirs[theirs.len() - 1];
    let all = LATE + 3;
    let again = format!("to go back: covey chain '{chain}' choose {last}");
    assert_eq!(back, format!("{all} blocks adopted, {all} left aside; {again}"));
    assert_eq!(order(&here, &chain).await, ours);
    assert_eq!(payload_of(&here, &chain, &ours[1]).await.out.trim_end(), "0 on day 0 by Here");
}
