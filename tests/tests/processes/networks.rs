//! Nodes of different networks do not serve each other, and say why.

use covey::api::types::Peers;
use covey_tests::process::{Home, Node, until, until_some};
use serde_json::json;

/// The reason that a node shows for having refused another.
async fn reason(node: &Node, other: &Node) -> String {
    let peer = &other.announced().peer_id;
    until_some("the refusal is listed", || async {
        let peers: Peers = node.call("net_peers", json!({})).await;
        peers
            .refused
            .into_iter()
            .find(|refused| refused.peer_id == *peer)
            .map(|refused| refused.why)
    })
    .await
}

#[tokio::test]
async fn nodes_of_different_networks_refuse_each_other_with_a_reason() {
    let ann = Home::on("Ann", "alpha").await.start().await;
    let bob = Home::on("Bob", "beta").await.start().await;
    assert_eq!(
        (ann.announced().network.as_str(), bob.announced().network.as_str()),
        ("alpha", "beta")
    );
    let (alpha, beta) = (ann.status().await.network_id, bob.status().await.network_id);
    let name = |id: &str| id.chars().take(16).collect::<String>();

    for address in [bob.tcp(), bob.quic()] {
        let failed = ann.run(&["net", "dial", &address]).await.failed(1);
        let said = failed.lines().next().unwrap();
        assert!(
            said.starts_with("covey: refused: other network ") && said.contains(&name(&beta)),
            "{failed}"
        );
    }
    let (here, there) = (reason(&ann, &bob).await, reason(&bob, &ann).await);
    assert!(here.starts_with("refused: other network ") && here.contains(&name(&beta)), "{here}");
    assert!(
        there.starts_with("refused: other network ") && there.contains(&name(&alpha)),
        "{there}"
    );
    // The connection stays for a moment, so that the other side learns why.
    until("the connections close", || async {
        bob.ok(&["net", "peers"]).await.starts_with("no peers")
    })
    .await;
    let shown = bob.ok(&["net", "peers"]).await;
    assert_eq!(shown, format!("no peers are connected\n{}  {there}", ann.announced().peer_id));
    let failed = bob.run(&["net", "dial", &ann.tcp()]).await.failed(1);
    assert!(failed.starts_with("covey: refused: other network "), "{failed}");

    let code = ann.ok(&["msg", "code"]).await;
    let failed = bob.run(&["msg", "invite", &code]).await.failed(1);
    assert_eq!(
        failed,
        format!(
            "covey: this contact code is of network {}; this node is on {}\n       \
             use a code of your network, or a node of theirs",
            name(&alpha),
            name(&beta)
        )
    );
    assert_eq!(
        bob.ok(&["msg", "contacts"]).await.lines().next(),
        Some("nobody yet; invite somebody with: covey msg invite CODE")
    );
}
