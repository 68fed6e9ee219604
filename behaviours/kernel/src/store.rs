use crate::limits::SCAN_ENTRIES;

/// The store failed. Whoever sees this stops: caches that went on would lie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The disk or the database refused.
    #[error("the store failed: {0}")]
    Io(String),
    /// What is stored does not decode.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}

/// A range of keys to read, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// First key, included.
    pub from: Vec<u8>,
    /// Last key, not included; `None` is the end.
    pub to: Option<Vec<u8>>,
    /// From the end backwards.
    pub reverse: bool,
    /// Entries to return at most.
    pub limit: usize,
}

impl Scan {
    /// Every key that begins with `prefix`, up to [`SCAN_ENTRIES`] of them.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self {
            from: prefix.to_vec(),
            to: after_prefix(prefix),
            reverse: false,
            limit: SCAN_ENTRIES,
        }
    }

    /// The same range from the end.
    #[must_use]
    pub fn backwards(mut self) -> Self {
        self.reverse = true;
        self
    }

    /// At most this many entries.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(SCAN_ENTRIES);
        self
    }

    /// Only keys after `key`.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        self.from = key.to_vec();
        self.from.push(0);
        self
    }

    /// Only keys before `key`.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        self.to = Some(key.to_vec());
        self
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to)
    }
}

/// The first key after all that begin with `prefix`.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// Key and value, as a scan returns them.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What a machine can read: one family of keys, ordered by their bytes.
pub trait Store {
    /// The value under a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Fault>;

    /// The entries of a range, in the order that it asks for.
    fn scan(&self, scan: &Scan) -> Result<Vec<Entry>, Fault>;
}

/// One change to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub key: Vec<u8>,
    /// The new value; `None` removes the key.
    pub value: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
