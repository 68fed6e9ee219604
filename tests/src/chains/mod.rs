//! Chains beside the naive model: what both say of the same blocks.

mod same;

pub use same::{arrival, assert_same, extend, graph_of, known_to};
