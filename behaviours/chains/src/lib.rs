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

mod block;
pub mod genesis;
pub mod graph;
mod id;
pub mod limits;
mod name;
pub mod phrase;
mod rules;

pub use block::{Block, Invalid, Payload, SignedBlock, Vote};
pub use id::{BlockId, InvalidBlockId};
pub use name::{InvalidName, Name};
