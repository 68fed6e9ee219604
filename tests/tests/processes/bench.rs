//! What is measured, and with which input.

use covey_tests::process::Home;
use serde_json::Value;

#[tokio::test]
async fn a_conversation_is_made_up_where_none_is_given() {
    // Its data directory is in COVEY_DATA.
    let home = Home::new("Ann").await;
    let grown: Value = home.run(&["bench", "chains", "--grow", "1000", "--json"]).await.json();
    assert_eq!(grown[0]["blocks"], 1000, "{grown}");
    assert!(grown[0]["mean"].as_f64().is_some_and(|mean| mean > 0.0), "{grown}");
    let missing = home.run(&["bench", "chains", "--data", "/nowhere"]).await.failed(1);
    assert!(missing.contains("/nowhere"), "{missing}");
}

#[tokio::test]
async fn what_the_machine_did_stands_beside_the_messages() {
    let home = Home::new("Ann").await;
    let all =
        ["bench", "msg", "--messages", "200", "--pace", "100", "--transport", "tcp", "--json"];
    let result: Value = home.run(&all).await.json();
    assert_eq!(result["messages"], 200, "{result}");
    for what in ["status", "echo", "disk"] {
        let times = &result["meanwhile"][what];
        let (p50, max) = (times["p50"].as_f64(), times["max"].as_f64());
        assert!(p50 > Some(0.0) && max >= p50, "{what} in {result}");
    }
}
