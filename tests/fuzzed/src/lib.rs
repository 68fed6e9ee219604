//! What is fuzzed, as plain functions of bytes that panic when a rule is broken. `fuzz/` calls
//! them from libFuzzer; `tests/corpus.rs` replays the committed corpora.

// Panicking is how a fuzzed function says that a rule is broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod chains;
mod chains_machines;
#[allow(dead_code)]
#[path = "../../../behaviours/chains/tests/machine/net/mod.rs"]
mod chains_net;
// The product's graph beside the naive model; nothing here may depend on the node.
#[allow(dead_code, unreachable_pub)]
#[path = "../../src/chains/same.rs"]
mod chains_same;
mod decoders;
mod graph;
mod ledger;
mod ledger_machines;
#[allow(dead_code)]
#[path = "../../../behaviours/ledger/tests/replacing/net.rs"]
mod ledger_net;
#[allow(dead_code)]
#[path = "../../../behaviours/ledger/tests/golden/values.rs"]
mod ledger_values;
mod machines;
#[allow(dead_code, unreachable_pub)]
#[path = "../../src/naive/mod.rs"]
mod naive;
#[allow(dead_code)]
#[path = "../../../behaviours/messaging/tests/pair/mod.rs"]
mod pair;

pub use chains::{
    chains_content, chains_news, chains_records, chains_request, chains_response, chains_words,
};
pub use chains_machines::chains_machines;
pub use decoders::{contact_code, content, kernel_cbor, request, response, shell_frame};
pub use graph::graph;
pub use ledger::{ledger_receipt, ledger_records, ledger_request, ledger_response, ledger_uri};
pub use ledger_machines::ledger_machines;
pub use machines::machines;

/// A fuzzed function.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 21] = [
    ("kernel_cbor", kernel_cbor),
    ("request", request),
    ("response", response),
    ("content", content),
    ("contact_code", contact_code),
    ("shell_frame", shell_frame),
    ("machines", machines),
    ("chains_request", chains_request),
    ("chains_response", chains_response),
    ("chains_news", chains_news),
    ("chains_records", chains_records),
    ("chains_content", chains_content),
    ("chains_words", chains_words),
    ("graph", graph),
    ("chains_machines", chains_machines),
    ("ledger_request", ledger_request),
    ("ledger_response", ledger_response),
    ("ledger_records", ledger_records),
    ("ledger_receipt", ledger_receipt),
    ("ledger_uri", ledger_uri),
    ("ledger_machines", ledger_machines),
];
