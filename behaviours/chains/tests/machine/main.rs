//! The machine, on several nodes without a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod exchange;
mod forks;
mod held;
mod hostile;
mod kinds;
mod net;
mod pages;
mod sealed;
mod tips;
