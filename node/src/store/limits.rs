//! How much disk, memory and descriptors the database may take.

/// Write-ahead logs in all; more forces the oldest data into tables.
pub const WAL_BYTES: u64 = 256 << 20;

/// Writes kept in memory before they go into tables, all families together.
pub const WRITE_BUFFER_BYTES: usize = 32 << 20;

/// Blocks, indexes and filters kept in memory, all families together.
pub const BLOCK_CACHE_BYTES: usize = 32 << 20;

/// Values from this length on lie in files of their own.
pub const BLOB_BYTES: u64 = 512;

/// How long such a file gets.
pub const BLOB_FILE_BYTES: u64 = 64 << 20;

/// Files of tables and of long values open at once.
pub const OPEN_FILES: i32 = 256;

/// RocksDB's own log files kept.
pub const LOG_FILES: usize = 3;

/// Bytes of one part of a table's index; a filter is cut where its index is.
pub const INDEX_BLOCK_BYTES: usize = 4 << 10;

/// Filter bits a key: about 1 % false positives.
pub const BLOOM_BITS: f64 = 10.0;
