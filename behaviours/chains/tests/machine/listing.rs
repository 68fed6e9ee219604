//! A chain as people read it, part by part.

use std::sync::atomic::Ordering;

use covey_chains::{
    command::{Command, Post, Reply, Show, Shown},
    envelope::{Content, Profile},
    genesis::Genesis,
    limits::LOOKED_AT_BYTES,
};
use covey_kernel::Text;

use crate::{
    made::apart,
    net::{Net, key, which},
};

pub(crate) fn part(
    net: &mut Net,
    at: usize,
    chain: &Genesis,
    from: u64,
    limit: usize,
) -> (Vec<Shown>, Option<u64>) {
    let show = Show { chain: which(chain), from, limit, search: None, unread: false };
    let Ok(Reply::Shown(shown, next)) = net.call(at, Command::Show(show)) else { panic!() };
    (shown, next)
}

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
        let (shown, next) = part(&mut net, 0, &chain, from, usize::MAX);
        parts.push(shown.len());
        let Some(next) = next else { break };
        from = next;
    }
    assert_eq!(parts, [4, 4, 2]);
}

fn call_oneself(net: &mut Net, chain: &Genesis, author: u8, name: &str) {
    let profile = Profile { name: Text::new(name).unwrap(), about: Text::default() };
    let post = Post {
        chain: which(chain),
        content: Content::Profile(profile),
        sign: Some(key(author)),
        vote: None,
        reader: None,
    };
    net.wait(covey_kernel::Span::secs(1));
    net.call(0, Command::Post(Box::new(post))).unwrap();
}

#[test]
fn who_calls_themselves_often_has_the_last_name_and_is_read_no_more_often() {
    let (mut net, chain) = apart();
    net.post(0, &chain, "hello", 1);
    let listed = |net: &mut Net| {
        let before = net.nodes[0].disk.reads.load(Ordering::Relaxed);
        let (shown, _) = part(net, 0, &chain, 0, 1);
        let name = shown[0].name.clone();
        (name, net.nodes[0].disk.reads.load(Ordering::Relaxed) - before)
    };
    assert_eq!(listed(&mut net).0, None);
    call_oneself(&mut net, &chain, 1, "Ann");
    let (name, once) = listed(&mut net);
    assert_eq!(name.as_deref(), Some("Ann"));
    for number in 0..100 {
        call_oneself(&mut net, &chain, 1, &format!("Ann {number}"));
    }
    let (name, often) = listed(&mut net);
    assert_eq!(name.as_deref(), Some("Ann 99"));
    assert_eq!(often, once);
}
