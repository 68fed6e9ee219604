//! The walk that everybody makes first: a new network, two wallets, validators that stop, a payer that
//! dies.

use covey_tests::process::{
    Node,
    town::{Town, address, available, pay, restore, validators_are_there, votes},
    until,
};
use serde_json::{Value, json};

/// What a payment's line says: its id, and whether it is final.
fn is_final(printed: &str) -> (String, bool) {
    let (id, rest) = printed.split_once("  ").expect("an id and a state");
    (id.to_owned(), rest.starts_with("final, 3 of 3 votes"))
}

#[tokio::test]
async fn a_payment_is_verified_by_a_node_with_the_genesis_alone_and_paid_on() {
    let town = Town::found(4).await;
    let _validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let bob = town.person("Bob").await.start().await;
    validators_are_there(&bob, 4).await;
    assert_eq!(available(&ann).await, "10000.00");
    let asked = bob.ok(&["pay", "request", "12.50", "--label", "lunch"]).await;
    assert!(asked.starts_with("covey:town1") && asked.contains("amount=12.50"), "{asked}");
    let (id, done) = is_final(&ann.ok(&["pay", "send", &asked, "--yes"]).await);
    assert!(done);
    let file = ann.home().scratch("lunch.payment");
    let file = file.to_str().unwrap();
    ann.ok(&["pay", "proof", &id, "--out", file]).await;
    // It has never run.
    let third = town.person("Eve").await;
    let verified = third.run(&["pay", "verify", file]).await.ok();
    assert!(verified.starts_with("valid: 12.50 leaf are paid to\n  address  town1"), "{verified}");
    assert!(verified.contains("in epoch 0 (the newest known here is 0)"), "{verified}");
    let text = std::fs::read_to_string(file).unwrap();
    let other = text.trim_end().strip_suffix('a').map_or_else(
        || format!("{}a", text.trim_end().strip_suffix(|_: char| true).unwrap()),
        |begin| format!("{begin}q"),
    );
    let refused = third.run(&["pay", "verify", &other]).await.failed(1);
    assert!(refused.starts_with("covey: this"), "{refused}");
    assert_eq!(
        bob.ok(&["pay", "receive", file]).await.split(" at ").next(),
        Some("received 12.50")
    );
    assert!(bob.ok(&["pay", "receive", file]).await.starts_with("was here before: 12.50"));
    let requests = bob.ok(&["pay", "requests"]).await;
    assert!(requests.contains("12.50 of 12.50 paid  lunch"), "{requests}");
    let back = address(&ann).await;
    let (_, done) = is_final(&bob.ok(&["pay", "send", &back, "2.25", "--yes"]).await);
    assert!(done);
    assert_eq!(available(&bob).await, "10.25");
    let history = bob.ok(&["pay", "history"]).await;
    assert!(history.contains("+12.50 at town1") && history.contains("-2.25 to town1"), "{history}");
}

#[tokio::test]
async fn one_validator_stops_and_nobody_notices_two_and_payments_wait() {
    let town = Town::found(4).await;
    let mut validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let to = address(&ann).await;
    let first = validators.remove(0).stop().await;
    validators_are_there(&ann, 3).await;
    let (_, done) = is_final(&ann.ok(&["pay", "send", &to, "1", "--yes"]).await);
    assert!(done);
    let second = validators.remove(0).stop().await;
    validators_are_there(&ann, 2).await;
    let sent: Value = ann.json(&["pay", "send", &to, "1", "--yes", "--no-wait"]).await;
    let id = sent["id"].as_str().unwrap().to_owned();
    let two_votes = || async {
        let payment: Value = ann.call("pay_payment", json!({ "id": id })).await;
        (payment["state"].as_str(), payment["votes"].as_u64()) == (Some("sending"), Some(2))
    };
    until("two have voted", two_votes).await;
    let status = ann.ok(&["pay", "status"]).await;
    assert!(status.contains("2 of 4 connected") && status.contains("not connected: v1, v2"));
    assert!(status.contains("1 on their way"), "{status}");
    // What waits cannot be spent meanwhile, and is said to.
    let balance = ann.ok(&["pay", "balance"]).await;
    assert!(balance.contains("in payments on their way"), "{balance}");
    let second = second.start().await;
    votes(&second).await;
    let waited: Value = ann.call("pay_payment", json!({ "id": id, "wait_ms": 60_000 })).await;
    assert_eq!(waited["state"], "final");
    assert_eq!(available(&ann).await, "10000.00");
    votes(&first.start().await).await;
}

/// A payer that is killed when one vote is missing pays the same payment when it is back.
#[tokio::test]
async fn a_payer_killed_between_votes_resumes_the_same_payment() {
    let town = Town::found(4).await;
    let mut validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let bob = town.person("Bob").await.start().await;
    let to = address(&bob).await;
    let mut stopped = Vec::new();
    for _ in 0..2 {
        stopped.push(validators.remove(0).stop().await);
    }
    validators_are_there(&ann, 2).await;
    let sent: Value = ann.json(&["pay", "send", &to, "7.77", "--yes", "--no-wait"]).await;
    let id = sent["id"].as_str().unwrap().to_owned();
    let ann = ann.kill().await.start().await;
    let mut back: Vec<Node> = Vec::new();
    for home in stopped {
        back.push(home.start().await);
    }
    validators_are_there(&ann, 4).await;
    let resumed = ann.ok(&["pay", "resume"]).await;
    assert!(resumed == "every payment is final" || is_final(&resumed) == (id.clone(), true));
    let payment: Value = ann.call("pay_payment", json!({ "id": id, "wait_ms": 60_000 })).await;
    assert_eq!(payment["state"], "final");
    assert_eq!(available(&ann).await, "9992.23");
    let history: Value = ann.json(&["pay", "history"]).await;
    let sent = history.as_array().unwrap().iter().filter(|line| !line["sent"].is_null());
    assert_eq!(sent.count(), 1, "{history}");
    let proof = ann.ok(&["pay", "proof", &id]).await;
    bob.ok(&["pay", "receive", &proof]).await;
    assert_eq!(available(&bob).await, "7.77");
}

#[tokio::test]
async fn a_wallet_restored_on_an_empty_node_has_its_coins_back() {
    let town = Town::found(4).await;
    let _validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let bob = town.person("Bob").await.start().await;
    validators_are_there(&bob, 4).await;
    for amount in ["10", "20", "30.5"] {
        let paid = pay(&ann, &address(&bob).await, amount).await;
        let proof = ann.ok(&["pay", "proof", &paid.id]).await;
        bob.ok(&["pay", "receive", &proof]).await;
    }
    pay(&bob, &address(&ann).await, "15.25").await;
    assert_eq!(available(&bob).await, "45.25");
    let words = bob.ok(&["pay", "phrase", "show"]).await;
    let file = bob.home().scratch("words");
    std::fs::write(&file, words).unwrap();
    let _gone = bob.stop().await;
    let again = town.person("Bob2").await.start().await;
    validators_are_there(&again, 4).await;
    let found = again.ok(&["pay", "phrase", "restore", file.to_str().unwrap()]).await;
    assert!(found.contains("are held back"), "{found}");
    assert_eq!(available(&again).await, "0.00");
    again.ok(&["pay", "phrase", "alone"]).await;
    assert_eq!(available(&again).await, "45.25");
    let paid = pay(&again, &address(&ann).await, "45.25").await;
    assert_eq!(paid.votes, 3);
    assert_eq!(available(&again).await, "0.00");
    // In a wallet that is in use no words are restored.
    let refused = again.run(&["pay", "phrase", "restore", file.to_str().unwrap()]).await.failed(1);
    assert!(refused.contains("this wallet is in use"), "{refused}");
    restore(&town.person("Eve").await.start().await, &town.treasury()).await;
}

/// On a network of one validator its owner pays from the same node.
#[tokio::test]
async fn a_validators_own_wallet_has_its_vote() {
    let town = Town::found(1).await;
    let validator = town.validators().await.remove(0);
    restore(&validator, &town.treasury()).await;
    let bob = town.person("Bob").await.start().await;
    let paid = pay(&validator, &address(&bob).await, "12.50").await;
    assert_eq!((paid.votes, paid.needed), (1, 1), "{paid:?}");
    let status = validator.ok(&["pay", "status"]).await;
    assert!(status.contains("1 of 1 connected"), "{status}");
    assert_eq!(available(&validator).await, "9987.50");
}
