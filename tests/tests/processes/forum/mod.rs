//! Forums, groups and identities by the command line, on real nodes.

mod abuse;
mod acts;
mod bad;
mod forked;
mod keys;
mod large;
mod parted;
mod pinned;
mod reading;
mod reps;
mod walk;
