use std::sync::{Arc, atomic::Ordering::SeqCst};

use serde_json::json;

use super::{
    super::{NoParams, Registry, codes},
    TOGETHER, World, add, code, method, request, sum, until,
};

#[tokio::test]
async fn parameters_go_by_name_or_by_position() {
    let world = World::new().await;
    let mut client = world.lines().await;
    for params in [
        json!({ "left": 1, "right": 2 }),
        json!([1, 2]),
        json!([1, 1, 1]),
        json!({ "more": 1, "right": 1, "left": 1 }),
    ] {
        assert_eq!(client.ask(&request(1, "test_add", params)).await, sum(1));
    }
    for params in [json!(null), json!({}), json!([])] {
        let answer = client.ask(&request(1, "test_note", params)).await;
        assert!(answer["result"].is_u64(), "{answer}");
    }
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_explained() {
    let world = World::new().await;
    let mut client = world.lines().await;
    for (params, message) in [
        (json!({ "left": 1 }), "missing field `right`"),
        (json!({ "left": 1, "right": "2" }), "invalid type: string \"2\""),
        (json!({ "left": 1, "rigth": 2 }), "unknown parameter rigth, did you mean right?"),
        (json!([1, 2, 3, 4]), "4 parameters are too many, at most 3"),
        (json!("text"), "parameters are an object or an array"),
    ] {
        let answer = client.ask(&request(1, "test_add", params)).await;
        assert_eq!(code(&answer), -32602, "{answer}");
        let text = answer["error"]["message"].as_str().unwrap();
        assert!(text.contains(message), "{answer}");
        let help = answer["error"]["data"]["help"].as_str().unwrap();
        assert!(help.contains("left, right, more"), "{answer}");
    }
}

#[tokio::test]
async fn errors_carry_code_name_help_and_details() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let answer = client.ask(&request(7, "test_add", json!([u32::MAX, 1]))).await;
    assert_eq!(
        answer,
        json!({ "jsonrpc": "2.0", "id": 7, "error": {
            "code": 1002,
            "message": "too much",
            "data": {
                "name": "refused",
                "help": "change what you ask for: the same is refused again",
                "most": u32::MAX,
            },
        }})
    );
    let answer = client.ask(&request(8, "test_addd", json!({}))).await;
    assert_eq!(code(&answer), -32601);
    assert_eq!(answer["error"]["data"]["nearest"], "test_add");
    let answer = client.ask(&request(9, "test_large", json!([5 << 20]))).await;
    assert_eq!(code(&answer), -32008);
}

#[tokio::test]
async fn a_method_that_panics_harms_nobody() {
    let world = World::new().await;
    let mut client = world.lines().await;
    assert_eq!(code(&client.ask(&request(1, "test_panic", json!([0]))).await), -32603);
    assert_eq!(client.ask(&add(2)).await, sum(2));
}

/// Each call waits until all have begun.
#[tokio::test]
async fn the_calls_of_a_batch_run_at_the_same_time() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let batch: Vec<_> =
        (0..TOGETHER).map(|id| request(id as u32, "test_meet", json!({}))).collect();
    let answer = client.ask(&json!(batch)).await;
    for (id, answer) in answer.as_array().unwrap().iter().enumerate() {
        assert_eq!(*answer, json!({ "jsonrpc": "2.0", "id": id, "result": true }));
    }
}

#[tokio::test]
async fn the_calls_of_one_connection_run_at_the_same_time() {
    let world = World::new().await;
    let mut client = world.lines().await;
    for id in 0..TOGETHER {
        client.send(format!("{}\n", request(id as u32, "test_meet", json!({})))).await;
    }
    for _ in 0..TOGETHER {
        assert_eq!(client.next().await.unwrap()["result"], true);
    }
}

#[tokio::test]
async fn a_notification_is_carried_out_and_not_answered() {
    let world = World::new().await;
    let mut client = world.lines().await;
    client.send("{\"jsonrpc\":\"2.0\",\"method\":\"test_note\"}\n").await;
    client.send("[{\"jsonrpc\":\"2.0\",\"method\":\"test_note\"}]\n").await;
    let state = world.state.clone();
    until("both are noted", || state.noted.load(SeqCst) == 2).await;
    assert_eq!(client.ask(&add(1)).await, sum(1));
}

#[test]
fn a_mistake_in_registering_is_told() {
    let mut twice = Registry::new(Arc::new(()));
    for _ in 0..2 {
        twice.method(method("test_twice"), |_, _: NoParams| async { Ok(()) });
    }
    let error = twice.finish().unwrap_err().to_string();
    assert!(error.contains("test_twice"), "{error}");

    let mut misnamed = Registry::new(Arc::new(()));
    misnamed.method(method("Misnamed"), |_, _: NoParams| async { Ok(()) });
    let error = misnamed.finish().unwrap_err().to_string();
    assert!(error.contains("namespace_verb"), "{error}");
}

#[test]
fn codes_are_unique_and_in_their_ranges() {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = std::collections::BTreeSet::new();
    for code in codes::ALL {
        assert!(seen.insert(code.number), "{code:?}");
        assert!(names.insert(code.name), "{code:?}");
        assert!((-32768..=-32000).contains(&code.number) || (1000..6000).contains(&code.number));
    }
}
