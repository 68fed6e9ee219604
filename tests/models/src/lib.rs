//! Exhaustive models of the ledger's rules, with [`stateright`]. The README has what they cover,
//! what they leave out, their sizes, and which mistakes they find.
//!
//! - [`spending`]: one epoch. Locks, signatures, crashes at every step.
//! - [`replacing`]: several epochs. Seals, imports, old certificates.
//! - [`succession`]: votes for the next configuration.
//! - [`search`]: how they are searched.
//! - [`few`]: small sets in small states.
//!
//! Each model is by the rules, or leaves one of them out; then a property breaks.

pub mod few;
pub mod replacing;
pub mod search;
pub mod spending;
pub mod succession;
