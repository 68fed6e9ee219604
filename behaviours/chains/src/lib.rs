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
mod check;
pub mod command;
mod decide;
pub mod envelope;
mod error;
mod flight;
pub mod genesis;
pub mod graph;
mod id;
mod layout;
pub mod limits;
mod loaded;
mod machine;
mod memory;
mod name;
pub mod phrase;
mod records;
mod refused;
mod rules;
pub mod seal;
pub mod sealed_box;
pub mod wire;

pub use block::{Block, Invalid, Payload, SignedBlock, Vote};
pub use check::Checked;
pub use error::Error;
pub use id::{BlockId, InvalidBlockId};
pub use machine::{Chains, Delta, Rules};
pub use name::{InvalidName, Name};
