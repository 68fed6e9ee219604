use super::*;

const ANN: Who = Who(0);
const BOB: Who = Who(1);
const EVE: Who = Who(2);

fn minutes(minutes: u64) -> Time {
    Time::from_millis(1_600_000_000_000).plus(Span::secs(minutes * 60))
}

fn hours(hours: u64) -> Time {
    minutes(hours * 60)
}

fn post(author: Who, at: Time) -> Deed {
    Deed { author: Some(author), at, what: What::Post }
}

fn vote(author: Who, like: bool, of: Who, at: Time) -> Deed {
    Deed { author: Some(author), at, what: What::Vote { like, of: Some(of) } }
}

fn chain(pioneers: &[Who]) -> V10 {
    V10::new(&pioneers.iter().copied().collect())
}

#[test]
fn pioneers_share_thirty_by_integer_division() {
    let one = chain(&[ANN]);
    assert_eq!(one.running(ANN), 30);
    let four = chain(&[ANN, BOB, EVE, Who(3)]);
    assert_eq!((four.running(ANN), four.total), (7, 28));
    assert_eq!(four.running(Who(4)), 0);
}

#[test]
fn a_post_costs_one_until_more_than_half_of_the_reps_have_acted() {
    let mut chain = chain(&[ANN, BOB, EVE]);
    chain.place(&post(ANN, hours(0)));
    // Ann's 9 of 29: 12 h x (29 - 18) / 29.
    let wait = 12 * 3_600_000 * 11 / 29;
    let due = hours(0).plus(Span::millis(wait));
    assert_eq!(chain.reps(ANN, due.minus(Span::millis(1))), 9);
    assert_eq!(chain.reps(ANN, due), 10);
    // With Bob's 9 of 28 more than half has acted: Ann's comes back at once.
    chain.place(&post(BOB, minutes(1)));
    assert_eq!((chain.running(ANN), chain.running(BOB)), (10, 9));
}

#[test]
fn a_lonely_pioneers_post_is_given_back_at_once() {
    let mut chain = chain(&[ANN]);
    chain.place(&post(ANN, hours(0)));
    assert_eq!(chain.running(ANN), 30);
}

#[test]
fn refunds_stop_at_the_first_that_is_not_due() {
    let mut chain = chain(&[ANN, BOB, EVE]);
    chain.place(&vote(ANN, true, Who(3), hours(0)));
    chain.place(&post(Who(3), minutes(1)));
    // Nobody with reps has acted after it but its author, who has none left.
    assert_eq!(chain.running(Who(3)), 0);
    assert_eq!(chain.reps(Who(3), minutes(1).plus(REFUND).minus(Span::millis(1))), 0);
    assert_eq!(chain.reps(Who(3), minutes(1).plus(REFUND)), 1);
}

#[test]
fn a_post_earns_once_it_is_a_day_old_and_one_a_day() {
    let mut chain = chain(&[ANN, BOB]);
    chain.place(&vote(ANN, true, EVE, hours(0)));
    chain.place(&post(EVE, hours(0)));
    chain.place(&post(EVE, hours(23)));
    let before = chain.reps(EVE, hours(24).minus(Span::millis(1)));
    assert_eq!(chain.reps(EVE, hours(24)), before + 1);
    // The second is too close to the first, and earns nothing, ever.
    assert_eq!(chain.reps(EVE, hours(100)), chain.reps(EVE, hours(40)));
}

#[test]
fn nobody_has_more_than_thirty() {
    let mut chain = chain(&[ANN]);
    for _ in 0..5 {
        chain.place(&vote(BOB, true, ANN, hours(0)));
    }
    assert_eq!(chain.running(ANN), 30);
    assert_eq!(chain.running(BOB), -5);
    assert_eq!(chain.total, 30);
}
