use covey_kernel::Span;

use super::*;

const ANN: Who = Who(0);
const BOB: Who = Who(1);

fn hours(hours: u64) -> Time {
    Time::from_millis(1_600_000_000_000).plus(Span::hours(hours))
}

fn post(author: Who, at: Time) -> Deed {
    Deed { author: Some(author), at, what: What::Post }
}

fn vote(author: Who, like: bool, of: Who, at: Time) -> Deed {
    Deed { author: Some(author), at, what: What::Vote { like, of: Some(of) } }
}

/// A forum that Ann has begun at hour 0.
fn forum() -> Paper {
    let mut forum = Paper::new(None);
    forum.place(&Deed { author: Some(ANN), at: hours(0), what: What::FirstPost });
    forum
}

#[test]
fn p1_the_first_post_gives_29_while_it_is_young_and_30_after_that() {
    let forum = forum();
    assert_eq!(forum.reps(ANN, hours(0)), 29);
    assert_eq!(forum.reps(ANN, hours(24).minus(Span::millis(1))), 29);
    assert_eq!(forum.reps(ANN, hours(24)), 30);
}

#[test]
fn p1_the_grant_never_expires() {
    assert_eq!(forum().reps(ANN, hours(24 * 365 * 10)), 30);
}

#[test]
fn p1_the_owner_of_an_identity_has_the_grant_before_any_post() {
    let mut identity = Paper::new(Some(ANN));
    assert_eq!(identity.reps(ANN, hours(0)), 30);
    identity.place(&post(ANN, hours(0)));
    assert_eq!(identity.reps(ANN, hours(0)), 29);
}

#[test]
fn p2_a_post_costs_while_it_is_young_and_earns_after_a_day() {
    let mut forum = forum();
    forum.place(&post(BOB, hours(0)));
    assert_eq!(forum.reps(BOB, hours(24).minus(Span::millis(1))), -1);
    assert_eq!(forum.reps(BOB, hours(24)), 1);
}

#[test]
fn p2_ten_posts_in_seven_days_earn_at_most_seven() {
    let mut forum = forum();
    for number in 0..10 {
        forum.place(&post(BOB, hours(number * 18)));
    }
    // At 0, 36, 72, 108 and 144 hours: the others are too close to the one that earned last.
    assert_eq!(forum.reps(BOB, hours(24 * 20)), 5);
    let mut forum = super::tests::forum();
    for number in 0..10 {
        forum.place(&post(BOB, hours(number * 24 * 7 / 10)));
    }
    assert!(forum.reps(BOB, hours(24 * 20)) <= 7);
}

#[test]
fn p2_exactly_a_day_after_one_that_earns_a_post_earns() {
    let mut forum = forum();
    forum.place(&post(BOB, hours(0)));
    forum.place(&post(BOB, hours(24).minus(Span::millis(1))));
    forum.place(&post(BOB, hours(24)));
    assert_eq!(forum.reps(BOB, hours(100)), 2);
}

#[test]
fn p3_votes_move_reps() {
    let mut forum = forum();
    forum.place(&vote(ANN, true, BOB, hours(1)));
    assert_eq!((forum.reps(ANN, hours(1)), forum.reps(BOB, hours(1))), (28, 1));
    forum.place(&vote(ANN, false, BOB, hours(1)));
    assert_eq!((forum.reps(ANN, hours(1)), forum.reps(BOB, hours(1))), (27, 0));
}

#[test]
fn p5_what_is_ninety_days_old_does_not_count() {
    let mut forum = forum();
    forum.place(&vote(ANN, true, BOB, hours(0)));
    let end = hours(24 * 90);
    assert_eq!(forum.reps(BOB, end.minus(Span::millis(1))), 1);
    assert_eq!(forum.reps(BOB, end), 0);
}

#[test]
fn p5_reps_are_capped_after_every_step() {
    let mut forum = forum();
    for _ in 0..40 {
        forum.place(&vote(BOB, true, ANN, hours(30)));
    }
    forum.place(&vote(BOB, false, ANN, hours(30)));
    assert_eq!(forum.reps(ANN, hours(30)), 29);
}

#[test]
fn p5_the_window_moves_under_the_cap() {
    let mut forum = forum();
    forum.place(&vote(BOB, false, ANN, hours(25)));
    forum.place(&vote(BOB, true, ANN, hours(26)));
    forum.place(&vote(BOB, true, ANN, hours(27)));
    assert_eq!(forum.reps(ANN, hours(27)), 30);
    // When the dislike has left the window, the likes still stand at the cap.
    forum.place(&vote(BOB, false, ANN, hours(24 * 91)));
    assert_eq!(forum.reps(ANN, hours(24 * 91 + 2)), 29);
}

#[test]
fn what_left_the_window_still_counts_as_the_post_that_earned_last() {
    let mut forum = forum();
    forum.place(&post(BOB, hours(0)));
    let late = hours(24 * 95);
    forum.place(&post(BOB, late));
    assert_eq!(forum.reps(BOB, late), -1);
    assert_eq!(forum.reps(BOB, late.plus(DAY)), 1);
}
