//! Money between real nodes.

mod bad;
mod kills;
mod old_locks;
mod races;
mod walk;
