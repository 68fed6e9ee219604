//! Money between real nodes.

mod bad;
mod full;
mod kills;
mod old_locks;
mod races;
mod replacing;
mod walk;
