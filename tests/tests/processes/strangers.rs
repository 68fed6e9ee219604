//! Programs on the network that are no nodes.

use std::time::{Duration, Instant};

use covey_tests::process::{Home, befriend, send, text_arrives, until};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

fn noise(rng: &mut ChaCha12Rng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Random bytes by TCP, some behind a proper greeting; what comes back is read until the end.
async fn shout_tcp(port: u16, bytes: Vec<u8>, greet: bool) {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    if greet {
        drop(stream.write_all(b"\x13/multistream/1.0.0\n\x07/noise\n").await);
    }
    drop(stream.write_all(&bytes).await);
    let mut sink = Vec::new();
    let mut stream = stream.take(64 << 10);
    drop(timeout(Duration::from_millis(500), stream.read_to_end(&mut sink)).await);
}

/// Connections on which nothing is said.
async fn say_nothing(port: u16) -> Vec<TcpStream> {
    let mut silent = Vec::new();
    for _ in 0..300 {
        // The node may close what it has no room for.
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            silent.push(stream);
        }
    }
    silent
}

async fn shout_udp(port: u16, rng: &mut ChaCha12Rng) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for number in 0..3000_usize {
        let mut bytes = noise(rng, 1 + number % 1400);
        if number % 3 == 0 {
            // Like the first packet of a QUIC connection, of version 1.
            bytes[0] |= 0xc0;
            for (byte, version) in bytes.iter_mut().skip(1).zip([0, 0, 0, 1]) {
                *byte = version;
            }
        }
        drop(socket.send_to(&bytes, ("127.0.0.1", port)).await);
        if number % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn noise_and_half_open_connections_do_not_keep_friends_apart() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    befriend(&ann, "ann", &bob, "bob").await;
    let before = ann.memory();
    let port = ann.home().port();
    let mut rng = ChaCha12Rng::seed_from_u64(4711);

    let silent = say_nothing(port).await;
    let shouts: Vec<_> = (0..200)
        .map(|number| {
            let bytes = noise(&mut rng, 1 + number * 37);
            tokio::spawn(shout_tcp(port, bytes, number % 2 == 0))
        })
        .collect();
    shout_udp(port, &mut rng).await;
    let begun = Instant::now();
    send(&ann, "bob", "can you hear me").await;
    send(&bob, "ann", "above the noise").await;
    text_arrives(&bob, "ann", "can you hear me").await;
    text_arrives(&ann, "bob", "above the noise").await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "a message took {took:?}");
    for shout in shouts {
        shout.await.unwrap();
    }

    // A friend who comes anew gets in while the silent ones are still there.
    let bob = bob.stop().await.start().await;
    send(&bob, "ann", "back again").await;
    text_arrives(&ann, "bob", "back again").await;
    let grown = ann.memory().saturating_sub(before);
    println!(
        "300 silent and 200 noisy connections, 3000 datagrams: messages took {took:.1?}, memory \
         grew by {} MiB",
        grown >> 20
    );
    assert!(grown < 128 << 20, "memory grew by {} MiB", grown >> 20);
    drop(silent);
    until("the node lets go of them", || async {
        let files = std::fs::read_dir(format!("/proc/{}/fd", ann.pid())).unwrap().count();
        files < 150
    })
    .await;
}
