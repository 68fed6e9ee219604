use covey::swarm::{Command, DialFailure, Refused};
use covey_kernel::{AskFailure, Keypair, NetworkId};

use crate::node::{QUIC, TCP, quiet, start, start_as, until};

#[tokio::test]
async fn another_network_is_refused_and_both_sides_know_why() {
    for transport in [TCP, QUIC] {
        let mut a = start_as(1, "one", quiet(&[transport]), 16).unwrap();
        let mut b = start_as(2, "two", quiet(&[transport]), 16).unwrap();
        let one = Refused::OtherNetwork(NetworkId::named("one").short());
        let two = Refused::OtherNetwork(NetworkId::named("two").short());
        let address = b.address().await;
        let dialed = a.handle.dial(address.clone()).await.unwrap();
        assert_eq!(dialed, Err(DialFailure::Refused(two.clone())));
        until(|| async { !b.handle.refusals().await.unwrap().is_empty() }).await;
        let (at_a, at_b) = (a.handle.refusals().await.unwrap(), b.handle.refusals().await.unwrap());
        assert_eq!((at_a[0].peer, &at_a[0].why), (b.peer, &two));
        assert_eq!((at_b[0].peer, &at_b[0].why), (a.peer, &one));
        assert!(at_b[0].why.to_string().starts_with("refused: other network "));
        until(|| async { a.handle.peers().await.unwrap().is_empty() }).await;
        until(|| async { b.handle.peers().await.unwrap().is_empty() }).await;
        // It is not dialed again for a while, and machines never hear of it.
        assert_eq!(a.handle.dial(address).await.unwrap(), Err(DialFailure::Refused(two)));
        a.ask(b.peer, 1, vec![]).await;
        assert_eq!(a.answer().await, (1, Err(AskFailure::Unreachable)));
        assert!(b.inputs.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_peer_with_another_key_is_refused() {
    let meant = Keypair::from_secret(&[9; 32]).public();
    for transport in [TCP, QUIC] {
        let (mut a, b) = (start(1, quiet(&[transport])), start(2, quiet(&[transport])));
        let mut address = b.address().await;
        address.pop();
        let address = address.with_p2p(covey_shell::peer_id(&meant)).unwrap();
        let failure = a.handle.dial(address).await.unwrap().unwrap_err();
        let DialFailure::WrongPeerId { expected, obtained, .. } = &failure else {
            panic!("{failure:?}")
        };
        assert_eq!(*expected, covey_shell::peer_id(&meant));
        assert_eq!(*obtained, covey_shell::peer_id(&b.peer));
        assert!(failure.to_string().contains("answers"), "{failure}");
        assert!(a.inputs.try_recv().is_err());
    }
}

#[tokio::test]
async fn a_banned_peer_stays_out_until_it_is_not() {
    let (mut a, mut b) = (start(1, quiet(&[TCP])), start(2, quiet(&[TCP])));
    let address = b.address().await;
    assert_eq!(a.handle.dial(address.clone()).await.unwrap(), Ok(b.peer));
    a.connected(b.peer).await;
    b.connected(a.peer).await;
    a.handle.send(Command::Ban(b.peer)).await.unwrap();
    a.disconnected(b.peer).await;
    b.disconnected(a.peer).await;
    let denied = a.handle.dial(address.clone()).await.unwrap();
    assert!(matches!(denied, Err(DialFailure::Denied(_))), "{denied:?}");
    assert_ne!(b.handle.dial(a.address().await).await.unwrap(), Ok(a.peer));
    a.handle.send(Command::Unban(b.peer)).await.unwrap();
    assert_eq!(a.handle.dial(address).await.unwrap(), Ok(b.peer));
}
