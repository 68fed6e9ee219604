use futures::StreamExt as _;
use serde_json::json;

use super::{Sum, World, until, within};
use crate::client::{Client, ClientError};

#[tokio::test]
async fn calls_have_types_and_errors_keep_their_data() {
    let world = World::new().await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let sum: Sum = within(client.call("test_add", &json!([1, 2]))).await.unwrap();
    assert_eq!(sum, Sum { sum: 3 });
    let error = client.call::<_, Sum>("test_add", &json!([u32::MAX, 1])).await.unwrap_err();
    let ClientError::Server(error) = error else { panic!("{error}") };
    assert_eq!((error.code, error.name()), (1002, Some("refused")));
    assert_eq!(error.data["most"], u32::MAX);
    let error = client.call::<_, bool>("test_add", &json!([1, 2])).await.unwrap_err();
    assert!(matches!(error, ClientError::Result { .. }), "{error}");
}

#[tokio::test]
async fn a_batch_gives_one_outcome_each_in_order() {
    let world = World::new().await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let calls = vec![
        ("test_add".to_owned(), json!([1, 2])),
        ("test_none".to_owned(), json!({})),
        ("test_add".to_owned(), json!([2, 2])),
    ];
    let outcomes = within(client.batch(calls)).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap().get(), "{\"sum\":3}");
    assert!(matches!(&outcomes[1], Err(ClientError::Server(error)) if error.code == -32601));
    assert_eq!(outcomes[2].as_ref().unwrap().get(), "{\"sum\":4}");
}

#[tokio::test]
async fn many_calls_are_in_flight_at_once() {
    let world = World::new().await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let params = (0..super::TOGETHER).map(|_| json!({}));
    let met: Vec<bool> =
        within(client.pipeline("test_meet", params, super::TOGETHER).collect::<Vec<_>>())
            .await
            .into_iter()
            .collect::<Result<_, ClientError>>()
            .unwrap();
    assert_eq!(met.len(), super::TOGETHER);
}

#[tokio::test]
async fn a_subscription_is_a_stream() {
    let world = World::new().await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let counted = client.subscribe::<_, u32>("test_count", &json!([3])).await.unwrap();
    let items: Vec<u32> = within(counted.map(Result::unwrap).collect()).await;
    assert_eq!(items, [0, 1, 2]);

    let mut heard = client.subscribe::<_, u32>("test_listen", &json!({})).await.unwrap();
    world.state.events.send(7).unwrap();
    assert_eq!(within(heard.next()).await.unwrap().unwrap(), 7);
    assert!(heard.unsubscribe("test_unlisten").await.unwrap());
    let state = world.state.clone();
    until("nobody listens", || state.events.receiver_count() == 0).await;
}

#[tokio::test]
async fn a_node_that_does_not_run_is_explained() {
    let directory = tempfile::tempdir().unwrap();
    for data in [directory.path().to_path_buf(), directory.path().join("missing")] {
        let error = Client::connect(&data).await.unwrap_err();
        assert!(matches!(error, ClientError::NoNode { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("covey start --data {}", data.display())), "{text}");
    }
}

#[tokio::test]
async fn a_node_that_stops_ends_its_clients_calls() {
    let limits = super::Limits { stop: std::time::Duration::from_millis(50), ..Default::default() };
    let world = World::with(limits).await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let waiting = client.clone();
    let call =
        tokio::spawn(
            async move { waiting.call::<_, ()>("test_never", &json!({})).await.unwrap_err() },
        );
    let _: Sum = client.call("test_add", &json!([1, 2])).await.unwrap();
    within(world.server.stop()).await;
    let error = within(call).await.unwrap();
    assert!(matches!(&error, ClientError::Closed | ClientError::Server(_)), "{error}");
    let error = client.call::<_, Sum>("test_add", &json!([1, 2])).await.unwrap_err();
    assert!(matches!(error, ClientError::Closed), "{error}");
}

#[tokio::test]
async fn a_request_too_large_is_not_sent_and_harms_no_other() {
    let world = World::new().await;
    let client = Client::connect(world.directory.path()).await.unwrap();
    let large = json!({ "value": "x".repeat(2 << 20) });
    let error = client.call::<_, ()>("test_any", &large).await.unwrap_err();
    assert!(matches!(error, ClientError::TooLarge { .. }), "{error}");
    let calls = vec![("test_add".to_owned(), json!([1, 2])); 300];
    let outcomes = within(client.batch(calls)).await.unwrap();
    assert_eq!(outcomes.into_iter().filter(Result::is_ok).count(), 300);
}
