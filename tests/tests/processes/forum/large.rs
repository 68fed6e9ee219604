//! What is too large for one request of the control socket.

use covey_tests::process::{Home, until};

use super::acts::link;

/// More than one request or response may have, and different everywhere.
fn large(bytes: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_be_bytes).take(bytes).collect()
}

#[tokio::test]
async fn large_posts_and_attachments_reach_others_whole() {
    let ann = Home::new("Ann").await.start().await;
    let bob = Home::new("Bob").await.start().await;
    let key = ann.ok(&["crypto", "shared", "our phrase"]).await;
    for node in [&ann, &bob] {
        node.ok(&["chains", "join", "$family", &key]).await;
    }
    link(&ann, &bob).await;
    let (body, file) = (large(6_000_000), large(3_000_001));
    let (sent, got) = (ann.home().scratch("film"), bob.home().scratch("film"));
    std::fs::write(&sent, &file).unwrap();
    let post = ["chain", "$family", "post", "-", "--attach", sent.to_str().unwrap()];
    let id = ann.home().run_with(&post, Some(&body)).await.ok();
    let to = got.to_str().unwrap();
    let payload = ["chain", "$family", "get", "payload", &id, "file", to];
    until("the post reaches Bob", || async { bob.run(&payload).await.code == Some(0) }).await;
    assert!(std::fs::read(&got).unwrap() == body, "another body");
    bob.ok(&["chain", "$family", "get", "attachment", &id, "--name", "film", "file", to]).await;
    assert!(std::fs::read(&got).unwrap() == file, "another file");

    // What no chain takes is refused before it is sent, and nothing is left of it.
    let too_much = vec![0; 64 * 1024 * 1024 + 1];
    let refused = ann.home().run_with(&post[..4], Some(&too_much)).await.failed(1);
    assert!(refused.starts_with("covey: standard input has more than 67108864 bytes"), "{refused}");
    assert_eq!(ann.json(&["chain", "$family", "status"]).await["placed"], 1);
}
