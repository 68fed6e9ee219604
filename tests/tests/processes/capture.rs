//! A tapped wire, and the nodes' logs, searched for what was said.

use covey::api::types::Peers;
use covey_kernel::{Bounded, Bytes};
use covey_messaging::ContactCode;
use covey_tests::process::{
    Capture, Home, Node, TcpProxy, UdpProxy, contact, invites, send, text_arrives, until,
    until_some,
};
use libp2p::Multiaddr;
use serde_json::json;
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpStream, UdpSocket},
};

const CANARY: &str = "the-heron-stands-in-the-reeds-4711";
const CONTROL: &[u8] = b"said-in-the-clear-0815";

/// Two nodes of which one knows the other only through the tapped wire, and is not reachable
/// itself. Logs tell everything they can.
async fn nodes(listen: impl Fn(u16) -> String) -> (Node, Home) {
    let mut ann = Home::new("Ann").await;
    ann.listen(&[listen(ann.port())]);
    ann.set("COVEY_LOG_FILTER", "trace");
    let mut bob = Home::new("Bob").await;
    bob.listen(&[]);
    bob.set("COVEY_LOG_FILTER", "trace");
    (ann.start().await, bob)
}

/// Exchanges canaries over the tapped wire, and looks that it was the only one.
async fn converse(ann: Node, bob: Home, wire: &str, capture: &Capture) {
    let bob = bob.start().await;
    let code: ContactCode = ann.ok(&["msg", "code"]).await.parse().unwrap();
    let address: Multiaddr = wire.parse().unwrap();
    let addresses = Bounded::first([Bytes::new(address.to_vec()).unwrap()]);
    let code = ContactCode { addresses, ..code };
    let invite = format!("invited: {CANARY}");
    let _ = bob.ok(&["msg", "invite", &code.to_string(), "--as", "ann", "--text", &invite]).await;
    until_some("the invite arrives", || async {
        invites(&ann).await.into_iter().find(|found| found.text == invite)
    })
    .await;
    let _ = ann.ok(&["msg", "accept", "bob"]).await;
    until("both are contacts", || async {
        contact(&bob, "ann").await.is_some_and(|ann| ann.online && ann.waiting == 0)
            && send_works(&bob).await
    })
    .await;
    let before = capture.bytes();
    for round in 0..20 {
        send(&ann, "bob", &format!("{round} {CANARY}")).await;
        send(&bob, "ann", &format!("{round} {CANARY}")).await;
    }
    text_arrives(&bob, "ann", &format!("19 {CANARY}")).await;
    text_arrives(&ann, "bob", &format!("19 {CANARY}")).await;
    let peers: Peers = bob.call("net_peers", json!({})).await;
    let addresses: Vec<&String> = peers.peers.iter().flat_map(|peer| &peer.addresses).collect();
    assert!(
        !addresses.is_empty() && addresses.iter().all(|address| address.starts_with(wire)),
        "something goes past the tap: {peers:?}"
    );
    let seen = capture.bytes() - before;
    assert!(seen > 40 * CANARY.len(), "the tap saw only {seen} bytes, {peers:?}");
    for form in forms(CANARY.as_bytes()) {
        assert!(!capture.has(&form), "the canary is on the wire");
        for node in [&ann, &bob] {
            let log = node.log();
            assert!(log.contains("TRACE"), "the log tells everything");
            assert!(!has(log.as_bytes(), &form), "the canary is in a log");
        }
    }
}

async fn send_works(bob: &Node) -> bool {
    bob.run(&["msg", "send", "ann", "are we there yet"]).await.code == Some(0)
}

/// The same bytes as they are, in hexadecimal and as a list of numbers.
fn forms(bytes: &[u8]) -> [Vec<u8>; 3] {
    let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
    [bytes.to_vec(), hexadecimal.into_bytes(), list.join(", ").into_bytes()]
}

fn has(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test]
async fn tcp_shows_nothing_of_what_is_said() {
    let (ann, bob) = nodes(|port| format!("/ip4/127.0.0.1/tcp/{port}")).await;
    let proxy = TcpProxy::to(ann.home().port()).await;
    let wire = format!("/ip4/127.0.0.1/tcp/{}", proxy.port);
    let mut clear = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
    clear.write_all(CONTROL).await.unwrap();
    converse(ann, bob, &wire, &proxy.capture).await;
    // The same search finds what is in the clear: the words before Noise, and our own.
    assert!(proxy.capture.has(b"/multistream/1.0.0") && proxy.capture.has(b"/noise"));
    assert!(proxy.capture.has(CONTROL));
}

#[tokio::test]
async fn quic_shows_nothing_of_what_is_said() {
    let (ann, bob) = nodes(|port| format!("/ip4/127.0.0.1/udp/{port}/quic-v1")).await;
    let proxy = UdpProxy::to(ann.home().port()).await;
    let wire = format!("/ip4/127.0.0.1/udp/{}/quic-v1", proxy.port);
    let clear = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    clear.send_to(CONTROL, ("127.0.0.1", proxy.port)).await.unwrap();
    let capture = proxy.capture.clone();
    until("our own datagram was seen", || async { capture.has(CONTROL) }).await;
    converse(ann, bob, &wire, &proxy.capture).await;
}
