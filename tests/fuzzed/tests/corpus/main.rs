//! Replays the committed corpora, which are also what is frozen of the formats of exchanges and payloads.
//! `COVEY_GOLDEN=update` writes the seeds anew, from golden files, from values, and some mutations of them: a change
//! is a new protocol version.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod chains;
mod ledger;

use std::{fs, path::PathBuf};

use covey_fuzzed::TARGETS;

fn root() -> PathBuf {
    PathBuf::from("../..")
}

/// The values of a golden file.
fn golden(behaviour: &str, file: &str) -> Vec<(String, String)> {
    let path = root().join("behaviours").join(behaviour).join("golden").join(file);
    let text = fs::read_to_string(path).unwrap();
    let split = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    text.lines().filter_map(split).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()
}

/// A name as that of a file.
fn flat(name: &str) -> String {
    name.replace('/', "-")
}

/// The value, and what a peer who breaks the rules might make of it.
fn mutations(name: &str, value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut longer = value.to_vec();
    longer.push(0);
    let cut = value[..value.len() / 2].to_vec();
    let mut flipped = value.to_vec();
    if let Some(byte) = flipped.get_mut(value.len() / 3) {
        *byte ^= 0x20;
    }
    // A list or string that claims to be huge.
    let mut huge = value.to_vec();
    huge.splice(1..1.min(value.len()), [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let name = flat(name);
    vec![
        (name.clone(), value.to_vec()),
        (format!("{name}-longer"), longer),
        (format!("{name}-cut"), cut),
        (format!("{name}-flipped"), flipped),
        (format!("{name}-huge"), huge),
    ]
}

fn decoder_seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let values = |file: &str| {
        let entries = golden("messaging", file).into_iter();
        let decoded = entries.filter_map(|(name, hex)| Some((name, bytes(&hex)?)));
        decoded.flat_map(|(name, value)| mutations(&name, &value)).collect::<Vec<_>>()
    };
    match target {
        "kernel_cbor" => values("signed.hex"),
        "request" => values("requests.hex"),
        "response" => values("responses.hex"),
        "content" => values("contents.hex"),
        "contact_code" => {
            let code = golden("messaging", "texts.hex").remove(0).1;
            let mut seeds = mutations("code", code.as_bytes());
            seeds.push(("upper".into(), format!(" {}\n", code.to_uppercase()).into_bytes()));
            seeds
        }
        "shell_frame" => {
            let requests = covey_shell_frames();
            requests.iter().flat_map(|(name, value)| mutations(name, value)).collect()
        }
        "graph" => chains::graphs(),
        "chains_machines" => chains::operations(),
        "machines" => operations(),
        "ledger_machines" => ledger::operations(),
        _ if target.starts_with("ledger_") => {
            let seeds = ledger::seeds(target);
            // What is so short has few other forms, all alike.
            let (long, short): (Vec<_>, _) =
                seeds.into_iter().partition(|(_, value)| value.len() > ledger::SHORT);
            let mutated = long.iter().flat_map(|(name, value)| mutations(name, value));
            mutated.chain(short.into_iter().map(|(name, value)| (flat(&name), value))).collect()
        }
        _ => {
            chains::seeds(target).iter().flat_map(|(name, value)| mutations(name, value)).collect()
        }
    }
}

/// The bound of an item, then a frame.
fn covey_shell_frames() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("requests", vec![9, 0, 0, 0, 2, 7, 8, 0, 0, 0, 0]),
        ("answers", vec![9, 0, 0, 0, 0, 1, 9, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0]),
        ("over", vec![1, 0, 0, 0, 2, 7, 8]),
        ("huge", vec![255, 255, 255, 255, 255, 1]),
    ]
}

/// Runs of [`covey_fuzzed::machines`]: an operation and its argument each.
fn operations() -> Vec<(String, Vec<u8>)> {
    const MEET: [u8; 4] = [16, 0, 7, 0];
    let run = |steps: &[u8]| [&MEET[..], steps].concat();
    let talk = [0, 0, 0, 1, 5, 0, 5, 1, 18, 0, 7, 0];
    vec![
        ("empty".into(), vec![]),
        ("talk".into(), run(&talk)),
        ("lost".into(), run(&[0, 0, 8, 0, 0, 1, 8, 64, 14, 60, 9, 0, 9, 1, 7, 0])),
        ("crash".into(), run(&[0, 0, 12, 0, 0, 1, 12, 2, 14, 60, 11, 0, 11, 1, 12, 6, 14, 9])),
        ("altered".into(), run(&[0, 0, 10, 9, 0, 1, 10, 77, 14, 60, 10, 200, 14, 60])),
        ("rotate".into(), run(&[0, 0, 19, 0, 7, 0, 20, 1, 0, 1, 19, 3, 0, 0, 7, 0, 20, 0, 14, 60])),
        ("away".into(), run(&[13, 1, 0, 0, 0, 2, 14, 60, 13, 1, 15, 3, 0, 1, 14, 90])),
        ("clocks".into(), run(&[21, 255, 0, 0, 21, 0, 0, 1, 15, 200, 0, 0, 0, 1, 14, 90])),
        ("replay".into(), run(&[0, 0, 7, 0, 23, 3, 23, 4, 23, 5, 23, 6, 23, 7, 23, 8, 0, 1])),
        ("refuse".into(), run(&[0, 0, 22, 1, 0, 1, 7, 0, 22, 2, 14, 90, 22, 0, 16, 1, 0, 1])),
        ("changes".into(), run(&[0, 0, 0, 1, 7, 0, 17, 0, 17, 1, 17, 2, 17, 3, 7, 0])),
        ("crossing".into(), vec![16, 0, 16, 1, 0, 0, 0, 1, 14, 60]),
        ("week".into(), run(&[15, 200, 0, 0, 15, 200, 0, 1, 19, 0, 15, 250, 20, 1, 0, 0])),
    ]
}

#[test]
fn every_seed_of_every_target_holds() {
    for (target, run) in TARGETS {
        let folder = root().join("fuzz/corpus").join(target);
        let is_update = std::env::var("COVEY_GOLDEN").as_deref() == Ok("update");
        fs::create_dir_all(&folder).unwrap();
        for (name, seed) in decoder_seeds(target) {
            let file = folder.join(name);
            if is_update {
                fs::write(&file, &seed).unwrap();
            }
            assert!(
                fs::read(&file).is_ok_and(|kept| kept == seed),
                "{} has changed",
                file.display()
            );
        }
        let mut seeds: Vec<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        seeds.sort();
        assert!(!seeds.is_empty(), "no corpus for {target}");
        for seed in seeds {
            let bytes = fs::read(&seed).unwrap();
            let outcome = std::panic::catch_unwind(|| run(&bytes));
            assert!(outcome.is_ok(), "{}", seed.display());
        }
    }
}
