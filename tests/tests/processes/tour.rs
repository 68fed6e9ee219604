//! What two people do on their first day, by the command line.

use std::time::Duration;

use covey::api::msg::types::{ContactInfo, InviteInfo, MessageInfo, RelationInfo, Safety};
use covey_tests::process::{Home, Node, Stream, contact, history, until, until_some};
use serde_json::{Value, json};
use tokio::time::timeout;

async fn invite_and_accept(ann: &Node, bob: &Node) {
    assert_eq!(ann.ok(&["msg", "invites"]).await, "no invites");
    assert_eq!(
        ann.ok(&["msg", "contacts"]).await,
        "nobody yet; invite somebody with: covey msg invite CODE"
    );
    let code = ann.ok(&["msg", "code"]).await;
    assert!(code.starts_with("covey:"), "{code}");
    let invited = bob.ok(&["msg", "invite", &code, "--as", "Annie", "--text", "It is Bob"]).await;
    assert_eq!(invited, "invited Annie; `covey msg invites` shows when it has arrived");
    let again = bob.run(&["msg", "invite", &code]).await.failed(1);
    assert!(
        again.starts_with("covey: Annie is already invited")
            || again.contains("is already invited"),
        "{again}"
    );
    until("the invite has arrived", || async {
        ann.ok(&["msg", "invites"]).await.contains("by your contact code: It is Bob")
    })
    .await;
    let invites: Vec<InviteInfo> =
        serde_json::from_value(ann.json(&["msg", "invites"]).await).unwrap();
    assert!(invites[0].incoming && invites[0].by_code && invites.len() == 1, "{invites:?}");
    let early = ann.run(&["msg", "send", "bob", "too early"]).await.failed(1);
    assert_eq!(early, "covey: Bob waits for your answer: `covey msg accept Bob` first");
    let waiting = bob.run(&["msg", "send", "annie", "too early"]).await.failed(1);
    assert_eq!(
        waiting,
        "covey: Annie has not accepted your invite yet; wait, or see `covey msg invites`"
    );
    assert_eq!(ann.ok(&["msg", "accept", "bob"]).await, "Bob is now your contact");
    until("both are contacts", || async {
        bob.ok(&["msg", "contacts"]).await.contains("contact, online")
    })
    .await;
    let again = bob.run(&["msg", "invite", &code]).await.failed(1);
    assert!(again.starts_with("covey: Annie is already your contact"), "{again}");
}

async fn messages(node: &Node, who: &str) -> Vec<MessageInfo> {
    let out = node.ok(&["msg", "history", who, "--json", "--peek"]).await;
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn status_is(node: &Node, id: &str, wanted: &str) {
    until(&format!("{id} is {wanted}"), || async {
        node.ok(&["msg", "status", id]).await == wanted
    })
    .await;
}

async fn write_to_each_other(ann: &Node, bob: &Node) {
    let mut listening = bob.stream(&["msg", "listen", "--json"]);
    // Something that only a stream that has begun shows: sent until it does.
    let first = ann.ok(&["msg", "send", "bob", "Hello Bob"]).await;
    status_is(ann, &first, "delivered").await;
    let gone = until_heard(ann, &mut listening).await;
    let reply = bob.ok(&["msg", "send", "annie", "Hello Ann", "--reply", &first]).await;
    status_is(bob, &reply, "delivered").await;
    let seen = ann.ok(&["msg", "history", "bob"]).await;
    assert!(seen.contains("me: Hello Bob") && seen.contains("Bob: Hello Ann"), "{seen}");
    status_is(bob, &reply, "read").await;
    status_is(ann, &first, "delivered").await;
    let _ = bob.ok(&["msg", "history", "annie"]).await;
    status_is(ann, &first, "read").await;
    change(ann, bob, &first, &reply, &gone).await;
    assert_eq!(listening.interrupt().await, Some(0));
}

/// Sends until the listener shows one; its id.
async fn until_heard(ann: &Node, listening: &mut Stream) -> String {
    for count in 1..20 {
        let id = ann.ok(&["msg", "send", "bob", &format!("Are you listening? {count}")]).await;
        let next = listening.find(|event| event["event"] == "message");
        if let Ok(event) = timeout(Duration::from_secs(3), next).await {
            assert_eq!((&event["who"], &event["mine"]), (&json!("Annie"), &json!(false)));
            return id;
        }
    }
    panic!("the listener shows nothing");
}

async fn change(ann: &Node, bob: &Node, first: &str, reply: &str, gone: &str) {
    assert_eq!(ann.ok(&["msg", "edit", first, "Hello dear Bob"]).await, "");
    assert_eq!(bob.ok(&["msg", "react", first, "👍"]).await, "");
    assert_eq!(ann.ok(&["msg", "delete", gone]).await, "");
    let stolen = bob.run(&["msg", "edit", first, "I was never here"]).await.failed(1);
    assert!(
        stolen.starts_with(&format!(
            "covey: message {first} is not yours: only its author can change it"
        )),
        "{stolen}"
    );
    let dead = ann.run(&["msg", "edit", gone, "back"]).await.failed(1);
    assert!(dead.starts_with(&format!("covey: message {gone} is deleted")), "{dead}");
    until("both see the changes", || async {
        let (here, there) = (messages(ann, "bob").await, messages(bob, "annie").await);
        let find = |list: &[MessageInfo], id: &str| {
            list.iter().find(|message| message.id == id).cloned().unwrap()
        };
        let edited = find(&there, first);
        let liked = find(&here, first);
        edited.text == "Hello dear Bob"
            && edited.edited
            && edited.my_reaction.as_deref() == Some("👍")
            && liked.their_reaction.as_deref() == Some("👍")
            && find(&there, gone).deleted
            && find(&here, reply).reply.as_deref() == Some(first)
    })
    .await;
}

async fn verify(ann: &Node, bob: &Node) {
    let here: Safety = serde_json::from_value(ann.json(&["msg", "verify", "bob"]).await).unwrap();
    let there: Safety =
        serde_json::from_value(bob.json(&["msg", "verify", "annie"]).await).unwrap();
    assert_eq!(here.number, there.number);
    assert_eq!(here.number.replace(' ', "").len(), 60);
    assert!(!here.verified && !here.keys_changed);
    let confirmed = ann.ok(&["msg", "verify", "bob", "--confirm"]).await;
    assert!(confirmed.ends_with("Bob is verified"), "{confirmed}");
    assert!(ann.ok(&["msg", "contacts"]).await.contains("verified"));
    assert!(!bob.ok(&["msg", "contacts"]).await.contains("verified"));
}

async fn stranger(ann: &Node) {
    let eve = Home::new("Eve").await.start().await;
    let dialed = eve.ok(&["net", "dial", &ann.tcp()]).await;
    assert_eq!(dialed, format!("connected with {}", ann.announced().peer_id));
    let key = ann.json(&["keys", "show"]).await["identity"].as_str().unwrap().to_owned();
    let refused = eve.run(&["msg", "send", &key, "psst"]).await.failed(1);
    assert!(refused.starts_with(&format!("covey: no contact \"{key}\"")), "{refused}");
    // Without a code she may only knock, and until Ann answers that is all.
    let _ = eve.ok(&["msg", "invite", &ann.tcp(), "--as", "Ann", "--text", "let me in"]).await;
    let knock = until_some("the knock arrives", || async {
        let out: Vec<InviteInfo> =
            serde_json::from_value(ann.json(&["msg", "invites"]).await).unwrap();
        out.into_iter().find(|invite| invite.name == "Eve")
    })
    .await;
    assert!(!knock.by_code, "{knock:?}");
    let refused = eve.run(&["msg", "send", "ann", "psst"]).await.failed(1);
    assert!(refused.contains("has not accepted your invite yet"), "{refused}");
    assert_eq!(ann.ok(&["msg", "reject", "eve"]).await, "");
    assert_eq!(ann.ok(&["msg", "invites"]).await, "no invites");
    let known: Vec<ContactInfo> =
        serde_json::from_value(ann.json(&["msg", "contacts"]).await).unwrap();
    assert_eq!(known.len(), 1, "{known:?}");
}

async fn away(ann: &Node, bob: Node) -> Node {
    assert_eq!(bob.ok(&["stop"]).await, "stopped");
    let (home, code) = bob.ended().await;
    assert_eq!(code, Some(0));
    let id = ann.ok(&["msg", "send", "bob", "While you were away"]).await;
    let progress = ann.ok(&["msg", "status", &id]).await;
    assert!(progress == "queued" || progress == "sent", "{progress}");
    let bob = home.start().await;
    status_is(ann, &id, "delivered").await;
    assert!(bob.ok(&["msg", "history", "annie"]).await.contains("While you were away"));
    bob
}

#[tokio::test]
async fn two_people_meet_and_write() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    let second = ann.run(&["init"]).await.failed(1);
    assert!(second.contains("uses the data directory"), "{second}");
    invite_and_accept(&ann, &bob).await;
    write_to_each_other(&ann, &bob).await;
    verify(&ann, &bob).await;
    stranger(&ann).await;
    let bob = away(&ann, bob).await;
    let (here, there) = (history(&ann, "Bob").await, history(&bob, "Annie").await);
    let shown = |list: &[MessageInfo]| -> Vec<(String, String, bool)> {
        list.iter().map(|m| (m.id.clone(), m.text.clone(), m.deleted)).collect()
    };
    assert_eq!(shown(&here), shown(&there));
    assert!(here.len() >= 4, "{here:?}");
    every_json_parses(&ann).await;
}

async fn every_json_parses(ann: &Node) {
    for command in [
        &["status"][..],
        &["doctor"],
        &["net", "peers"],
        &["net", "addresses"],
        &["net", "nearby"],
        &["keys", "show"],
        &["msg", "code"],
        &["msg", "invites"],
        &["msg", "contacts"],
        &["msg", "verify", "bob"],
        &["config", "show"],
        &["rpc", "rpc_methods"],
        &["rpc", "rpc_discover"],
    ] {
        let value = ann.json(command).await;
        assert!(value.is_object() || value.is_array(), "{command:?}: {value}");
    }
    let error = ann.run(&["msg", "send", "nobody", "x", "--json"]).await.failed(1);
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(
        error,
        json!({ "error": {
            "code": 2000,
            "message": "no contact \"nobody\"; `covey msg contacts` lists them",
            "data": { "name": "unknown_contact", "help": "msg_contacts lists them" },
        }})
    );
    let contact = contact(ann, "Bob").await.unwrap();
    assert_eq!(contact.relation, RelationInfo::Accepted);
}
