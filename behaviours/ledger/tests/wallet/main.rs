//! The rules of a wallet, each by its name: one machine, its disk, and validators that say what a test
//! wants.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod addresses;
mod blocked;
mod bounds;
mod choosing;
mod delivering;
mod money;
mod net;
mod paying;
mod receiving;
mod restoring;
mod retries;
mod spent;
mod votes;
