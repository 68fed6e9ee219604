use std::{fmt, sync::Arc};

use covey_kernel::{Entry, Fault, Scan, Store, Write};
use rocksdb::{ColumnFamily, IteratorMode, ReadOptions, WriteBatch};

use super::{Journal, StoreError, db::Inner, options};

/// One machine's part of the database.
#[derive(Clone)]
pub struct Family {
    inner: Arc<Inner>,
    name: &'static str,
}

impl Family {
    pub(super) fn new(inner: Arc<Inner>, name: &'static str) -> Self {
        Self { inner, name }
    }

    /// Writes all changes, or none, and returns when they are on disk. After an error the batch
    /// may still turn up at the next start: nothing of it may be told to anyone.
    pub fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.add_to(&mut batch, writes)?;
        self.inner.write(batch)
    }

    pub(super) fn add_to(
        &self,
        batch: &mut WriteBatch,
        writes: &[Write],
    ) -> Result<(), StoreError> {
        let family = self.handle()?;
        for Write { key, value } in writes {
            match value {
                Some(value) => batch.put_cf(family, key, value),
                None => batch.delete_cf(family, key),
            }
        }
        Ok(())
    }

    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.inner.db.get_cf(self.handle()?, key);
        found.map_err(|error| self.inner.error(error))
    }

    fn entries(&self, scan: &Scan) -> Result<Vec<Entry>, StoreError> {
        if scan.to.as_ref().is_some_and(|to| *to <= scan.from) {
            return Ok(Vec::new());
        }
        let mut range = ReadOptions::default();
        range.set_iterate_lower_bound(scan.from.clone());
        if let Some(to) = &scan.to {
            range.set_iterate_upper_bound(to.clone());
        }
        let start = if scan.reverse { IteratorMode::End } else { IteratorMode::Start };
        let entries = self.inner.db.iterator_cf_opt(self.handle()?, range, start);
        entries
            .take(scan.limit)
            .map(|entry| entry.map(|(key, value)| (key.into_vec(), value.into_vec())))
            .collect::<Result<_, _>>()
            .map_err(|error| self.inner.error(error))
    }

    fn handle(&self) -> Result<&ColumnFamily, StoreError> {
        self.inner.db.cf_handle(self.name).ok_or_else(|| StoreError::Refused {
            path: self.inner.path.clone(),
            detail: format!("it has no {} data", self.name),
        })
    }
}

impl Store for Family {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.read(key)?)
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        Ok(self.entries(scan)?)
    }
}

impl Journal for Family {
    fn commit(&self, writes: &[Write]) -> Result<(), Fault> {
        Ok(Self::commit(self, writes)?)
    }
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Family({} in {})", self.name, self.inner.path.display())
    }
}

impl Inner {
    pub(super) fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.db.write_opt(batch, &options::synced()).map_err(|error| self.error(error))
    }

    pub(super) fn error(&self, error: rocksdb::Error) -> StoreError {
        StoreError::classify(&self.path, error)
    }
}
