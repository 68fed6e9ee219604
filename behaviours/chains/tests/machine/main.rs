//! The machine, on several nodes without a network.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs
)]

mod anything;
mod apart;
mod attacks;
mod bounds;
mod choosing;
mod exchange;
mod fetching;
mod forks;
mod held;
mod hostile;
mod huge;
mod kinds;
mod left_out;
mod listing;
mod made;
mod net;
mod pages;
mod room;
mod sealed;
mod sides;
mod tips;
mod wasted;
