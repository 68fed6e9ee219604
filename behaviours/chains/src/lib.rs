//! Chains: forums, groups and identities with reputation, after Freechains.
//!
//! The rules, invariants, bounds and the wire format are in this crate's `README.md`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod graph;
mod rules;
