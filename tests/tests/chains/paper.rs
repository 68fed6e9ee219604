//! The numbered rules of `paper`.

use super::common::*;
use covey_tests::naive::Status::*;

// ---- 1: the grant ----

#[test]
fn paper_1_the_first_post_gives_30_and_29_while_young() {
    let mut m = Make::forum();
    m.post(A, 0, &[0]);
    assert_eq!(m.reps(A, 0), 29);
    assert_eq!(m.reps(A, 24 * H - MS), 29);
    assert_eq!(m.reps(A, 24 * H), 30);
    assert_eq!(m.reps(B, 24 * H), 0);
}

#[test]
fn paper_1_the_grant_never_expires() {
    let mut m = Make::forum();
    m.post(A, 0, &[0]);
    assert_eq!(m.reps(A, 90 * D), 30);
    assert_eq!(m.reps(A, 1000 * D), 30);
}

#[test]
fn paper_1_the_grant_is_separate_from_the_posts_own_event() {
    // The first post's +1 expires with its event, the 30 do not; being capped, this cannot be seen.
    // What can be seen: it earns, so a post within 24 h of it does not.
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let p = m.post(A, 23 * H, &[f]);
    let q = m.post(A, 24 * H, &[p]); // 24 h after the first: earns
    m.post(A, 47 * H, &[q]);
    m.dislike(A, 47 * H, f, &[q, 4]); // own: -2, after all the posts
    assert_eq!(m.reps(A, 80 * H), 28);
}

#[test]
fn paper_1_the_first_post_must_be_signed() {
    let mut m = Make::forum();
    let f = m.unsigned(0, &[0]);
    assert_eq!(m.status(f), Held);
}

#[test]
fn paper_1_identity_the_30_are_the_owners_from_the_genesis() {
    let mut m = Make::identity(A, false);
    assert_eq!(m.reps(A, 0), 30);
    assert_eq!(m.reps(B, 0), 0);
    m.post(A, 5 * H, &[0]);
    assert_eq!(m.reps(A, 5 * H), 29);
    assert_eq!(m.reps(A, 29 * H), 30);
    assert_eq!(m.reps(A, 500 * D), 30);
}

#[test]
fn paper_1_private_grants_nothing() {
    let mut m = Make::private();
    m.post(A, 0, &[0]);
    assert_eq!(m.reps(A, 0), -1);
    assert_eq!(m.reps(A, D), 1);
}

// ---- 2: posts ----

#[test]
fn paper_2_a_post_counts_minus_1_until_exactly_24_h_then_plus_1() {
    let m = forum_with_b();
    // B: the post, and A's like.
    assert_eq!(m.reps(B, H), 0);
    assert_eq!(m.reps(B, 25 * H - MS), 0);
    assert_eq!(m.reps(B, 25 * H), 2);
}

#[test]
fn paper_2_a_post_less_than_24_h_after_the_last_earning_one_counts_0_once_old() {
    let mut m = Make::private();
    let p = m.post(A, 0, &[0]);
    m.post(A, 24 * H - MS, &[p]);
    assert_eq!(m.reps(A, 10 * D), 1);
    let mut m = Make::private();
    let p = m.post(A, 0, &[0]);
    m.post(A, 24 * H, &[p]);
    assert_eq!(m.reps(A, 10 * D), 2);
}

#[test]
fn paper_2_plus_1_per_day_ten_posts_in_seven_days_earn_at_most_7() {
    let mut m = Make::private();
    let mut last = 0;
    for hour in [0, 24, 30, 48, 50, 72, 96, 100, 120, 144] {
        last = m.post(A, hour * H, &[last]);
    }
    assert_eq!(m.reps(A, 30 * D), 7);
}

#[test]
fn paper_2_the_distance_is_to_the_last_earning_post_not_to_the_last_post() {
    let mut m = Make::private();
    let mut last = 0;
    for hour in [0, 16, 32, 48] {
        last = m.post(A, hour * H, &[last]); // 0 earns, 16 does not, 32 does, 48 does not
    }
    assert_eq!(m.reps(A, 30 * D), 2);
}

#[test]
fn paper_2_the_last_earning_post_is_sought_over_the_whole_order_beyond_the_window() {
    let mut m = Make::private();
    let p = m.post(A, 0, &[0]);
    m.post(A, 23 * H, &[p]);
    // At 90 days the first has left the window; the second still does not earn.
    assert_eq!(m.reps(A, 90 * D - MS), 1);
    assert_eq!(m.reps(A, 90 * D), 0);
}

#[test]
fn paper_2_an_unsigned_post_counts_for_nobody() {
    let mut m = Make::private();
    m.unsigned(0, &[0]);
    assert_eq!(m.reps(A, 0), 0);
    assert_eq!(m.order(), [0, 1]);
}

// ---- 3: votes ----

#[test]
fn paper_3_a_like_moves_one_a_dislike_drains_two() {
    let mut m = forum_with_b();
    assert_eq!((m.reps(A, H), m.reps(B, H)), (28, 0));
    let l = m.like(A, 2 * H, 2, &[3]);
    assert_eq!((m.reps(A, 2 * H), m.reps(B, 2 * H)), (27, 1));
    m.dislike(A, 3 * H, 2, &[l]);
    assert_eq!((m.reps(A, 3 * H), m.reps(B, 3 * H)), (26, 0));
}

#[test]
fn paper_3_ones_own_dislike_costs_two() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    m.dislike(A, H, f, &[f]);
    assert_eq!(m.reps(A, H), 27);
}

#[test]
fn paper_3_votes_never_earn() {
    let mut m = forum_with_b();
    m.like(A, 2 * H, 2, &[3]);
    assert_eq!(m.reps(A, 60 * D), 28); // 30 + 1 (capped) - 1 - 1
    assert_eq!(m.reps(B, 60 * D), 3); // + 1 + 1 + 1
}

#[test]
fn paper_3_a_vote_needs_reps() {
    let mut m = forum_with_b();
    let v = m.like(B, 2 * H, 1, &[3]); // B has 0
    assert_eq!(m.status(v), Held);
    let v = m.like(B, 25 * H, 1, &[3]); // B has 2
    assert_eq!(m.status(v), Placed);
}

#[test]
fn paper_3_a_vote_on_a_vote_counts_for_its_author() {
    let mut m = forum_with_b();
    let l = m.like(A, 2 * H, 2, &[3]);
    m.like(B, 3 * H, l, &[l]); // B has 1, likes A's like
    assert_eq!(m.reps(B, 3 * H), 0);
    assert_eq!(m.reps(A, 3 * H), 28);
}

// ---- 4: revocation ----

/// An identity chain with B's answer and the votes given, by the owner (who can always).
fn votes_on_an_answer(likes: usize, dislikes: usize) -> (Make, usize) {
    let mut m = Make::identity(A, false);
    let p = m.post(A, 0, &[0]);
    let b = m.post(B, 0, &[p]);
    let mut last = m.like(A, 0, b, &[b]); // admits it: the first like
    for _ in 1..likes {
        last = m.like(A, H, b, &[last]);
    }
    for _ in 0..dislikes {
        last = m.dislike(A, H, b, &[last]);
    }
    (m, b)
}

#[test]
fn paper_4_revoked_with_5_dislikes_and_twice_the_likes() {
    let revoked = |likes, dislikes| {
        let (m, b) = votes_on_an_answer(likes, dislikes);
        m.revoked(b)
    };
    assert!(!revoked(1, 4));
    assert!(revoked(1, 5));
    assert!(revoked(2, 5));
    assert!(!revoked(3, 5));
    assert!(revoked(3, 6));
}

#[test]
fn paper_4_votes_the_owners_posts_and_private_ones_are_never_revoked() {
    let mut m = Make::identity(A, false);
    let p = m.post(A, 0, &[0]);
    let mut last = p;
    for _ in 0..6 {
        last = m.dislike(A, 0, p, &[last]);
    }
    let vote = p + 1;
    for _ in 0..6 {
        last = m.dislike(A, 0, vote, &[last]);
    }
    assert!(!m.revoked(p) && !m.revoked(vote));
    let mut m = Make::private();
    let p = m.post(A, 0, &[0]);
    let mut last = p;
    for _ in 0..6 {
        last = m.dislike(B, 0, p, &[last]);
    }
    assert!(!m.revoked(p));
}

// ---- 5: the fold ----

#[test]
fn paper_5_the_90_day_window_excludes_its_beginning() {
    let m = forum_with_b(); // B's post and its like at 1 h
    assert_eq!(m.reps(B, 90 * D + H - MS), 2);
    assert_eq!(m.reps(B, 90 * D + H), 0);
    assert_eq!(m.reps(A, 90 * D + H - MS), 29);
    assert_eq!(m.reps(A, 90 * D + H), 30); // what was spent comes back too
}

#[test]
fn paper_5_capped_after_every_step() {
    // A: 30, a post (+1: 30), then -1: 29.
    let mut m = forum_with_b();
    assert_eq!(m.reps(A, 10 * D), 29);
    // ... and a post after it: 30 again.
    m.post(A, 2 * D, &[3]);
    assert_eq!(m.reps(A, 10 * D), 30);
}

#[test]
fn paper_5_a_posts_plus_1_stands_at_its_place_not_at_its_24_h() {
    // A's second post stands before the like but is 24 h old after it: the cap takes its +1.
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let p = m.post(A, 2 * D, &[f]);
    let b = m.post(B, 2 * D + H, &[p]);
    m.like(A, 2 * D + H, b, &[b]);
    assert_eq!(m.reps(A, 2 * D + H), 28); // 30 - 1 - 1
    assert_eq!(m.reps(A, 10 * D), 29); // 30, +1 capped, - 1
}

#[test]
fn paper_5_ages_are_counted_from_effective_times() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let p = m.post(A, 10 * H, &[f]);
    let q = m.post(A, 2 * H, &[f]); // backdated, beside p, larger id
    assert_eq!(m.order(), [0, f, p, q]);
    assert_eq!(m.reps(A, 33 * H), 28); // by its own time q would be 31 h old
    assert_eq!(m.reps(A, 34 * H), 30);
}

// ---- 6: held ----

#[test]
fn paper_6_a_newcomers_post_is_held_and_one_like_admits_it_with_the_like() {
    let m = forum_with_b();
    let alone = m.without(&[3]);
    assert_eq!(m.w.statuses(&alone)[&2], Held);
    assert!(!m.w.admitted(&alone, 2));
    assert_eq!(m.w.order(&alone), [0, 1]);
    assert!(m.admitted(2) && m.admitted(3));
    assert_eq!(m.order(), [0, 1, 2, 3]);
}

#[test]
fn paper_6_the_like_has_the_held_block_as_its_only_back_and_its_author_has_reps() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let b = m.post(B, H, &[f]);
    let side = m.post(A, H, &[f]);
    let two_backs = m.like(A, H, b, &[b, side]);
    let no_reps = m.like(C, H, b, &[b]);
    for x in [b, two_backs, no_reps] {
        assert_eq!(m.status(x), Held);
    }
    assert_eq!(m.order(), [0, f, side]);
}

#[test]
fn paper_6_a_held_unsigned_post_is_admitted_by_a_like() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let u = m.unsigned(H, &[f]);
    assert_eq!(m.status(u), Held);
    let l = m.like(A, H, u, &[u]);
    assert_eq!(m.order(), [0, f, u, l]);
    assert_eq!(m.reps(A, H), 28);
}

// ---- 7: the first post ----

#[test]
fn paper_7_any_other_child_of_the_genesis_alone_is_held_for_good() {
    let mut m = Make::forum();
    let f = m.post(A, 0, &[0]);
    let other = m.post(B, H, &[0]);
    let own_other = m.post(A, H, &[0]);
    let l = m.like(A, H, other, &[other]);
    let on = m.post(A, H, &[own_other]);
    for x in [other, own_other, l, on] {
        assert_eq!(m.status(x), Held);
    }
    assert_eq!(m.order(), [0, f]);
}

#[test]
fn paper_7_with_no_first_post_known_there_is_only_the_genesis() {
    let mut m = forum_with_b();
    m.w.chain.first = None;
    assert_eq!(m.order(), [0]);
    assert_eq!(m.status(1), Held);
}

#[test]
fn paper_7_an_identity_chain_pins_no_first_post() {
    let mut m = Make::identity(A, false);
    let p = m.post(A, 0, &[0]);
    let q = m.post(A, 0, &[0]);
    assert_eq!(m.order(), [0, p, q]);
}

// ---- kinds ----

#[test]
fn kinds_the_owner_is_always_accepted_and_the_counter_moves() {
    let mut m = Make::identity(A, false);
    let mut last = 0;
    for _ in 0..35 {
        last = m.post(A, 0, &[last]);
    }
    assert_eq!(m.order().len(), 36);
    assert_eq!(m.reps(A, 0), -5);
}

#[test]
fn kinds_others_answer_under_the_forum_rules() {
    let mut m = Make::identity(A, false);
    let p = m.post(A, 0, &[0]);
    let b = m.post(B, 0, &[p]);
    assert_eq!(m.status(b), Held);
    m.like(A, 0, b, &[b]);
    assert_eq!(m.status(b), Placed);
}

#[test]
fn kinds_only_owner_nobody_else_whatever_the_likes() {
    let mut m = Make::identity(A, true);
    let p = m.post(A, 0, &[0]);
    let b = m.post(B, 0, &[p]);
    let u = m.unsigned(0, &[p]);
    let l = m.like(A, 0, b, &[b]);
    for x in [b, u, l] {
        assert_eq!(m.status(x), Held);
    }
}

#[test]
fn kinds_private_accepts_everyone() {
    let mut m = Make::private();
    let mut last = 0;
    for _ in 0..5 {
        last = m.post(A, 0, &[last]);
        last = m.unsigned(0, &[last]);
        last = m.dislike(B, 0, last, &[last]);
    }
    assert_eq!(m.order().len(), 16);
}
