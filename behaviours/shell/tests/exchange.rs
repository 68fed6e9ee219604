//! Requests and answers between two shells over TCP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod common;

use std::{collections::BTreeMap, time::Duration};

use common::{ECHO, OTHER, echo_until, listen, me, next, pair, soon, swarm_of};
use covey_kernel::{AskFailure, AskId, Keypair};
use covey_shell::{Config, Event, Shell, limits};
use futures::StreamExt;
use libp2p::{Swarm, swarm::SwarmEvent};

type Outcomes = BTreeMap<u64, Result<Vec<u8>, AskFailure>>;

/// By ask; a second outcome for one ask is a failure.
fn outcomes(events: Vec<Event>) -> Outcomes {
    let mut found = Outcomes::new();
    for event in events {
        let Event::Answer { ask, outcome, .. } = event else { panic!("{event:?}") };
        assert_eq!(found.insert(ask.0, outcome), None, "two outcomes for {ask:?}");
    }
    found
}

async fn answers(swarm: &mut Swarm<Shell>, count: usize) -> Outcomes {
    let mut events = Vec::new();
    soon(async {
        while events.len() < count {
            events.push(next(swarm).await);
        }
    })
    .await;
    outcomes(events)
}

#[tokio::test]
async fn an_echo_comes_back() {
    let (mut a, mut b) = pair(Config::default()).await;
    let to = me(&b);
    a.behaviour_mut().ask(to, AskId(7), b"hello".to_vec()).unwrap();
    let events = echo_until(&mut a, &mut b, 1).await;
    assert_eq!(outcomes(events), Outcomes::from([(7, Ok(b"hello".to_vec()))]));
}

#[tokio::test]
async fn a_thousand_asks_travel_in_few_frames_and_in_order() {
    let (mut a, mut b) = pair(Config::default()).await;
    let to = me(&b);
    for n in 0..1000u64 {
        a.behaviour_mut().ask(to, AskId(n), n.to_be_bytes().to_vec()).unwrap();
    }
    let events = echo_until(&mut a, &mut b, 1000).await;
    let found = outcomes(events);
    assert!((0..1000u64).all(|n| found.get(&n) == Some(&Ok(n.to_be_bytes().to_vec()))));
    let counters = b.behaviour().counters();
    assert_eq!((counters.requests, counters.frames_in), (1000, 4));
}

#[tokio::test]
async fn a_frame_is_handed_on_in_order() {
    let (mut a, mut b) = pair(Config::default()).await;
    let to = me(&b);
    for n in 0..100u8 {
        a.behaviour_mut().ask(to, AskId(n.into()), vec![n]).unwrap();
    }
    let mut seen = Vec::new();
    soon(async {
        while seen.len() < 100 {
            tokio::select! {
                _ = next(&mut a) => panic!("nothing is answered yet"),
                event = next(&mut b) => if let Event::Request { bytes, .. } = event {
                    seen.extend(bytes);
                },
            }
        }
    })
    .await;
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn answers_out_of_order_busy_and_late_find_their_asks() {
    let config = Config { answer_within: Duration::from_millis(500), ..Config::default() };
    let (mut a, mut b) = pair(config).await;
    let to = me(&b);
    for n in 0..4u8 {
        a.behaviour_mut().ask(to, AskId(n.into()), vec![n]).unwrap();
    }
    let (mut requests, mut events) = (Vec::new(), Vec::new());
    soon(async {
        while events.len() < 4 {
            tokio::select! {
                event = next(&mut a) => events.push(event),
                event = next(&mut b) => if let Event::Request { id, bytes, .. } = event {
                    requests.push((id, bytes));
                    if let [(first, _), (second, _), (third, said), _] = requests.as_slice() {
                        b.behaviour_mut().answer(*third, said.clone());
                        b.behaviour_mut().busy(*second);
                        b.behaviour_mut().answer(*first, vec![9; 9000]);
                    }
                },
            }
        }
    })
    .await;
    // The first answer is over the machine's bound; the last request is never answered.
    let expected = Outcomes::from([
        (0, Err(AskFailure::Timeout)),
        (1, Err(AskFailure::Busy)),
        (2, Ok(vec![2])),
        (3, Err(AskFailure::Timeout)),
    ]);
    assert_eq!(outcomes(events), expected);
    // An answer after the deadline does no harm.
    b.behaviour_mut().answer(requests[3].0, vec![3]);
    a.behaviour_mut().ask(to, AskId(9), vec![9]).unwrap();
    assert_eq!(outcomes(echo_until(&mut a, &mut b, 1).await), Outcomes::from([(9, Ok(vec![9]))]));
}

#[tokio::test]
async fn answers_for_which_a_frame_has_no_room_are_late() {
    let (mut a, mut b) = pair(Config::default()).await;
    let to = me(&b);
    for n in 0..256 {
        a.behaviour_mut().ask(to, AskId(n), vec![1]).unwrap();
    }
    let mut events = Vec::new();
    soon(async {
        while events.len() < 256 {
            tokio::select! {
                event = next(&mut a) => events.push(event),
                event = next(&mut b) => if let Event::Request { id, .. } = event {
                    b.behaviour_mut().answer(id, vec![0; 8192]);
                },
            }
        }
    })
    .await;
    let found = outcomes(events);
    let fit = found.values().filter(|outcome| **outcome == Ok(vec![0; 8192])).count();
    let late = found.values().filter(|outcome| **outcome == Err(AskFailure::Timeout)).count();
    assert_eq!((fit, late), (limits::ANSWER_FRAME_BYTES / 8192, 128));
}

#[tokio::test]
async fn too_much_for_one_peer_is_busy_and_too_large_is_refused() {
    let mut a = swarm_of(ECHO, Config::default());
    let nobody = Keypair::from_secret(&[1; 32]).public();
    let large = a.behaviour_mut().ask(nobody, AskId(0), vec![0; 1025]);
    assert_eq!(large, Err(AskFailure::Broken));
    let taken = (0..limits::ASKS_PER_PEER as u64 + 10)
        .map(|n| a.behaviour_mut().ask(nobody, AskId(n), vec![]))
        .take_while(|asked| *asked == Ok(()))
        .count();
    assert_eq!(taken, limits::ASKS_PER_PEER);
    assert_eq!(a.behaviour_mut().ask(nobody, AskId(9), vec![]), Err(AskFailure::Busy));
    let found = answers(&mut a, taken).await;
    assert!(found.values().all(|outcome| *outcome == Err(AskFailure::Unreachable)));
    assert_eq!(found.len(), taken);
    assert_eq!(a.behaviour_mut().ask(nobody, AskId(9), vec![]), Ok(()), "there is room again");
}

#[tokio::test]
async fn a_peer_without_the_protocol_is_unsupported() {
    let (mut a, mut b) = (swarm_of(ECHO, Config::default()), swarm_of(OTHER, Config::default()));
    let address = listen(&mut b).await;
    a.add_peer_address(*b.local_peer_id(), address);
    let to = me(&b);
    for n in 0..2000 {
        a.behaviour_mut().ask(to, AskId(n), vec![]).unwrap();
    }
    let serve = tokio::spawn(async move { next(&mut b).await });
    let found = answers(&mut a, 2000).await;
    assert!(found.values().all(|outcome| *outcome == Err(AskFailure::Unsupported)));
    serve.abort();
}

#[tokio::test]
async fn a_disconnect_gives_each_ask_one_outcome() {
    let (mut a, mut b) = pair(Config::default()).await;
    let to = me(&b);
    for n in 0..2000 {
        a.behaviour_mut().ask(to, AskId(n), vec![]).unwrap();
    }
    soon(async {
        tokio::select! {
            event = next(&mut a) => panic!("{event:?}"),
            event = next(&mut b) => assert!(matches!(event, Event::Request { .. })),
        }
    })
    .await;
    drop(b);
    let found = answers(&mut a, 2000).await;
    let closed = found.values().filter(|o| **o == Err(AskFailure::Closed)).count();
    let unreachable = found.values().filter(|o| **o == Err(AskFailure::Unreachable)).count();
    assert!(closed > 0, "what was under way");
    assert_eq!(closed + unreachable, 2000, "and what was not yet sent");
}

#[tokio::test]
async fn what_cannot_be_sent_in_time_is_busy() {
    let config = Config {
        answer_within: Duration::from_secs(2),
        send_within: Duration::from_millis(300),
        ..Config::default()
    };
    let (mut a, mut b) = pair(config).await;
    let to = me(&b);
    for n in 0..2000 {
        a.behaviour_mut().ask(to, AskId(n), vec![]).unwrap();
    }
    // It takes the requests and says nothing.
    let silent = tokio::spawn(async move {
        loop {
            b.select_next_some().await;
        }
    });
    let found = answers(&mut a, 2000).await;
    let busy = found.values().filter(|o| **o == Err(AskFailure::Busy)).count();
    let late = found.values().filter(|o| **o == Err(AskFailure::Timeout)).count();
    assert_eq!(late, limits::FRAMES_IN_FLIGHT * limits::FRAME_ITEMS);
    assert_eq!(busy + late, 2000);
    silent.abort();
}

#[tokio::test]
async fn the_sender_learns_of_a_closed_connection() {
    let (mut a, mut b) = pair(Config::default()).await;
    let (to, from) = (me(&b), *a.local_peer_id());
    a.behaviour_mut().ask(to, AskId(1), vec![1]).unwrap();
    let mut outcome = None;
    soon(async {
        while outcome.is_none() {
            tokio::select! {
                event = next(&mut a) => outcome = Some(event),
                event = b.select_next_some() => {
                    if let SwarmEvent::Behaviour(Event::Request { .. }) = event {
                        b.disconnect_peer_id(from).unwrap();
                    }
                }
            }
        }
    })
    .await;
    let found = outcomes(outcome.into_iter().collect());
    assert_eq!(found, Outcomes::from([(1, Err(AskFailure::Closed))]));
}
