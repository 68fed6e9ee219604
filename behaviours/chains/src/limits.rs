//! Every bound of chains, in one place.

/// Bytes of a chain's name, with the character that says its kind.
pub const NAME_BYTES: usize = 128;
/// Blocks that one block builds on.
pub const BACKS: usize = 64;
/// Pioneers of a chain; they share 30 reps, so more would have none.
pub const PIONEERS: usize = 30;
/// Bytes of a payload in public forums, and of others in an identity's chain.
pub const PAYLOAD_BYTES: u64 = 128_000;
/// Bytes of a payload in private groups, and of an identity's owner.
pub const TRUSTED_PAYLOAD_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of an encoded block with its signature: it names at most `BACKS` others.
pub const BLOCK_BYTES: usize = 4096;
/// Bytes of an encoded genesis.
pub const GENESIS_BYTES: usize = 2048;
/// The past freezes only so many places from the end of the order.
pub const FREEZE_PLACES: u64 = 100;
/// The past freezes only so many milliseconds before the last effective time.
pub const FREEZE_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Blocks after which the reputations are kept in memory, all of them; of the double every second
/// one, and so on.
pub const STATES: u64 = 1024;
/// KiB of memory that stretching a pass phrase takes.
pub const STRETCH_MEMORY: u32 = 64 * 1024;
/// How often that memory is gone through.
pub const STRETCH_PASSES: u32 = 3;
