use std::{cell::Cell, collections::BTreeMap};

use covey_kernel::{Entry, Fault, Scan, Store, Write};

/// A node's disk. Only what was committed survives a crash; a batch is there as a whole or not
/// at all, as RocksDB promises.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    full: bool,
    /// Reads until one fails.
    flip: Cell<Option<u32>>,
    /// Failures so far that the world itself has caused.
    failures: Cell<u64>,
}

impl Disk {
    /// Everything that is committed, whatever faults the disk has.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.entries
    }

    /// The committed entries under a prefix, whatever faults the disk has.
    pub fn under<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let from = self.entries.range(prefix.to_vec()..);
        from.take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    pub(super) fn fill(&mut self, full: bool) {
        self.full = full;
    }

    pub(super) fn flip_in(&mut self, reads: Option<u32>) {
        self.flip.set(reads);
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// Writes a batch as a whole, or nothing of it.
    pub fn commit(&mut self, writes: Vec<Write>) -> Result<(), Fault> {
        if self.full && !writes.is_empty() {
            self.failures.set(self.failures.get() + 1);
            return Err(Fault::Io("no space left on device".to_owned()));
        }
        for Write { key, value } in writes {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        Ok(())
    }

    fn read(&self) -> Result<(), Fault> {
        match self.flip.get() {
            None => Ok(()),
            Some(0) => {
                self.flip.set(None);
                self.failures.set(self.failures.get() + 1);
                Err(Fault::Corrupt("block checksum mismatch".to_owned()))
            }
            Some(reads) => {
                self.flip.set(Some(reads - 1));
                Ok(())
            }
        }
    }
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.read()?;
        Ok(self.entries.get(key).cloned())
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        self.read()?;
        if scan.to.as_ref().is_some_and(|to| *to <= scan.from) {
            return Ok(Vec::new());
        }
        let from = self.entries.range(scan.from.clone()..);
        let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        let Some(to) = &scan.to else {
            return Ok(if scan.reverse {
                from.rev().take(scan.limit).map(owned).collect()
            } else {
                from.take(scan.limit).map(owned).collect()
            });
        };
        let range = self.entries.range(scan.from.clone()..to.clone());
        Ok(if scan.reverse {
            range.rev().take(scan.limit).map(owned).collect()
        } else {
            range.take(scan.limit).map(owned).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use covey::store::{Db, Schema};
    use covey_kernel::NetworkId;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(0..4u8, 0..4)
    }

    fn write() -> impl Strategy<Value = Write> {
        (key(), proptest::option::of(vec(any::<u8>(), 0..3)))
            .prop_map(|(key, value)| Write { key, value })
    }

    fn scan() -> impl Strategy<Value = Scan> {
        (key(), proptest::option::of(key()), any::<bool>(), 0..20usize)
            .prop_map(|(from, to, reverse, limit)| Scan { from, to, reverse, limit })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// What machines see in simulations is what they see in RocksDB.
        #[test]
        fn reads_like_the_database(
            batches in vec(vec(write(), 0..12), 1..4),
            scans in vec(scan(), 40),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let db = Db::open(dir.path(), NetworkId::open(), &[Schema::first("x")]).unwrap();
            let family = db.family("x").unwrap();
            let mut disk = Disk::default();
            for batch in batches {
                family.commit(&batch).unwrap();
                disk.commit(batch).unwrap();
            }
            for scan in scans {
                prop_assert_eq!(disk.scan(&scan), family.scan(&scan), "{:?}", scan);
                prop_assert_eq!(disk.get(&scan.from), family.get(&scan.from));
            }
        }
    }
}
