use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{World, api, request};

/// Compares with a file under `node/golden/`; `COVEY_GOLDEN=update` writes it instead.
pub(crate) fn assert_golden(name: &str, document: &Value) {
    let path = Path::new("golden").join(name);
    let mut text = serde_json::to_string_pretty(document).unwrap();
    text.push('\n');
    if std::env::var("COVEY_GOLDEN").is_ok_and(|value| value == "update") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "{} has changed; if that is intended: COVEY_GOLDEN=update cargo test\n{text}",
        path.display()
    );
}

#[tokio::test]
async fn the_openrpc_document_is_as_it_was() {
    let world = World::new().await;
    assert_golden("openrpc-test.json", api(&world.state).document());
}

#[tokio::test]
async fn the_document_is_served_under_both_names() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let document = client.ask(&request(1, "rpc_discover", json!({}))).await["result"].clone();
    assert_eq!(&document, api(&world.state).document());
    let standard = client.ask(&request(1, "rpc.discover", json!([]))).await["result"].clone();
    assert_eq!(standard, document);
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    fn walk(value: &Value, root: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(root.pointer(pointer).is_some(), "{reference}");
                }
                fields.values().for_each(|value| walk(value, root));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, root)),
            _ => {}
        }
    }
    let world = World::new().await;
    let api = api(&world.state);
    walk(api.document(), api.document());
}

#[tokio::test]
async fn methods_are_listed_with_their_parameters() {
    let world = World::new().await;
    let mut client = world.lines().await;
    let list = client.ask(&request(1, "rpc_methods", json!(null))).await["result"].clone();
    let list = list.as_array().unwrap();
    let add = list.iter().find(|line| line["name"] == "test_add").unwrap();
    assert_eq!(add["params"], json!(["left", "right", "more?"]));
    let names: Vec<_> = list.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.contains(&"rpc_discover"), "{names:?}");
}
