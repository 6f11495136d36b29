//! How much of a file may be read for one question, so that a small file cannot ask for endless work.
//!
//! In a sound file most metadata belongs to one object, and is read once: it is never more than the
//! file. Some, such as the blocks of a heap in which many objects lie, is read again for each of
//! them. A file whose parts point to one another in circles, or all to the same large block, would
//! have far more read than that.

use super::storage::Storage;
use crate::error::{Error, Result};

/// How often what is read again may be read, for each byte of the file.
const AGAIN: u64 = 64;
/// The same for files of any size.
const LEAST: u64 = 1 << 20;

/// Bytes that may still be read.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    once: u64,
    again: u64,
}

impl Budget {
    /// For one question about one object.
    pub fn new(storage: &Storage) -> Self {
        Self::of_objects(storage, 1)
    }

    /// For the way to an object, on which the same group may be read this many times.
    pub fn of_objects(storage: &Storage, times: u64) -> Self {
        let again = storage.size.saturating_mul(AGAIN).saturating_mul(1 + times / 8);
        Self {
            once: storage.size.saturating_mul(times).saturating_add(LEAST),
            again: again.saturating_add(LEAST),
        }
    }

    /// Counts as read again what `read` counts as read once.
    pub fn whole_again<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let mut inner = Self { once: self.again, again: 0 };
        let result = read(&mut inner);
        self.again = inner.once;
        result
    }

    /// Allows `bytes` more to be read again.
    pub fn earn(&mut self, bytes: u64) {
        self.again = self.again.saturating_add(bytes);
    }

    /// Counts metadata that has one place in the file, and is read for the first time.
    pub fn once(&mut self, bytes: u64) -> Result<()> {
        spend(&mut self.once, bytes)
    }

    /// Counts metadata that may have been read before.
    pub fn again(&mut self, bytes: u64) -> Result<()> {
        spend(&mut self.again, bytes)
    }
}

fn spend(left: &mut u64, bytes: u64) -> Result<()> {
    *left = left.checked_sub(bytes).ok_or_else(|| {
        Error::limit("the parts of the file go round in a circle, or lie over one another")
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_allowed_is_read() {
        let mut budget = Budget { once: 10, again: 5 };
        budget.once(10).unwrap();
        assert!(budget.once(1).unwrap_err().to_string().contains("in a circle"));
        budget.earn(1);
        budget.again(6).unwrap();
        assert!(budget.again(1).is_err());
        budget.earn(3);
        budget.whole_again(|inner| inner.once(2)).unwrap();
        assert!(budget.again(2).is_err());
        budget.again(1).unwrap();
    }
}
