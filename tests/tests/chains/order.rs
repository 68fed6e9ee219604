//! Time, admission and order, freezing.

use super::common::*;
use covey_tests::naive::Status::*;

/// As `forum_with_b`, and C admitted likewise at 2 h. Blocks 1..=5, last 5.
/// At 30 h: A 28 (30 + 1 capped - 2), B 2, C 2.
fn forum_with_b_and_c() -> Make {
    let mut m = forum_with_b();
    let c = m.post(C, 2 * H, &[3]);
    m.like(A, 2 * H, c, &[c]);
    assert_eq!((m.reps(A, 30 * H), m.reps(B, 30 * H), m.reps(C, 30 * H)), (28, 2, 2));
    m.post(A, 30 * H, &[5]); // 6: so that the weights are taken at 30 h
    m
}

/// B with exactly 1 rep: A's first, B's post, two likes. Blocks 1..=4, last 4.
fn forum_with_b_of_1() -> Make {
    let mut m = forum_with_b();
    m.like(A, H, 2, &[3]);
    assert_eq!(m.reps(B, H), 1);
    m
}

// ---- time ----

#[test]
fn time_backdated_block_takes_the_time_of_those_before_it() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let p = m.post(A, 10 * H, &[f]);
    let q = m.post(A, 2 * H, &[f]);
    let r = m.post(A, 11 * H, &[p, q]);
    assert_eq!(m.order(), [0, f, p, q, r]);
    assert_eq!(m.effective(), [0, 0, 10 * H, 10 * H, 11 * H]);
}

#[test]
fn time_a_test_uses_reps_at_the_effective_time() {
    // B's post has its +1 at 25 h by the clock of the order.
    let mut m = forum_with_b();
    let early = m.post(B, 25 * H - MS, &[3]);
    let late = m.post(B, 25 * H, &[3]);
    assert_eq!(m.status(early), Held);
    assert_eq!(m.status(late), Placed);
}

#[test]
fn time_a_reader_before_the_last_effective_time_reads_at_that_time() {
    let mut m = forum_with_b();
    m.post(A, 30 * H, &[3]);
    assert_eq!(m.reps(B, 0), 2);
}

// ---- order: weights ----

#[test]
fn order_two_branches_the_heavier_first() {
    let mut m = forum_with_b_and_c();
    let light = m.post(B, 30 * H, &[6]);
    let heavy = m.post(A, 31 * H, &[6]);
    assert_eq!(m.order(), [0, 1, 2, 3, 4, 5, 6, heavy, light]);
    assert_eq!(m.effective()[8], 31 * H);
}

#[test]
fn order_weight_counts_those_that_build_on_it_and_each_author_once() {
    let mut m = forum_with_b_and_c();
    let x = m.post(B, 30 * H, &[6]);
    let x2 = m.post(B, 30 * H, &[x]);
    let y = m.post(C, 30 * H, &[6]);
    // Equal weights (2 and 2: B counts once), equal heights: the smaller id, x; then C 2 > B 1.
    assert_eq!(m.order()[7..], [x, y, x2]);
    // With a block of B's on it y weighs 4.
    let y2 = m.post(B, 30 * H, &[y]);
    assert_eq!(m.order()[7], y);
    // Then x is lower than y2, and x2 (tie with y2) has the smaller id: B's 2 are spent.
    assert_eq!(m.order()[7..], [y, x, x2]);
    assert_eq!(m.status(y2), Blocked);
}

#[test]
fn order_what_builds_on_two_ready_blocks_is_in_no_own_part() {
    let mut m = forum_with_b_and_c();
    let x = m.post(B, 30 * H, &[6]);
    let y = m.post(C, 30 * H, &[6]);
    let merge = m.post(A, 30 * H, &[y, x]);
    m.late_id(x, 9);
    assert_eq!(m.order()[7..], [y, x, merge]);
}

#[test]
fn order_tie_lower_height_then_smaller_id() {
    let mut m = forum_with_b_and_c();
    let w = m.post(B, 30 * H, &[6]);
    let z = m.post(A, 30 * H, &[w]);
    let y = m.post(A, 30 * H, &[6]);
    m.late_id(y, 9);
    // w's part has A and B, y's only A. Then z and y weigh the same; y is lower.
    assert_eq!(m.order()[7..], [w, y, z]);
    // And with the same height, the id decides.
    let mut m = forum_with_b_and_c();
    let p = m.post(A, 30 * H, &[6]);
    let q = m.post(A, 30 * H, &[6]);
    assert_eq!(m.order()[7..], [p, q]);
    m.late_id(p, 9);
    assert_eq!(m.order()[7..], [q, p]);
}

#[test]
fn order_weights_are_taken_at_the_last_placed_blocks_time() {
    // At 2 h B weighs 0 and C 0 (both young): the candidates' own times, 40 h, do not count.
    let mut m = forum_with_b();
    let c = m.post(C, 20 * H, &[3]);
    m.like(A, 20 * H, c, &[c]); // 5; B is mature at 25 h, C at 44 h
    let y = m.post(C, 50 * H, &[5]);
    let x = m.post(B, 50 * H, &[5]);
    assert_eq!(m.order()[6..], [y, x]); // tie 0 and 0: smaller id; at 50 h it would be 2 and 2
    let mut m = forum_with_b();
    let c = m.post(C, 20 * H, &[3]);
    m.like(A, 26 * H, c, &[c]);
    let y = m.post(C, 50 * H, &[5]);
    let x = m.post(B, 50 * H, &[5]);
    assert_eq!(m.order()[6..], [x, y]); // at 26 h B weighs 2, C 0
}

#[test]
fn order_negative_reps_count_0_in_sums() {
    let mut m = forum_with_b_and_c();
    let mut last = 6;
    for _ in 0..4 {
        last = m.dislike(A, 30 * H, 2, &[last]); // B: 2 - 4 = -2
    }
    assert_eq!(m.reps(B, 30 * H), -2);
    // x: C 2 and, admitted by C's like, B's post; y: C 2 alone. Equal if B counts 0.
    let x = m.post(B, 30 * H, &[last]);
    let like = m.like(C, 30 * H, x, &[x]);
    let y = m.post(C, 30 * H, &[last]);
    let at = m.order().iter().position(|&b| b == x).unwrap();
    assert_eq!(m.order()[at..], [x, like, y]);
}

// ---- order: blocked blocks ----

#[test]
fn order_blocked_when_spent_on_the_other_branch() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let y = m.post(B, 2 * H, &[4]);
    assert!(m.admitted(x) && m.admitted(y));
    assert_eq!((m.status(x), m.status(y)), (Placed, Blocked));
    assert_eq!(m.order(), [0, 1, 2, 3, 4, x]);
    // Each alone is placed.
    assert_eq!(m.w.order(&m.without(&[x])), [0, 1, 2, 3, 4, y]);
}

#[test]
fn order_a_blocked_block_keeps_out_all_that_builds_on_it() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let x2 = m.post(A, 2 * H, &[x]);
    let y = m.post(B, 2 * H, &[4]);
    let y2 = m.post(A, 2 * H, &[y]);
    assert_eq!((m.status(y), m.status(y2)), (Blocked, Blocked));
    assert_eq!(m.order()[5..], [x, x2]);
    // A block that merges both: y is not placed in its past's order, so it is not admitted.
    let both = m.post(A, 2 * H, &[x2, y2]);
    assert_eq!(m.status(both), Held);
}

#[test]
fn order_what_builds_on_a_blocked_block_is_in_no_own_part() {
    // Ready at 30 h: p (B) and q (C), 2 each. A's block on p and on the blocked x would make p
    // heavier, but it is not admitted at all; so the case is seen only through `Held`.
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let y = m.post(B, 2 * H, &[4]);
    let merge = m.post(A, 2 * H, &[x, y]);
    assert_eq!(m.status(merge), Held);
    assert_eq!(m.order()[5..], [x]);
}

#[test]
fn order_a_blocked_block_comes_back_with_a_like_at_its_own_turn() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let xa = m.post(A, 2 * H, &[x]);
    let y = m.post(B, 3 * H, &[4]);
    let l = m.like(A, 4 * H, y, &[y]);
    // x and y weigh the same (A, B): x by its id; then xa and y weigh the same, y is lower; B has 0
    // now, the like brings y back.
    assert_eq!(m.order()[5..], [x, y, l, xa]);
    assert_eq!(m.effective()[5..], [2 * H, 3 * H, 4 * H, 4 * H]);
    assert_eq!(m.w.statuses(&m.without(&[l]))[&y], Blocked);
}

#[test]
fn order_a_like_not_directly_and_only_on_the_blocked_block_does_not_bring_it_back() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    m.post(A, 2 * H, &[x]);
    let y = m.post(B, 3 * H, &[4]);
    let y2 = m.post(A, 3 * H, &[y]);
    let l = m.like(A, 4 * H, y, &[y2]);
    assert_eq!((m.status(y), m.status(y2), m.status(l)), (Blocked, Blocked, Blocked));
}

#[test]
fn order_a_blocked_vote_can_come_back() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let xa = m.post(A, 2 * H, &[x]);
    let v = m.like(B, 2 * H, 1, &[4]);
    let l = m.like(A, 2 * H, v, &[v]);
    assert_eq!(m.order()[5..], [x, v, l, xa]);
}

#[test]
fn order_the_likers_reps_are_taken_before_the_blocked_block_is_placed() {
    // B's vote v gives C its only rep; C likes v. When v is blocked, C has none without it.
    let mut m = forum_with_b_of_1();
    let c = m.post(C, H, &[4]);
    let lc = m.like(A, H, c, &[c]); // C: 0
    let v = m.like(B, 2 * H, c, &[lc]);
    let l = m.like(C, 2 * H, v, &[v]);
    assert!(m.admitted(l)); // in its own past C has 1
    assert_eq!(m.order()[7..], [v, l]);
    let x = m.post(B, 2 * H, &[lc]);
    m.post(A, 2 * H, &[x]); // makes x the heavier
    assert_eq!((m.status(x), m.status(v), m.status(l)), (Placed, Blocked, Blocked));
}

#[test]
fn order_of_several_likes_most_reps_then_smaller_id() {
    // On held block h: likes by B (2), C (2), A (28).
    let mut m = forum_with_b_and_c();
    let h = m.post(E, 30 * H, &[6]);
    let by_b = m.like(B, 30 * H, h, &[h]);
    let by_c = m.like(C, 30 * H, h, &[h]);
    assert_eq!(m.order()[7..], [h, by_b, by_c]);
    m.late_id(by_b, 9);
    assert_eq!(m.order()[7..], [h, by_c, by_b]);
    let by_a = m.like(A, 31 * H, h, &[h]);
    assert_eq!(m.order()[7..9], [h, by_a]);
}

#[test]
fn order_the_other_likes_are_ordinary_blocks_and_can_be_blocked() {
    // B, with 1 rep, likes the held h twice; both pairs are admitted; the second has no reps left.
    let mut m = forum_with_b_of_1();
    let h = m.post(E, 2 * H, &[4]);
    let l1 = m.like(B, 2 * H, h, &[h]);
    let l2 = m.like(B, 2 * H, h, &[h]);
    assert!(m.admitted(l1) && m.admitted(l2));
    assert_eq!((m.status(h), m.status(l1), m.status(l2)), (Placed, Placed, Blocked));
}

#[test]
fn order_a_pair_whose_liker_spent_elsewhere_is_blocked_as_a_whole() {
    let mut m = forum_with_b_of_1();
    let h = m.post(E, 2 * H, &[4]);
    let l = m.like(B, 2 * H, h, &[h]);
    let x = m.post(B, 2 * H, &[4]);
    m.post(A, 2 * H, &[x]); // makes x heavier
    assert!(m.admitted(h) && m.admitted(l));
    assert_eq!((m.status(x), m.status(h), m.status(l)), (Placed, Blocked, Blocked));
}

#[test]
fn order_a_pair_is_weighed_as_the_held_blocks_own_part() {
    // h (no reps) with A's like weighs 28, more than B's 2.
    let mut m = forum_with_b_and_c();
    let x = m.post(B, 30 * H, &[6]);
    let h = m.post(E, 30 * H, &[6]);
    let l = m.like(A, 30 * H, h, &[h]);
    assert_eq!(m.order()[7..], [h, l, x]);
}

#[test]
fn order_a_held_block_that_has_reps_when_taken_is_placed_without_its_like() {
    // E's post p is held; E's other post q too, admitted by two likes, so E has 1 when p is taken.
    let mut m = forum_with_b_and_c();
    let q = m.post(E, 30 * H, &[6]);
    let q1 = m.like(A, 30 * H, q, &[q]);
    let q2 = m.like(A, 30 * H, q, &[q1]);
    let p = m.post(E, 30 * H, &[6]);
    let l = m.like(C, 30 * H, p, &[p]); // weighs 2: last
    assert_eq!(m.order()[7..], [q, q1, q2, p, l]);
    assert_eq!(m.reps(E, 30 * H), 1); // -1 +1 +1 -1 +1
    // C's rep spent elsewhere (twice): the like is blocked, p stays.
    let c1 = m.post(C, 30 * H, &[6]);
    let c2 = m.post(C, 30 * H, &[c1]);
    let c3 = m.post(A, 30 * H, &[c2]);
    assert_eq!((m.status(c3), m.status(p), m.status(l)), (Placed, Placed, Blocked));
}

#[test]
fn order_is_tested_once_a_placed_block_stays() {
    // x placed with B's only rep; A's later dislikes take B below 0; x stays.
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    m.dislike(A, 2 * H, x, &[x]);
    assert_eq!(m.status(x), Placed);
    assert_eq!(m.reps(B, 2 * H), -1);
}

/// READING.md 0.1: a block that will be blocked counts in the weight of what it builds on.
#[test]
fn order_blocked_blocks_shape_the_order_of_the_others() {
    let mut m = forum_with_b_and_c();
    let d = m.dislike(B, 30 * H, 1, &[6]); // B: 1
    let e = m.post(E, 30 * H, &[d]);
    let l1 = m.like(A, 30 * H, e, &[e]);
    let l2 = m.like(A, 30 * H, e, &[l1]); // E: 1
    assert_eq!((m.reps(B, 30 * H), m.reps(C, 30 * H), m.reps(E, 30 * H)), (1, 2, 1));
    let s = m.post(E, 30 * H, &[l2]);
    let x = m.post(B, 30 * H, &[s]);
    let x2 = m.post(A, 30 * H, &[x]);
    let r = m.post(C, 30 * H, &[l2]);
    let y = m.post(B, 30 * H, &[r]);
    let y2 = m.post(A, 30 * H, &[y]);
    // r's part C, B, A; s's part E, B, A. B's rep goes to x, so y is blocked.
    let order = m.order();
    assert_eq!(order[11..], [r, s, x, x2]);
    assert_eq!((m.status(y), m.status(y2)), (Blocked, Blocked));
    // Who never got y and y2 (blocked: not gossiped) has the same placed blocks in another order.
    let other = m.w.order(&m.without(&[y, y2]));
    assert_eq!(other[11..], [s, x, x2, r]);
}

// ---- admission ----

#[test]
fn admission_a_held_vote_is_never_admitted() {
    let mut m = forum_with_b();
    let v = m.like(B, 2 * H, 1, &[3]);
    let l = m.like(A, 2 * H, v, &[v]);
    let on = m.post(A, 2 * H, &[l]);
    for x in [v, l, on] {
        assert_eq!(m.status(x), Held);
        assert!(!m.admitted(x));
    }
}

#[test]
fn admission_a_block_that_builds_on_a_held_one_is_never_admitted() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let h = m.post(B, H, &[f]);
    let on = m.post(A, H, &[h]);
    assert_eq!((m.status(h), m.status(on)), (Held, Held));
    // A like beside it admits h, but is not in the past of `on`.
    let l = m.like(A, H, h, &[h]);
    assert_eq!((m.status(h), m.status(l), m.status(on)), (Placed, Placed, Held));
    // What builds on the like is admitted.
    let after = m.post(A, H, &[l]);
    assert_eq!(m.status(after), Placed);
    // What builds on the like and on `on` is not; a like of `on` does not help it.
    let both = m.post(A, H, &[l, on]);
    let of_on = m.like(C, H, on, &[on]);
    assert_eq!((m.status(both), m.status(of_on)), (Held, Held));
}

#[test]
fn admission_a_second_newcomer_on_a_held_newcomer_is_held_despite_its_like() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let h = m.post(B, H, &[f]);
    let h2 = m.post(C, H, &[h]);
    let l2 = m.like(A, H, h2, &[h2]);
    m.like(A, H, h, &[h]);
    assert_eq!((m.status(h), m.status(h2), m.status(l2)), (Placed, Held, Held));
}

#[test]
fn admission_depends_on_its_own_past_alone() {
    let mut m = forum_with_b_of_1();
    let x = m.post(B, 2 * H, &[4]);
    let y = m.post(B, 2 * H, &[4]); // no reps for it beside x
    let z = m.post(B, 2 * H, &[x]); // B has 0 in its past
    let l = m.like(A, 2 * H, 2, &[4]); // one more rep for B, beside
    for known in [m.all(), m.without(&[x, z]), m.without(&[l]), m.without(&[y])] {
        for b in known.iter().copied() {
            assert_eq!(m.w.admitted(&known, b), b != z);
        }
    }
    assert!(m.order().contains(&y)); // with l's rep both fit
}

#[test]
fn admission_without_the_held_blocks_help() {
    // C is held-admitted with 0; E's held post cannot be liked by C.
    let mut m = forum_with_b();
    let h = m.post(E, 2 * H, &[3]);
    let l = m.like(B, 2 * H, h, &[h]); // B has 0
    assert_eq!((m.status(h), m.status(l)), (Held, Held));
}

// ---- freezing ----

#[test]
fn freezing_both_far_and_long_ago() {
    let mut m = Make::forum();
    let mut last = 0;
    for day in 0..4 {
        last = m.post(A, day * D, &[last]);
    }
    let all = m.all(); // effective: 0 (genesis), 0, 1 d, 2 d, 3 d
    assert_eq!(m.w.frozen(&all, None), 0);
    assert_eq!(m.w.frozen(&all, Some((2, D))), 2); // places 0, 1 are 4, 3 from the end
    assert_eq!(m.w.frozen(&all, Some((1, 2 * D))), 2); // place 2 is exactly 2 days before
    assert_eq!(m.w.frozen(&all, Some((1, 2 * D - MS))), 3);
    assert_eq!(m.w.frozen(&all, Some((100, 7 * D))), 0);
}

#[test]
fn freezing_private_never_and_empty_nothing() {
    let mut m = Make::private();
    let p = m.post(A, 0, &[0]);
    m.post(A, 100 * D, &[p]);
    assert_eq!(m.w.frozen(&m.all(), Some((0, 0))), 0);
    let m = Make::forum();
    assert_eq!(m.w.frozen(&m.all(), Some((0, 0))), 0);
}
