//! The walk-through of the paper's third section, with `covey` in the place of `freechains`.

use std::time::Duration;

use covey_tests::process::{Home, Node, Stream, until};
use tokio::time::timeout;

use super::acts::{Author, CHAT, held, link, payload, post, post_held, sync, vote, words};

/// `covey crypto pubpvt`, anywhere: the same phrase gives the same keys.
async fn keys(node: &Node, other: &Node) -> Author {
    let printed = node.ok(&["crypto", "pubpvt", "senha"]).await;
    assert_eq!(other.ok(&["crypto", "pubpvt", "senha"]).await, printed);
    assert_eq!(node.ok(&["keys", "pubpvt", "senha"]).await, printed);
    assert_ne!(node.ok(&["crypto", "pubpvt", "outra"]).await, printed);
    let pair = words(&printed);
    let is_key = |key: &String| key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(pair.len() == 2 && pair.iter().all(is_key), "{printed}");
    Author { public: pair[0].clone(), private: pair[1].clone() }
}

fn is_id(text: &str, height: u64) -> bool {
    let hash = text.strip_prefix(&format!("{height}_"));
    hash.is_some_and(|hash| {
        hash.len() == 64 && hash.bytes().all(|b| b"0123456789ABCDEF".contains(&b))
    })
}

#[tokio::test]
async fn a_forum_as_in_the_paper() {
    let here = Home::new("Here").await.start().await;
    let there = Home::new("There").await.start().await;
    let me = keys(&here, &there).await;
    let genesis = here.ok(&["chains", "join", CHAT]).await;
    assert!(is_id(&genesis, 0), "{genesis}");
    assert_eq!(there.ok(&["chains", "join", CHAT]).await, genesis);
    assert_eq!(here.ok(&["chains", "list"]).await, CHAT);
    let first = post(&here, CHAT, "Bom dia!", &me).await;
    assert!(is_id(&first, 1), "{first}");

    sync(&here, "send", CHAT, &there, 1).await;
    read(&there, &genesis, &first).await;
    assert_eq!(there.ok(&["peer", &here.tcp(), "chains"]).await, CHAT);
    let ping = there.ok(&["peer", &here.tcp(), "ping"]).await;
    assert!(ping.parse::<u64>().is_ok(), "{ping}");
    by_machine(&here, &there).await;

    listen(&here, &there, &me).await;
    like(&here, &there, &me).await;
    sync(&there, "recv", CHAT, &here, 30).await;
    let traversed = ["chain", CHAT, "traverse", "all", &genesis];
    assert_eq!(there.ok(&traversed).await, here.ok(&traversed).await);
    assert_eq!(there.ok(&["chains", "leave", CHAT]).await, "true");
    assert_eq!(there.ok(&["chains", "leave", CHAT]).await, "false");
    assert_eq!(there.ok(&["chains", "list"]).await, "");
}

/// The paper names a node by its machine's address: that is enough for one that is connected, and its port for
/// another.
async fn by_machine(here: &Node, there: &Node) {
    let machine = "127.0.0.1";
    assert_eq!(there.ok(&["peer", machine, "chains"]).await, CHAT);
    let alone = Home::new("Alone").await.start().await;
    let none = alone.run(&["peer", machine, "chains"]).await.failed(1);
    assert!(none.starts_with("covey: no node is connected from 127.0.0.1"), "{none}");
    let not = alone.run(&["net", "dial", machine]).await.failed(1);
    assert!(not.starts_with("covey: 127.0.0.1 is no multiaddress"), "{not}");
    let port = format!("{machine}:{}", here.home().port());
    assert_eq!(alone.ok(&["peer", &port, "chains"]).await, CHAT);
    let port = format!("{machine}:{}", there.home().port());
    assert_eq!(alone.ok(&["peer", &port, "chains"]).await, CHAT);
    let many = alone.run(&["peer", machine, "chains"]).await.failed(1);
    assert!(many.starts_with("covey: 2 nodes are connected from 127.0.0.1"), "{many}");
}

/// `genesis`, `traverse`, `get payload`, `heads`.
async fn read(node: &Node, genesis: &str, first: &str) {
    assert_eq!(node.ok(&["chain", CHAT, "genesis"]).await, genesis);
    assert_eq!(node.ok(&["chain", CHAT, "traverse", "all", genesis]).await, first);
    assert_eq!(node.ok(&["chain", CHAT, "traverse", "all", first]).await, "");
    assert_eq!(node.ok(&["chain", CHAT, "heads"]).await, first);
    assert_eq!(node.ok(&["chain", CHAT, "order"]).await, format!("{genesis} {first}"));
    assert_eq!(node.ok(&["chain", CHAT, "consensus"]).await, format!("{genesis} {first}"));
    assert_eq!(payload(node, first).await.ok(), "Bom dia!");
    let block = node.json(&["chain", CHAT, "get", "block", first]).await;
    assert_eq!((&block["id"], &block["backs"][0]), (&first.into(), &genesis.into()));
    let path = node.home().scratch("payload");
    let path = path.to_str().unwrap();
    assert_eq!(node.ok(&["chain", CHAT, "get", "payload", first, "file", path]).await, "");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "Bom dia!");
}

/// What is posted from a file, or from a pipe, comes out as it went in; only a text without the end of its line gets one.
#[tokio::test]
async fn files_come_out_as_they_went_in() {
    let node = Home::new("Here").await.start().await;
    node.ok(&["chains", "join", CHAT]).await;
    let me = Author::new(1);
    let (path, bytes) = (node.home().scratch("picture"), [0xff, 0xd8, 0, 1, b'\n', 0xfe]);
    std::fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    let post = node.ok(&["chain", CHAT, "post", "file", path, &me.sign()]).await;
    let copy = node.home().scratch("copy");
    node.ok(&["chain", CHAT, "get", "payload", &post, "file", copy.to_str().unwrap()]).await;
    assert_eq!(std::fs::read(copy).unwrap(), bytes);
    assert_eq!(node.home().bytes(&["chain", CHAT, "get", "payload", &post]).await, bytes);
    let words = ["chain", CHAT, "post", "-", &me.sign()];
    let post = node.home().run_with(&words, Some("olá".as_bytes())).await.ok();
    let read = node.home().bytes(&["chain", CHAT, "get", "payload", &post]).await;
    assert_eq!(read, "olá\n".as_bytes());
}

/// `listen` in a pipe: a line as soon as a block comes, and nothing else.
async fn listen(here: &Node, there: &Node, me: &Author) {
    let mut lines = there.stream(&["chain", CHAT, "listen"]);
    let (mut made, heard) = until_heard(here, me, &mut lines).await;
    // What was posted before it listened is not shown; from then on nothing is left out.
    let mut shown = vec![heard];
    for text in ["2 B", "2 C"] {
        made.push(post(here, CHAT, text, me).await);
        while shown.last() != made.last() {
            shown.push(lines.next().await);
        }
    }
    assert!(made.ends_with(&shown), "{made:?} {shown:?}");
    assert_eq!(lines.interrupt().await, Some(0));
}

/// Posts until the listener shows something; what was posted, and what it shows.
async fn until_heard(here: &Node, me: &Author, lines: &mut Stream) -> (Vec<String>, String) {
    let mut made = Vec::new();
    for count in 1..20 {
        made.push(post(here, CHAT, &format!("2 A{count}"), me).await);
        if let Ok(line) = timeout(Duration::from_secs(2), lines.next()).await {
            return (made, line);
        }
    }
    panic!("the listener shows nothing");
}

/// `like` and `reps`.
async fn like(here: &Node, there: &Node, me: &Author) {
    let newcomer = Author::new(9);
    let id = post_held(there, "Boa tarde!", &newcomer).await;
    until("the neighbour sees what is held", || async { held(here).await == [id.clone()] }).await;
    let reps = |of: &str| {
        let of = of.to_owned();
        async move { here.ok(&["chain", CHAT, "reps", &of]).await.parse::<i64>().unwrap() }
    };
    let before = reps(&me.public).await;
    assert_eq!(reps(&id).await, 0);
    vote(here, "like", &id, me).await;
    assert_eq!(reps(&id).await, 1);
    // The like gives one, the post costs one while it is young.
    assert_eq!(reps(&newcomer.public).await, 0);
    assert_eq!(reps(&me.public).await, before - 1);
}

#[tokio::test]
async fn a_private_group_as_in_the_paper() {
    let here = Home::new("Here").await.start().await;
    let there = Home::new("There").await.start().await;
    let key = here.ok(&["crypto", "shared", "our phrase"]).await;
    assert_eq!(there.ok(&["crypto", "shared", "our phrase"]).await, key);
    let genesis = here.ok(&["chains", "join", "$family", &key]).await;
    assert_eq!(there.ok(&["chains", "join", "$family", &key]).await, genesis);
    let id = here.ok(&["chain", "$family", "post", "inline", "dinner at eight"]).await;
    assert!(is_id(&id, 1), "{id}");
    sync(&here, "send", "$family", &there, 1).await;
    let read = there.ok(&["chain", "$family", "get", "payload", &id]).await;
    assert_eq!(read, "dinner at eight");
    let block = there.json(&["chain", "$family", "get", "block", &id]).await;
    assert_eq!((&block["sealed"], &block["author"]), (&true.into(), &serde_json::Value::Null));
    // A group is not shown to others.
    assert_eq!(there.ok(&["peer", &here.tcp(), "chains"]).await, "");
}

#[tokio::test]
async fn an_identity_as_in_the_paper() {
    let here = Home::new("Here").await.start().await;
    let there = Home::new("There").await.start().await;
    let (me, other) = (Author::new(1), Author::new(2));
    let mine = format!("@{}", me.public);
    let genesis = here.ok(&["chains", "join", &mine]).await;
    assert_eq!(there.ok(&["chains", "join", &mine]).await, genesis);
    link(&here, &there).await;
    let id = post(&here, &mine, "Bom dia!", &me).await;
    let read = ["chain", &mine, "traverse", "all", &genesis];
    until("the post has come", || async { there.ok(&read).await == id }).await;
    assert_eq!(there.ok(&["chain", &mine, "get", "payload", &id]).await, "Bom dia!");
    // Others answer under the rules of a forum.
    let answer = ["chain", &mine, "post", "inline", "Hello", &other.sign()];
    let outcome = there.run(&answer).await;
    assert!(outcome.code == Some(0) && outcome.err.contains("waits for a like"), "{outcome:?}");
}
