//! Messaging in the simulated world: deliberate mistakes are caught, and Olm is as good as the
//! ratchet that replays.

#![allow(clippy::unwrap_used, clippy::panic)]

use covey_tests::messaging::{Flaw, run_olm, run_with};

fn caught(flaw: Flaw, by: &str) {
    let mut found = (0..20).flat_map(|seed| run_with(seed, flaw).violations);
    assert!(found.any(|found| found.starts_with(by)), "20 seeds did not catch {flaw:?}");
}

#[test]
fn forgetting_what_was_received_is_caught() {
    caught(Flaw::ForgetsReceived, "nothing is refused");
}

#[test]
fn sending_twice_is_caught() {
    caught(Flaw::SendsTwice, "each message is told once");
}

#[test]
fn acknowledging_without_storing_is_caught() {
    caught(Flaw::AcknowledgesUnstored, "accepted texts arrive");
}

#[test]
fn forgetting_what_was_sent_is_caught() {
    caught(Flaw::ForgetsSent, "accepted texts arrive");
}

#[test]
fn olm_is_clean() {
    for seed in 0..20 {
        let report = run_olm(seed);
        assert_eq!(report.violations, Vec::<String>::new(), "{report}");
    }
}
