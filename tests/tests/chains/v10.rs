//! The rules of `v10`.

use super::common::*;
use covey_tests::naive::Status::*;

#[test]
fn v10_pioneers_share_30_by_integer_division() {
    for (pioneers, share) in [(1, 30), (2, 15), (3, 10), (4, 7), (7, 4), (31, 0)] {
        let keys: Vec<u32> = (1..=pioneers).collect();
        let m = Make::v10(&keys);
        for &key in &keys {
            assert_eq!(m.reps(key, 0), share);
        }
        assert_eq!(m.reps(99, 0), 0);
    }
}

#[test]
fn v10_a_post_costs_1_given_back_after_a_delay_by_what_came_after() {
    let mut m = Make::v10(&[A, B, C]);
    let p = m.post(A, 0, &[0]);
    // total 29, after 9: 12 h x 11/29 = 16,386,206.9 ms
    assert_eq!(m.reps(A, 0), 9);
    assert_eq!(m.reps(A, 16_386_205), 9);
    assert_eq!(m.reps(A, 16_386_206), 10);
    // B posts: total 28, after A's post 9 + 9: due at once; B's own: 12 h x 10/28.
    m.post(B, H, &[p]);
    assert_eq!(m.reps(A, H), 10);
    assert_eq!(m.reps(B, H), 9);
}

#[test]
fn v10_total_once_per_scan_after_anew_for_each_post() {
    // A posts twice: 8, 10, 10. At t = 18,514,285 (12 h x 12/28) the first is due; then A has 9, and
    // the second is due after 12 h x 10/28 = 15,428,571, with the total still 28.
    for (second, reps) in [(3_085_714, 10), (3_085_715, 9)] {
        let mut m = Make::v10(&[A, B, C]);
        let p = m.post(A, 0, &[0]);
        m.post(A, second, &[p]);
        assert_eq!(m.reps(A, 18_514_284), 8);
        assert_eq!(m.reps(A, 18_514_285), reps);
    }
}

#[test]
fn v10_total_0_means_12_h() {
    // 15 own dislikes spend all 30. (The 12 h themselves: `v10_refund_delay`.)
    let mut m = Make::v10(&[A]);
    let p = m.post(A, 0, &[0]); // 29, due at once (after = total): 30
    assert_eq!(m.reps(A, 0), 30);
    let mut last = p;
    for _ in 0..14 {
        last = m.dislike(A, 0, p, &[last]); // -2 each: 2
    }
    last = m.post(A, 0, &[last]); // 1, and back: 2
    let v = m.dislike(A, 0, p, &[last]); // 0
    assert_eq!(m.reps(A, 0), 0);
    assert_eq!(m.status(v), Placed);
    assert_eq!(m.reps(A, D), 1); // p's credit; the second post is within 24 h of it
}

#[test]
fn v10_a_post_that_brings_the_total_to_0_comes_back_after_12_h() {
    let mut m = Make::v10(&(1..=16).collect::<Vec<_>>()); // 1 each
    let mut last = 0;
    for a in 1..=16 {
        last = m.post(a, 0, &[last]);
    }
    // Each post is paid back as soon as half of the reps has come after it; the last ones wait.
    let reps_of = |at| (1..=16).map(|a| m.reps(a, at)).collect::<Vec<_>>();
    let total = |at: u64| reps_of(at).iter().sum::<i64>();
    assert!(total(0) <= 16);
    assert_eq!(total(12 * H), 16);
    assert_eq!(total(24 * H), 32);
}

#[test]
fn v10_credits_plus_1_once_24_h_old() {
    let mut m = Make::v10(&[A, B]);
    m.post(A, 0, &[0]);
    assert_eq!(m.reps(A, 24 * H - MS), 15);
    assert_eq!(m.reps(A, 24 * H), 16);
    assert_eq!(m.reps(A, 200 * D), 16); // no window
}

#[test]
fn v10_credits_need_24_h_since_the_last_credited_post() {
    let mut m = Make::v10(&[A, B]);
    let p = m.post(A, 0, &[0]);
    let q = m.post(A, 23 * H, &[p]); // earns nothing
    let r = m.post(A, 24 * H, &[q]); // earns
    m.post(A, 48 * H - MS, &[r]); // earns nothing
    assert_eq!(m.reps(A, 200 * H), 17);
}

#[test]
fn v10_capped_at_every_credit() {
    let mut m = Make::v10(&[A]);
    let p = m.post(A, 0, &[0]);
    assert_eq!(m.reps(A, 30 * H), 30); // the credit at 24 h is lost
    let b = m.post(B, 30 * H, &[p]);
    let l = m.like(A, 30 * H, b, &[b]);
    assert_eq!(m.reps(A, 30 * H), 29);
    m.post(A, 31 * H, &[l]); // 28; refunded at once 29; a credit at 55 h: 30
    assert_eq!(m.reps(A, 31 * H), 29);
    assert_eq!(m.reps(A, 55 * H), 30);
}

#[test]
fn v10_the_scans_change_what_a_test_sees() {
    // 30 pioneers, 1 rep each. A spends it on a post; A's next one waits for the refund.
    let pioneers: Vec<u32> = (1..=30).collect();
    let mut m = Make::v10(&pioneers);
    let p = m.post(A, 0, &[0]); // 0; total 29, after 0: 12 h
    let early = m.post(A, 12 * H - MS, &[p]);
    let late = m.post(A, 12 * H, &[p]);
    assert_eq!((m.status(early), m.status(late)), (Held, Placed));
}

#[test]
fn v10_votes_count_as_in_3() {
    let mut m = Make::v10(&[A, B]);
    let p = m.post(A, 0, &[0]);
    // At 20 h A's post is refunded.
    let l = m.like(B, 20 * H, p, &[p]);
    assert_eq!((m.reps(A, 20 * H), m.reps(B, 20 * H)), (16, 14));
    let d = m.dislike(B, 20 * H, p, &[l]);
    assert_eq!((m.reps(A, 20 * H), m.reps(B, 20 * H)), (15, 13));
    m.dislike(A, 20 * H, p, &[d]);
    assert_eq!((m.reps(A, 20 * H), m.reps(B, 20 * H)), (13, 13));
}

#[test]
fn v10_no_reps_no_post_until_liked_and_no_vote_at_all() {
    let mut m = Make::v10(&[A, B]);
    let p = m.post(A, 0, &[0]);
    let c = m.post(C, H, &[p]);
    let v = m.like(C, H, p, &[p]);
    assert_eq!((m.status(c), m.status(v)), (Held, Held));
    let l = m.like(B, H, c, &[c]);
    let lv = m.like(B, H, v, &[v]);
    assert_eq!((m.status(c), m.status(l)), (Placed, Placed));
    assert_eq!((m.status(v), m.status(lv)), (Held, Held));
}

#[test]
fn v10_needs_no_pinned_first_post() {
    let mut m = Make::v10(&[A, B]);
    let p = m.post(A, 0, &[0]);
    let q = m.post(B, 0, &[0]);
    let h = m.post(C, 0, &[0]);
    assert_eq!(m.order(), [0, p, q]);
    let l = m.like(A, 0, h, &[h]);
    // p and h's part (A) weigh 15 as q does; the smaller ids first. After p A weighs 14, so q is next.
    assert_eq!(m.order(), [0, p, q, h, l]);
}

#[test]
fn v10_revoked_by_ones_own_dislike() {
    let mut m = Make::v10(&[A, B]);
    let p = m.post(A, 0, &[0]);
    assert!(!m.revoked(p));
    let d = m.dislike(A, 0, p, &[p]);
    assert!(m.revoked(p));
    let mut last = d;
    for _ in 0..5 {
        last = m.like(B, 0, p, &[last]); // does not undo it
    }
    assert!(m.revoked(p));
}

#[test]
fn v10_revoked_by_3_dislikes_not_fewer_than_the_likes() {
    let mut m = Make::v10(&[1, 2, 3, 4, 5, 6]); // 5 each
    let p = m.post(1, 0, &[0]);
    let mut last = p;
    for voter in [2, 3] {
        last = m.dislike(voter, 0, p, &[last]);
    }
    assert!(!m.revoked(p));
    last = m.dislike(4, 0, p, &[last]);
    assert!(m.revoked(p));
    for voter in [2, 5, 6] {
        last = m.like(voter, 0, p, &[last]);
    }
    assert!(m.revoked(p)); // 3 and 3
    m.like(3, 0, p, &[last]);
    assert!(!m.revoked(p)); // later likes undo it
}
