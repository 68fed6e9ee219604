//! Pages of blocks: where one ends does not matter.

use covey_chains::{
    command::State,
    genesis::{Genesis, Owner},
    limits::{INLINE_BYTES, PAGE_BYTES},
    wire::{Item, Page, Response},
};
use covey_kernel::{Bounded, Bytes};

use crate::net::{Net, key, network};

/// Two nodes that are not linked and follow an identity's chain, whose owner may always post.
fn apart() -> (Net, Genesis) {
    let owner = Owner { key: key(1).public(), only: false };
    let (mut net, chain) = (Net::new(2), Genesis::identity(network(), owner));
    net.join(0, &chain);
    net.join(1, &chain);
    (net, chain)
}

#[test]
fn a_post_and_the_like_that_admits_it_come_with_one_page() {
    let full = PAGE_BYTES / INLINE_BYTES;
    for before in full - 3..full + 2 {
        let (mut net, chain) = apart();
        let text = "x".repeat(INLINE_BYTES - 512);
        for number in 0..before {
            net.post(0, &chain, &format!("{number} {text}"), 1);
        }
        let (hello, state) = net.post(0, &chain, &text, 2);
        assert_eq!(state, State::Held);
        let (like, _) = net.vote(0, &chain, (true, hello), 1).unwrap();
        net.post(0, &chain, "after", 1);
        net.deaf = true;
        net.link(0, 1);
        net.same(&chain, before + 3);
        let together = |page: &Vec<_>| page.contains(&hello) == page.contains(&like);
        assert!(net.pages.iter().all(together), "they are parted: {before} before them");
        assert!(net.pages.iter().any(|page| page.contains(&like)));
        assert!(net.pages.len() > 1, "there is one page alone");
    }
}

#[test]
fn what_could_not_be_taken_is_asked_for_again_while_there_is_something_new() {
    let (mut net, chain) = apart();
    let posts: Vec<_> =
        (0..3).map(|number| net.post(0, &chain, &format!("post {number}"), 1).0).collect();
    let items: Vec<Item> = [0, 2].map(|at| net.item(0, &chain, posts[at])).into();
    let page = Page { items: Bounded::new(items).unwrap(), next: None };
    net.answer_instead = Some(Response::Page(page).encode());
    net.deaf = true;
    net.link(1, 0);
    net.same(&chain, 3);
}

#[test]
fn what_was_asked_before_an_exchange_was_broken_off_counts_for_nothing() {
    let (mut net, chain) = apart();
    let (post, _) = net.post(0, &chain, "post", 1);
    let mut item = net.item(0, &chain, post);
    item.payload = Some(Bytes::new(b"another".to_vec()).unwrap());
    let page = Page { items: Bounded::new(vec![item]).unwrap(), next: Some(1) };
    net.answer_instead = Some(Response::Page(page).encode());
    net.answers_for_ever = true;
    net.tolerant = true;
    net.link(1, 0);
    let blamed = net.nodes[0].peer;
    assert_eq!(net.strikes, [blamed]);
    assert_eq!(net.order(1, &chain).len(), 1);
}
