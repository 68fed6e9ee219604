//! The rules of a validator, and the mistakes of earlier implementations, each by its name: machines,
//! their disks and what they say to each other, as plain values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod amounts;
mod anything;
mod certificates;
mod heights;
mod keys;
mod malformed;
mod mistakes;
mod money;
mod net;
mod restoring;
mod rules;
mod secrecy;
mod telling;
mod tokens;
mod torsion;
mod turns;
