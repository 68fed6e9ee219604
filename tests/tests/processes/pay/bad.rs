//! Whatever is asked for wrongly is refused with its own code and text, and nothing is locked by it.

use covey::{client::ClientError, rpc::codes};
use covey_kernel::Keypair;
use covey_ledger::{Prefix, address_text};
use covey_tests::process::{
    Home, Node,
    town::{Town, address, available, pay},
};
use serde_json::{Value, json};

/// The code's name, and the message.
async fn refused(node: &Node, method: &str, params: Value) -> (String, String) {
    match node.client().call::<_, Value>(method, &params).await {
        Err(ClientError::Server(error)) => {
            (error.name().unwrap_or_default().to_owned(), error.message)
        }
        other => panic!("{method} {params}: {other:?}"),
    }
}

#[tokio::test]
async fn each_mistake_of_a_payer_has_its_own_code_and_locks_nothing() {
    let town = Town::found(1).await;
    let _validator = town.validators().await;
    let ann = town.rich("Ann").await;
    let to = address(&ann).await;
    let other = Prefix::new("village").unwrap();
    let elsewhere = address_text(&other, &Keypair::from_secret(&[7; 32]).public());
    let mut slipped = to.clone();
    let last = slipped.pop().unwrap();
    slipped.push(if last == 'q' { 'p' } else { 'q' });
    let send = |to: &str, amount: &str| json!({ "to": to, "amount": amount });
    let cases = [
        (send(&elsewhere, "1"), "other_address", "village"),
        (send(&slipped, "1"), "bad_address", ""),
        (send("town1", "1"), "bad_address", ""),
        (send("Zoe", "1"), "unknown_contact", "neither an address of this network nor a contact"),
        (send(&to, "0"), "zero_amount", "more than zero"),
        (send(&to, "1.234"), "bad_amount", "decimals"),
        (send(&to, "-1"), "bad_amount", ""),
        (send(&to, "99999999999999999999"), "bad_amount", ""),
        (send(&to, "10000.01"), "insufficient_funds", "10000.00 leaf may be spent"),
        (json!({ "to": to }), "no_amount", ""),
        (send(&format!("covey:{to}?amount=2"), "3"), "two_amounts", "2.00"),
        (send(&format!("covey:{to}?amount=2&amount=3"), "2"), "bad_uri", ""),
        (send(&format!("covey:{to}?req-colour=red"), "2"), "bad_uri", "req-colour"),
        (send(&format!("covey:{elsewhere}?amount=2"), "2"), "other_address", ""),
        (json!({ "to": to, "amount": "1", "asset": "ab" }), "bad_asset", ""),
        (json!({ "to": to, "amount": "1", "note": "x".repeat(201) }), "label_too_long", ""),
    ];
    for (params, code, text) in cases {
        let (name, message) = refused(&ann, "pay_send", params.clone()).await;
        assert_eq!(name, code, "{params}: {message}");
        assert!(message.contains(text), "{params}: {message:?} does not say {text:?}");
    }
    let most = u64::MAX.to_string();
    let (whole, cents) = most.split_at(most.len() - 2);
    let huge = json!({ "address": to, "amount": format!("{whole}.{cents}") });
    let many = json!({ "to": [huge, huge] });
    assert_eq!(refused(&ann, "pay_send_many", many).await.0, "amount_too_large");
    let crowd = vec![json!({ "address": to, "amount": "0.01" }); 256];
    let crowd = json!({ "to": crowd });
    assert_eq!(refused(&ann, "pay_send_many", crowd).await.0, "too_many_payees");
    // All of it can still be spent, at once.
    assert_eq!(available(&ann).await, "10000.00");
    let paid = pay(&ann, &to, "10000").await;
    assert_eq!(paid.votes, 1);
}

#[tokio::test]
async fn each_wrong_payment_that_is_shown_has_its_own_code() {
    let (town, village) = (Town::found(1).await, Town::found(1).await);
    let (_one, _other) = (town.validators().await, village.validators().await);
    let ann = town.rich("Ann").await;
    let bob = town.person("Bob").await.start().await;
    let paid = pay(&ann, &address(&ann).await, "5").await;
    let proof: Value = ann.call("pay_proof", json!({ "id": paid.id })).await;
    let text = proof["payment"].as_str().unwrap().to_owned();
    let not_his = refused(&bob, "pay_receive", proof.clone()).await;
    assert_eq!(not_his.0, codes::NOT_MINE.name);
    let zoe = village.person("Zoe").await.start().await;
    let elsewhere = refused(&zoe, "pay_receive", proof).await;
    assert_eq!(elsewhere.0, "payment_elsewhere");
    assert!(elsewhere.1.contains("not on this one"), "{}", elsewhere.1);
    for (wrong, code) in [
        (text.chars().take(text.len() - 8).collect(), "bad_payment"),
        ("covey-payment:".to_owned(), "bad_payment"),
        ("lunch".to_owned(), "bad_payment"),
    ] {
        assert_eq!(refused(&bob, "pay_verify", json!({ "payment": wrong })).await.0, code);
    }
    let unknown = json!({ "id": "00".repeat(32) });
    assert_eq!(refused(&ann, "pay_payment", unknown.clone()).await.0, "unknown_payment");
    assert_eq!(refused(&ann, "pay_proof", unknown).await.0, "unknown_payment");
    let words = json!({ "phrase": "abandon ability able" });
    assert_eq!(refused(&bob, "pay_restore", words).await.0, "bad_phrase");
    assert_eq!(refused(&bob, "validator_status", json!({})).await.0, "no_validator");
    assert_eq!(refused(&bob, "pay_consolidate", json!({})).await.0, "nothing_to_consolidate");
    let open = Home::new("Open").await.start().await;
    assert_eq!(refused(&open, "pay_balance", json!({})).await.0, "no_ledger");
}

#[tokio::test]
async fn a_node_is_set_up_for_one_network_and_with_a_key_of_it() {
    let (town, village) = (Town::found(2).await, Town::found(1).await);
    let home = town.person("Ann").await;
    let other = village.genesis();
    let other = other.to_str().unwrap();
    let refused = home.run(&["init", "--network", other]).await.failed(1);
    assert!(refused.contains("is set up for another network"), "{refused}");
    let (genesis, key) = (town.genesis(), village.key_file(1));
    let arguments =
        ["init", "--network", genesis.to_str().unwrap(), "--validator", key.to_str().unwrap()];
    let refused = home.run(&arguments).await.failed(1);
    assert!(refused.contains("is no key of a validator of this network"), "{refused}");
    let missing = home.run(&["init", "--network", "nowhere/genesis.json"]).await.failed(1);
    assert!(missing.contains("cannot read the genesis file nowhere/genesis.json"), "{missing}");
    let changed = std::fs::read_to_string(&genesis).unwrap().replace("leaf", "gold");
    let path = home.scratch("changed.json");
    std::fs::write(&path, changed).unwrap();
    let refused = home.run(&["network", "show", path.to_str().unwrap()]).await.failed(1);
    assert!(refused.contains("it was changed"), "{refused}");
}
