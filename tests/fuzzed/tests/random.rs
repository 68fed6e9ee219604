//! Random operations on machines of messaging, of chains and of the ledger, and random chains, from fixed seeds. `COVEY_RUNS` makes it longer, and
//! `COVEY_SEED` runs one seed alone.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects)]

use covey_fuzzed::{chains_machines, graph, ledger_machines, machines};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Runs without further word.
const RUNS: u64 = 20;

/// The seeds to run: one that was asked for, or many.
fn seeds(runs: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("COVEY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("COVEY_RUNS").unwrap_or(runs),
    }
}

/// Chains of any kind, with forks, held posts, spent reps and likes that bring back.
#[test]
fn random_chains_are_ordered_as_the_model_says() {
    let mut failed = Vec::new();
    for seed in seeds(10 * RUNS) {
        let mut blocks = [0; 72];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut blocks);
        if std::panic::catch_unwind(|| graph(&blocks)).is_err() {
            failed.push(seed);
        }
    }
    assert_eq!(failed, Vec::<u64>::new(), "seeds that fail");
}

/// Of nodes that follow a chain, over whose wires bits are flipped now and then.
#[test]
fn random_operations_on_chains_leave_all_with_the_same() {
    let mut failed = Vec::new();
    for seed in seeds(RUNS) {
        let mut operations = [0; 1 + 12 * 64];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut operations);
        if std::panic::catch_unwind(|| chains_machines(&operations)).is_err() {
            failed.push(seed);
        }
    }
    assert_eq!(failed, Vec::<u64>::new(), "seeds that fail");
}

/// Of validators and wallets that crash, are cut off, are lied to and replaced; without flipped bits, since all that is
/// paid must then arrive, in three runs of four.
#[test]
fn random_operations_on_money_double_and_lose_none() {
    let mut failed = Vec::new();
    for seed in seeds(RUNS) {
        let mut operations = [0; 3 * 64];
        ChaCha12Rng::seed_from_u64(seed).fill_bytes(&mut operations);
        let fair = seed % 4 != 0;
        let is_flip = |step: &&[u8]| step[0] % 32 == 22;
        let steps = operations.chunks_exact(3).filter(|step| !fair || !is_flip(step));
        let operations: Vec<u8> = steps.flatten().copied().collect();
        if std::panic::catch_unwind(|| ledger_machines(&operations)).is_err() {
            failed.push(seed);
        }
    }
    assert_eq!(failed, Vec::<u64>::new(), "seeds that fail");
}

#[test]
fn random_operations_lose_and_double_nothing() {
    let mut failed = Vec::new();
    for seed in seeds(RUNS) {
        let rng = &mut ChaCha12Rng::seed_from_u64(seed);
        // The two meet first: else little happens.
        let mut steps = vec![16, 0, 7, 0];
        let mut rest = [0; 160];
        rng.fill_bytes(&mut rest);
        // Most runs are without rejecting, blocking and broken peers: everything must arrive.
        let fair = seed % 4 != 0;
        let of_refusal = |operation: u8| matches!(operation % 24, 10 | 22);
        for step in rest.chunks_exact(2).filter(|step| !fair || !of_refusal(step[0])) {
            steps.extend_from_slice(step);
        }
        if std::panic::catch_unwind(|| machines(&steps)).is_err() {
            failed.push(seed);
        }
    }
    assert_eq!(failed, Vec::<u64>::new(), "seeds that fail");
}
