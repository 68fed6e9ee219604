//! Real nodes on loopback, each a process of the built `covey`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::let_underscore_must_use,
    clippy::large_futures
)]

mod bench;
mod capture;
mod clocks;
mod demo;
mod ends;
mod forum;
mod impostors;
mod interface;
mod kills;
mod networks;
mod pay;
mod phrases;
mod refusals;
mod socket;
mod strangers;
mod tour;
