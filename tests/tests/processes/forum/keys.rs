//! Keys that the node keeps under names, and posts for one reader.

use covey_tests::process::{Home, until};

use super::acts::link;

#[tokio::test]
async fn a_question_to_the_owner_is_signed_and_read_with_named_keys() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    let public = ann.ok(&["keys", "new", "me"]).await;
    assert_eq!(ann.ok(&["keys", "list"]).await, format!("me {public}"));
    bob.ok(&["keys", "new", "writer", "--phrase", "a phrase that nobody guesses"]).await;
    let page = format!("@{public}");
    for node in [&ann, &bob] {
        node.ok(&["chains", "join", &page]).await;
    }
    link(&ann, &bob).await;
    ann.ok(&["chain", &page, "post", "inline", "ask me anything", "--sign=me"]).await;
    let ask = ["chain", &page, "post", "inline", "are you well?", "--sign=writer", "--encrypt"];
    let asked = bob.run(&ask).await;
    assert!(asked.err.contains("the post waits for a like"), "{asked:?}");
    let asked = asked.out.trim_end().to_owned();
    let get = ["chain", &page, "get", "payload", &asked];
    let sealed = "covey: the payload is encrypted for one person";
    until("the question reaches Ann", || async { ann.run(&get).await.err.starts_with(sealed) })
        .await;
    // It is held, and the owner reads it all the same; nobody else can.
    let with = |key| [get.as_slice(), &[key]].concat();
    until("its payload reaches Ann", || async {
        ann.run(&with("--decrypt=me")).await.code == Some(0)
    })
    .await;
    assert_eq!(ann.ok(&with("--decrypt=me")).await, "are you well?");
    let refused = bob.run(&get).await.failed(1);
    assert!(refused.starts_with(sealed), "{refused}");
    let refused = bob.run(&with("--decrypt=writer")).await.failed(1);
    assert!(refused.starts_with("covey: the payload is encrypted for somebody else"), "{refused}");
    // A note to oneself, by a name; and an answer to the one who asked, by their public key.
    let note =
        ann.ok(&["chain", &page, "post", "inline", "note", "--sign=me", "--encrypt=me"]).await;
    let read = ["chain", &page, "get", "payload", &note, "--decrypt=me"];
    assert_eq!(ann.ok(&read).await, "note");
    let writer = bob.ok(&["keys", "list"]).await;
    let to = format!("--encrypt={}", writer.trim_start_matches("writer "));
    let answer = ["chain", &page, "post", "inline", "very well", "--sign=me", &to];
    let answer = ann.ok(&answer).await;
    let read = ["chain", &page, "get", "payload", &answer, "--decrypt=writer"];
    until("the answer reaches Bob", || async { bob.run(&read).await.code == Some(0) }).await;
    assert_eq!(bob.ok(&read).await, "very well");
}

#[tokio::test]
async fn a_named_key_is_neither_overwritten_nor_forgotten_by_mistake() {
    let ann = Home::new("Ann").await.start().await;
    let public = ann.ok(&["keys", "new", "me"]).await;
    let listed = format!("me {public}");
    for (words, why) in [
        (&["keys", "new", "me"] as &[&str], "covey: there is a key me already"),
        (&["keys", "new", "Me"], "covey: a key's name has 1 to 32 of a to z, 0 to 9 and -"),
        (&["keys", "new", "x", "--private", "12"], "covey: a private key has 64 hexadecimal"),
        (&["keys", "forget", "me"], "covey: this deletes the private key me for good"),
        (&["keys", "forget", "you", "--confirm"], "covey: there is no key you"),
        (&["chain", "#chat", "post", "inline", "x", "--sign=you"], "covey: there is no key you"),
    ] {
        let refused = ann.run(words).await.failed(1);
        assert!(refused.starts_with(why), "{words:?}: {refused}");
        assert_eq!(ann.ok(&["keys", "list"]).await, listed);
    }
    // They are there again after a restart.
    let ann = ann.stop().await.start().await;
    assert_eq!(ann.ok(&["keys", "list"]).await, listed);
    ann.ok(&["keys", "forget", "me", "--confirm"]).await;
    assert_eq!(ann.ok(&["keys", "list"]).await, "");
}
