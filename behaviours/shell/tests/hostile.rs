//! A peer that writes what it likes onto the substreams.

#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

mod common;

use common::{ECHO, listen, network, next, soon, swarm_of};
use covey_kernel::{AskFailure, AskId};
use covey_shell::{
    Config, Event,
    frame::{Malformed, Reply, decode_answers, encode_requests},
    limits,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, noise, request_response as rr, swarm::SwarmEvent, tcp,
    yamux,
};

/// Raw bytes both ways.
#[derive(Clone, Default)]
struct Raw;

impl rr::Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> std::io::Result<Vec<u8>>
    where
        T: futures::AsyncRead + Unpin + Send,
    {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T>(&mut self, p: &StreamProtocol, io: &mut T) -> std::io::Result<Vec<u8>>
    where
        T: futures::AsyncRead + Unpin + Send,
    {
        self.read_request(p, io).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> std::io::Result<()>
    where
        T: futures::AsyncWrite + Unpin + Send,
    {
        io.write_all(&bytes).await
    }

    async fn write_response<T>(
        &mut self,
        p: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> std::io::Result<()>
    where
        T: futures::AsyncWrite + Unpin + Send,
    {
        self.write_request(p, io, bytes).await
    }
}

fn raw() -> Swarm<rr::Behaviour<Raw>> {
    let name = StreamProtocol::try_from_owned(ECHO.on(&network())).unwrap();
    SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| {
            rr::Behaviour::new([(name, rr::ProtocolSupport::Full)], rr::Config::default())
        })
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(common::PATIENCE))
        .build()
}

/// Sends each of `frames` and then a good one; gives what the shell says of the peer until that
/// is answered.
async fn after(frames: Vec<Vec<u8>>) -> Vec<Malformed> {
    let (mut victim, mut attacker) = (swarm_of(ECHO, Config::default()), raw());
    let address = listen(&mut victim).await;
    let to = *victim.local_peer_id();
    attacker.add_peer_address(to, address);
    let mut faults = Vec::new();
    let expected = frames.len();
    for frame in frames {
        attacker.behaviour_mut().send_request(&to, frame);
    }
    let (mut failed, mut good) = (0, false);
    soon(async {
        while !good {
            tokio::select! {
                event = next(&mut victim) => match event {
                    Event::Misbehaved { why, .. } => faults.push(why),
                    Event::Request { id, bytes, .. } => victim.behaviour_mut().answer(id, bytes),
                    Event::Answer { .. } => panic!("nothing was asked"),
                },
                event = attacker.select_next_some() => match event {
                    SwarmEvent::Behaviour(rr::Event::Message {
                        message: rr::Message::Response { response, .. }, ..
                    }) if !response.is_empty() => {
                        assert_eq!(response, [0, 0, 0, 6, 0, 0, 0, 0, 1, 42]);
                        good = true;
                    }
                    // A refused frame: the stream closes without an answer.
                    SwarmEvent::Behaviour(_) => {
                        failed += 1;
                        if failed == expected {
                            let frame = vec![0, 0, 0, 5, 0, 0, 0, 1, 42];
                            attacker.behaviour_mut().send_request(&to, frame);
                        }
                    }
                    _ => {}
                },
            }
        }
    })
    .await;
    faults
}

#[tokio::test]
async fn bad_frames_are_named_and_the_shell_goes_on_serving() {
    let faults = after(vec![vec![0xff, 0xff, 0xff, 0xff, 1, 2, 3]]).await;
    assert!(matches!(faults.as_slice(), [Malformed::Oversize { length: 0xffff_ffff, .. }]));
    let garbage = after(vec![vec![0, 0, 0, 6, 0, 0, 0, 9, 1, 2]]).await;
    assert_eq!(garbage, [Malformed::Cut]);
    let item = after(vec![vec![0, 0, 0, 4, 0, 0, 4, 1]]).await;
    assert_eq!(item, [Malformed::ItemTooLarge { length: 1025, limit: 1024 }]);
    assert_eq!(after(vec![vec![0, 0, 0, 0]]).await, [Malformed::Empty]);
}

#[tokio::test]
async fn truncated_frames_are_ignored() {
    let frames = vec![vec![], vec![0, 0], vec![0, 0, 0, 200, 1, 2, 3]];
    assert_eq!(after(frames).await, []);
}

/// Asks a raw peer that answers every frame with these bytes.
async fn outcome_of(answer: &[u8]) -> (Vec<Malformed>, AskFailure) {
    let (mut asker, mut liar) = (swarm_of(ECHO, Config::default()), raw());
    liar.listen_on("/ip4/127.0.0.1/tcp/0".parse().unwrap()).unwrap();
    let to = covey_shell::peer(liar.local_peer_id()).unwrap();
    let mut faults = Vec::new();
    soon(async {
        loop {
            tokio::select! {
                event = next(&mut asker) => match event {
                    Event::Misbehaved { why, .. } => faults.push(why),
                    Event::Answer { outcome, .. } => return (faults, outcome.unwrap_err()),
                    Event::Request { .. } => panic!("nobody asks"),
                },
                event = liar.select_next_some() => match event {
                    SwarmEvent::NewListenAddr { address, .. } => {
                        asker.add_peer_address(*liar.local_peer_id(), address);
                        asker.behaviour_mut().ask(to, AskId(1), vec![1]).unwrap();
                    }
                    SwarmEvent::Behaviour(rr::Event::Message {
                        message: rr::Message::Request { channel, .. }, ..
                    }) => liar.behaviour_mut().send_response(channel, answer.to_vec()).unwrap(),
                    _ => {}
                },
            }
        }
    })
    .await
}

#[tokio::test]
async fn false_answers_break_the_ask() {
    let broken = AskFailure::Broken;
    let two = [0, 0, 0, 10, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let count = Malformed::Count { answers: 2, requests: 1 };
    assert_eq!(outcome_of(&two).await, (vec![count], broken));
    let status = [0, 0, 0, 5, 9, 0, 0, 0, 0];
    assert_eq!(outcome_of(&status).await, (vec![Malformed::Status], broken));
    let (faults, why) = outcome_of(&[0xff; 8]).await;
    assert!(matches!(faults.as_slice(), [Malformed::Oversize { .. }]));
    assert_eq!(why, broken);
    // An empty stream is no answer, and no proof of ill will.
    assert_eq!(outcome_of(&[]).await, (vec![], AskFailure::Closed));
}

#[tokio::test]
async fn a_flood_is_handed_on_up_to_the_bound_and_the_rest_is_busy() {
    let (mut victim, mut attacker) = (swarm_of(ECHO, Config::default()), raw());
    let address = listen(&mut victim).await;
    let to = *victim.local_peer_id();
    attacker.add_peer_address(to, address);
    let requests = encode_requests(&vec![vec![]; limits::FRAME_ITEMS]);
    let mut frame = u32::try_from(requests.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(requests);
    let frames = limits::REQUESTS_PER_PEER / limits::FRAME_ITEMS + 1;
    for _ in 0..frames {
        attacker.behaviour_mut().send_request(&to, frame.clone());
    }
    let (mut handed_on, mut busy) = (0, None);
    soon(async {
        while busy.is_none() || handed_on < limits::REQUESTS_PER_PEER {
            tokio::select! {
                event = next(&mut victim) => {
                    assert!(matches!(event, Event::Request { .. }), "{event:?}");
                    handed_on += 1;
                }
                event = attacker.select_next_some() => {
                    if let SwarmEvent::Behaviour(rr::Event::Message {
                        message: rr::Message::Response { response, .. }, ..
                    }) = event {
                        busy = Some(response);
                    }
                }
            }
        }
    })
    .await;
    assert_eq!(handed_on, limits::REQUESTS_PER_PEER);
    let answers = decode_answers(busy.unwrap().split_off(4).as_slice(), 0);
    assert_eq!(answers, Ok(vec![Reply::Busy; limits::FRAME_ITEMS]));
}
