//! What makes a chain a forum and not a log: who says what and answers whom, what each reader has
//! read, looks for and does not want to see, and what one node deletes.

use std::time::Duration;

use covey_tests::process::{Node, Stream, until};
use tokio::time::timeout;

use super::acts::{Author, CHAT, agree, followers, held, link, order, payload, post, sync, words};

/// A second forum.
const NEWS: &str = "#news";

/// How one node shows its forum.
const SHOW: &[&str] = &["show"];
const UNREAD: &[&str] = &["show", "--unread"];

/// Ann and Bob in a forum, each at a node of their own, with what they have said.
struct Talk {
    here: Node,
    there: Node,
    ann: Author,
    bob: Author,
    /// Ann's post, her profile, Bob's answer to the post, and Ann's like of that, in order.
    said: [String; 4],
}

impl Talk {
    async fn new() -> Self {
        let [here, there] = followers(["Here", "There"]).await;
        let (ann, bob) = (Author::new(1), Author::new(2));
        let sign = ann.sign();
        let first = ["chain", CHAT, "post", "inline", "Bom dia!", "--title", "Hello", &sign];
        let first = here.ok(&first).await;
        let profile = ["chain", CHAT, "profile", "Ann", "--about", "from Rio", &sign];
        let profile = here.ok(&profile).await;
        // They meet with something to exchange: that does not wait for gossip to get going.
        link(&here, &there).await;
        agree(&[&here, &there], &[first.clone(), profile.clone()]).await;
        let answer = answer(&there, &first, &bob).await;
        until("Ann sees the answer", || async { held(&here).await == [answer.clone()] }).await;
        let like = ["chain", CHAT, "like", &answer, "--why", "well said", &sign];
        let like = here.ok(&like).await;
        let said = [first, profile, answer, like];
        agree(&[&here, &there], &said).await;
        until("both show the same", || async {
            shown(&there, SHOW).await == shown(&here, SHOW).await
        })
        .await;
        Self { here, there, ann, bob, said }
    }
}

/// Somebody without reps answers: that waits for a like.
async fn answer(node: &Node, to: &str, by: &Author) -> String {
    let (text, sign) = ("Bom dia, Ann!", by.sign());
    let answer = ["chain", CHAT, "post", "inline", text, "--title", "Re: Hello", "--reply", to];
    let outcome = node.run(&[&answer[..], &[sign.as_str()]].concat()).await;
    assert!(outcome.code == Some(0) && outcome.err.contains("waits for a like"), "{outcome:?}");
    outcome.out.trim_end().to_owned()
}

/// What is printed of each block: the lines below the first without their margin, that without the
/// time.
async fn shown(node: &Node, what: &[&str]) -> Vec<String> {
    let printed = node.ok(&[&["chain", CHAT], what].concat()).await;
    let mut posts: Vec<String> = Vec::new();
    for line in printed.lines() {
        match (line.strip_prefix("    "), posts.last_mut()) {
            (Some(more), Some(post)) => post.extend(["\n", more]),
            _ => posts.push(line.split_once("  ").expect("a time").1.to_owned()),
        }
    }
    posts
}

/// The ids of the blocks that are printed.
async fn ids(node: &Node, what: &[&str]) -> Vec<String> {
    let posts = shown(node, what).await;
    posts.iter().filter_map(|post| words(post.lines().next()?).pop()).collect()
}

/// How somebody is shown who has no name.
fn short(author: &Author) -> &str {
    author.public.get(..8).unwrap()
}

#[tokio::test]
async fn a_forum_is_shown_with_names_titles_answers_and_votes() {
    let Talk { here, there, ann, bob, said: [first, profile, answer, like] } = Talk::new().await;
    let (ann, bob) = (format!("Ann ({})", short(&ann)), short(&bob));
    let wanted = [
        format!("{ann}  {first}\n* Hello\nBom dia!"),
        format!("{ann}  {profile}\nwants to be called:\n* Ann\nfrom Rio"),
        format!("{bob}  {answer}\nanswers {first}\n* Re: Hello\nBom dia, Ann!\n1 like, 0 dislikes"),
        format!("{ann}  {like}\nlikes {answer}\nwell said"),
    ];
    for node in [&here, &there] {
        assert_eq!(shown(node, SHOW).await, wanted);
        assert_eq!(shown(node, &["show", "--from", "3"]).await, wanted[2..]);
    }
}

#[tokio::test]
async fn what_came_since_the_forum_was_read_is_unread() {
    let Talk { here, there, ann, said, .. } = Talk::new().await;
    assert_eq!(ids(&there, UNREAD).await, said);
    assert_eq!(there.ok(&["chain", CHAT, "read"]).await, "");
    assert_eq!(ids(&there, UNREAD).await, Vec::<String>::new());
    assert_eq!(ids(&there, SHOW).await, said);
    // Each node has its own reader.
    assert_eq!(ids(&here, UNREAD).await, said);

    let away = there.stop().await;
    let id = post(&here, CHAT, "Boa tarde!", &ann).await;
    let there = away.start().await;
    assert_eq!(ids(&there, UNREAD).await, Vec::<String>::new());
    link(&there, &here).await;
    let wanted = [format!("Ann ({})  {id}\nBoa tarde!", short(&ann))];
    until("the new post is shown", || async { shown(&there, UNREAD).await == wanted }).await;
}

#[tokio::test]
async fn a_search_finds_what_is_said_in_whatever_case() {
    let Talk { there, said: [first, profile, answer, like], .. } = Talk::new().await;
    for (text, wanted) in [
        ("BOM DIA", vec![&first, &answer]),
        ("bom dia,", vec![&answer]),
        ("hello", vec![&first, &answer]),
        ("re: h", vec![&answer]),
        ("ANN", vec![&profile, &answer]),
        ("rio", vec![&profile]),
        ("Well Said", vec![&like]),
        ("boa noite", vec![]),
    ] {
        assert_eq!(ids(&there, &["search", text]).await.iter().collect::<Vec<_>>(), wanted);
    }
}

#[tokio::test]
async fn who_is_muted_is_hidden_at_that_node_alone() {
    let Talk { here, there, ann, said, .. } = Talk::new().await;
    let answer = [said[2].clone()];
    let muted = ["chain", CHAT, "mute"];
    assert_eq!(there.ok(&muted).await, "");
    assert_eq!(there.ok(&["chain", CHAT, "mute", &ann.public]).await, "");
    assert_eq!(there.ok(&muted).await, ann.public);
    assert_eq!(here.ok(&muted).await, "");

    let id = post(&here, CHAT, "hello again", &ann).await;
    let all = [&said[..], &[id]].concat();
    agree(&[&here, &there], &all).await;
    for what in [SHOW, UNREAD, &["search", "hello"]] {
        assert_eq!(ids(&there, what).await, answer);
    }
    assert_eq!(ids(&here, SHOW).await, all);

    assert_eq!(there.ok(&["chain", CHAT, "unmute", &ann.public]).await, "");
    assert_eq!(there.ok(&muted).await, "");
    assert_eq!(ids(&there, SHOW).await, all);
}

#[tokio::test]
async fn who_listens_to_all_chains_sees_in_which_a_block_came() {
    let [here, there] = followers(["Here", "There"]).await;
    for node in [&here, &there] {
        node.ok(&["chains", "join", NEWS]).await;
    }
    link(&here, &there).await;
    let ann = Author::new(1);
    let mut lines = there.stream(&["chains", "listen"]);
    let (mut made, heard) = until_heard(&here, &ann, &mut lines).await;
    // What was posted before it listened is not shown; from then on nothing is left out.
    let mut heard = vec![heard];
    for chain in [NEWS, CHAT] {
        made.push(to_be_heard(&here, chain, "news", &ann).await);
        while heard.last() != made.last() {
            heard.push(lines.next().await);
        }
    }
    assert!(made.ends_with(&heard), "{made:?} {heard:?}");
    assert_eq!(lines.interrupt().await, Some(0));
}

/// Posts; the line that a listener prints of it.
async fn to_be_heard(node: &Node, chain: &str, text: &str, by: &Author) -> String {
    format!("{chain} {}", post(node, chain, text, by).await)
}

/// Posts until the listener prints something; the lines of what was posted, and what it prints.
async fn until_heard(here: &Node, ann: &Author, lines: &mut Stream) -> (Vec<String>, String) {
    let mut made = Vec::new();
    for count in 1..20 {
        made.push(to_be_heard(here, CHAT, &format!("post {count}"), ann).await);
        if let Ok(line) = timeout(Duration::from_secs(2), lines.next()).await {
            return (made, line);
        }
    }
    panic!("the listener prints nothing");
}

#[tokio::test]
async fn what_has_two_names_prints_the_same_by_both() {
    let [node] = followers(["Ann"]).await;
    let ann = Author::new(1);
    for text in ["first", "second"] {
        post(&node, CHAT, text, &ann).await;
    }
    assert_eq!(order(&node).await.len(), 3);
    let pairs: [[&[&str]; 2]; 2] = [
        [&["chain", CHAT, "consensus"], &["chain", CHAT, "order"]],
        [&["keys", "pubpvt", "senha"], &["crypto", "pubpvt", "senha"]],
    ];
    for [one, other] in pairs {
        assert_eq!(node.ok(one).await, node.ok(other).await);
        assert_eq!(node.json(one).await, node.json(other).await);
    }
}

/// The purging node, the one that it has everything from, and what that one has posted.
async fn purging() -> ([Node; 2], [String; 4]) {
    let [purger, keeper] = followers(["Purger", "Keeper"]).await;
    let ann = Author::new(1);
    let mut made = Vec::new();
    for text in ["first", "one of these", "two of these", "two of these"] {
        made.push(post(&keeper, CHAT, text, &ann).await);
    }
    link(&purger, &keeper).await;
    agree(&[&purger, &keeper], &made).await;
    for id in &made {
        arrives(&purger, id).await;
    }
    ([purger, keeper], made.try_into().unwrap_or_else(|_| unreachable!("one for each text")))
}

async fn arrives(node: &Node, id: &str) {
    let what = format!("{} has the payload of {id}", node.data().display());
    until(&what, || async { payload(node, id).await.code == Some(0) }).await;
}

/// The block is in the order, and says what it carried; that is gone.
async fn is_purged(node: &Node, id: &str) {
    let refused = payload(node, id).await.failed(1);
    assert!(refused.starts_with("covey: the payload was purged from this node"), "{refused}");
    assert!(order(node).await.iter().any(|placed| placed == id), "{id}");
    let posts = shown(node, SHOW).await;
    assert!(posts.iter().any(|post| post.ends_with(&format!("{id}\n(purged)"))), "{posts:?}");
}

#[tokio::test]
async fn what_is_purged_is_gone_there_and_goes_no_further_from_there() {
    let ([purger, keeper], made) = purging().await;
    let [first, by_id, by_hash, same] = &made;
    let block = purger.json(&["chain", CHAT, "get", "block", by_hash]).await;
    let hash = block["payload"].as_str().expect("a hash");
    // A hash stands for a payload wherever it is: two posts say the same.
    for (what, deleted) in [(by_id.as_str(), "1 payload deleted"), (hash, "2 payloads deleted")] {
        assert_eq!(purger.ok(&["purge", what]).await, deleted);
        assert_eq!(purger.ok(&["purge", what]).await, "0 payloads deleted");
    }
    let gone = [by_id, by_hash, same];
    for id in gone {
        is_purged(&purger, id).await;
    }

    let [beyond, beside] = followers(["Beyond", "Beside"]).await;
    link(&beyond, &purger).await;
    link(&beside, &keeper).await;
    agree(&[&purger, &keeper, &beyond, &beside], &made).await;
    arrives(&beyond, first).await;
    for id in gone {
        arrives(&beside, id).await;
    }
    // What the purging node would give or take is asked for once more.
    sync(&beyond, "recv", CHAT, &purger, 0).await;
    sync(&purger, "recv", CHAT, &keeper, 0).await;
    for id in gone {
        let lacking = payload(&beyond, id).await.failed(1);
        assert!(lacking.starts_with("covey: the payload has not arrived yet"), "{lacking}");
    }
    assert_eq!(beyond.json(&["chain", CHAT, "status"]).await["missing"], gone.len());
    let purger = purger.stop().await.start().await;
    for id in gone {
        is_purged(&purger, id).await;
    }
}
