//! Runs seeds of every simulated machine for as long as it is told:
//! `cargo run --bin soak -- --seconds 3600 --seed 1`.
//!
//! Ends with status 1 if a checker complained; each failure names the seed that replays it.
//! With `COVEY_STORY=1 … --seed 7 --seeds 1` messaging tells on stderr all that happens.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use covey_tests::guests::{GUESTS, Guest, twice};

/// Runs simulated worlds, seed after seed, and prints what they found.
#[derive(Parser)]
struct Args {
    /// How long to run, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seeds.
    #[arg(long)]
    seeds: Option<u64>,
    /// Only the machine of this name.
    #[arg(long)]
    guest: Option<String>,
    /// Run each seed twice and compare the traces.
    #[arg(long)]
    twice: bool,
}

#[derive(Default)]
struct Total {
    runs: u64,
    simulated: Duration,
    inputs: u64,
    crashes: u64,
    faults: u64,
    violations: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let wanted = |guest: &&Guest| args.guest.as_ref().is_none_or(|name| guest.0 == name);
    let guests: Vec<Guest> = GUESTS.iter().filter(wanted).copied().collect();
    if guests.is_empty() {
        let names: Vec<_> = GUESTS.iter().map(|(name, _)| *name).collect();
        eprintln!("no such machine; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let mut total = Total::default();
    let mut seed = args.seed;
    let last = args.seeds.map(|seeds| args.seed.saturating_add(seeds));
    while Instant::now() < end && last.is_none_or(|last| seed < last) {
        for guest in &guests {
            run(*guest, seed, args.twice, &mut total);
        }
        seed += 1;
    }
    println!(
        "seeds {}..{seed}: {} runs, {:.1} simulated hours, {} inputs, {} faults ({} crashes), {} violations",
        args.seed,
        total.runs,
        total.simulated.as_secs_f64() / 3600.0,
        total.inputs,
        total.faults,
        total.crashes,
        total.violations,
    );
    ExitCode::from(u8::from(total.violations > 0))
}

fn run(guest: Guest, seed: u64, again: bool, total: &mut Total) {
    let (report, differ) = if again { twice(guest, seed) } else { (guest.1(seed), None) };
    total.runs += 1;
    total.simulated += Duration::from_millis(report.simulated.as_millis());
    total.inputs += report.stats.inputs;
    total.crashes += report.stats.crashes;
    total.faults += report.stats.faults();
    if !report.violations.is_empty() {
        total.violations += 1;
        println!("{} {report}", guest.0);
    }
    if let Some((first, second)) = differ {
        total.violations += 1;
        println!("{} seed {seed}: not the same twice: {first} and {second}", guest.0);
    }
}
