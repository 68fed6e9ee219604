//! Several machines on one swarm.

use covey::swarm::{Command, Line, News};
use covey_kernel::{AskFailure, AskId, Peer};

use crate::node::{Node, TCP, quiet, soon, start, start_both, until};

async fn ask(node: &Node, line: Line, to: Peer, ask: u64, bytes: Vec<u8>) {
    node.handle.send(Command::Ask { line, to, ask: AskId(ask), bytes }).await.unwrap();
}

impl Node {
    async fn hear_chains(&mut self) -> News {
        soon(self.chains.recv()).await.unwrap()
    }
}

async fn connected_pair(mut a: Node, mut b: Node) -> (Node, Node) {
    assert_eq!(a.handle.dial(b.address().await).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    (a, b)
}

#[tokio::test]
async fn each_machine_hears_its_own_and_all_hear_of_connections() {
    let (a, b) = (start_both(1, quiet(&[TCP])), start_both(2, quiet(&[TCP])));
    let (mut a, mut b) = connected_pair(a, b).await;
    assert_eq!(a.hear_chains().await, News::Connected(b.peer));
    assert_eq!(b.hear_chains().await, News::Connected(a.peer));
    // Both machines use the same ids, and each shell counts its requests from the same number.
    ask(&a, Line::Messaging, b.peer, 7, b"private".to_vec()).await;
    ask(&a, Line::Chains, b.peer, 7, b"public".to_vec()).await;
    let (private, public) = (b.next().await, b.hear_chains().await);
    let News::Request { id, bytes, .. } = private else { panic!("{private:?}") };
    assert_eq!(bytes, b"private");
    let News::Request { id: other, bytes, .. } = public else { panic!("{public:?}") };
    assert_eq!((bytes, other), (b"public".to_vec(), id));
    for (line, bytes) in [(Line::Chains, vec![2]), (Line::Messaging, vec![1])] {
        b.handle.send(Command::Answer { line, to: id, bytes }).await.unwrap();
    }
    assert_eq!(a.answer().await, (7, Ok(vec![1])));
    let answered = News::Answer { from: b.peer, ask: AskId(7), outcome: Ok(vec![2]) };
    assert_eq!(a.hear_chains().await, answered);
    a.handle.send(Command::Disconnect(b.peer)).await.unwrap();
    a.disconnected(b.peer).await;
    assert_eq!(a.hear_chains().await, News::Disconnected(b.peer));
}

#[tokio::test]
async fn a_machine_that_a_peer_does_not_carry_is_unsupported() {
    let (a, b) = (start_both(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    let (mut a, b) = connected_pair(a, b).await;
    assert_eq!(a.hear_chains().await, News::Connected(b.peer));
    ask(&a, Line::Chains, b.peer, 1, vec![1]).await;
    let outcome = Err(AskFailure::Unsupported);
    assert_eq!(a.hear_chains().await, News::Answer { from: b.peer, ask: AskId(1), outcome });
}

#[tokio::test]
async fn what_one_machine_seeks_another_does_not_release() {
    let (a, b) = (start_both(1, quiet(&[TCP])), start_both(2, quiet(&[TCP])));
    let (a, b) = connected_pair(a, b).await;
    let sought = async || a.handle.peers().await.unwrap()[0].sought;
    let (chains, peer) = (Line::Chains, b.peer);
    a.seek(peer, None).await;
    a.handle.send(Command::Seek { line: chains, mark: 0, peer, addresses: vec![] }).await.unwrap();
    until(&sought).await;
    a.handle.send(Command::Release { line: Line::Messaging, mark: 0, peer }).await.unwrap();
    assert!(sought().await);
    a.handle.send(Command::Release { line: chains, mark: 0, peer }).await.unwrap();
    assert!(!sought().await);
}
