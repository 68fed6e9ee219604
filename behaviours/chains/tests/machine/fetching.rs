//! Payloads that do not come with their blocks.

use covey_chains::limits::{INLINE_BYTES, MISSES};

use crate::made::{apart, give, line};

#[test]
fn payloads_that_a_peer_lacks_do_not_keep_others_from_coming() {
    let (mut net, chain) = apart();
    let misses = MISSES as usize;
    // Nobody has their payloads.
    let empty = line(&net, chain.id(), 0, 3 * u64::from(MISSES));
    give(&mut net, 0, &empty);
    give(&mut net, 1, &empty);
    let text = "x".repeat(INLINE_BYTES + 1);
    let (post, _) = net.post(1, &chain, &text, 1);
    net.traffic = (0, 0);
    net.link(0, 1);
    let all = net.traffic.1;
    assert!(
        (2 * misses..2 * misses + 10).contains(&all),
        "{all} answers, each of a payload or a page"
    );
    assert!(net.payload(0, &chain, post).is_err());
    for _ in 0..3 {
        net.round();
    }
    assert_eq!(net.payload(0, &chain, post), Ok(text));
}
