//! What a node has stored, as a plain value.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use covey_kernel::{Entry, Fault, Scan, Store};

#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// How often an entry was asked for by its key.
    pub(crate) reads: AtomicUsize,
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.entries.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        let from = self.entries.range(scan.from.clone()..);
        let within = from.take_while(|(key, _)| scan.to.as_ref().is_none_or(|to| *key < to));
        let entries = within.map(|(key, value)| (key.clone(), value.clone()));
        Ok(match scan.reverse {
            true => entries.collect::<Vec<_>>().into_iter().rev().take(scan.limit).collect(),
            false => entries.take(scan.limit).collect(),
        })
    }
}
