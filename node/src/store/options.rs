use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options,
    WriteOptions,
};

use super::limits::{
    BLOB_BYTES, BLOB_FILE_BYTES, BLOCK_CACHE_BYTES, BLOOM_BITS, INDEX_BLOCK_BYTES, LOG_FILES,
    OPEN_FILES, WAL_BYTES, WRITE_BUFFER_BYTES,
};

/// For the whole database. Pipelined and unordered writes, manual WAL flush and WAL recycling
/// stay off: each trades durability or ordering for a speed that batches give anyway.
pub(super) fn database() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    // The default recovery drops acknowledged writes after a damaged record without a word.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_max_total_wal_size(WAL_BYTES);
    options.set_db_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_open_files(OPEN_FILES);
    options.set_keep_log_file_num(LOG_FILES);
    options
}

/// For one column family; all share one cache, which also holds indexes and filters, so that
/// memory has one bound.
pub(super) fn family(cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_bloom_filter(BLOOM_BITS, false);
    // Of large tables whole filters and indexes would not stay in the cache.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(INDEX_BLOCK_BYTES);
    let mut options = Options::default();
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    options
}

/// For one whose long values are mostly added: they are written once, into files of their own, and seldom
/// again with a compaction.
pub(super) fn appended(cache: &Cache) -> Options {
    let mut options = family(cache);
    options.set_enable_blob_files(true);
    options.set_min_blob_size(BLOB_BYTES);
    options.set_blob_file_size(BLOB_FILE_BYTES);
    options.set_blob_compression_type(DBCompressionType::Lz4);
    options.set_enable_blob_gc(true);
    options
}

pub(super) fn cache() -> Cache {
    Cache::new_lru_cache(BLOCK_CACHE_BYTES)
}

/// On disk before the call returns.
pub(super) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}
