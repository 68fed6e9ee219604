//! The simulated world, and tests that need real processes.

// Everything here is a test: what goes wrong should stop it on the spot.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

pub mod chains;
pub mod forum;
pub mod guests;
pub mod ledger;
pub mod messaging;
pub mod naive;
pub mod process;
pub mod ratchet;
pub mod rumors;
pub mod sim;
pub mod tally;
