//! Nodes whose time is set.

use std::time::{SystemTime, UNIX_EPOCH};

use covey::rpc::codes;
use covey_tests::process::{Home, Node};
use serde_json::json;

/// How long commands may take on a busy machine, in milliseconds.
const SLACK: u64 = 60_000;

const YEAR: u64 = 365 * 86_400_000;

async fn now(node: &Node) -> u64 {
    node.ok(&["now"]).await.parse().unwrap()
}

fn system() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

fn about(found: u64, wanted: u64) {
    assert!(found >= wanted && found < wanted + SLACK, "{found} is not about {wanted}");
}

#[tokio::test]
async fn a_node_tells_its_time_and_lets_nobody_set_it() {
    let node = Home::new("Ann").await.start().await;
    let before = system();
    about(now(&node).await, before);
    let refused = node.run(&["now", "5"]).await.failed(1);
    assert!(refused.contains("--settable-clock"), "{refused}");
    let refused = node.run(&["now", "5", "--json"]).await.failed(1);
    assert!(refused.contains(&codes::CLOCK_NOT_SETTABLE.number.to_string()), "{refused}");
    about(now(&node).await, before);
}

#[tokio::test]
async fn a_settable_clock_runs_on_from_what_it_was_set_to() {
    let node = Home::new("Ann").await.with_settable_clock().start().await;
    let before = system();
    about(now(&node).await, before);
    for to in [system() + 100 * YEAR, YEAR, 0] {
        let set = node.json(&["now", &to.to_string()]).await;
        about(set["now"].as_u64().unwrap(), to);
        let told: serde_json::Value = node.call("node_now", json!({})).await;
        assert!(told["now"].as_u64() >= set["now"].as_u64());
        about(now(&node).await, to);
    }
    // What a machine does by the clock follows: a contact code is good for 30 days.
    let code = node.ok(&["msg", "code"]).await;
    let other = Home::new("Bob").await.with_settable_clock().start().await;
    let late = other.run(&["msg", "invite", &code]).await.failed(1);
    assert!(late.contains("expired"), "{late}");
    other.ok(&["now", &YEAR.to_string()]).await;
    let late = other.run(&["msg", "invite", &code]).await.failed(1);
    assert!(late.contains("expired"), "{late}");
    other.ok(&["now", "1000"]).await;
    other.ok(&["msg", "invite", &code]).await;
    // Another start tells the system's time again.
    let home = node.stop().await;
    let node = home.start().await;
    let before = system();
    about(now(&node).await, before);
}
