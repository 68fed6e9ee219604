//! What programs may build on: the OpenRPC document of a started node, as it was.

use std::{fs, path::Path};

use covey_tests::process::Home;
use serde_json::{Value, json};

/// `COVEY_GOLDEN=update` writes the file instead.
#[tokio::test]
async fn the_openrpc_document_is_as_it_was() {
    let ann = Home::new("Ann").await.start().await;
    let document: Value = ann.call("rpc_discover", json!({})).await;
    let mut text = serde_json::to_string_pretty(&document).unwrap();
    text.push('\n');
    let path = Path::new("../node/golden/openrpc.json");
    if std::env::var("COVEY_GOLDEN").is_ok_and(|value| value == "update") {
        fs::write(path, &text).unwrap();
    }
    let golden = fs::read_to_string(path).unwrap_or_default();
    assert!(
        golden == text,
        "{} has changed; if that is intended: COVEY_GOLDEN=update cargo test --workspace\n{text}",
        path.display()
    );
}
