//! Two devices with one phrase spend the same coins at once.

use covey_tests::process::{
    Node,
    town::{Town, address, available, pay, restore, validators_are_there},
};
use futures::future::join_all;
use serde_json::{Value, json};

const PAIRS: usize = 100;

/// Pays one leaf as often as there are pairs, all at once; how each ended.
async fn pay_all(node: &Node, to: &str) -> Vec<Value> {
    let params = json!({ "to": to, "amount": "1.00", "wait_ms": 10_000, "twice": true });
    let calls = (0..PAIRS).map(|_| node.client().call::<_, Value>("pay_send", &params));
    join_all(calls).await.into_iter().map(|outcome| outcome.expect("it is taken")).collect()
}

fn count(payments: &[Value], state: &str) -> usize {
    payments.iter().filter(|payment| payment["state"] == state).count()
}

#[tokio::test]
async fn of_two_payments_of_one_coin_at_most_one_is_certified() {
    let town = Town::found(4).await;
    let validators = town.validators().await;
    let ann = town.rich("Ann").await;
    let own = address(&ann).await;
    let coins = vec![json!({ "address": own, "amount": "1.00" }); PAIRS];
    let split: Value = ann.call("pay_send_many", json!({ "to": coins, "wait_ms": 60_000 })).await;
    assert_eq!(split["state"], "final");
    let twin = town.person("Twin").await.start().await;
    validators_are_there(&twin, 4).await;
    restore(&twin, &town.treasury()).await;
    assert_eq!(
        (available(&ann).await, available(&twin).await),
        ("10000.00".into(), "10000.00".into())
    );
    let (bob, eve) =
        (town.person("Bob").await.start().await, town.person("Eve").await.start().await);
    let (to_bob, to_eve) = (address(&bob).await, address(&eve).await);
    let (ours, theirs) = tokio::join!(pay_all(&ann, &to_bob), pay_all(&twin, &to_eve));
    let certified = count(&ours, "final") + count(&theirs, "final");
    assert!(certified <= PAIRS, "{certified} certificates for {PAIRS} coins");
    assert_eq!(count(&ours, "failed") + count(&theirs, "failed"), 0, "nobody asked for nonsense");
    // Each coin is promised to one transaction at each validator, and what was refused is known.
    for validator in &validators {
        let locks: Vec<Value> = validator.call("validator_locks", json!({ "limit": 1000 })).await;
        let inputs: Vec<&Value> =
            locks.iter().flat_map(|lock| lock["inputs"].as_array().unwrap()).collect();
        let mut different = inputs.iter().map(ToString::to_string).collect::<Vec<_>>();
        different.sort();
        different.dedup();
        assert_eq!(different.len(), inputs.len());
    }
    let evidence: Vec<Value> = validators[0].call("validator_evidence", json!({})).await;
    assert!(!evidence.is_empty());
    // The change that came of the same transaction is unharmed.
    let rest = pay(&ann, &to_bob, "9900.00").await;
    assert_eq!(rest.votes, 3);
    let mut got = 0;
    for (node, payments) in [(&bob, &ours), (&eve, &theirs)] {
        for payment in payments.iter().filter(|payment| payment["state"] == "final") {
            let from = if std::ptr::eq(node, &bob) { &ann } else { &twin };
            let proof: Value = from.call("pay_proof", json!({ "id": payment["id"] })).await;
            let received: Value = node.call("pay_receive", proof).await;
            assert_eq!(received["known"], false);
            got += 1;
        }
    }
    assert_eq!(got, certified);
}
