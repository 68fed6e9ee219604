//! Seeds of what is fuzzed of the ledger, from its golden files.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::{bytes, golden};

type Seeds = Vec<(String, Vec<u8>)>;

/// Bytes of which a value is too short to be changed in many ways.
pub(super) const SHORT: usize = 8;

/// What decodes, for a target.
pub(super) fn seeds(target: &str) -> Seeds {
    match target {
        "ledger_request" => values("requests.hex"),
        "ledger_response" => values("responses.hex"),
        "ledger_records" => records(),
        "ledger_receipt" => receipts(),
        "ledger_uri" => words(),
        other => panic!("no seeds for {other}"),
    }
}

fn values(file: &str) -> Seeds {
    let entries = golden("ledger", file).into_iter();
    entries.map(|(name, hex)| (name, bytes(&hex).unwrap())).collect()
}

fn records() -> Seeds {
    let mut values = values("signed.hex");
    values
        .retain(|(name, _)| matches!(name.as_str(), "genesis" | "manifest" | "proposal" | "seal"));
    values
}

fn texts(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut texts = golden("ledger", "texts.txt");
    texts.retain(|(name, _)| wanted(name));
    texts
}

fn receipts() -> Seeds {
    let mut seeds = values("signed.hex");
    seeds.retain(|(name, _)| name.starts_with("receipt"));
    for (name, text) in texts(|name| name.starts_with("receipt")) {
        let lines: Vec<_> = text.as_bytes().chunks(72).map(String::from_utf8_lossy).collect();
        seeds.push((format!("{name}-in-lines"), lines.join("\r\n").into_bytes()));
        seeds.push((format!("{name}-upper"), text.to_uppercase().into_bytes()));
        seeds.push((format!("{name}-text"), text.into_bytes()));
    }
    seeds
}

/// The number of decimals, then a text.
fn words() -> Seeds {
    let is_word = |name: &str| ["uri", "address", "phrase"].iter().any(|is| name.starts_with(is));
    let mut all = texts(is_word);
    for (name, text) in [
        ("amount", "1234.5"),
        ("amount-largest", "184467440737095516.15"),
        ("amount-too-large", "184467440737095516.16"),
        ("prefix", "leaf"),
    ] {
        all.push((name.into(), text.into()));
    }
    let upper: Vec<_> =
        all.iter().map(|(name, text)| (format!("{name}-upper"), text.to_uppercase())).collect();
    all.extend(upper);
    all.into_iter().map(|(name, text)| (name, [&[2], text.as_bytes()].concat())).collect()
}

/// Operations on validators and wallets, by chance.
pub(super) fn operations() -> Seeds {
    let run = |seed: u8| {
        let mut bytes = vec![0; 3 * (8 + 7 * usize::from(seed))];
        ChaCha12Rng::seed_from_u64(u64::from(seed)).fill_bytes(&mut bytes);
        (format!("run-{seed}"), bytes)
    };
    (0..8).map(run).chain([("empty".into(), vec![])]).collect()
}
