//! Hard forks, and the choice between their sides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A hard fork: a past that contradicts what is frozen here, and is left aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkView {
    /// The block with which it begins.
    pub first: String,
    /// How many places from the end it would change the order.
    pub back: u64,
    /// Since when it is known here, or was left aside for another side, in milliseconds since 1970.
    pub since: u64,
    /// The latest blocks to which it leads, at most 8: to choose one of them is to follow it.
    pub tips: Vec<String>,
}

/// Which side of a hard fork to follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChooseParams {
    /// The chain.
    pub chain: String,
    /// A block of that side.
    pub id: String,
}

/// What has become of the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chosen {
    /// Blocks of the side that is followed now.
    pub adopted: u64,
    /// Blocks that contradict it: they are left aside, and can be chosen again.
    pub aside: u64,
    /// The last block of the order that was left aside: to choose it is to go back. The chosen one if none was.
    pub before: String,
}
