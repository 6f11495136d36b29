//! What the polarities of a text mean, from its first lines.

use super::digits::DIGITS;
use super::fast::{self, Pattern, Reading, Scratch};
use super::line::{self, Columns};
use super::number::word;
use crate::codec::ReadOptions;
use crate::codec::columns::{PolarityReading, PolaritySet};
use crate::error::Result;
use crate::io::ByteSource;
use crate::model::EventBatch;

/// Number of bytes that are examined at a time, and at most: 64 bytes for each of the lines that decide.
const CHUNK: usize = 256 << 10;
const MOST: usize = 4 << 20;
/// Number of lines that are examined one by one where lines do not fit a pattern.
const ONE_BY_ONE: usize = 64;

/// Decides how the polarities of a text whose data begins at `start` are read.
///
/// # Errors
/// If what the numbers mean is not known, or the file cannot be read.
pub(crate) fn decide(
    source: &mut ByteSource,
    start: usize,
    columns: &Columns,
    options: &ReadOptions,
) -> Result<PolarityReading> {
    if let Some(values) = options.columns.polarity {
        return Ok(PolarityReading::stated(values));
    }
    let mut first = FirstLines::new(columns);
    let mut at = start;
    loop {
        let bytes = match source.is_seekable() {
            true => source.read_at(at as u64, CHUNK)?,
            false => source.head(at + CHUNK)?.split_off(at),
        };
        let is_all = bytes.len() < CHUNK;
        let end = bytes.iter().rposition(|&byte| byte == columns.line_end);
        let whole = end.filter(|_| !is_all).map_or(bytes.len(), |end| end + 1);
        first.add(&bytes[..whole]);
        at += whole;
        if is_all || at - start >= MOST || first.set.is_full() {
            return first.set.decide();
        }
    }
}

/// The polarities in the first lines.
struct FirstLines<'a> {
    columns: &'a Columns,
    set: PolaritySet,
    batch: EventBatch,
    scratch: Scratch,
}

impl<'a> FirstLines<'a> {
    fn new(columns: &'a Columns) -> Self {
        let (batch, scratch) = (EventBatch::new(), Scratch::default());
        Self { columns, set: PolaritySet::default(), batch, scratch }
    }

    /// Adds complete lines, many of them at a time where they have 0 and 1 in the simplest form.
    fn add(&mut self, bytes: &[u8]) {
        let (mut at, mut pattern, mut one_by_one) = (0, None, 0);
        while at < bytes.len() && !self.set.is_full() {
            if one_by_one == 0 && at >= DIGITS {
                pattern = pattern.or_else(|| Pattern::of(&bytes[at..], self.columns));
                let lines = pattern.as_ref().map_or(0, |it| self.add_many(bytes, &mut at, it));
                if lines == 0 {
                    (pattern, one_by_one) = (None, ONE_BY_ONE);
                }
                continue;
            }
            one_by_one = one_by_one.saturating_sub(1);
            let used = self.columns.line_len(&bytes[at..]);
            self.add_line(bytes[at..at + used].trim_ascii());
            at += used;
        }
    }

    /// Adds the lines of a pattern at `bytes[at..]`; returns their number.
    fn add_many(&mut self, bytes: &[u8], at: &mut usize, pattern: &Pattern) -> usize {
        let reading = Reading { columns: self.columns, pattern, longest: usize::MAX };
        self.batch.clear();
        let (end, lines) = fast::lines(bytes, *at, reading, &mut self.scratch, &mut self.batch);
        let on = self.batch.p.iter().filter(|&&p| p == 1).count();
        self.set.add_many(1.0, on as u64);
        self.set.add_many(0.0, (lines - on) as u64);
        *at = end;
        lines
    }

    /// Adds a trimmed line. Lines with another number of columns or without a number for the polarity are
    /// damaged, and words are certain: they tell nothing.
    fn add_line(&mut self, line: &[u8]) {
        if line::is_nothing(line) {
            return;
        }
        let Ok(values) = line::values(line, self.columns) else { return };
        let [_, _, _, p, _] = values.fields;
        if let Some(number) = p.as_f64().filter(|_| word(p.text).is_none()) {
            self.set.add(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::TimeUnit;

    fn reading(text: String) -> Result<PolarityReading> {
        let mut source = ByteSource::from_bytes(text.into_bytes());
        let columns = Columns::new(4, [0, 1, 2, 3], TimeUnit::Microseconds);
        decide(&mut source, 0, &columns, &ReadOptions::default())
    }

    #[test]
    fn the_first_lines_decide_and_no_others() {
        let lines = |n: i64, p: fn(i64) -> i64| {
            (0..n).map(|i| format!("{i} 3 4 {}\n", p(i))).collect::<String>()
        };
        let usual = reading(lines(100_000, |i| i % 2)).unwrap();
        assert_eq!([0, 1, -1].map(|p| usual.polarity(p)), [Some(0), Some(1), None]);
        let two = reading(lines(3000, |i| 1 + i % 2)).unwrap();
        assert_eq!([1, 2].map(|p| two.polarity(p)), [Some(0), Some(1)]);
        // The first 2 is among the lines that decide, or after them.
        let late = |p: fn(i64) -> i64| reading(lines(70_000, p)).unwrap().polarity(2);
        assert_eq!(late(|i| 1 + i64::from(i >= 60_000)), Some(1));
        assert_eq!(late(|i| 1 + i64::from(i >= 66_100)), None);
        assert!(reading(lines(300, |i| i % 5)).is_err());
        assert!(reading("1 2 3 True\n2 2 3 False\nbad\n".into()).is_ok());
    }
}
