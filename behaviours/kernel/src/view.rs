use std::collections::{BTreeMap, btree_map};

use crate::store::{Entry, Fault, Scan, Store, Write};

/// A pending value; `None` removes the key.
type Pending = Option<Vec<u8>>;

/// What a machine reads and writes during one turn: the committed store, overlaid with what
/// this turn has written so far. Nothing reaches the disk before the whole turn commits.
pub struct View<'a> {
    base: &'a dyn Store,
    pending: BTreeMap<Vec<u8>, Pending>,
    /// What stood in `pending` before each write since the savepoint.
    undo: Vec<(Vec<u8>, Option<Pending>)>,
}

impl<'a> View<'a> {
    /// A view over a committed store.
    #[must_use]
    pub fn new(base: &'a dyn Store) -> Self {
        Self { base, pending: BTreeMap::new(), undo: Vec::new() }
    }

    /// Writes a value.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.write(key, Some(value));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.write(key, None);
    }

    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let before = self.pending.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    /// From here on [`View::rollback`] takes writes back.
    pub fn savepoint(&mut self) {
        self.undo.clear();
    }

    /// Takes back every write since the savepoint.
    pub fn rollback(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.pending.insert(key, value),
                None => self.pending.remove(&key),
            };
        }
    }

    /// What is to be committed, by key.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        self.pending.into_iter().map(|(key, value)| Write { key, value }).collect()
    }

    fn pending_in(&self, scan: &Scan) -> btree_map::Range<'_, Vec<u8>, Option<Vec<u8>>> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let from = Included(scan.from.clone());
        match &scan.to {
            // A range that ends before it begins is empty, and would panic in `range`.
            Some(to) if *to <= scan.from => self.pending.range((from.clone(), from_excluded(from))),
            Some(to) => self.pending.range((from, Excluded(to.clone()))),
            None => self.pending.range((from, Unbounded)),
        }
    }
}

/// `[key, key)`, which `BTreeMap::range` takes as the empty range.
fn from_excluded(from: std::ops::Bound<Vec<u8>>) -> std::ops::Bound<Vec<u8>> {
    match from {
        std::ops::Bound::Included(key) => std::ops::Bound::Excluded(key),
        other => other,
    }
}

impl Store for View<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        match self.pending.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
        let pending = self.pending_in(scan);
        let removed = pending.clone().filter(|(_, value)| value.is_none()).count();
        // As many more from below as this turn may have removed of them.
        let mut below = scan.clone();
        below.limit = scan.limit.saturating_add(removed);
        let mut merged: BTreeMap<Vec<u8>, Vec<u8>> = self.base.scan(&below)?.into_iter().collect();
        for (key, value) in pending {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        let entries = merged.into_iter();
        Ok(if scan.reverse {
            entries.rev().take(scan.limit).collect()
        } else {
            entries.take(scan.limit).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain(BTreeMap<Vec<u8>, Vec<u8>>);

    impl Store for Plain {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
            Ok(self.0.get(key).cloned())
        }

        fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault> {
            let all = self.0.iter().filter(|(key, _)| scan.contains(key));
            let all = all.map(|(key, value)| (key.clone(), value.clone()));
            Ok(if scan.reverse {
                all.rev().take(scan.limit).collect()
            } else {
                all.take(scan.limit).collect()
            })
        }
    }

    fn base() -> Plain {
        Plain((0..10u8).map(|i| (vec![1, i], vec![i])).collect())
    }

    fn keys(entries: Vec<Entry>) -> Vec<u8> {
        entries.into_iter().map(|(key, _)| key[1]).collect()
    }

    #[test]
    fn reads_its_own_writes() {
        let base = base();
        let mut view = View::new(&base);
        view.put(vec![1, 3], vec![33]);
        view.delete(vec![1, 4]);
        assert_eq!(view.get(&[1, 3]), Ok(Some(vec![33])));
        assert_eq!(view.get(&[1, 4]), Ok(None));
        assert_eq!(view.get(&[1, 5]), Ok(Some(vec![5])));
    }

    #[test]
    fn scans_what_is_left_in_both_directions() {
        let base = base();
        let mut view = View::new(&base);
        view.delete(vec![1, 0]);
        view.delete(vec![1, 1]);
        view.delete(vec![1, 9]);
        view.put(vec![1, 20], vec![20]);
        let scan = Scan::prefix(&[1]).limit(3);
        assert_eq!(keys(view.scan(&scan).unwrap()), [2, 3, 4]);
        assert_eq!(keys(view.scan(&scan.clone().backwards()).unwrap()), [20, 8, 7]);
        assert_eq!(keys(view.scan(&scan.after(&[1, 4])).unwrap()), [5, 6, 7]);
        let empty = Scan::prefix(&[1]).after(&[1, 7]).before(&[1, 2]);
        assert_eq!(view.scan(&empty), Ok(vec![]));
    }

    #[test]
    fn rolls_back_to_the_savepoint_and_no_further() {
        let base = base();
        let mut view = View::new(&base);
        view.put(vec![1, 0], vec![100]);
        view.savepoint();
        view.put(vec![1, 0], vec![101]);
        view.put(vec![1, 0], vec![102]);
        view.delete(vec![1, 1]);
        view.rollback();
        assert_eq!(view.into_writes(), [Write { key: vec![1, 0], value: Some(vec![100]) }]);
    }
}
