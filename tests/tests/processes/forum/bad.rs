//! Bad input: an error on standard error, a status, and nothing has changed.

use covey_tests::process::{Home, Node, Outcome};

use super::acts::{Author, CHAT, followers, link, payload, post, post_held, vote};

const UNKNOWN: &str = "7_ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB";

/// Bytes that a payload in a public forum may have.
const PAYLOAD: usize = 128_000;

/// What a chain shows.
async fn shown(node: &Node, chain: &str) -> Vec<String> {
    let mut shown = Vec::new();
    for what in [&["order"][..], &["heads", "held"], &["heads", "blocked"], &["status"]] {
        shown.push(node.ok(&[&["chain", chain], what].concat()).await);
    }
    shown
}

/// Each of these is refused with these words, and changes nothing.
async fn refused(node: &Node, chain: &str, cases: &[(&[&str], &str)]) {
    let before = shown(node, chain).await;
    for (arguments, why) in cases {
        let said = node.run(arguments).await.failed(1);
        assert!(said.starts_with("covey: ") && said.contains(why), "{arguments:?}: {said}");
        assert_eq!(shown(node, chain).await, before, "{arguments:?}");
    }
}

#[tokio::test]
async fn unknown_and_malformed_names_are_refused() {
    let [node] = followers(["Ann"]).await;
    let ann = Author::new(1);
    let id = post(&node, CHAT, "first", &ann).await;
    let sign = ann.sign();
    let most = format!("--sign={}", "12".repeat(31));
    let short = id.get(..20).unwrap().to_owned();
    refused(
        &node,
        CHAT,
        &[
            (&["chain", "#other", "order"], "no chain \"#other\""),
            (&["chain", "#other", "post", "inline", "x", &sign], "no chain \"#other\""),
            (&["chain", "#other", "listen"], "no chain \"#other\""),
            (&["chain", "chat", "order"], "a chain's name begins with #"),
            (&["chains", "join", "chat"], "a chain's name begins with #"),
            (&["chains", "join", "#"], "the name is empty"),
            (&["chains", "join", "#chat@1_ABCD"], "the whole id of the first post"),
            (&["chains", "join", "@1234"], "64 hexadecimal digits"),
            (&["chains", "join", "#new", "1234"], "there is no key 1234"),
            (&["chains", "join", "#new", "--rules", "none"], "paper or v10"),
            (&["chain", CHAT, "get", "payload", UNKNOWN], "no block 7_ABAB"),
            (&["chain", CHAT, "get", "block", UNKNOWN], "no block 7_ABAB"),
            (&["chain", CHAT, "like", UNKNOWN, &sign], "no block 7_ABAB"),
            (&["chain", CHAT, "dislike", UNKNOWN, &sign], "no block 7_ABAB"),
            (&["chain", CHAT, "reps", UNKNOWN], "no block 7_ABAB"),
            (&["chain", CHAT, "traverse", "all", UNKNOWN], "no block 7_ABAB"),
            (&["chain", CHAT, "get", "payload", &short], "a block's id is its height"),
            (&["chain", CHAT, "get", "payload", "1"], "a block's id is its height"),
            (&["chain", CHAT, "like", "", &sign], "a block's id is its height"),
            (&["chain", CHAT, "reps", &short], "a block's id is its height"),
            (&["chain", CHAT, "reps", "1234"], "there is no key 1234"),
            (&["chain", CHAT, "reps", &"12".repeat(31)], "no public key"),
            (&["chain", CHAT, "traverse", "all", &short], "a block's id is its height"),
            (&["chain", CHAT, "heads", "lost"], "placed, held, blocked or forked"),
            (&["chain", CHAT, "post", "inline", "x", "--sign=1234"], "there is no key 1234"),
            (&["chain", CHAT, "post", "inline", "x", &most], "a private key has 64"),
            (&["chain", CHAT, "post", "file", "/nowhere/at/all"], "cannot read /nowhere"),
        ],
    )
    .await;
    genesis(&node, &sign).await;
    assert_eq!(node.ok(&["chains", "list"]).await, CHAT);
    usage(&node).await;
}

/// The genesis carries nothing, and nobody votes on it.
async fn genesis(node: &Node, sign: &str) {
    let id = node.ok(&["chain", CHAT, "genesis"]).await;
    let cases: [(&[&str], &str); 2] = [
        (&["chain", CHAT, "get", "payload", &id], "the genesis has no payload"),
        (&["chain", CHAT, "like", &id, sign], "genesis"),
    ];
    refused(node, CHAT, &cases).await;
}

/// Words that do not make a command end with status 2.
async fn usage(node: &Node) {
    let before = shown(node, CHAT).await;
    for arguments in [
        &["chain", CHAT][..],
        &["chain", CHAT, "post", "inline"],
        &["chain", CHAT, "post", "shout", "x"],
        &["chain", CHAT, "get", "soul", UNKNOWN],
        &["chain", CHAT, "like"],
        &["chain", CHAT, "traverse", "all"],
        &["chain", CHAT, "dance"],
        &["peer", "/ip4/127.0.0.1/tcp/1"],
    ] {
        let said = node.run(arguments).await.failed(2);
        assert!(!said.is_empty(), "{arguments:?}");
    }
    assert_eq!(shown(node, CHAT).await, before);
}

#[tokio::test]
async fn votes_and_posts_against_the_rules_are_refused() {
    let [node] = followers(["Ann"]).await;
    let (ann, bob) = (Author::new(1), Author::new(2));
    let unsigned = node.run(&["chain", CHAT, "post", "inline", "x"]).await.failed(1);
    assert!(unsigned.contains("the first post of a forum must be signed"), "{unsigned}");
    let first = post(&node, CHAT, "first", &ann).await;
    let held = post_held(&node, "let me in", &bob).await;
    let (ann_signs, bob_signs) = (ann.sign(), bob.sign());
    let no_reps = format!("{} has 0 reps in this chain", bob.public.to_lowercase());
    refused(
        &node,
        CHAT,
        &[
            (&["chain", CHAT, "like", &first, &ann_signs], "nobody likes their own"),
            (&["chain", CHAT, "like", &held, &bob_signs], "nobody likes their own"),
            (&["chain", CHAT, "like", &first], "a vote must be signed"),
            (&["chain", CHAT, "dislike", &first], "a vote must be signed"),
            (&["chain", CHAT, "like", &first, &bob_signs], &no_reps),
            (&["chain", CHAT, "dislike", &first, &bob_signs], &no_reps),
            (&["chain", CHAT, "dislike", &held, &ann_signs], "it can be liked, not disliked"),
        ],
    )
    .await;
    largest(&node, &ann).await;
    vote(&node, "like", &held, &ann).await;
}

/// The largest payload is taken, one byte more is not.
async fn largest(node: &Node, ann: &Author) {
    let sign = ann.sign();
    let arguments = ["chain", CHAT, "post", "-", &sign];
    let give = |bytes: usize| {
        let input = vec![b'x'; bytes];
        async move { node.home().run_with(&arguments, Some(&input)).await }
    };
    let id = give(PAYLOAD).await.ok();
    assert_eq!(payload(node, &id).await.ok().len(), PAYLOAD);
    let before = shown(node, CHAT).await;
    let said = give(PAYLOAD + 1).await.failed(1);
    assert!(said.contains("128001") && said.contains("128000"), "{said}");
    assert_eq!(shown(node, CHAT).await, before);
}

#[tokio::test]
async fn a_private_group_is_refused_without_its_key() {
    let (here, there) =
        (Home::new("Ann").await.start().await, Home::new("Eve").await.start().await);
    let key = here.ok(&["crypto", "shared", "our phrase"]).await;
    let wrong = here.ok(&["crypto", "shared", "another phrase"]).await;
    here.ok(&["chains", "join", "$family", &key]).await;
    here.ok(&["chain", "$family", "post", "inline", "secret"]).await;
    let long = format!("{key}00");
    refused(
        &here,
        "$family",
        &[
            (&["chains", "join", "$other"], "a private group has a shared key"),
            (&["chains", "join", "$other", "1234"], "64 hexadecimal digits"),
            (&["chains", "join", "$other", &long], "64 hexadecimal digits"),
            (&["chains", "join", "$other", &key, &wrong], "one shared key"),
        ],
    )
    .await;
    assert_eq!(here.ok(&["chains", "list"]).await, "$family");

    // With another key it is another group: nothing comes, and nothing is told.
    there.ok(&["chains", "join", "$family", &wrong]).await;
    let here_address = here.tcp();
    let not_here = "or it is private and the keys differ";
    let (recv, send) =
        (["peer", &here_address, "recv", "$family"], ["peer", &here_address, "send", "$family"]);
    refused(&there, "$family", &[(&recv, not_here), (&send, not_here)]).await;
    link(&here, &there).await;
    assert_eq!(there.json(&["chain", "$family", "status"]).await["placed"], 0);
}

#[tokio::test]
async fn an_owners_chain_takes_posts_of_the_owner_alone() {
    let node = Home::new("Ann").await.start().await;
    let (ann, bob) = (Author::new(1), Author::new(2));
    let chain = format!("@!{}", ann.public);
    node.ok(&["chains", "join", &chain]).await;
    let id = post(&node, &chain, "mine", &ann).await;
    let (ann_signs, bob_signs) = (ann.sign(), bob.sign());
    let only = "only the owner posts here";
    let cases: [(&[&str], &str); 4] = [
        (&["chain", &chain, "post", "inline", "x", &bob_signs], only),
        (&["chain", &chain, "post", "inline", "x"], only),
        (&["chain", &chain, "like", &id, &bob_signs], ""),
        (&["chain", &chain, "like", &id, &ann_signs], "nobody likes their own"),
    ];
    refused(&node, &chain, &cases).await;
}

/// How a command that failed ends, in JSON.
#[tokio::test]
async fn errors_have_names_for_programs() {
    let [node] = followers(["Ann"]).await;
    let ended: Outcome = node.run(&["chain", "#other", "order", "--json"]).await;
    let error: serde_json::Value = serde_json::from_str(&ended.failed(1)).unwrap();
    assert_eq!(error["error"]["data"]["name"], "unknown_chain", "{error}");
}
