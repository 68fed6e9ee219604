//! The database: one RocksDB column family for each machine, and `meta` for what they share.
//! Nothing else in the project knows RocksDB.
//!
//! Every commit is one atomic batch that is on disk before it returns. A database of another
//! network, or of a newer release, is refused before any of its data changes.

mod db;
mod error;
mod family;
pub mod limits;
mod options;
mod schema;
#[cfg(test)]
mod tests;

use covey_kernel::{Fault, Store, Write};

pub use db::Db;
pub use error::StoreError;
pub use family::Family;
pub use schema::{Migration, Schema};

/// A store that can also be written: what a driver needs for its machine.
pub trait Journal: Store + Send + Sync + 'static {
    /// Makes all changes durable at once, or fails. After a failure the driver halts.
    fn commit(&self, writes: &[Write]) -> Result<(), Fault>;
}
