//! Validators are replaced while people pay.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use covey_tests::process::{
    Node,
    succession::{approve, votes_in},
    town::{Town, address, available, pay, restore, validators_are_there},
    until,
};
use serde_json::{Value, json};

/// Pays one hundredth again and again until told to stop; how often.
async fn keep_paying(ann: &Node, to: &str, stop: &AtomicBool) -> u64 {
    let mut paid = 0;
    while !stop.load(Ordering::Relaxed) {
        let payment = pay(ann, to, "0.01").await;
        let state = serde_json::to_value(payment.state).unwrap();
        assert_eq!(state, "final", "payment {paid}: {:?}", payment.why);
        paid += 1;
    }
    paid
}

/// Puts another validator in the place of the first of those that run; the one that goes.
async fn replace_first(town: &Town, running: &mut Vec<Node>, epoch: u64) -> Node {
    let name = format!("v{}", epoch + 4);
    let next = town.candidate(&name).await.start().await;
    validators_are_there(&next, 4).await;
    let mut entries = vec![town.entry(&next, &name).await];
    for (number, stays) in (1..).zip(running.iter()).skip(1) {
        entries.push(town.entry(stays, &format!("v{}", epoch + number - 1)).await);
    }
    let draft = town.draft(&next, &entries, 3).await;
    let id = town.propose(&running[1], &draft).await;
    // Three decide; the fourth need not be asked.
    for validator in &running[..3] {
        approve(validator, &id).await;
    }
    let goes = running.remove(0);
    running.push(next);
    for validator in running.iter() {
        votes_in(validator, epoch).await;
    }
    goes
}

#[tokio::test]
async fn each_of_four_is_replaced_in_turn_and_no_payment_is_lost_or_made_twice() {
    let town = Town::found(4).await;
    let mut running = town.validators().await;
    let ann = Arc::new(town.rich("Ann").await);
    let bob = town.person("Bob").await.start().await;
    let own = address(&ann).await;
    let split = json!({ "to": [{ "address": own, "amount": "4000.00" }], "wait_ms": 60_000 });
    let split: Value = ann.call("pay_send_many", split).await;
    assert_eq!(split["state"], "final");
    // A second device learns of the coins, and sleeps through all that follows.
    let twin = town.person("Twin").await.start().await;
    validators_are_there(&twin, 4).await;
    restore(&twin, &town.treasury()).await;
    assert_eq!(available(&twin).await, "10000.00");
    let twin = twin.stop().await;
    let to = address(&bob).await;
    let spent = pay(&ann, &to, "6000.00").await;
    let stop = Arc::new(AtomicBool::new(false));
    let paying = {
        let (ann, to, stop) = (ann.clone(), to.clone(), stop.clone());
        tokio::spawn(async move { keep_paying(&ann, &to, &stop).await })
    };
    for epoch in 1..4 {
        replace_first(&town, &mut running, epoch).await.stop().await;
    }
    // Whoever wakes later must find somebody that it knows.
    let _last = replace_first(&town, &mut running, 4).await;
    stop.store(true, Ordering::Relaxed);
    let paid = paying.await.unwrap();
    assert!(paid >= 8, "only {paid} payments while four were replaced");
    // Nothing was lost, and nothing was made of nothing.
    let left = 400_000 - paid;
    assert_eq!(available(&ann).await, format!("{}.{:02}", left / 100, left % 100));
    let history: Vec<Value> = ann.call("pay_history", json!({ "limit": 100_000 })).await;
    let sent = history.iter().filter(|line| !line["sent"].is_null()).count();
    assert_eq!(u64::try_from(sent).unwrap(), paid + 2, "the payments, the first one and the split");
    // Nobody who validates now was there when it was spent, and it cannot be spent again.
    let twin = twin.start().await;
    validators_are_there(&twin, 4).await;
    let eve = town.person("Eve").await.start().await;
    let again = pay(&twin, &address(&eve).await, "6000.00").await;
    assert_eq!(serde_json::to_value(again.state).unwrap(), "blocked", "{again:?}");
    assert_eq!(again.conflict.as_deref(), Some(spent.id.as_str()));
    // The payee has his money of the first epoch, and pays it on in the last one.
    let proof = ann.ok(&["pay", "proof", &spent.id]).await;
    bob.ok(&["pay", "receive", &proof]).await;
    assert_eq!(available(&bob).await, "6000.00");
    validators_are_there(&bob, 4).await;
    assert_eq!(pay(&bob, &own, "6000.00").await.votes, 3);
}

#[tokio::test]
async fn who_validates_is_not_changed_by_anybody_alone() {
    let town = Town::found(4).await;
    let running = town.validators().await;
    let ann = town.rich("Ann").await;
    let to = address(&ann).await;
    // Another genesis, with another key in it, is another network.
    let genesis = std::fs::read_to_string(town.genesis()).unwrap();
    let mut swapped: Value = serde_json::from_str(&genesis).unwrap();
    let other = covey_kernel::Keypair::generate(&mut rand::rng()).public().to_string();
    swapped["validators"][0]["vote"] = json!(other);
    let file = town.files().join("swapped.json");
    std::fs::write(&file, swapped.to_string()).unwrap();
    let refused = ann.run(&["network", "show", file.to_str().unwrap()]).await.failed(1);
    assert!(refused.contains("it was changed"), "{refused}");
    // A candidate does not vote, whatever it is asked.
    let fifth = town.candidate("v5").await.start().await;
    validators_are_there(&fifth, 4).await;
    let status = fifth.ok(&["validator", "status"]).await;
    assert!(status.starts_with("this node does not vote: it is no validator"), "{status}");
    let mut entries = vec![town.entry(&fifth, "v5").await];
    for (number, stays) in (2..).zip(&running[1..]) {
        entries.push(town.entry(stays, &format!("v{number}")).await);
    }
    // Governance must sign.
    let draft = town.draft(&fifth, &entries, 2).await;
    let path = draft.to_str().unwrap();
    let refused = running[0].run(&["validator", "reconfigure", "propose", path]).await.failed(1);
    assert!(refused.contains("2 governance keys have signed, and 3 must"), "{refused}");
    // Signed by enough, a change after it is noticed.
    let draft = town.draft(&fifth, &entries, 3).await;
    let signed = std::fs::read_to_string(&draft).unwrap();
    std::fs::write(&draft, signed.replacen("\"v5\"", "\"v6\"", 1)).unwrap();
    let path = draft.to_str().unwrap();
    let refused = running[0].run(&["validator", "reconfigure", "propose", path]).await.failed(1);
    assert!(refused.contains("a signature of a governance key is wrong"), "{refused}");
    std::fs::write(&draft, signed).unwrap();
    // Two operators of four agree, which changes nothing.
    let id = town.propose(&running[0], &draft).await;
    for validator in &running[..2] {
        approve(validator, &id).await;
    }
    until("all know who has agreed", || async {
        let all: Value = running[3].call("validator_proposals", json!({})).await;
        all[0]["acknowledged"].as_array().is_some_and(|agreed| agreed.len() == 2)
    })
    .await;
    let list = running[3].ok(&["validator", "reconfigure", "list"]).await;
    assert!(list.contains("go          v1") && list.contains("come        v5"), "{list}");
    assert!(list.contains("agreed      2 of 3") && list.contains("voted       0 of 3"), "{list}");
    // Too few for the new ones to copy anything.
    assert!(list.contains("ready       0 of 4"), "{list}");
    assert_eq!(pay(&ann, &to, "1").await.votes, 3);
    for validator in &running {
        votes_in(validator, 0).await;
    }
    votes_not(&fifth).await;
}

async fn votes_not(node: &Node) {
    let status: Value = node.call("validator_status", json!({})).await;
    assert_eq!(status["ready"], false);
}
