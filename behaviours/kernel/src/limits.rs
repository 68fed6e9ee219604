//! Bounds that hold for every protocol. Each protocol adds its own `limits.rs`.

/// Inputs that one turn of a machine takes at most.
pub const TURN_INPUTS: usize = 512;

/// Payload bytes after which a turn closes.
pub const TURN_BYTES: usize = 1 << 20;

/// Entries that one [`crate::Scan`] returns at most, whatever it asks for.
pub const SCAN_ENTRIES: usize = 4096;

/// Addresses remembered for one peer.
pub const PEER_ADDRESSES: usize = 8;

/// Bytes of one encoded address.
pub const ADDRESS_BYTES: usize = 256;

/// Bytes of one message of gossip.
pub const GOSSIP_BYTES: usize = 64 << 10;

/// Topics that a node joins at most, all its machines together; and topics of one peer that are
/// remembered.
pub const TOPICS: usize = 512;
