//! Newcomers wait for a like, and dislikes revoke.

use covey_tests::process::{Node, until};

use super::acts::{
    Author, CHAT, agree, followers, held, link, order, payload, post, post_held, sync, vote,
};

#[tokio::test]
async fn a_newcomer_waits_for_a_like_and_dislikes_revoke() {
    let [far, near, theirs] = followers(["Far", "Near", "Theirs"]).await;
    let nodes = [&far, &near, &theirs];
    link(&far, &near).await;
    link(&near, &theirs).await;
    let (ann, newcomer) = (Author::new(1), Author::new(2));
    let mut made = vec![post(&far, CHAT, "first", &ann).await];
    agree(&nodes, &made).await;

    let id = wait(&nodes, &newcomer, &made).await;
    made.extend([id.clone(), vote(&near, "like", &id, &ann).await]);
    agree(&nodes, &made).await;
    for node in nodes {
        assert_eq!(payload(node, &id).await.ok(), "buy my coins");
        assert_eq!(held(node).await, Vec::<String>::new());
    }

    made.push(vote(&far, "like", &id, &ann).await);
    agree(&nodes, &made).await;
    revoke(&nodes, &id, &ann, &mut made).await;
    // Who comes now gets the block, and not what it carried.
    let [late] = followers(["Late"]).await;
    link(&late, &theirs).await;
    agree(&[&late], &made).await;
    is_revoked(&late, &id).await;
    let status = late.json(&["chain", CHAT, "status"]).await;
    assert_eq!(status["placed"], made.len(), "{status}");
}

/// The newcomer's post is at the neighbour, in nobody's order, and no further.
async fn wait(nodes: &[&Node; 3], newcomer: &Author, made: &[String]) -> String {
    let [far, near, theirs] = nodes;
    let id = post_held(theirs, "buy my coins", newcomer).await;
    assert_eq!(held(theirs).await, std::slice::from_ref(&id));
    until("the neighbour sees what is held", || async { held(near).await == [id.clone()] }).await;
    assert_eq!(payload(near, &id).await.ok(), "buy my coins");
    sync(far, "recv", CHAT, near, 0).await;
    assert_eq!(held(far).await, Vec::<String>::new());
    let unknown = payload(far, &id).await.failed(1);
    assert!(unknown.starts_with(&format!("covey: no block {id} in this chain")), "{unknown}");
    for node in nodes {
        assert_eq!(order(node).await.len(), 1 + made.len());
    }
    id
}

/// Four dislikes against two likes do nothing, the fifth revokes.
async fn revoke(nodes: &[&Node; 3], id: &str, ann: &Author, made: &mut Vec<String>) {
    let [far, _, theirs] = nodes;
    for _ in 0..4 {
        made.push(vote(far, "dislike", id, ann).await);
    }
    agree(nodes, made).await;
    for node in nodes {
        assert_eq!(payload(node, id).await.ok(), "buy my coins");
        assert_eq!(node.ok(&["chain", CHAT, "reps", id]).await, "-2");
    }
    made.push(vote(theirs, "dislike", id, ann).await);
    agree(nodes, made).await;
    for node in nodes {
        is_revoked(node, id).await;
        assert_eq!(node.ok(&["chain", CHAT, "reps", id]).await, "-3");
    }
}

async fn is_revoked(node: &Node, id: &str) {
    let refused = payload(node, id).await.failed(1);
    assert!(refused.starts_with("covey: the payload is revoked: 5 dislikes, 2 likes"), "{refused}");
    let block = node.json(&["chain", CHAT, "get", "block", id]).await;
    assert_eq!((&block["revoked"], &block["state"]), (&true.into(), &"placed".into()));
}
