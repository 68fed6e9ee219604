//! Private messages between two people, end-to-end encrypted, as a deterministic machine.
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

mod check;
mod code;
mod command;
mod content;
mod decide;
mod error;
mod identity;
mod layout;
pub mod limits;
mod machine;
mod memory;
mod prekeys;
pub mod ratchet;
mod records;
mod safety;
pub mod wire;

pub use check::Checked;
pub use code::{CodeSecret, ContactCode, InvalidCode};
pub use command::{
    Command, ContactView, Cursor, Event, HistoryQuery, InviteView, MessageView, Page, Progress,
    Relation, Reply, SafetyView, Target,
};
pub use content::{
    Body, Content, Edit, InvalidMessageId, MessageId, Named, Plaintext, Reaction, TextBody,
};
pub use decide::codec::{decode_request, decode_response};
pub use error::{Error, Expired};
pub use identity::{KeySet, Name, SignedKeySet, Succession};
pub use machine::{Delta, Messaging, Rules};
pub use prekeys::{BadHandout, Bundle, Handout, OneTime, Prekey, SignedBundle};
pub use safety::SafetyNumber;
