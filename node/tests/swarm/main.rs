//! Real swarms on the loopback interface, whose machines are the tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod discovery;
mod exchange;
mod gossip;
mod lines;
mod node;
mod refusal;
