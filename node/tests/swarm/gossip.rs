//! What nodes say to many.

use std::time::Duration;

use covey::swarm::{Command, Config, Line, News};
use covey_kernel::{
    GossipId, GossipVerdict, Hash, Peer, Topic,
    limits::{GOSSIP_BYTES, TOPICS},
};

use crate::node::{Node, QUIC, TCP, quiet, soon, start, start_both, start_with, until};

const CHAINS: Line = Line::Chains;

/// How long a test waits for what must not happen: gossip on loopback takes milliseconds.
const SILENCE: Duration = Duration::from_millis(1500);

fn topic(name: &str) -> Topic {
    Topic(Hash::of(name.as_bytes()))
}

impl Node {
    async fn join(&self, topic: Topic) {
        self.handle.send(Command::Join { line: CHAINS, topic }).await.unwrap();
    }

    async fn leave(&self, topic: Topic) {
        self.handle.send(Command::Leave { line: CHAINS, topic }).await.unwrap();
    }

    async fn publish(&self, topic: Topic, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.handle.send(Command::Publish { line: CHAINS, topic, bytes }).await.unwrap();
    }

    async fn judge(&self, gossip: GossipId, verdict: GossipVerdict) {
        self.handle.send(Command::Judge { line: CHAINS, gossip, verdict }).await.unwrap();
    }

    /// The next gossip that chains hears.
    async fn hear(&mut self) -> (Peer, Topic, GossipId, Vec<u8>) {
        loop {
            if let News::Gossip { from, topic, id, bytes } = soon(self.chains.recv()).await.unwrap()
            {
                return (from, topic, id, bytes);
            }
        }
    }

    async fn hears_nothing(&mut self) {
        let heard = tokio::time::timeout(SILENCE, self.hear()).await;
        assert!(heard.is_err(), "{heard:?}");
    }

    /// Stays connected with another.
    async fn link(&self, other: &Node) {
        self.seek(other.peer, Some(other.address().await)).await;
        until(|| async {
            let peers = self.handle.peers().await.unwrap();
            peers.iter().any(|info| info.peer == other.peer && info.admitted)
        })
        .await;
    }
}

/// Says a word, again and again with another number, until it is heard: that a peer has joined
/// takes a moment to be known.
async fn meet(speaker: &Node, listener: &mut Node, on: Topic) {
    for n in 0..100 {
        speaker.publish(on, format!("hello {n}").as_bytes()).await;
        let heard = tokio::time::timeout(Duration::from_millis(100), listener.hear()).await;
        if let Ok((from, _, id, _)) = heard {
            assert_eq!(from, speaker.peer);
            listener.judge(id, GossipVerdict::Ignore).await;
            // Whatever else is on its way.
            while let Ok((_, _, id, _)) =
                tokio::time::timeout(Duration::from_millis(200), listener.hear()).await
            {
                listener.judge(id, GossipVerdict::Ignore).await;
            }
            return;
        }
    }
    panic!("they did not meet");
}

/// Three nodes in a row, of which the first two have met on the topic, and the last two as well.
/// The ends do not hear of each other: none is a server of Kademlia.
async fn row(on: Topic, transport: &str) -> (Node, Node, Node) {
    let mut nodes =
        [1, 2, 3].map(|seed| start_both(seed, Config { kad_server: false, ..quiet(&[transport]) }));
    for node in &nodes {
        node.join(on).await;
    }
    let [a, b, c] = &mut nodes;
    a.link(b).await;
    b.link(c).await;
    meet(a, b, on).await;
    meet(b, c, on).await;
    let [a, b, c] = nodes;
    (a, b, c)
}

#[tokio::test]
async fn gossip_goes_on_only_when_it_was_accepted() {
    let on = topic("news");
    let (a, mut b, mut c) = row(on, TCP).await;
    a.publish(on, b"first").await;
    let (from, heard_on, id, bytes) = b.hear().await;
    assert_eq!((from, heard_on, bytes), (a.peer, on, b"first".to_vec()));
    c.hears_nothing().await;
    b.judge(id, GossipVerdict::Accept).await;
    let (from, heard_on, id, bytes) = c.hear().await;
    assert_eq!((from, heard_on, bytes), (b.peer, on, b"first".to_vec()));
    c.judge(id, GossipVerdict::Accept).await;
    for verdict in [GossipVerdict::Ignore, GossipVerdict::Reject] {
        a.publish(on, format!("{verdict:?}").as_bytes()).await;
        let (_, _, id, _) = b.hear().await;
        b.judge(id, verdict).await;
        // Another verdict on the same is of no effect.
        b.judge(id, GossipVerdict::Accept).await;
        c.hears_nothing().await;
    }
}

#[tokio::test]
async fn the_same_bytes_are_one_message_whoever_says_them() {
    let on = topic("news");
    let (a, mut b, mut c) = row(on, QUIC).await;
    a.publish(on, b"twice").await;
    let (_, _, id, _) = b.hear().await;
    b.judge(id, GossipVerdict::Accept).await;
    let (_, _, id, _) = c.hear().await;
    c.judge(id, GossipVerdict::Accept).await;
    a.publish(on, b"twice").await;
    c.publish(on, b"twice").await;
    b.hears_nothing().await;
    // On another topic they are another message.
    let other = topic("other");
    a.join(other).await;
    b.join(other).await;
    meet(&a, &mut b, other).await;
    a.publish(other, b"twice").await;
    assert_eq!(b.hear().await.3, b"twice");
}

#[tokio::test]
async fn a_machine_that_has_not_joined_or_has_left_hears_nothing() {
    let (on, both) = (topic("news"), topic("both"));
    let (a, mut b) = (start_both(1, quiet(&[TCP])), start_both(2, quiet(&[TCP])));
    a.link(&b).await;
    for node in [&a, &b] {
        node.join(both).await;
    }
    a.join(on).await;
    meet(&a, &mut b, both).await;
    a.publish(on, b"unheard").await;
    // The other machine's topic of the same bytes is another one.
    let line = Line::Messaging;
    b.handle.send(Command::Join { line, topic: on }).await.unwrap();
    a.publish(on, b"unheard too").await;
    b.hears_nothing().await;
    assert!(!matches!(b.inputs.try_recv(), Ok(News::Gossip { .. })));
    b.leave(both).await;
    a.publish(both, b"left").await;
    b.hears_nothing().await;
    b.join(both).await;
    meet(&a, &mut b, both).await;
}

#[tokio::test]
async fn the_largest_message_arrives_and_a_larger_one_does_not() {
    let on = topic("news");
    let (a, mut b, _c) = row(on, TCP).await;
    a.publish(on, &vec![7; GOSSIP_BYTES + 1]).await;
    // Several in a row, so that frames lie close in the reader's buffer.
    for n in 0..8 {
        a.publish(on, &vec![n; GOSSIP_BYTES]).await;
    }
    for n in 0..8 {
        let (_, _, id, bytes) = b.hear().await;
        assert!(bytes == vec![n; GOSSIP_BYTES]);
        b.judge(id, GossipVerdict::Ignore).await;
    }
    b.hears_nothing().await;
}

#[tokio::test]
async fn all_topics_of_a_node_are_known_when_it_connects() {
    let (a, mut b) = (start_both(1, quiet(&[TCP])), start_both(2, quiet(&[TCP])));
    for n in 0..=TOPICS {
        for node in [&a, &b] {
            node.join(topic(&n.to_string())).await;
        }
    }
    a.link(&b).await;
    for n in [0, TOPICS / 2, TOPICS - 1] {
        meet(&a, &mut b, topic(&n.to_string())).await;
    }
    a.publish(topic(&TOPICS.to_string()), b"one too many").await;
    b.hears_nothing().await;
}

#[tokio::test]
async fn whoever_passes_on_what_is_invalid_is_no_longer_heard() {
    let on = topic("news");
    let (a, mut b, c) = row(on, TCP).await;
    let mut heard = 0;
    for n in 0..60 {
        a.publish(on, format!("nonsense {n}").as_bytes()).await;
        match tokio::time::timeout(Duration::from_millis(500), b.hear()).await {
            Ok((_, _, id, _)) => b.judge(id, GossipVerdict::Reject).await,
            Err(_) => break,
        }
        heard += 1;
    }
    assert_eq!(heard, 21, "and the next is not read");
    a.publish(on, b"sense").await;
    b.hears_nothing().await;
    // A new connection forgives nothing.
    a.handle.send(Command::Disconnect(b.peer)).await.unwrap();
    until(|| async { b.handle.peers().await.unwrap().len() == 1 }).await;
    a.link(&b).await;
    a.publish(on, b"sense again").await;
    b.hears_nothing().await;
    c.publish(on, b"from somebody else").await;
    assert_eq!(b.hear().await.0, c.peer);
}

#[tokio::test]
async fn a_full_machine_ignores_gossip_and_nobody_is_to_blame() {
    let on = topic("news");
    let a = start_both(1, quiet(&[TCP]));
    let mut b = start_with(2, "test", quiet(&[TCP]), 8, &[Line::Messaging, CHAINS]).unwrap();
    a.join(on).await;
    b.join(on).await;
    a.link(&b).await;
    meet(&a, &mut b, on).await;
    // Its machine, which is this test, has room for eight.
    for n in 0..100u8 {
        a.publish(on, &[n]).await;
    }
    // What is not taken leaves no trace to wait for.
    tokio::time::sleep(SILENCE).await;
    let mut heard = 0;
    while let Ok(News::Gossip { id, .. }) = b.chains.try_recv() {
        b.judge(id, GossipVerdict::Ignore).await;
        heard += 1;
    }
    assert_eq!(heard, 8);
    b.hears_nothing().await;
    a.publish(on, b"and then").await;
    assert_eq!(b.hear().await.3, b"and then");
}

#[tokio::test]
async fn connections_of_a_mesh_are_kept() {
    let on = topic("news");
    let config = || Config { idle: Duration::from_secs(1), kad_server: false, ..quiet(&[TCP]) };
    let (mut a, b) = (start_both(1, config()), start_both(2, config()));
    a.join(on).await;
    b.join(on).await;
    assert_eq!(a.handle.dial(b.address().await).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    // Longer than connections that nobody needs are kept.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(a.handle.peers().await.unwrap().len(), 1);
    a.leave(on).await;
    b.leave(on).await;
    a.disconnected(b.peer).await;
}

#[tokio::test]
async fn a_node_without_the_machine_takes_no_topics_of_it() {
    let on = topic("news");
    let (mut a, b) = (start_both(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    a.join(on).await;
    a.link(&b).await;
    a.connected(b.peer).await;
    a.publish(on, b"to nobody").await;
    // They still have messaging to talk about.
    a.ask(b.peer, 1, vec![1]).await;
    let mut b = b;
    b.connected(a.peer).await;
    b.echo().await;
    assert_eq!(a.answer().await, (1, Ok(vec![1])));
}
