//! Reputation, admission and order: each rule by name, in the naive model and in the graph that
//! the product uses; and random chains, on which both must agree.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod common;
mod order;
mod paper;
mod random;
mod v10;
