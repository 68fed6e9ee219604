//! What people do with chains by the command line.

use covey_kernel::Keypair;
use covey_tests::process::{Home, Node, Outcome, until};

/// The forum of most tests.
pub(super) const CHAT: &str = "#chat";

/// Somebody who writes, with their keys as `crypto pubpvt` prints them.
pub(super) struct Author {
    pub(super) public: String,
    pub(super) private: String,
}

impl Author {
    pub(super) fn new(number: u8) -> Self {
        let public = Keypair::from_secret(&[number; 32]).public();
        let private = format!("{number:02X}").repeat(32);
        Self { public: public.to_string().to_uppercase(), private }
    }

    /// What a command says about who signs.
    pub(super) fn sign(&self) -> String {
        format!("--sign={}", self.private)
    }
}

/// Nodes that follow the forum and have no neighbours.
pub(super) async fn followers<const COUNT: usize>(names: [&str; COUNT]) -> [Node; COUNT] {
    let mut nodes = Vec::new();
    for name in names {
        let node = Home::new(name).await.start().await;
        node.ok(&["chains", "join", CHAT]).await;
        nodes.push(node);
    }
    nodes.try_into().unwrap_or_else(|_| unreachable!("one for each name"))
}

/// Connects two nodes.
pub(super) async fn link(a: &Node, b: &Node) {
    let dialed = a.ok(&["net", "dial", &b.tcp()]).await;
    assert_eq!(dialed, format!("connected with {}", b.announced().peer_id));
}

/// `peer ADDRESS send` or `recv`: it prints how many blocks were taken of how many, at most so many. What came by
/// itself when the two met is not offered again; that is said beside it, where a script does not read it.
pub(super) async fn sync(node: &Node, way: &str, chain: &str, with: &Node, most: u64) {
    let outcome = node.run(&["peer", &with.tcp(), way, chain]).await;
    let numbers = outcome.out.trim_end().split_once(" / ");
    let numbers = numbers.map(|(accepted, offered)| (accepted.parse(), offered.parse()));
    let Some((Ok(accepted), Ok(offered))) = numbers else { panic!("{outcome:?}") };
    let (accepted, offered): (u64, u64) = (accepted, offered);
    assert!(outcome.code == Some(0) && accepted <= offered && offered <= most, "{outcome:?}");
    assert_eq!(outcome.err.starts_with("covey: nothing "), accepted == 0, "{outcome:?}");
}

/// Posts where the author has reps; the block's id.
pub(super) async fn post(node: &Node, chain: &str, text: &str, by: &Author) -> String {
    node.ok(&["chain", chain, "post", "inline", text, &by.sign()]).await
}

/// Posts where the author has none: it waits, and that is said beside the id.
pub(super) async fn post_held(node: &Node, text: &str, by: &Author) -> String {
    let outcome = node.run(&["chain", CHAT, "post", "inline", text, &by.sign()]).await;
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.err.contains("the post waits for a like"), "{outcome:?}");
    outcome.out.trim_end().to_owned()
}

/// Likes or dislikes; the vote's id.
pub(super) async fn vote(node: &Node, what: &str, id: &str, by: &Author) -> String {
    node.ok(&["chain", CHAT, what, id, &by.sign()]).await
}

pub(super) async fn order(node: &Node) -> Vec<String> {
    words(&node.ok(&["chain", CHAT, "order"]).await)
}

pub(super) async fn held(node: &Node) -> Vec<String> {
    words(&node.ok(&["chain", CHAT, "heads", "held"]).await)
}

pub(super) async fn payload(node: &Node, id: &str) -> Outcome {
    payload_of(node, CHAT, id).await
}

pub(super) async fn payload_of(node: &Node, chain: &str, id: &str) -> Outcome {
    node.run(&["chain", chain, "get", "payload", id]).await
}

pub(super) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// Waits until all show one order, with these blocks in it and nothing else but the genesis.
pub(super) async fn agree(nodes: &[&Node], blocks: &[String]) {
    let mut wanted = blocks.to_vec();
    wanted.sort();
    for node in nodes {
        let what = format!("{} has all {} blocks", node.home().data().display(), wanted.len());
        until(&what, || async {
            let mut shown = order(node).await;
            shown.retain(|id| !id.starts_with("0_"));
            shown.sort();
            shown == wanted
        })
        .await;
    }
    let first = order(nodes[0]).await;
    for node in nodes {
        assert_eq!(order(node).await, first);
    }
}
