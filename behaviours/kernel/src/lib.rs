//! What every Covey protocol stands on: the [`Machine`] shape, the [`Store`] it reads,
//! one canonical encoding, one definition of a valid signature, hashes and time.
//!
//! The kernel knows no protocol, no network, no file and no clock.

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

mod bounded;
pub mod cbor;
mod effects;
mod gossip;
mod hash;
mod hidden;
mod keys;
pub mod limits;
mod machine;
pub mod merkle;
mod network;
mod record;
mod signed;
mod store;
mod tagged;
mod time;
mod view;

pub use bounded::{Bounded, Bytes, Text, TooLong};
pub use effects::{Address, AskFailure, AskId, CommandId, Effect, Effects, RequestId};
pub use gossip::{GossipId, GossipVerdict, Topic};
pub use hash::{HASH_LENGTH, Hash, Hasher, InvalidHash};
pub use hidden::is_hidden;
pub use keys::{
    InvalidKey, InvalidSignature, Keypair, PublicKey, Signature, verify_all, verify_batch,
};
pub use machine::{
    Blame, Checks, Context, Frames, Input, Machine, MachineError, Origin, Turn, decide_all,
};
pub use network::NetworkId;
pub use rand_core::CryptoRng;
#[doc(hidden)]
pub use serde;
pub use signed::{Domain, signing_bytes};
pub use store::{Entry, Fault, Scan, Store, Write};
pub use time::{Span, Time};
pub use view::View;

/// A node, named by the Ed25519 key that its transport proves (Noise or TLS).
pub type Peer = PublicKey;
