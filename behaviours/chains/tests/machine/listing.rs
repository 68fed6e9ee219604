//! A chain as people read it, part by part.

use covey_chains::{
    command::{Command, Reply, Show},
    limits::LOOKED_AT_BYTES,
};

use crate::{made::apart, net::which};

#[test]
fn a_part_of_a_listing_reads_so_many_bytes() {
    let (mut net, chain) = apart();
    let large = "x".repeat(usize::try_from(LOOKED_AT_BYTES / 4).unwrap());
    for _ in 0..10 {
        net.post(0, &chain, &large, 1);
    }
    let mut from = 0;
    let mut parts = Vec::new();
    loop {
        let chain = which(&chain);
        let show = Show { chain, from, limit: usize::MAX, search: None, unread: false };
        let Ok(Reply::Shown(shown, next)) = net.call(0, Command::Show(show)) else { panic!() };
        parts.push(shown.len());
        let Some(next) = next else { break };
        from = next;
    }
    assert_eq!(parts, [4, 4, 2]);
}
