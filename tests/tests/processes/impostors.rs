//! Somebody else's key where a friend's should be, and a friend whose keys change.

use covey::api::msg::types::{ContactInfo, Safety};
use covey_kernel::{Bounded, Bytes};
use covey_messaging::ContactCode;
use covey_tests::process::{
    Home, Node, befriend, contact, invites, send, text_arrives, texts, until, until_some,
};
use libp2p::Multiaddr;
use serde_json::json;

#[tokio::test]
async fn a_node_with_another_key_is_refused() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    let eve = Home::new("Eve").await.start().await;
    let (expected, obtained) = (&ann.announced().peer_id, &eve.announced().peer_id);
    for (address, name) in [(eve.tcp(), "tcp"), (eve.quic(), "udp")] {
        let lying = address.replace(obtained, expected);
        let failed = bob.run(&["net", "dial", &lying]).await.failed(1);
        let at = lying.clone();
        assert!(
            failed.starts_with(&format!("covey: at {at} answers {obtained}, not {expected}")),
            "{name}: {failed}"
        );
    }
    let peers = bob.ok(&["net", "peers"]).await;
    assert!(!peers.contains(expected), "{peers}");
}

#[tokio::test]
async fn a_contact_code_that_leads_to_an_impostor_fails() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    let eve = Home::new("Eve").await.start().await;
    let true_code: ContactCode = ann.ok(&["msg", "code"]).await.parse().unwrap();
    let eves: ContactCode = eve.ok(&["msg", "code"]).await.parse().unwrap();
    let forged = ContactCode { peer: eves.peer, addresses: eves.addresses, ..true_code.clone() };
    let _ = bob.ok(&["msg", "invite", &forged.to_string(), "--as", "Annie"]).await;
    let invite = until_some("the invite fails", || async {
        invites(&bob).await.into_iter().find(|invite| invite.failed.is_some())
    })
    .await;
    assert_eq!(
        invite.failed.as_deref(),
        Some("another identity answers at this node: not invited")
    );
    let shown = bob.ok(&["msg", "invites"]).await;
    assert!(
        shown.ends_with("failed: another identity answers at this node: not invited"),
        "{shown}"
    );
    assert!(invites(&eve).await.is_empty() && invites(&ann).await.is_empty());

    // Her address alone, under Ann's key, leads nowhere: the transport proves the key.
    assert_eq!(bob.ok(&["msg", "reject", "annie"]).await, "");
    let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{}", eve.home().port()).parse().unwrap();
    let addresses = Bounded::first([Bytes::new(address.to_vec()).unwrap()]);
    let misled = ContactCode { addresses, ..true_code.clone() };
    let _ = bob.ok(&["msg", "invite", &misled.to_string(), "--as", "Annie"]).await;
    let failed = bob.run(&["msg", "send", "annie", "secret"]).await.failed(1);
    assert!(failed.starts_with("covey: no contact \"annie\""), "{failed}");
    assert!(invites(&eve).await.is_empty());
    assert_eq!(bob.ok(&["msg", "reject", "annie"]).await, "");

    // The true one works after all that.
    let _ = bob.ok(&["msg", "invite", &true_code.to_string(), "--as", "Annie"]).await;
    until("the invite arrives", || async { invites(&ann).await.len() == 1 }).await;
}

async fn changed(node: &Node, who: &str) {
    until("the change is noticed", || async { contact(node, who).await.unwrap().keys_changed })
        .await;
}

async fn number(node: &Node, who: &str) -> Safety {
    node.call("msg_verify", json!({ "who": who })).await
}

/// Ann has rotated. Bob cannot write before he has confirmed; then what waits flows.
async fn confirmed_after_change(ann: &Node, bob: &Node, round: &str) {
    changed(bob, "ann").await;
    let failed = bob.run(&["msg", "send", "ann", "too early"]).await.failed(1);
    assert_eq!(
        failed,
        "covey: ann's keys have changed: compare the safety number with `covey msg verify ann`, \
         then `covey msg verify ann --confirm`"
    );
    let shown = bob.ok(&["msg", "verify", "ann"]).await;
    assert!(shown.contains("WARNING: ann's keys have changed"), "{shown}");
    assert!(bob.ok(&["msg", "contacts"]).await.contains("KEYS CHANGED"));
    assert_eq!(number(ann, "bob").await.number, number(bob, "ann").await.number);
    let waiting = format!("{round}: from new keys");
    let id = send(ann, "bob", &waiting).await;
    let safety: Safety = bob.call("msg_verify", json!({ "who": "ann", "confirm": true })).await;
    assert!(safety.verified && !safety.keys_changed, "{safety:?}");
    text_arrives(bob, "ann", &waiting).await;
    until("the sender knows", || async { ann.ok(&["msg", "status", &id]).await == "delivered" })
        .await;
    let back = format!("{round}: to new keys");
    send(bob, "ann", &back).await;
    text_arrives(ann, "bob", &back).await;
}

#[tokio::test]
async fn changed_keys_block_until_they_are_confirmed() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let first = send(&ann, "bob", "before").await;
    text_arrives(&bob, "ann", "before").await;
    let before = number(&bob, "ann").await.number;

    let ann = {
        let queued = send_while_away(ann, &bob, "queued before the change").await;
        let old = queued.json(&["keys", "show"]).await;
        let new = queued.json(&["keys", "rotate"]).await;
        assert_eq!(old["identity"], new["identity"]);
        assert_ne!(old["ratchet"], new["ratchet"]);
        queued
    };
    confirmed_after_change(&ann, &bob, "keys").await;
    assert_ne!(number(&bob, "ann").await.number, before);

    let old = ann.json(&["keys", "show"]).await;
    let new = ann.json(&["keys", "rotate", "--identity"]).await;
    assert_ne!(old["identity"], new["identity"]);
    confirmed_after_change(&ann, &bob, "identity").await;

    let known: Vec<ContactInfo> = bob.call("msg_contacts", json!({})).await;
    assert_eq!(known.len(), 1, "a successor is the same contact: {known:?}");
    assert_eq!(known[0].identity, new["identity"].as_str().unwrap());
    assert_eq!(texts(&ann, "bob").await, texts(&bob, "ann").await);
    assert!(texts(&bob, "ann").await.contains(&"queued before the change".to_owned()));
    let _ = first;
}

/// Bob writes while Ann's node is down; she is back before he knows.
async fn send_while_away(ann: Node, bob: &Node, text: &str) -> Node {
    let home = ann.stop().await;
    send(bob, "ann", text).await;
    home.start().await
}
