use std::{sync::Arc, time::Duration};

use covey_kernel::{
    AskId, CommandId, Fault, GossipId, GossipVerdict, Hash, Input, Keypair, Peer, RequestId, Span,
    Store, Time, Topic,
};
use tokio::task::JoinSet;

use super::{
    CallError, Clock as _, Config, Halt, Handle, Inbox, JoinError, SettableClock, spawn,
    testing::{Command, Error, Event, Gated, Notes, Place, Said, answers},
};

const DEADLINE: Duration = Duration::from_secs(30);

fn peer(seed: u8) -> Peer {
    Keypair::from_secret(&[seed; 32]).public()
}

fn start(place: &Place) -> (Inbox<Notes>, Handle, Gated) {
    let store = place.store();
    let (inbox, handle) = spawn((), store.clone(), place.said.clone(), &place.config()).unwrap();
    (inbox, handle, store)
}

fn request(from: Peer, id: u64) -> Input<Notes> {
    Input::Request { from, id: RequestId(id), bytes: vec![0; 8] }
}

/// Waits until the machine's thread stands in a commit that the gate holds back.
async fn held(inbox: &Inbox<Notes>, store: &Gated) -> tokio::task::JoinHandle<u64> {
    store.shut();
    let inbox = inbox.clone();
    let first = tokio::spawn(async move { inbox.call(Command::Add(0)).await.unwrap() });
    let store = store.clone();
    tokio::task::spawn_blocking(move || store.visited()).await.unwrap();
    first
}

#[tokio::test]
async fn a_reply_is_on_disk() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    assert_eq!(inbox.call(Command::Add(5)).await, Ok(5));
    assert_eq!(inbox.call(Command::Add(2)).await, Ok(7));
    assert_eq!(store.get(b"total"), Ok(Some(7u64.to_be_bytes().to_vec())));
    handle.join(DEADLINE).await.unwrap();
    drop(store);
    let (inbox, _handle, _store) = start(&place);
    assert_eq!(inbox.call(Command::Add(1)).await, Ok(8));
}

#[tokio::test]
async fn a_refusal_reaches_the_caller_and_changes_nothing() {
    let place = Place::new();
    let (inbox, _handle, store) = start(&place);
    assert_eq!(inbox.call(Command::Refuse).await, Err(CallError::Refused(Error::Refused)));
    assert_eq!(store.get(b"total"), Ok(None));
    assert_eq!(inbox.metrics().read().refused, 1);
    assert_eq!(inbox.metrics().read().commits, 0, "a turn without writes costs no sync");
}

#[tokio::test]
async fn a_thousand_commands_cost_a_few_syncs() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    let first = held(&inbox, &store).await;
    let mut calls = JoinSet::new();
    for _ in 0..1000 {
        let inbox = inbox.clone();
        calls.spawn(async move { inbox.call(Command::Add(1)).await.unwrap() });
    }
    while inbox.waiting() < 1000 {
        tokio::task::yield_now().await;
    }
    store.open();
    let mut totals = calls.join_all().await;
    first.await.unwrap();
    totals.sort_unstable();
    assert_eq!(totals, (1..=1000).collect::<Vec<_>>());
    handle.join(DEADLINE).await.unwrap();
    let counters = inbox.metrics().read();
    assert!(counters.commits <= 4, "{} commits", counters.commits);
    assert!(counters.commit_percentile(50).is_some());
}

#[tokio::test]
async fn nothing_is_said_before_or_after_a_failed_commit() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    let mut events = inbox.subscribe();
    let first = held(&inbox, &store).await;
    inbox.push(request(peer(1), 1)).unwrap();
    inbox.push(Input::Wake).unwrap();
    let call = inbox.call(Command::Send(peer(2), AskId(9)));
    let reply = tokio::spawn({
        let inbox = inbox.clone();
        async move { inbox.call(Command::Add(1)).await }
    });
    let (call, ()) = tokio::join!(call, async {
        store.break_down();
        store.open();
    });
    assert_eq!(call, Err(CallError::Stopped));
    assert_eq!(reply.await.unwrap(), Err(CallError::Stopped));
    assert!(first.await.is_err(), "the first call's unwrap sees Stopped");
    let fault = Fault::Io("no space left".to_owned());
    assert_eq!(handle.ended().await, Err(Halt::Store(fault.clone())));
    assert_eq!(place.said.all(), []);
    assert!(events.recv().await.is_err(), "closed, with nothing told");
    assert_eq!(inbox.call(Command::Add(1)).await, Err(CallError::Stopped));
    assert!(inbox.push(request(peer(1), 2)).is_err());
    let error = handle.join(DEADLINE).await.unwrap_err();
    assert_eq!(error, JoinError::Halted(Halt::Store(fault)));
}

#[tokio::test]
async fn a_panic_is_reported_and_frees_the_callers() {
    let place = Place::new();
    let (inbox, handle, _store) = start(&place);
    assert_eq!(inbox.call(Command::Panic).await, Err(CallError::Stopped));
    assert_eq!(handle.ended().await, Err(Halt::Panicked { name: "notes" }));
}

#[tokio::test]
async fn a_flood_starves_neither_peers_nor_commands() {
    let place = Place::new();
    let (inbox, _handle, store) = start(&place);
    let first = held(&inbox, &store).await;
    let taken = (0..100_000).take_while(|id| inbox.push(request(peer(1), *id)).is_ok()).count();
    assert!(taken < 1000, "{taken} requests of one peer queued");
    inbox.push(request(peer(2), 1_000_000)).unwrap();
    inbox.push(Input::Command { id: CommandId(u64::MAX), command: Command::Add(3) }).unwrap();
    store.open();
    first.await.unwrap();
    let said = place.said.at_least(taken + 1);
    let quiet = said.iter().position(|said| *said == Said::Answer(RequestId(1_000_000)));
    assert!(quiet.unwrap() <= 2, "the quiet peer was answered as number {quiet:?}");
    assert!(answers(&said).values().all(|times| *times == 1), "each once");
    assert!(inbox.metrics().read().busy > 0);
    assert_eq!(inbox.call(Command::Add(0)).await, Ok(3));
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let place = Place::new();
    let (inbox, _handle, store) = start(&place);
    let first = held(&inbox, &store).await;
    for id in 0..200 {
        inbox.push(request(peer(1), id)).unwrap();
    }
    store.open();
    first.await.unwrap();
    // Enough to be checked on several threads.
    let expected: Vec<_> = (0..200).map(|id| Said::Answer(RequestId(id))).collect();
    assert_eq!(place.said.at_least(200), expected);
}

#[tokio::test]
async fn wakes_when_asked_and_not_before() {
    let place = Place::new();
    place.clock.set(Time::from_millis(1000));
    let (inbox, _handle, _store) = start(&place);
    let mut events = inbox.subscribe();
    inbox.call(Command::WakeIn(Span::secs(60))).await.unwrap();
    inbox.call(Command::WakeIn(Span::secs(10))).await.unwrap();
    place.clock.set(Time::from_millis(10_999));
    inbox.call(Command::Add(1)).await.unwrap();
    assert!(events.is_empty(), "early");
    place.clock.set(Time::from_millis(11_000));
    // The earliest counts, and comes by itself.
    assert_eq!(events.recv().await, Ok(Event::Woken(Time::from_millis(11_000))));
    inbox.call(Command::Add(1)).await.unwrap();
    assert!(events.is_empty(), "once");
}

#[tokio::test]
async fn what_is_owed_is_asked_again_after_a_restart() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    inbox.call(Command::Send(peer(1), AskId(1))).await.unwrap();
    inbox.call(Command::Send(peer(2), AskId(2))).await.unwrap();
    inbox.push(Input::Answer { from: peer(1), ask: AskId(1), outcome: Ok(vec![]) }).unwrap();
    handle.join(DEADLINE).await.unwrap();
    drop(store);
    let (_inbox, _handle, _store) = start(&place);
    let again = place.said.at_least(3);
    assert_eq!(again[2..], [Said::Ask(peer(2), AskId(2))]);
}

#[tokio::test]
async fn stops_after_what_is_in_the_inbox() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    let first = held(&inbox, &store).await;
    for id in 0..100 {
        inbox.push(request(peer(1), id)).unwrap();
    }
    handle.stop();
    assert!(inbox.push(request(peer(1), 100)).is_err());
    let late = handle.ended();
    assert!(tokio::time::timeout(Duration::from_millis(1), late).await.is_err());
    store.open();
    handle.join(DEADLINE).await.unwrap();
    first.await.unwrap();
    assert_eq!(place.said.all().len(), 100);
}

#[tokio::test]
async fn join_gives_up_at_its_deadline() {
    let place = Place::new();
    let (inbox, handle, store) = start(&place);
    let first = held(&inbox, &store).await;
    let deadline = Duration::from_millis(1);
    let error = handle.join(deadline).await.unwrap_err();
    assert_eq!(error, JoinError::Late { name: "notes", deadline });
    store.open();
    first.await.unwrap();
}

#[tokio::test]
async fn gossip_is_judged_after_the_commit_and_a_refusal_is_a_verdict() {
    let place = Place::new();
    let (inbox, _handle, store) = start(&place);
    let topic = Topic(Hash::of(b"topic"));
    inbox.call(Command::Join(topic)).await.unwrap();
    inbox.call(Command::Leave(topic)).await.unwrap();
    let five = 5u64.to_be_bytes().to_vec();
    for (id, bytes) in [(0, five.clone()), (1, b"what".to_vec()), (2, vec![])] {
        let (from, id) = (peer(1), GossipId(id));
        inbox.push(Input::Gossip { from, topic, id, bytes }).unwrap();
    }
    let judged = |id, verdict| Said::Judge(GossipId(id), verdict);
    assert_eq!(
        place.said.at_least(6),
        [
            Said::Join(topic),
            Said::Leave(topic),
            judged(0, GossipVerdict::Accept),
            Said::Publish(topic, five),
            judged(1, GossipVerdict::Reject),
            judged(2, GossipVerdict::Ignore),
        ]
    );
    assert_eq!(store.get(b"total"), Ok(Some(5u64.to_be_bytes().to_vec())));
}

/// However far the clock jumps, in either direction, a machine that is woken then decides anew.
#[tokio::test]
async fn a_machine_is_woken_at_the_time_that_was_set() {
    let place = Place::new();
    let store = place.store();
    let clock = Arc::new(SettableClock::default());
    let config = Config::new(clock.clone()).unwrap();
    let (inbox, _handle) = spawn::<Notes>((), store, place.said.clone(), &config).unwrap();
    inbox.call(Command::WakeIn(Span::hours(1_000_000))).await.unwrap();
    let mut events = inbox.subscribe();
    for millis in [40_000_000_000_000, 1_000] {
        let to = Time::from_millis(millis);
        clock.set(to).unwrap();
        inbox.push(Input::Wake).unwrap();
        let Event::Woken(at) =
            tokio::time::timeout(DEADLINE, events.recv()).await.unwrap().unwrap();
        assert!(at >= to && at < to.plus(Span::hours(1)), "{at:?}");
    }
}
