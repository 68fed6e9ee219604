//! The Covey node: swarm, store, driver, control socket and command line.

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

pub mod api;
pub mod bench;
pub mod cli;
pub mod client;
pub mod config;
pub mod datadir;
pub mod driver;
pub mod ledger;
pub mod local;
pub mod logs;
pub mod node;
pub mod rpc;
pub mod store;
pub mod swarm;
