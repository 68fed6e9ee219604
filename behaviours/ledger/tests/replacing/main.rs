//! Replacing validators: whole networks in memory, over several epochs, with each case that the design
//! names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod ahead;
mod epochs;
mod imports;
mod links;
mod net;
mod pruning;
mod replaced;
mod seals;
mod straggling;
mod successors;
mod twins;
mod wallets;
