//! SeekState of a recording found by a look at little of it: by arithmetic, at the headers of packets, in a
//! table, by halving the rows of a column.
//!
//! All of it takes the recording to be in order of time, but for steps back of up to [`SLACK`]. Where
//! what is looked at says otherwise, nothing is found, and an index is made in one pass instead.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Checkpoint;
use crate::error::Result;
use crate::io::ByteSource;

/// How far events may step back in time, in µs, in a recording that counts as in order.
pub(crate) const SLACK: i64 = 100_000;

/// No more places than about these are looked at.
pub(crate) const PLACES: u64 = 1024;
/// SeekState stand at least so many bytes apart.
pub(crate) const LEAST: u64 = 4096;

/// A place from which decoding can go on, and the time of the first event or record behind it in µs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SampledPoint {
    pub checkpoint: Checkpoint,
    pub time: i64,
}

/// A place from which decoding can go on, and from when to when the events behind it are, up to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BoundedPoint {
    pub checkpoint: Checkpoint,
    /// The earliest and the latest time there may be, in µs; `None` if there is no event.
    pub times: Option<(i64, i64)>,
}

/// SeekState of a recording, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScanResult {
    /// Some were looked at: what lies between them is taken to be in order.
    Sampled(Vec<SampledPoint>),
    /// The time of every event is within these bounds, whatever the order.
    Bounded(Vec<BoundedPoint>),
}

/// Finds places of a stream of bytes without decoding it.
pub(crate) trait SeekScan: Send {
    /// `None` if damage, or the kind of recording, hides the places.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn look(&mut self, source: &mut ByteSource) -> Result<Option<ScanResult>>;
}

/// About how many bytes to pass over from place to place in data of `bytes` bytes.
pub(crate) fn stride(bytes: u64) -> u64 {
    (bytes / PLACES).max(LEAST)
}

/// Rows of a container that can be read from any row on.
pub(crate) trait Rows {
    /// How many there are to be read.
    fn rows(&self) -> Range<u64>;

    /// The time of a row in µs; `None` if it has none, or cannot be read by itself.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn time(&mut self, source: &mut ByteSource, row: u64) -> Result<Option<i64>>;

    /// Rows from which on it costs nothing to begin: at multiples of this.
    fn grain(&self) -> u64;

    /// Only these rows are to be read.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn keep(&mut self, source: &mut ByteSource, rows: Range<u64>) -> Result<()>;
}

/// Rows that are looked at beside those on the way, to see whether they are in order.
const SAMPLES: u64 = 17;

/// Goes on at the row of `checkpoint`, as [`BlockReader::resume`](super::BlockReader::resume).
///
/// # Errors
/// If the checkpoint is not of a row, or the file cannot be read.
pub(crate) fn resume(
    rows: &mut impl Rows,
    source: &mut ByteSource,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let Range { start, end } = rows.rows();
    let row = checkpoint.row()?.clamp(start, end);
    rows.keep(source, row..end)
}

/// Ends in front of the row of `checkpoint`, as [`BlockReader::stop`](super::BlockReader::stop).
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

/// Keeps the rows that may be of `time`. `false` if their times are not in order, or cannot be read: then
/// all rows are still there.
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
    // The last step whose first row is certainly too early, and the first one that is too late.
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

/// Notes the time of a row.
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

/// Times one after another, and whether they are in order.
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
    /// Takes the next time. Whether it steps back no further than [`SLACK`].
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
