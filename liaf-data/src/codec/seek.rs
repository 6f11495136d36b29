//! Finding seek points of a recording by reading only a small part of it: by arithmetic, from the
//! headers of packets, from an index table, or by a binary search over the rows of a column.
//!
//! All of these methods assume that the recording is in order of time, except for steps back of up
//! to [`SLACK`]. If the sampled data contradicts this, no seek points are returned, and an index is
//! built in one pass over the recording instead.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Checkpoint;
use crate::error::Result;
use crate::io::ByteSource;

/// How far events may step back in time, in µs, in a recording that counts as in order.
pub(crate) const SLACK: i64 = 100_000;

/// Approximate upper limit for the number of positions that are sampled.
pub(crate) const PLACES: u64 = 1024;
/// Minimum distance between two seek points, in bytes.
pub(crate) const LEAST: u64 = 4096;

/// A seek point, and the time in µs of the first event or record after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampledPoint {
    pub checkpoint: Checkpoint,
    pub time: i64,
}

/// A seek point, and the bounds of the times of the events between it and the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundedPoint {
    pub checkpoint: Checkpoint,
    /// The earliest and the latest possible time, in µs; `None` if there is no event.
    pub times: Option<(i64, i64)>,
}

/// The seek points of a recording, in file order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScanResult {
    /// Only some records were sampled. The events between two seek points are assumed to be in
    /// order.
    Sampled(Vec<SampledPoint>),
    /// The time of every event is known to be within these bounds, whatever the order of the
    /// events.
    Bounded(Vec<BoundedPoint>),
}

/// Finds seek points in a stream of bytes without decoding it.
pub(crate) trait SeekScan: Send {
    /// Returns the seek points; `None` if they cannot be found, because of damage or because of the
    /// kind of recording.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>>;
}

/// Approximate distance in bytes from one sampled position to the next, in data of `bytes` bytes.
pub(crate) fn stride(bytes: u64) -> u64 {
    (bytes / PLACES).max(LEAST)
}

/// Rows of a container that can be read from any row on.
pub(crate) trait Rows {
    /// The rows that are still to be read.
    fn rows(&self) -> Range<u64>;

    /// The time of a row in µs; `None` if it has none, or if it cannot be read on its own.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn time(&mut self, source: &mut ByteSource, row: u64) -> Result<Option<i64>>;

    /// Reading is cheap to start at rows that are multiples of this number.
    fn grain(&self) -> u64;

    /// Restricts reading to these rows.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn keep(&mut self, source: &mut ByteSource, rows: Range<u64>) -> Result<()>;
}

/// Number of rows, spread over the recording, that are sampled in addition to those of the binary
/// search, to check whether the rows are in order.
const SAMPLES: u64 = 17;

/// Resumes at the row of `checkpoint`, as [`BlockReader::resume`](super::BlockReader::resume).
///
/// # Errors
/// If the checkpoint is not that of a row, or the file cannot be read.
pub(crate) fn resume(
    rows: &mut impl Rows,
    source: &mut ByteSource,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let Range { start, end } = rows.rows();
    let row = checkpoint.row()?.clamp(start, end);
    rows.keep(source, row..end)
}

/// Makes reading end before the row of `checkpoint`, as
/// [`BlockReader::stop`](super::BlockReader::stop).
///
/// # Errors
/// As [`resume`].
pub(crate) fn stop(
    rows: &mut impl Rows,
    source: &mut ByteSource,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let Range { start, end } = rows.rows();
    let row = checkpoint.row()?.clamp(start, end);
    rows.keep(source, start..row)
}

/// Restricts reading to the rows that may have a time within `time`. Returns `false`, and leaves
/// the rows as they are, if the times are not in order or cannot be read.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn narrow(
    rows: &mut impl Rows,
    source: &mut ByteSource,
    time: &Range<i64>,
) -> Result<bool> {
    let Range { start: first, end } = rows.rows();
    let grain = rows.grain().max(1);
    let steps = (end - first).div_ceil(grain);
    let mut seen = BTreeMap::new();
    let samples = SAMPLES.min(steps);
    for i in 0..samples {
        let step = (steps - 1) * i / (samples - 1).max(1);
        if !look(rows, source, &mut seen, first + step * grain)? {
            return Ok(false);
        }
    }
    // The first step whose row is not before `bound`: the step before it is the last one that is
    // certainly too early.
    let mut bound = |bound: i64| -> Result<Option<u64>> {
        let (mut low, mut high) = (0, steps);
        while low < high {
            let middle = low + (high - low) / 2;
            let row = first + middle * grain;
            if !look(rows, source, &mut seen, row)? {
                return Ok(None);
            }
            if seen.get(&row).is_some_and(|&time| time < bound) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(Some(low))
    };
    let (Some(low), Some(high)) =
        (bound(time.start.saturating_sub(SLACK))?, bound(time.end.saturating_add(SLACK))?)
    else {
        return Ok(false);
    };
    if !in_order(seen.values().copied()) {
        return Ok(false);
    }
    let row = |step: u64| (first + step * grain).min(end);
    rows.keep(source, row(low.saturating_sub(1))..row(high.max(low)))?;
    Ok(true)
}

/// Reads the time of a row, unless it is known, and stores it in `seen`. Returns whether there is
/// one.
fn look(
    rows: &mut impl Rows,
    source: &mut ByteSource,
    seen: &mut BTreeMap<u64, i64>,
    row: u64,
) -> Result<bool> {
    if seen.contains_key(&row) {
        return Ok(true);
    }
    let time = rows.time(source, row)?;
    seen.extend(time.map(|time| (row, time)));
    Ok(time.is_some())
}

/// Checks whether times that arrive one after another are in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    latest: i64,
}

impl Default for Order {
    fn default() -> Self {
        Self { latest: i64::MIN }
    }
}

impl Order {
    /// Takes the next time. Returns whether it steps back no further than [`SLACK`].
    pub(crate) fn holds(&mut self, time: i64) -> bool {
        self.latest = self.latest.max(time);
        time.saturating_add(SLACK) >= self.latest
    }
}

/// Whether no time steps back further than [`SLACK`].
pub(crate) fn in_order(times: impl IntoIterator<Item = i64>) -> bool {
    let mut order = Order::default();
    times.into_iter().all(|time| order.holds(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Column {
        times: Vec<i64>,
        kept: Range<u64>,
        looks: usize,
    }

    impl Column {
        fn new(times: Vec<i64>) -> Self {
            let kept = 0..times.len() as u64;
            Self { times, kept, looks: 0 }
        }
    }

    impl Rows for Column {
        fn rows(&self) -> Range<u64> {
            self.kept.clone()
        }

        fn time(&mut self, _: &mut ByteSource, row: u64) -> Result<Option<i64>> {
            self.looks += 1;
            Ok(self.times.get(row as usize).copied())
        }

        fn grain(&self) -> u64 {
            10
        }

        fn keep(&mut self, _: &mut ByteSource, rows: Range<u64>) -> Result<()> {
            self.kept = rows;
            Ok(())
        }
    }

    #[test]
    fn rows_of_a_time_are_all_kept_and_few_others() {
        let mut nothing = ByteSource::from_bytes(Vec::new());
        let times: Vec<i64> = (0..100_000).map(|i| i * 50 - i % 3 * 400).collect();
        for time in
            [0..0, 0..1, 99_999..2_000_000, -9..0, 4_999_000..9_000_000, 3_000_000..3_000_001]
        {
            let mut column = Column::new(times.clone());
            assert!(narrow(&mut column, &mut nothing, &time).unwrap());
            let inside = |i: u64| column.kept.contains(&i);
            let wanted = times.iter().filter(|t| time.contains(t)).count();
            for (i, t) in (0..).zip(&times) {
                assert!(inside(i) || !time.contains(t), "{time:?}: row {i} at {t}");
            }
            let kept = (column.kept.end - column.kept.start) as usize;
            assert!(kept <= wanted + 2 * (SLACK as usize / 50 + 40), "{time:?}: {kept} rows");
            assert!(column.looks < 60, "{}", column.looks);
        }
    }

    #[test]
    fn rows_that_are_not_in_order_are_left_alone() {
        let mut nothing = ByteSource::from_bytes(Vec::new());
        let mut times: Vec<i64> = (0..1000).map(|i| i * 1000).collect();
        times.rotate_left(500);
        let mut column = Column::new(times);
        assert!(!narrow(&mut column, &mut nothing, &(5..6)).unwrap());
        assert_eq!(column.kept, 0..1000);
        assert!(narrow(&mut Column::new(Vec::new()), &mut nothing, &(5..6)).unwrap());
    }
}
