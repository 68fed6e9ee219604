//! Real swarms on the loopback interface, with a machine that does nothing: the test answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod discovery;
mod exchange;
mod node;
mod refusal;
