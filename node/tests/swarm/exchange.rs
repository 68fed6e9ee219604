use std::time::{Duration, Instant};

use covey::swarm::{Command, DialFailure, Direction, Line, News, SwarmError, limits::STANDS};
use covey_kernel::AskFailure;

use crate::node::{QUIC, TCP, quiet, start, start_as, until};

async fn an_ask_is_answered(transport: &str) {
    let (mut a, mut b) = (start(1, quiet(&[transport])), start(2, quiet(&[transport])));
    assert_eq!(a.handle.dial(b.address().await).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    a.ask(b.peer, 7, b"hello".to_vec()).await;
    b.echo().await;
    assert_eq!(a.answer().await, (7, Ok(b"hello".to_vec())));
    b.ask(a.peer, 8, b"and back".to_vec()).await;
    a.echo().await;
    assert_eq!(b.answer().await, (8, Ok(b"and back".to_vec())));
    let listed = a.handle.peers().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].peer, listed[0].direction), (b.peer, Direction::Outbound));
    assert!(listed[0].admitted && !listed[0].sought);
    assert!(listed[0].agent.as_ref().unwrap().starts_with("covey/"));
    until(|| async { a.handle.peers().await.unwrap()[0].ping.is_some() }).await;
    a.handle.send(Command::Disconnect(b.peer)).await.unwrap();
    a.disconnected(b.peer).await;
    b.disconnected(a.peer).await;
}

#[tokio::test]
async fn an_ask_is_answered_over_tcp() {
    an_ask_is_answered(TCP).await;
}

#[tokio::test]
async fn an_ask_is_answered_over_quic() {
    an_ask_is_answered(QUIC).await;
}

#[tokio::test]
async fn an_ask_connects_by_itself_and_nobody_is_unreachable() {
    let (mut a, mut b) = (start(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    a.ask(b.peer, 1, vec![]).await;
    assert_eq!(a.answer().await, (1, Err(AskFailure::Unreachable)));
    a.seek(b.peer, Some(b.address().await)).await;
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    a.ask(b.peer, 2, vec![2]).await;
    b.echo().await;
    assert_eq!(a.answer().await, (2, Ok(vec![2])));
}

#[tokio::test]
async fn a_full_inbox_means_busy_and_nothing_else_is_lost() {
    let mut a = start(1, quiet(&[TCP]));
    let mut b = start_as(2, "test", quiet(&[TCP]), 1).unwrap();
    assert_eq!(a.handle.dial(b.address().await).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    // The one place in the inbox holds `Connected`.
    until(|| async { b.inputs.len() == 1 }).await;
    a.ask(b.peer, 1, vec![1]).await;
    assert_eq!(a.answer().await, (1, Err(AskFailure::Busy)));
    // Its own asks end, and their outcomes wait.
    b.ask(a.peer, 2, vec![2]).await;
    a.echo().await;
    b.ask(a.peer, 3, vec![3]).await;
    a.echo().await;
    b.connected(a.peer).await;
    let mut found = [b.answer().await, b.answer().await];
    found.sort_by_key(|(ask, _)| *ask);
    assert_eq!(found, [(2, Ok(vec![2])), (3, Ok(vec![3]))]);
}

/// A node that was killed says nothing on its old connection, and comes back with a new one.
#[tokio::test]
async fn a_peer_that_comes_back_takes_the_place_of_its_old_connection() {
    let (mut a, mut before) = (start(1, quiet(&[QUIC])), start(2, quiet(&[QUIC])));
    let address = a.address().await;
    assert_eq!(before.handle.dial(address.clone()).await.unwrap(), Ok(a.peer));
    a.connected(before.peer).await;
    before.connected(a.peer).await;
    a.ask(before.peer, 1, vec![1]).await;
    assert!(matches!(before.next().await, News::Request { .. }), "and is never answered");
    // The same key, on a connection of its own.
    let mut after = start(2, quiet(&[QUIC]));
    assert_eq!(after.handle.dial(address).await.unwrap(), Ok(a.peer));
    let asked = Instant::now();
    assert_eq!(a.answer().await, (1, Err(AskFailure::Closed)));
    assert!(asked.elapsed() < STANDS * 4, "not by its deadline");
    after.connected(a.peer).await;
    assert_eq!(a.handle.peers().await.unwrap()[0].addresses.len(), 1);
    for n in 2..6 {
        a.ask(after.peer, n, vec![1]).await;
        after.echo().await;
        assert_eq!(a.answer().await, (n, Ok(vec![1])));
    }
}

#[tokio::test]
async fn two_that_dial_each_other_at_once_stay_connected() {
    let (mut a, mut b) = (start(1, quiet(&[QUIC])), start(2, quiet(&[QUIC])));
    let (to_a, to_b) = (a.address().await, b.address().await);
    let (ours, theirs) = tokio::join!(a.handle.dial(to_b), b.handle.dial(to_a));
    assert_eq!((ours.unwrap(), theirs.unwrap()), (Ok(b.peer), Ok(a.peer)));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    assert_eq!(a.handle.peers().await.unwrap()[0].addresses.len(), 2, "both dials connected");
    let began = Instant::now();
    for n in 0.. {
        a.ask(b.peer, n, vec![1]).await;
        b.echo().await;
        assert_eq!(a.answer().await, (n, Ok(vec![1])));
        if began.elapsed() > STANDS * 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(a.handle.peers().await.unwrap()[0].addresses.len(), 2);
}

#[tokio::test]
async fn many_asks_all_come_back() {
    let (mut a, mut b) = (start(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    a.seek(b.peer, Some(b.address().await)).await;
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    let to = b.peer;
    let serve = tokio::spawn(async move {
        while let Some(News::Request { id, bytes, .. }) = b.inputs.recv().await {
            b.handle.send(Command::Answer { line: Line::Messaging, to: id, bytes }).await.unwrap();
        }
    });
    for n in 0..3000u64 {
        a.ask(to, n, n.to_be_bytes().to_vec()).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3000 {
        let (n, outcome) = a.answer().await;
        assert_eq!(outcome, Ok(n.to_be_bytes().to_vec()));
        assert!(seen.insert(n));
    }
    serve.abort();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    for transport in [TCP, QUIC] {
        let first = start(1, quiet(&[transport]));
        let mut address = first.address().await;
        address.pop();
        let text = address.to_string();
        let error = start_as(2, "test", quiet(&[&text]), 1).err().unwrap();
        assert!(matches!(&error, SwarmError::InUse { address: named } if *named == address));
        assert!(error.to_string().contains(&text));
        first.handle.shutdown().await;
        let second = start_as(2, "test", quiet(&[&text]), 1).unwrap();
        assert!(second.address().await.to_string().starts_with(&text), "it is free again");
    }
}

#[tokio::test]
async fn what_cannot_be_listened_on_or_dialed_says_why() {
    let error = start_as(1, "test", quiet(&["/ip4/127.0.0.1/sctp/1"]), 1).err().unwrap();
    assert!(matches!(error, SwarmError::NotListenable { .. }), "{error}");
    let a = start(1, quiet(&[TCP]));
    let gone = a.handle.dial("/ip4/127.0.0.1/tcp/1".parse().unwrap()).await.unwrap();
    let Err(DialFailure::Unreachable(why)) = gone else { panic!("{gone:?}") };
    assert!(why.contains("refused"), "{why}");
    let mut own = a.address().await;
    own.pop();
    let itself = a.handle.dial(own).await.unwrap();
    assert!(matches!(itself, Err(DialFailure::Itself { .. })), "{itself:?}");
}

#[tokio::test]
async fn a_swarm_whose_machine_is_gone_still_ends() {
    let mut a = start(1, quiet(&[TCP]));
    let nobody = start(2, quiet(&[TCP])).peer;
    a.inputs.close();
    // Each of these has an outcome that nobody takes, until no more are read.
    let flood = async {
        for n in 0.. {
            a.ask(nobody, n, vec![]).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), flood).await.unwrap_err();
    crate::node::soon(a.handle.shutdown()).await;
}
