//! Carries any Covey [`Machine`](covey_kernel::Machine) over libp2p request-response.
//!
//! [`Shell`] is a `NetworkBehaviour`, one for each machine, which it knows by its [`Protocol`].
//! It packs what is queued for one peer into few frames, bounds everything a peer can make grow,
//! and gives each request exactly one outcome. See `README.md` for the rules and the wire format.

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

mod behaviour;
mod budget;
mod codec;
mod config;
mod event;
pub mod frame;
mod inbox;
pub mod limits;
mod outbox;
mod peer;
mod protocol;

pub use behaviour::Shell;
pub use budget::Budget;
pub use config::Config;
pub use event::{Counters, Event};
pub use peer::{NotEd25519, peer, peer_id};
pub use protocol::Protocol;
