//! Settings: defaults, then the file, then the environment, then flags; the last one wins.
//!
//! The keys stand in one table, `keys`; a new one is one line there. [`load`] reads the layers
//! and remembers where each value came from.

mod error;
mod keys;
mod layers;
mod values;

pub use error::{ConfigError, Place};
pub use keys::{Config, Key, Log, Messaging, Network, Rpc};
pub use layers::{Loaded, Origin, Shown, Sources, load};
pub use values::{DisplayName, FileMode, Filter, Format, Loopback};

#[cfg(test)]
mod tests;
