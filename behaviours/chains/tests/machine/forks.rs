use covey_chains::{
    BlockId,
    command::Which,
    genesis::Genesis,
    limits::{INLINE_BYTES, PAGE_BYTES, SETTLED_MILLIS},
};
use covey_kernel::Span;

use crate::{
    apart::{forum, together, write},
    net::Net,
};

fn two() -> (Net, Genesis) {
    let (mut net, forum) = (Net::new(2), forum());
    together(&mut net, &forum);
    (net, forum)
}

#[test]
fn sides_that_were_apart_for_long_show_a_hard_fork_and_keep_their_order() {
    let (mut net, forum) = two();
    net.cut(0, 1);
    write(&mut net, 0, &forum, 6, Span::hours(30));
    write(&mut net, 1, &forum, 6, Span::hours(1));
    let before = [0, 1].map(|at| net.order(at, &forum));
    assert!(net.status(0, &forum).frozen > 1);
    net.link(0, 1);
    for _ in 0..3 {
        net.round();
    }
    let after = [0, 1].map(|at| net.order(at, &forum));
    let forks = [0, 1].map(|at| net.status(at, &forum).forks);
    // Each side that has something frozen keeps it.
    for at in 0..2 {
        let kept = before[at].iter().zip(&after[at]).take_while(|(a, b)| a == b).count();
        assert!(kept >= 2, "node {at}");
        if !forks[at].is_empty() {
            assert_eq!(before[at], after[at], "node {at}");
            assert_eq!(net.heads(at, &forum, Which::Forked).len(), 1, "one tip at node {at}");
            assert!(forks[at][0].back >= 3, "{:?}", forks[at]);
        }
    }
    assert!(!forks[0].is_empty() || !forks[1].is_empty(), "nobody shows a fork");
    net.restart(0);
    net.round();
    assert_eq!(net.order(0, &forum), after[0]);
    assert_eq!(net.status(0, &forum).forks, forks[0]);
}

#[test]
fn sides_that_cannot_come_together_do_not_ask_each_other_without_end() {
    let (mut net, forum) = two();
    net.cut(0, 1);
    for at in 0..2 {
        write(&mut net, at, &forum, 8, Span::hours(30));
    }
    net.traffic = (0, 0);
    net.link(0, 1);
    assert!(net.traffic.1 < 20, "{} answers", net.traffic.1);
    for at in 0..2 {
        assert!(!net.status(at, &forum).forks.is_empty(), "node {at} has no fork");
    }
    net.traffic = (0, 0);
    net.round();
    assert!(net.traffic.1 < 20, "{} answers in a round", net.traffic.1);
}

#[test]
fn sides_that_were_apart_for_a_while_come_together() {
    let (mut net, forum) = two();
    write(&mut net, 0, &forum, 8, Span::hours(30));
    net.round();
    net.same(&forum, 9);
    net.cut(0, 1);
    write(&mut net, 0, &forum, 3, Span::hours(1));
    write(&mut net, 1, &forum, 3, Span::hours(1));
    net.link(0, 1);
    net.round();
    net.same(&forum, 15);
    for at in 0..2 {
        assert_eq!(net.status(at, &forum).forks, []);
    }
}

#[test]
fn a_late_joiner_gets_the_whole_past_and_no_fork() {
    let (mut net, forum) = two();
    net.cut(0, 1);
    write(&mut net, 0, &forum, 3, Span::hours(10));
    write(&mut net, 1, &forum, 3, Span::hours(10));
    net.link(0, 1);
    net.round();
    write(&mut net, 0, &forum, 6, Span::hours(30));
    net.round();
    net.same(&forum, 13);
    // Node 1 has lost its disk, and begins anew.
    net.nodes[1].disk.entries.clear();
    net.restart(1);
    net.join(1, &forum);
    for _ in 0..3 {
        net.round();
    }
    net.same(&forum, 13);
    assert_eq!(net.status(1, &forum).forks, []);
}

/// A forum in which a third node brings something: 0 has the newest, 1 what was written beside it long ago,
/// 2 begins.
fn three() -> (Net, Genesis) {
    let (mut net, forum) = (Net::new(3), forum());
    for at in 0..3 {
        net.join(at, &forum);
    }
    net.link(0, 1);
    net.post(0, &forum, "first", 1);
    net.cut(0, 1);
    net.deaf = true;
    (net, forum)
}

/// 0 writes more than one page, old enough to freeze; the first page comes to 2, and the second one is lost.
fn part(net: &mut Net, forum: &Genesis) -> Vec<BlockId> {
    let text = "x".repeat(INLINE_BYTES - 512);
    for number in 0..PAGE_BYTES / INLINE_BYTES + 10 {
        net.wait(Span::hours(30));
        net.post(0, forum, &format!("{number} {text}"), 1);
    }
    net.budget = Some(1);
    net.link(2, 0);
    net.budget = None;
    let all = net.order(0, forum);
    let part = net.order(2, forum).len();
    assert!((10..all.len()).contains(&part), "{part} of {} came", all.len());
    assert_eq!(net.status(2, forum).frozen, 0, "a part of it has frozen");
    all
}

#[test]
fn who_has_nothing_does_not_end_what_another_brings() {
    let (mut net, forum) = three();
    let all = part(&mut net, &forum);
    // Another one has only the beginning.
    net.link(1, 2);
    assert!(net.order(1, &forum).contains(&all[1]));
    assert_eq!(net.status(2, &forum).frozen, 0, "it froze because of another");
    // What was lost is given up, and asked for again.
    net.round();
    net.round();
    assert_eq!(net.order(2, &forum), all);
    assert!(net.status(2, &forum).frozen > 10);
    assert_eq!(net.status(2, &forum).forks, []);
}

#[test]
fn who_brings_something_does_not_end_what_another_still_brings() {
    let (mut net, forum) = three();
    let (beside, _) = net.post(1, &forum, "beside", 1);
    let all = part(&mut net, &forum);
    net.link(1, 2);
    assert!(net.order(2, &forum).contains(&beside));
    assert_eq!(net.status(2, &forum).frozen, 0, "it froze because of another");
    net.round();
    net.round();
    let order = net.order(2, &forum);
    assert!(all.iter().chain([&beside]).all(|id| order.contains(id)));
    assert!(net.status(2, &forum).frozen > 10);
    assert_eq!(net.status(2, &forum).forks, []);
}

#[test]
fn who_has_nothing_does_not_end_what_was_broken_off() {
    let (mut net, forum) = three();
    let all = part(&mut net, &forum);
    net.cut(0, 2);
    // It is given up.
    net.round();
    net.link(1, 2);
    assert_eq!(net.status(2, &forum).frozen, 0, "it froze because of another");
    net.link(0, 2);
    assert_eq!(net.order(2, &forum), all);
    assert!(net.status(2, &forum).frozen > 10);
    assert_eq!(net.status(2, &forum).forks, []);
}

#[test]
fn what_was_broken_off_freezes_after_some_time() {
    let (mut net, forum) = three();
    part(&mut net, &forum);
    net.cut(0, 2);
    net.restart(2);
    net.round();
    assert_eq!(net.status(2, &forum).frozen, 0, "a part of it has frozen");
    net.wait(Span::millis(SETTLED_MILLIS));
    net.round();
    assert!(net.status(2, &forum).frozen > 10);
}

#[test]
fn what_was_broken_off_before_the_clock_was_set_back_freezes() {
    let (mut net, forum) = three();
    part(&mut net, &forum);
    net.cut(0, 2);
    net.now = net.now.minus(Span::hours(1));
    net.round();
    assert!(net.status(2, &forum).frozen > 10);
}
