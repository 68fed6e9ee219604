//! Whatever users do at some nodes, what they are shown is on the disk; and what is shown makes sense.

use covey_chains::genesis::Genesis;

use crate::{
    apart::forum,
    net::users::{Choices, NODES, Users},
};

const STEPS: usize = 80;

#[test]
fn what_is_shown_is_on_the_disk() {
    let mut sums = [0; 2];
    for seed in 0..30 {
        let mut users = Users::begin(Choices::seeded(seed), forum());
        (0..STEPS).for_each(|_| users.step());
        for (sum, more) in sums.iter_mut().zip(users.counts) {
            *sum += more;
        }
    }
    // Otherwise there would be little to get wrong.
    assert!(sums[0] > 20 && sums[1] > 20, "{sums:?}");
}

#[test]
fn bits_that_flip_on_the_way_leave_nothing_wrong() {
    let mut sums = [0; 2];
    for seed in 200..220 {
        let mut users = Users::begin(Choices::seeded(seed), Genesis { freeze: None, ..forum() });
        for step in 0..STEPS {
            if step % 2 == 0 {
                users.harm();
            }
            users.step();
        }
        for (sum, more) in sums.iter_mut().zip(users.flipped()) {
            *sum += more;
        }
        users.recover();
        users.come_together();
        let first = users.whole(0);
        for at in 1..NODES {
            assert_eq!(users.whole(at), first, "seed {seed}, node {at}");
        }
    }
    // Of most nobody can tell who was at fault.
    assert!(sums[0] > 150 && sums[1] > 10, "{sums:?}");
}

#[test]
fn whatever_came_how_all_show_the_same_in_the_end() {
    let (mut placed, mut blocked) = (0, 0);
    for seed in 100..130 {
        // Nothing freezes, so that everything can come together.
        let mut users = Users::begin(Choices::seeded(seed), Genesis { freeze: None, ..forum() });
        (0..STEPS).for_each(|_| users.step());
        users.come_together();
        let first = users.whole(0);
        for at in 1..NODES {
            assert_eq!(users.whole(at), first, "seed {seed}, node {at}");
        }
        placed += first.0.len();
        blocked += first.2.len();
    }
    assert!(placed > 1_000 && blocked > 3, "{placed} placed, {blocked} blocked");
}
