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

mod decoders;
mod machines;
#[allow(dead_code)]
#[path = "../../../behaviours/messaging/tests/pair/mod.rs"]
mod pair;

pub use decoders::{contact_code, content, kernel_cbor, request, response, shell_frame};
pub use machines::machines;

/// A fuzzed function.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 7] = [
    ("kernel_cbor", kernel_cbor),
    ("request", request),
    ("response", response),
    ("content", content),
    ("contact_code", contact_code),
    ("shell_frame", shell_frame),
    ("machines", machines),
];
