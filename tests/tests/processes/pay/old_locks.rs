//! A validator whose locks are not the newest must not vote.

use std::{fs, path::Path, process::Command};

use covey_tests::process::{
    town::{Town, address, pay, validators_are_there, votes},
    until,
};
use serde_json::{Value, json};

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn locks_from_yesterday_are_noticed_by_the_others() {
    let town = Town::found(4).await;
    let mut validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let to = address(&ann).await;
    pay(&ann, &to, "1").await;
    let first = validators.remove(0).stop().await;
    // The whole data directory, with the count of starts beside the key.
    let yesterday = first.scratch("yesterday");
    copy(first.data(), &yesterday);
    let first = first.start().await;
    votes(&first).await;
    validators_are_there(&ann, 4).await;
    pay(&ann, &to, "2").await;
    let told = || async {
        let status: Value = validators[0].call("validator_status", json!({})).await;
        status["others"][0]["locked"].as_u64() == Some(2)
    };
    until("the others know how far it has come", told).await;
    let first = first.stop().await;
    fs::remove_dir_all(first.data()).unwrap();
    copy(&yesterday, first.data());
    let first = first.start().await;
    let behind = || async {
        let status: Value = first.call("validator_status", json!({})).await;
        status["why_not"].as_str().is_some_and(|why| why.contains("older than what it has signed"))
    };
    until("it knows that it is behind", behind).await;
    let status = first.ok(&["validator", "status"]).await;
    assert!(status.contains("must never vote again"), "{status}");
    // It stays so, and the others go on.
    let first = first.stop().await.start().await;
    until("it still knows", || async {
        let status: Value = first.call("validator_status", json!({})).await;
        status["ready"] == false && status["why_not"].as_str().is_some()
    })
    .await;
    assert_eq!(pay(&ann, &to, "3").await.votes, 3);
}

#[tokio::test]
async fn a_key_that_has_run_does_not_start_without_its_locks_or_on_older_ones() {
    let town = Town::found(1).await;
    let home = town.validators().await.remove(0).stop().await;
    let older = home.scratch("db");
    copy(&home.data().join("db"), &older);
    let home = home.start().await.stop().await;
    let db = home.data().join("db");
    fs::remove_dir_all(&db).unwrap();
    copy(&older, &db);
    let refused = home.start_fails(1).await;
    assert!(refused.contains("are from an older copy (start 1, the key has seen 2)"), "{refused}");
    fs::remove_dir_all(&db).unwrap();
    let refused = home.start_fails(1).await;
    assert!(refused.contains("its locks are gone"), "{refused}");
}
